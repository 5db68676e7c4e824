"""The line that lists models in the server's memory that are not picked, with the choice to unload or keep them."""

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
    """A line that is hidden if the server holds no models other than the picked ones."""

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
        loads them again afterwards. **Keep** leaves them in memory, and every trial is flagged.
        """
    )

    class Changed(Message):
        """Posted when the user has changed the choice."""

    def __init__(self, others: Others) -> None:
        """Create a hidden line with an initial choice."""
        super().__init__()
        self._first: Others = others

    def compose(self) -> ComposeResult:
        """Yield the models' names and the choice."""
        yield Static(id="others-who")
        yield Static(Content.styled("u ", "bold $accent"), classes="key")
        choices = [("unload", _("Unload during the run")), ("keep", _("Keep"))]
        yield ChoiceLine(choices, self._first, id="others")

    @property
    def value(self) -> Others:
        """The choice: ``unload`` or ``keep``."""
        return "keep" if self.query_exactly_one(ChoiceLine).value == "keep" else "unload"

    @property
    def is_shown(self) -> bool:
        """Whether the line is visible, that is, whether there are such models."""
        return self.has_class("-shown")

    def step(self) -> None:
        """Switch to the other choice."""
        self.query_exactly_one(ChoiceLine).action_step(1)

    def choose(self, others: Others) -> None:
        """Set the choice."""
        self.query_exactly_one(ChoiceLine).value = others

    @on(ChoiceLine.Changed)
    def _changed(self, event: ChoiceLine.Changed) -> None:
        event.stop()
        self.post_message(self.Changed())

    def show(self, others: Sequence[ResidentModel]) -> None:
        """Show the models' names and sizes, or hide the line if there are no models."""
        self.set_class(bool(others), "-shown")
        names = ", ".join(f"{one.name} ({gigabytes(one.size_bytes)})" if one.size_bytes else one.name for one in others)
        said = _("In memory, not picked: {names}").format(names=names)
        self.query_exactly_one("#others-who", Static).update(Content.assemble(("● ", "$warning"), said))
