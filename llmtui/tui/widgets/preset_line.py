"""The preset of a run: four words, and the effect of the chosen one."""

from __future__ import annotations

from textual import getters, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Static

from llmtui.core.choices import Preset
from llmtui.tui.widgets.choice_line import ChoiceLine
from llmtui.words import _

PRESET_WORDS: dict[Preset, tuple[str, str]] = {
    "auto": (_("Auto"), _("Two rounds, then more if they fit into 6 minutes; at most five.")),
    "quick": (_("Quick"), _("One round: figures and a first impression.")),
    "standard": (_("Standard"), _("Five rounds: shows which model is faster, if the difference is large enough.")),
    "thorough": (_("Thorough"), _("Five to ten rounds: continues until every pair is settled.")),
}


class PresetLine(Horizontal):
    """The words and their meaning; ``value`` is the chosen preset."""

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
        """
    )

    line = getters.query_one(ChoiceLine)

    class Changed(Message):
        """Another preset was chosen."""

    def __init__(self, preset: Preset) -> None:
        """Create the line with a preset chosen."""
        super().__init__()
        self._first: Preset = preset

    def compose(self) -> ComposeResult:
        """Yield the words and the meaning."""
        yield ChoiceLine([(name, words[0]) for name, words in PRESET_WORDS.items()], self._first)
        yield Static(PRESET_WORDS[self._first][1], classes="said")

    @property
    def value(self) -> Preset:
        """The chosen preset."""
        return next(name for name in PRESET_WORDS if name == self.line.value)

    def choose(self, preset: Preset) -> None:
        """Choose a preset."""
        self.line.value = preset

    @on(ChoiceLine.Changed)
    def _changed(self, event: ChoiceLine.Changed) -> None:
        event.stop()
        self.query_exactly_one(".said", Static).update(PRESET_WORDS[self.value][1])
        self.post_message(self.Changed())
