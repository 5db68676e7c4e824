"""The comparison of sessions, as a printed table and as a JSON document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Final, Literal

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from llmtui import __version__
from llmtui.core.across import Comparison, FigureChange, mark_of
from llmtui.core.differences import Difference
from llmtui.core.gate import Gated
from llmtui.core.measures import measure_of
from llmtui.core.session import Session
from llmtui.core.short_names import short_names
from llmtui.report.json_form import file_unit
from llmtui.report.terminal import LEAST_NAME, WIDTH, plain_console
from llmtui.store.compared import ComparedSessions
from llmtui.store.csv_cells import utc_cell
from llmtui.words import _
from llmtui.words.comparing import ComparedRow, comparison_notes, comparison_rows, legend, session_line

VERSION: Final = 1
"""Version of the JSON document: increased when a field is removed or changes its meaning."""
LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""Names of the sessions in the printed table, in order."""


class SessionHead(msgspec.Struct, frozen=True, kw_only=True):
    """The facts that the JSON document has on each session."""

    session_id: str
    started_utc: str
    llmtui: str
    server: str
    server_version: str | None


class ChangeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of one model in two sessions, unrounded."""

    model: str
    figure: str
    unit: str
    before: float | None
    after: float | None
    ratio: float | None
    low: float | None
    high: float | None
    rounds_before: int
    rounds_after: int
    word: str
    mark: str
    day_to_day_included: bool
    why: str | None


class ComparisonFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The comparison of one session with the first one."""

    before: str
    after: str
    differences: tuple[Difference, ...]
    day_to_day: float | None
    """Standard deviation of a session's log speed from day to day; null if it is not known."""
    only_before: tuple[str, ...]
    changes: tuple[ChangeFacts, ...]


class LimitFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The result of checking a limit on one model."""

    limit: str
    after: str
    model: str
    held: str
    low: float | None
    high: float | None
    rounds: int | None


class ComparisonDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON document that ``llmtui compare --json`` prints."""

    format: Literal["llmtui-comparison"] = "llmtui-comparison"
    version: Literal[1] = VERSION
    written_by: str = __version__
    sessions: tuple[SessionHead, ...]
    comparisons: tuple[ComparisonFacts, ...]
    limits: tuple[LimitFacts, ...]


def comparison_json(found: Sequence[ComparedSessions], limits: Sequence[tuple[ComparedSessions, Gated]]) -> bytes:
    """Return the JSON document, indented, as bytes."""
    made = ComparisonDocument(
        sessions=tuple(map(compared_session, (found[0].before, *(one.after for one in found)))),
        comparisons=tuple(_comparison(one) for one in found),
        limits=tuple(
            LimitFacts(
                limit=one.limit.text,
                after=of.after.session_id,
                model=of.after.plan.contenders[one.change.contender].label,
                held=one.held,
                low=one.low,
                high=one.high,
                rounds=one.rounds,
            )
            for of, one in limits
        ),
    )
    return msgspec.json.format(msgspec.json.encode(made), indent=1) + b"\n"


def compared_session(session: Session) -> SessionHead:
    """Return the facts on a session for the JSON document."""
    seen = session.fingerprint
    return SessionHead(
        session_id=session.session_id,
        started_utc=utc_cell(session.wall_ns),
        llmtui=seen.llmtui,
        server=seen.server_kind,
        server_version=seen.server_version,
    )


def print_comparisons(found: Sequence[ComparedSessions], out: IO[str]) -> None:
    """Print each comparison as a table of at most 80 columns, then changed conditions and missing verdicts."""
    console = plain_console(out)
    sessions = (found[0].before, *(one.after for one in found))
    for letter, session in zip(LETTERS, sessions, strict=False):
        console.print(Text(session_line(letter, session)))
    for letter, one in zip(LETTERS[1:], found, strict=False):
        console.print()
        _print_one(one.comparison, one.after, letter, console)
    if any(mark_of(change) != "none" for one in found for change in one.comparison.changes):
        console.print(Text(legend()))


def _print_one(comparison: Comparison, after: Session, letter: str, console: Console) -> None:
    rows = comparison_rows(comparison, after)
    if rows:
        console.print(_table(rows, letter, min(console.width, WIDTH)))
        console.print()
    for line in comparison_notes(comparison, after):
        console.print(Text(line))


def _table(rows: Sequence[ComparedRow], letter: str, width: int) -> Table:
    """Return the rows as a table; a model's name is only in its first row, and shortened if it is too long."""
    others = [row[1:] for row in rows]
    taken = sum(max(len(cells[at]) for cells in others) + 2 for at in range(len(others[0]))) + 2
    short = short_names([row.model for row in rows], max(width - taken, LEAST_NAME))
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(_("Model"), no_wrap=True)
    table.add_column(_("Figure"), no_wrap=True)
    for head in ("A", letter, f"{letter} ÷ A", "95 %"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    named = ""
    for row in rows:
        name, named = ("" if row.model == named else short[row.model]), row.model
        table.add_row(*map(Text, (name, *row[1:])))
    return table


def _comparison(of: ComparedSessions) -> ComparisonFacts:
    one = of.comparison
    return ComparisonFacts(
        before=of.before.session_id,
        after=of.after.session_id,
        differences=one.differences,
        day_to_day=one.day_noise,
        only_before=one.gone,
        changes=tuple(_change(change, of.after) for change in one.changes),
    )


def _change(one: FigureChange, after: Session) -> ChangeFacts:
    measure = measure_of(one.figure)
    assert measure is not None, one.figure
    return ChangeFacts(
        model=after.plan.contenders[one.contender].label,
        figure=one.figure,
        unit=file_unit(measure),
        before=one.before,
        after=one.after,
        ratio=one.ratio,
        low=one.low,
        high=one.high,
        rounds_before=one.rounds_before,
        rounds_after=one.rounds_after,
        word=one.word,
        mark=mark_of(one),
        day_to_day_included=one.noise is not None,
        why=one.why,
    )
