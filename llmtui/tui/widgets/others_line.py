"""Models in the server's memory that are not picked: named, with the choice to unload or keep them."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from llmtui.core.plan import Others
from llmtui.core.records import ResidentModel
from llmtui.tui.widgets.choice_line import ChoiceLine
from llmtui.words import _
from llmtui.words.figures import gigabytes


class OthersLine(Horizontal):
    """Hidden while the server holds nothing but what is picked."""

    DEFAULT_CSS = """
    OthersLine {
        height: auto;
        display: none;
        padding: 0 1;
        background: $warning 12%;
        & > Static { width: 1fr; height: auto; max-height: 2; }
        & > .key { width: auto; }
        &.-shown { display: block; }
        &.-shown { layout: horizontal; }
    }
    """
    HELP = _(
        """
        ## Models in memory that are not picked
        They use memory and may use CPU time that the measured models need. **Unload during the run** unloads them and
        loads them again afterwards. **Keep** leaves them in memory, and every trial is marked.
        """
    )

    class Changed(Message):
        """The choice changed."""

    def __init__(self, others: Others) -> None:
        """Create a hidden line with a choice already made."""
        super().__init__()
        self._first: Others = others

    def compose(self) -> ComposeResult:
        """Who, and what to do."""
        yield Static(id="others-who")
        yield Static(Content.styled("u ", "bold $accent"), classes="key")
        choices = [("unload", _("Unload during the run")), ("keep", _("Keep"))]
        yield ChoiceLine(choices, self._first, id="others")

    @property
    def value(self) -> Others:
        """What is done with them."""
        return "keep" if self.query_exactly_one(ChoiceLine).value == "keep" else "unload"

    @property
    def is_shown(self) -> bool:
        """Whether there are such models."""
        return self.has_class("-shown")

    def step(self) -> None:
        """Take the other choice."""
        self.query_exactly_one(ChoiceLine).action_step(1)

    def choose(self, others: Others) -> None:
        """Take a choice."""
        self.query_exactly_one(ChoiceLine).value = others

    @on(ChoiceLine.Changed)
    def _changed(self, event: ChoiceLine.Changed) -> None:
        event.stop()
        self.post_message(self.Changed())

    def show(self, others: Sequence[ResidentModel]) -> None:
        """Names them, or hides the line where there are none."""
        self.set_class(bool(others), "-shown")
        names = ", ".join(f"{one.name} ({gigabytes(one.size_bytes)})" if one.size_bytes else one.name for one in others)
        said = _("In memory, not picked: {names}").format(names=names)
        self.query_exactly_one("#others-who", Static).update(Content.assemble(("● ", "$warning"), said))
