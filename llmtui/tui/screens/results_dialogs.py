"""Dialogs over Results: the meaning of columns and flags, the evidence of conclusions, the details of a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Footer, Static

from llmtui.core.flags import CONDITIONS, DISTURBANCES
from llmtui.core.measures import Measure, measures, reading, value_of
from llmtui.core.plan import Plan
from llmtui.core.session import Session
from llmtui.core.summary import CategorySummary, ContenderSummary, Spread
from llmtui.core.what_holds import Holding
from llmtui.words import _, plural
from llmtui.words.cells import value_words
from llmtui.words.flags import flag_mark, flag_sentence
from llmtui.words.measures import explain_measure, measure_title
from llmtui.words.reasons import reason
from llmtui.words.session_head import Badge, badge_lines
from llmtui.words.trials import category_words
from llmtui.words.what_holds import evidence_lines, holding_words


class Reading(ModalScreen[None]):
    """Dialog with a title and a scrollable text."""

    CSS_PATH = "../styles/results.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q,question_mark", "dismiss", _("Back"), id="reading.back"),
        Binding("down,j", "scroll(1)", _("Down"), show=False, tooltip=_("Scroll down")),
        Binding("up,k", "scroll(-1)", _("Up"), show=False, tooltip=_("Scroll up")),
    ]

    def __init__(self, title: str, words: Content) -> None:
        super().__init__()
        self._title = title
        self._words = words

    def compose(self) -> ComposeResult:
        """Yield the text."""
        with VerticalScroll(classes="window") as box:
            box.border_title = self._title
            yield Static(self._words)
        yield Footer(show_command_palette=False)

    def action_scroll(self, by: int) -> None:
        """Scroll by a number of lines."""
        self.query_exactly_one(VerticalScroll).scroll_relative(y=by, animate=False)


def columns_explained(columns: Sequence[str]) -> Content:
    """Return the explanation of each column: its formula, its source, and which trials are left out."""
    parts: list[Content] = []
    for one in columns:
        said = explain_measure(one)
        if said:
            head, _newline, rest = said.partition("\n")
            parts.append(Content.assemble((head, "bold $primary"), "\n", rest, "\n"))
    return Content("\n").join(parts)


def flags_explained(shown: Sequence[Badge], session: Session) -> Content:
    """Return the explanation of each badge (a kind of flag), with its trials."""
    parts: list[Content] = []
    for badge in shown:
        first, *trials = badge_lines(badge, session)
        head = Content.assemble((f"! {badge.said}  ", "bold $warning"), first)
        parts += [head, *map(Content, trials), Content("")]
    return Content("\n").join(parts)


def evidence(shown: Sequence[Holding], session: Session) -> Content:
    """Return the evidence for each conclusion, then the meaning of the signs."""
    names = {one.label: one.label for one in session.plan.contenders}
    parts: list[Content] = []
    for one in shown:
        head = holding_words(one, session, names).said
        parts += [Content.styled(head, "bold $primary"), *map(Content, evidence_lines(one, session)), Content("")]
    marks = _("● proven   ◐ ahead, seems, or leads in this round   = practically equal   ○ still open")
    return Content("\n").join([*parts, Content.styled(marks, "$text-muted")])


def line_explained(line: ContenderSummary | CategorySummary, session: Session) -> Content:
    """Return the details of a row of results: its trials, ranges, reasons for missing figures, and conditions."""
    entries = [(measure_title(one.id), said) for one in measures() if (said := _said(one, line))]
    width = max((cell_len(name) for name, _said in entries), default=0) + 2
    parts = [_counts(line), *(_entry(name, said, width) for name, said in entries)]
    missing = list(_missing(line, session.plan))
    if missing:
        parts += [Content.styled(("\n" if entries else "") + _("Not measured"), "bold $primary"), *missing]
    marks = list(_marks(line, session))
    if marks:
        parts += [Content(""), *marks]
    return Content("\n").join(parts)


def line_title(line: ContenderSummary | CategorySummary) -> str:
    """Return a row's title: the model's label, and the category if the row is about one."""
    return f"{line.label} · {category_words(line.category)}" if isinstance(line, CategorySummary) else line.label


def _missing(line: ContenderSummary | CategorySummary, plan: Plan) -> Iterator[Content]:
    """Yield the names of the missing figures, grouped by reason."""
    named = {one.reason_key: one.id for one in measures() if one.reason_key is not None}
    by_reason: dict[str, list[str]] = {}
    for field, code in line.why.items():
        said = reason(code, num_predict=plan.options.num_predict)
        by_reason.setdefault(said, []).append(measure_title(named.get(field, field)))
    for why, names in by_reason.items():
        yield Content.assemble(", ".join(names), (f": {why}", "$foreground 60%"))


def _marks(line: ContenderSummary | CategorySummary, session: Session) -> Iterator[Content]:
    """Yield each condition and disturbance flag, with its number of trials."""
    prompts = session.plan.prompts
    rows = [row for row in session.rows if row.trial.contender == line.contender]
    if isinstance(line, CategorySummary):
        rows = [
            row
            for row in rows
            if row.trial.kind == "warm"
            and row.trial.prompt is not None
            and prompts[row.trial.prompt].category == line.category
        ]
    seen = Counter(flag for row in rows for flag in row.flags)
    for flag in (*CONDITIONS, *DISTURBANCES):
        if seen[flag]:
            trials = plural("{n} trial", "{n} trials", seen[flag]).format(n=seen[flag])
            yield Content.assemble(("! ", "bold $warning"), f"{flag_mark(flag)} ({trials}): {flag_sentence(flag)}")


def _counts(line: ContenderSummary | CategorySummary) -> Content:
    parts = [_("{n} trials complete").format(n=line.finished), _("{n} failed").format(n=line.failed)]
    if isinstance(line, ContenderSummary):
        parts.append(_("{n} disturbed").format(n=line.disturbed))
    return Content.styled(" · ".join(parts) + "\n", "bold")


def _said(one: Measure, line: ContenderSummary | CategorySummary) -> str:
    """Return a figure with its range as text; empty if it is missing or shown elsewhere."""
    if one.id == "finished" or (one.id == "ttfo_ms" and line.ttfo == line.ttft):
        return ""
    found = reading(one, line)
    said = value_words(one, value_of(found))
    if not isinstance(found, Spread) or found.n < 2:
        return said
    low, high = (value_words(one, value, unit=one.unit in ("s", "ms")) for value in (found.low, found.high))
    return f"{said}  " + _("from {low} to {high}, n = {n}").format(low=low, high=high, n=found.n)


def _entry(name: str, said: str, width: int) -> Content:
    return Content.assemble((name + " " * (width - cell_len(name)), "$foreground 60%"), said)
