"""Other models in the server's memory: their names, with the choice of what to do with them."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from llmtui.core.plan import Others
from llmtui.core.records import ResidentModel
from llmtui.tui.widgets.choice_line import ChoiceLine
from llmtui.words import _
from llmtui.words.figures import gigabytes


class OthersLine(Horizontal):
    """Hidden while the server has nothing in memory except picked models."""

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

    def __init__(self, others: Others) -> None:
        """Create a hidden line with a choice already made."""
        super().__init__()
        self._first: Others = others

    def compose(self) -> ComposeResult:
        """Yield the names, and the choice."""
        yield Static(id="others-who")
        yield Static(Content.styled("u ", "bold $accent"), classes="key")
        choices = [("unload", _("Unload during the run")), ("keep", _("Keep"))]
        yield ChoiceLine(choices, self._first, id="others")

    @property
    def value(self) -> Others:
        """What to do with them."""
        return "keep" if self.query_exactly_one(ChoiceLine).value == "keep" else "unload"

    def show(self, others: Sequence[ResidentModel]) -> None:
        """Show their names, or hide the line where there are none."""
        self.set_class(bool(others), "-shown")
        names = ", ".join(f"{one.name} ({gigabytes(one.size_bytes)})" if one.size_bytes else one.name for one in others)
        said = _("In memory, not picked: {names}").format(names=names)
        self.query_exactly_one("#others-who", Static).update(Content.assemble(("● ", "$warning"), said))
