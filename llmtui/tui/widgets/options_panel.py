"""The options of every request: one line that shows them, and fields when it is opened."""

from __future__ import annotations

from typing import ClassVar

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Label, Static

from llmtui.core.choices import BadChoice, Choices, Value, bounds_of, from_text
from llmtui.tui.widgets.choice_line import ChoiceLine
from llmtui.words import _, plural
from llmtui.words.choices import choice_title, refused

_NUMBERS = ("num_predict", "num_ctx", "temperature")
"""Typed choices; the fields' ids."""
_TWICE = {False: "no", True: "yes"}


class OptionsPanel(Vertical):
    """Closed: a sentence. Open: one field per number, checked while typing."""

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
        - **Answer length**: the maximum number of tokens in an answer (num_predict)
        - **Context**: the number of tokens that a model can use at once (num_ctx); more needs more memory
        - **Temperature**: 0 repeats the same answer; higher values vary it
        - **Thinking**: for models that can think before they answer; *both* compares on and off
        - **Same model twice (A/A)**: each model against itself, to see how much equal results differ on this machine
        """
    )

    class Changed(Message):
        """The values changed; invalid ones do not."""

    class Toggled(Message):
        """The line was clicked."""

    def __init__(self, values: Choices, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        """Create a closed panel."""
        super().__init__(id=id, classes="-closed")
        self.values = values

    def compose(self) -> ComposeResult:
        """Yield the sentence; the fields are added when the panel is opened."""
        yield Static(self._said(), id="options-said")

    def _said(self) -> Content:
        values = self.values
        tokens = plural("{n} token", "{n} tokens", values.num_predict).format(n=values.num_predict)
        thinking = {"off": _("off"), "on": _("on"), "both": _("off and on")}.get(values.think, values.think)
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
        """Open the panel and focus its first field, or close it."""
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

    def set(self, values: Choices) -> None:
        """Set other values."""
        self.values = values
        for name in _NUMBERS:
            for shown in self.query(f"#{name}").results(Input):
                with self.prevent(Input.Changed):
                    shown.value = f"{getattr(values, name):g}"
        for name, value in (("think", values.think), ("twice", _TWICE[values.twice])):
            for line in self.query(f"#{name}").results(ChoiceLine):
                with self.prevent(ChoiceLine.Changed):
                    line.value = value
        self._redraw()

    def _fields(self) -> Grid:
        cells: list[Label | Input | ChoiceLine | Static] = []
        for name in _NUMBERS:
            cells += [Label(choice_title(name)), Input(f"{getattr(self.values, name):g}", id=name, compact=True)]
        words = {"off": _("off"), "on": _("on"), "both": _("both")}
        ways = [(way, words.get(way, way)) for way in bounds_of()["think"].among if way in (*words, self.values.think)]
        cells += [Label(choice_title("think")), ChoiceLine(ways, self.values.think, id="think")]
        ways = [("no", _("no")), ("yes", _("yes"))]
        cells += [Label(choice_title("twice")), ChoiceLine(ways, _TWICE[self.values.twice], id="twice")]
        cells.append(Static(classes="problem"))
        return Grid(*cells)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        wrong: list[str] = []
        values: dict[str, Value] = {}
        for name in _NUMBERS:
            field = self.query_exactly_one(f"#{name}", Input)
            try:
                values[name] = from_text(bounds_of()[name], field.value)
            except BadChoice as error:
                wrong.append(self._problem(error))
            field.set_class(name not in values, "-invalid")
        self.set_class(bool(wrong), "-wrong")
        self.query_exactly_one(".problem", Static).update("  ".join(wrong))
        self._take(msgspec.structs.replace(self.values, **values))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.screen.focus_next()

    @on(ChoiceLine.Changed)
    def _chosen(self, event: ChoiceLine.Changed) -> None:
        event.stop()
        name = event.line.id or ""
        value = event.value == _TWICE[True] if name == "twice" else event.value
        self._take(msgspec.structs.replace(self.values, **{name: value}))

    def _take(self, values: Choices) -> None:
        if values != self.values:
            self.values = values
            self._redraw()
            self.post_message(self.Changed())

    def _problem(self, error: BadChoice) -> str:
        name = error.bounds.name
        wrong = refused(error.bounds, error.given)
        return _("{name} {wrong}; {kept} is kept.").format(
            name=name, wrong=wrong, kept=f"{getattr(self.values, name):g}"
        )

    def on_click(self) -> None:
        """Open the closed panel."""
        if not self.is_open:
            self.toggle()
