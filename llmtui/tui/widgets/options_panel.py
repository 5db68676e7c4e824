"""The options of every request: a line with their values, and fields to change them."""

from __future__ import annotations

from typing import ClassVar

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from llmtui.core.choices import BadChoice, Choices, Value, bounds_of, from_text
from llmtui.core.plan import Others
from llmtui.core.planning import FULL_ANSWER_TOKENS
from llmtui.tui.widgets.choice_line import ChoiceLine
from llmtui.words import _, plural
from llmtui.words.choices import choice_title, refused
from llmtui.words.figures import with_mark

_NUMBERS = ("num_predict", "num_ctx", "temperature")
"""Options that are typed as numbers; also the ids of their fields."""
_YES_NO = {False: "no", True: "yes"}


class OptionsPanel(Vertical):
    """A line with the values; when the panel is open, also a field per option, checked while the user types."""

    DEFAULT_CSS = """
    OptionsPanel {
        height: auto;
        & > #options-said { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
        & > Grid {
            grid-size: 4;
            grid-columns: auto 16 auto 1fr;
            grid-rows: 1;
            grid-gutter: 0 2;
            height: auto;
            padding: 0 1;
            & Input { width: 100%; &.-invalid { color: $text-error; } }
            & .problem, & .warning, & .hint { column-span: 4; height: 1; display: none; }
            & .problem { color: $text-error; }
            & .warning { color: $text-warning; }
            & .hint { color: $text-muted; display: block; }
        }
        &.-closed > Grid { display: none; }
        &.-wrong .problem { display: block; }
        &.-warned .warning { display: block; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "app.focus_next", _("Next"), id="next_option", tooltip=_("Go to the next option")),
        Binding("escape", "screen.options", _("Close"), id="close_options"),
    ]
    HELP = _(
        """
        ## Options
        - **Answer length**: the maximum number of tokens in an answer (num_predict)
        - **Full answers**: up to 1024 tokens, for this run (key **f**)
        - **Context**: the number of tokens that a model can use at once (num_ctx); more needs more memory
        - **Temperature**: 0 repeats the same answer; higher values vary it
        - **Thinking**: for models that can think before they answer; *both* compares on and off
        - **Same model twice (A/A)**: each model against itself, to see how much its results differ on this machine
        - **Other models**: those in memory that are not picked (key **u**)
        """
    )

    class Changed(Message):
        """Posted when the user has changed a value; not posted for invalid values."""

    def __init__(self, values: Choices, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id, classes="-closed")
        self.values = values
        self._others: Others = "unload" if values.unload_others else "keep"
        self._too_large = 0

    def compose(self) -> ComposeResult:
        """Yield the line with the values; the fields are created when the panel is opened."""
        yield Static(self._said(), id="options-said")

    def _said(self) -> Content:
        values = self.values
        tokens = plural("{n} token", "{n} tokens", values.num_predict).format(n=values.num_predict)
        thinking = {"off": _("off"), "on": _("on"), "both": _("off and on")}.get(values.think, values.think)
        words = [
            _("up to {tokens}").format(tokens=tokens),
            _("context {n}").format(n=values.num_ctx),
            _("temperature {n}").format(n=with_mark(f"{values.temperature:g}")),
            _("thinking {how}").format(how=thinking),
        ]
        if values.twice:
            words.append(_("same model twice"))
        if self._others == "keep":
            words.append(_("other models kept"))
        mark = "▸" if self.has_class("-closed") else "▾"
        return Content.assemble(
            (f"{mark} ", "$accent"), (_("Options"), "bold"), "  ", (" · ".join(words), "$foreground 70%")
        )

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
        """Whether the fields are visible."""
        return not self.has_class("-closed")

    def full_answers(self, usual: int) -> None:
        """Set the answer length to 1024 tokens; if it is 1024 already, set it back to ``usual``."""
        usual = usual if usual != FULL_ANSWER_TOKENS else Choices().num_predict
        full = self.values.num_predict != FULL_ANSWER_TOKENS
        self.set(msgspec.structs.replace(self.values, num_predict=FULL_ANSWER_TOKENS if full else usual))
        self.post_message(self.Changed())

    def tell_others(self, others: Others) -> None:
        """Show whether models in memory that are not picked are unloaded or kept."""
        self._others = others
        self._choose("others", others)
        self._redraw()

    def warn(self, too_large: int) -> None:
        """Show how many picked models do not fit into memory with this context length; hide the warning for 0."""
        self._too_large = too_large
        self.set_class(too_large > 0, "-warned")
        words = plural(
            "With this context, {n} picked model does not fit into memory.",
            "With this context, {n} picked models do not fit into memory.",
            too_large,
        ).format(n=too_large)
        for line in self.query(".warning").results(Static):
            line.update(words)

    def set(self, values: Choices) -> None:
        """Replace all values."""
        self.values = values
        for name in _NUMBERS:
            for shown in self.query(f"#{name}").results(Input):
                with self.prevent(Input.Changed):
                    shown.value = f"{getattr(values, name):g}"
        for name, value in self._chosen().items():
            self._choose(name, value)
        self._redraw()

    def _choose(self, name: str, value: str) -> None:
        for line in self.query(f"#option-{name}").results(ChoiceLine):
            with self.prevent(ChoiceLine.Changed):
                line.value = value

    def _chosen(self) -> dict[str, str]:
        """Return the value of each option that is set by picking one of several words."""
        values = self.values
        return {
            "full": _YES_NO[values.num_predict == FULL_ANSWER_TOKENS],
            "think": values.think,
            "twice": _YES_NO[values.twice],
            "others": self._others,
        }

    def _fields(self) -> Grid:
        cells: list[Widget] = []
        values = self._chosen()
        words = {"off": _("off"), "on": _("on"), "both": _("both")}
        thinking = [
            (way, words.get(way, way)) for way in bounds_of()["think"].among if way in (*words, values["think"])
        ]
        no_yes = [("no", _("no")), ("yes", _("yes"))]
        others = [("unload", _("unload")), ("keep", _("keep"))]
        numbers = iter(_NUMBERS)
        for name, ways in (("full", no_yes), ("think", thinking), ("twice", no_yes), ("others", others)):
            number = next(numbers, None)
            if number is not None:
                shown = f"{getattr(self.values, number):g}"
                cells += [Label(choice_title(number)), Input(shown, id=number, compact=True)]
            else:
                cells += [Label(""), Label("")]
            cells += [Label(choice_title(name)), ChoiceLine(ways, values[name], id=f"option-{name}")]
        cells += [Static(classes="problem"), Static(classes="warning")]
        cells.append(Static(_("Tab goes to the next, Esc closes."), classes="hint"))
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
        self._choose("full", _YES_NO[self.values.num_predict == FULL_ANSWER_TOKENS])

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.screen.focus_next()

    @on(ChoiceLine.Changed)
    async def _picked(self, event: ChoiceLine.Changed) -> None:
        event.stop()
        match (event.line.id or "").removeprefix("option-"):
            case "full" | "others" as name:
                # The screen has keys for these options too, and keeps their values.
                await self.run_action("screen.full_answers" if name == "full" else "screen.others")
            case "twice":
                self._take(msgspec.structs.replace(self.values, twice=event.value == _YES_NO[True]))
            case name:
                self._take(msgspec.structs.replace(self.values, **{name: event.value}))

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
        """Open the panel if it is closed."""
        if not self.is_open:
            self.toggle()
