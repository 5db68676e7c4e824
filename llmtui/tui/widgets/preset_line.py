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
    "auto": (_("Auto"), _("Two rounds, then more while they end within 6 minutes; at most five.")),
    "quick": (_("Quick"), _("One round: figures, and a first impression of who is ahead.")),
    "standard": (_("Standard"), _("Five rounds: says who is faster where that can be told.")),
    "thorough": (_("Thorough"), _("Five to ten rounds: goes on until every pair can be told apart.")),
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
        A **round** asks every model every picked question once, in a random order. More rounds tell models apart that
        are close to each other. **1** to **4** choose from anywhere.
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
