"""The options of every request: one line that says them, and fields when it is opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Label, Static

from llmtui.core.planning import Thinking
from llmtui.tui.widgets.choice_line import ChoiceLine
from llmtui.words import _, plural


class OptionValues(msgspec.Struct, frozen=True, kw_only=True):
    """What can be set here."""

    num_predict: int = 128
    num_ctx: int = 4096
    temperature: float = 0.0
    thinking: Thinking = "off"
    twice: bool = False
    """Each model against itself (A/A)."""


class _Field(msgspec.Struct, frozen=True):
    """One number that can be typed."""

    name: str
    read: Callable[[str], float]
    low: float
    high: float


_FIELDS = (
    _Field("num_predict", int, 1, 131_072),
    _Field("num_ctx", int, 128, 4_194_304),
    _Field("temperature", float, 0, 2),
)


_TWICE = {False: "no", True: "yes"}


class OptionsPanel(Vertical):
    """Closed: a sentence. Open: a field a number, checked as it is typed."""

    DEFAULT_CSS = """
    OptionsPanel {
        height: auto;
        & > #options-said { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
        & > Grid {
            grid-size: 4;
            grid-columns: auto 10 auto 1fr;
            grid-gutter: 0 2;
            height: auto;
            padding: 0 1;
            & Input { width: 100%; &.-invalid { color: $error; } }
            & .problem { column-span: 4; color: $error; display: none; }
        }
        &.-closed > Grid { display: none; }
        &.-wrong .problem { display: block; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "screen.options", _("Close"), id="close_options")]
    HELP = _(
        """
        ## Options
        - **Answer length**: the most tokens an answer may have (num_predict)
        - **Context**: how many tokens a model keeps in mind (num_ctx); more takes more memory
        - **Temperature**: 0 gives the same answer each time; higher varies it
        - **Thinking**: for models that can think before they answer; *both* compares the two
        - **Same model twice (A/A)**: each model against itself, to see how far two equal things lie apart here
        """
    )

    class Changed(Message):
        """The values changed; wrong ones do not."""

    class Toggled(Message):
        """The line was clicked."""

    def __init__(self, values: OptionValues, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        """Makes a closed panel."""
        super().__init__(id=id, classes="-closed")
        self.values = values

    def compose(self) -> ComposeResult:
        """The sentence; the fields come when the panel is opened."""
        yield Static(self._said(), id="options-said")

    def _said(self) -> Content:
        values = self.values
        tokens = plural("{n} token", "{n} tokens", values.num_predict).format(n=values.num_predict)
        thinking = {"off": _("off"), "on": _("on"), "both": _("off and on")}[values.thinking]
        words = [
            _("up to {tokens}").format(tokens=tokens),
            _("context {n}").format(n=values.num_ctx),
            _("temperature {n}").format(n=f"{values.temperature:g}"),
            _("thinking {how}").format(how=thinking),
        ]
        if values.twice:
            words.append(_("same model twice"))
        mark = "▸" if self.has_class("-closed") else "▾"
        return Content.assemble((f"{mark} ", "$accent"), (_("Options"), "bold"), "  ", (" · ".join(words), "dim"))

    def _redraw(self) -> None:
        self.query_exactly_one("#options-said", Static).update(self._said())

    def toggle(self) -> None:
        """Opens the panel and goes to its first field, or closes it."""
        opening = self.has_class("-closed")
        self.set_class(not opening, "-closed")
        if opening and not self.query(Grid):
            self.mount(self._fields())
        self._redraw()
        if opening:
            self.call_after_refresh(lambda: self.query(Input).first().focus())

    @property
    def is_open(self) -> bool:
        """Whether the fields are shown."""
        return not self.has_class("-closed")

    def set(self, values: OptionValues) -> None:
        """Takes other values."""
        self.values = values
        for field in _FIELDS:
            for shown in self.query(f"#{field.name}").results(Input):
                with self.prevent(Input.Changed):
                    shown.value = f"{getattr(values, field.name):g}"
        for name, value in (("thinking", values.thinking), ("twice", _TWICE[values.twice])):
            for line in self.query(f"#{name}").results(ChoiceLine):
                with self.prevent(ChoiceLine.Changed):
                    line.value = value
        self._redraw()

    def _fields(self) -> Grid:
        titles = {
            "num_predict": _("Answer length (num_predict)"),
            "num_ctx": _("Context (num_ctx)"),
            "temperature": _("Temperature"),
        }
        cells: list[Label | Input | ChoiceLine | Static] = []
        for field in _FIELDS:
            cells.append(Label(titles[field.name]))
            cells.append(Input(f"{getattr(self.values, field.name):g}", id=field.name, compact=True))
        choices = [("off", _("off")), ("on", _("on")), ("both", _("both"))]
        cells += [Label(_("Thinking")), ChoiceLine(choices, self.values.thinking, id="thinking")]
        choices = [("no", _("no")), ("yes", _("yes"))]
        cells += [Label(_("Same model twice (A/A)")), ChoiceLine(choices, _TWICE[self.values.twice], id="twice")]
        cells.append(Static(classes="problem"))
        return Grid(*cells)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        field = next(field for field in _FIELDS if field.name == event.input.id)
        number = _number(field, event.value)
        event.input.set_class(number is None, "-invalid")
        wrong = [
            self._problem(each) for each in _FIELDS if self.query_exactly_one(f"#{each.name}").has_class("-invalid")
        ]
        self.set_class(bool(wrong), "-wrong")
        self.query_exactly_one(".problem", Static).update("  ".join(wrong))
        if number is not None:
            self._take(msgspec.structs.replace(self.values, **{field.name: number}))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.screen.focus_next()

    @on(ChoiceLine.Changed)
    def _chosen(self, event: ChoiceLine.Changed) -> None:
        event.stop()
        if event.line.id == "twice":
            self._take(msgspec.structs.replace(self.values, twice=event.value == _TWICE[True]))
            return
        ways: dict[str, Thinking] = {"off": "off", "on": "on", "both": "both"}
        self._take(msgspec.structs.replace(self.values, thinking=ways[event.value]))

    def _take(self, values: OptionValues) -> None:
        if values != self.values:
            self.values = values
            self._redraw()
            self.post_message(self.Changed())

    def _problem(self, field: _Field) -> str:
        whole = _("a whole number") if field.read is int else _("a number")
        return _("{name} must be {kind} from {low} to {high}; {kept} stays.").format(
            name=field.name,
            kind=whole,
            low=f"{field.low:g}",
            high=f"{field.high:g}",
            kept=f"{getattr(self.values, field.name):g}",
        )

    def on_click(self) -> None:
        """A click on the closed line opens it."""
        if not self.is_open:
            self.toggle()


def _number(field: _Field, text: str) -> float | None:
    try:
        number = field.read(text.strip())
    except ValueError:
        return None
    return number if field.low <= number <= field.high else None
