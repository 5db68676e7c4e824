"""The choice of how thorough a run is: four presets with key and expected time, and a description."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from textual import getters, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.events import Resize
from textual.message import Message
from textual.widgets import Static

from llmtui.core.choices import Preset
from llmtui.tui.widgets.choice_line import ChoiceLine
from llmtui.words import _

PRESET_WORDS: dict[Preset, tuple[str, str]] = {
    "auto": (_("Auto"), _("Two rounds, then more if they fit into 6 minutes; at most five.")),
    "quick": (_("Quick"), _("One round: figures and a first impression.")),
    "standard": (_("Standard"), _("Five rounds: shows which model is faster, if the difference is large enough.")),
    "thorough": (_("Thorough"), _("Five rounds, then more until every pair is settled; at most ten.")),
}
MANY: Final = 5
"""If there are at least this many contenders, a hint recommends five rounds, as these settle more of the pairs."""
FIVE_ROUNDS: Final[frozenset[Preset]] = frozenset({"standard", "thorough"})


class PresetLine(Horizontal):
    """The presets, and a description of the chosen one."""

    DEFAULT_CSS = """
    PresetLine {
        height: auto;
        padding: 0 1;
        & > Static.said { width: 1fr; height: auto; max-height: 2; padding-left: 2; color: $text-muted; }
    }
    """
    HELP = _(
        """
        ## How thorough
        In a **round** every model runs every picked prompt once, in a random order. More rounds settle smaller
        differences. **1** to **4** choose a preset from anywhere on this screen.

        More models mean more pairs: after three rounds *faster* needs a difference of 8 % between two models, and of
        26 % among six. Five rounds make up for much of that.
        """
    )

    line = getters.query_one(ChoiceLine)

    class Changed(Message):
        """Posted when another preset is chosen."""

    def __init__(self, preset: Preset) -> None:
        super().__init__()
        self._first: Preset = preset
        self._times: Mapping[Preset, str] = {}
        self._contenders = 0

    def compose(self) -> ComposeResult:
        """Yield the presets and the description of the chosen one."""
        yield ChoiceLine(self._words(times=False), self._first)
        yield Static(PRESET_WORDS[self._first][1], classes="said")

    @property
    def value(self) -> Preset:
        """The chosen preset."""
        return next(name for name in PRESET_WORDS if name == self.line.value)

    def choose(self, preset: Preset) -> None:
        """Choose a preset."""
        self.line.value = preset

    def tell(self, times: Mapping[Preset, str], contenders: int) -> None:
        """Show the expected time of each preset, and with many models a hint about five rounds."""
        self._times, self._contenders = times, contenders
        self._draw()

    def _words(self, *, times: bool) -> list[tuple[str, str]]:
        return [
            (name, f"{number} {words[0]}{' ' + self._times[name] if times and name in self._times else ''}")
            for number, (name, words) in enumerate(PRESET_WORDS.items(), 1)
        ]

    def _draw(self) -> None:
        words = self._words(times=True)
        if sum(len(word) + 3 for _name, word in words) > self.content_size.width:
            words = self._words(times=False)
        self.line.rename(words)
        self.query_exactly_one(".said", Static).update(self._said())

    def _said(self) -> str:
        if self._contenders >= MANY and self.value not in FIVE_ROUNDS:
            pairs = self._contenders * (self._contenders - 1) // 2
            return _("{n} models make {pairs} pairs: five rounds (key 3) settle more.").format(
                n=self._contenders, pairs=pairs
            )
        return PRESET_WORDS[self.value][1]

    def on_resize(self, event: Resize) -> None:
        """Show the times if they fit."""
        self._draw()

    @on(ChoiceLine.Changed)
    def _changed(self, event: ChoiceLine.Changed) -> None:
        event.stop()
        self._draw()
        self.post_message(self.Changed())
