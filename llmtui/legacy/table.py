"""Reader of tables with one row per trial: a header in any known spelling, and any common separator."""

from __future__ import annotations

import csv
import io
import re
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

import msgspec

from llmtui.core.records import Recorded
from llmtui.legacy.columns import COUNTS, NUMBERS, SECONDS, TIMES, UNITS, Columns, Field, find_columns, lacking_fields
from llmtui.legacy.numbers import Decimal, decimal_sign, read_count, read_number
from llmtui.legacy.rows import CannotImport, FileRow, Oddity, Stated

SEPARATORS = ",;\t|"
LONGEST_LINE = 2**20
HEADER_WITHIN = 40
"""Number of lines in which the header is searched for, since titles and notes may precede it."""
MOST_ROWS = 10_000
MOST_MODELS = 60
MOST_CATEGORIES = 1000
COLD_FACTOR = 5.0
"""A model's first row is a cold start if its wait was more than this many times the median of the model's other
rows.
"""
OVERALL_DIGITS = 0.005
"""Tolerance for tokens per second: the files have two decimals, so a recomputed value may differ by half of the
last one.
"""
SLOWEST_TPS = 0.1
"""Tokens per second below which times without a unit are probably milliseconds; the unit must then be stated."""
NO_NAME = "–"
OLLAMA_FROM = 1e5
"""From this value on, a duration with one of Ollama's names is in nanoseconds; a smaller one is in seconds."""


class Table(NamedTuple):
    """A header and the lines below it."""

    titles: tuple[str, ...]
    columns: Columns
    lines: tuple[tuple[int, tuple[str, ...]], ...]
    """Number of each line in the file, from 1, and its cells."""
    separator: str


def read_table(text: str, stated: Stated | None = None) -> tuple[FileRow, ...]:
    """Return all rows of a table; cold starts are marked.

    Args:
        text: text of the file.
        stated: the user's statements about units and columns.

    Raises:
        CannotImport: there is no header with the needed columns, no rows, too many rows, or a unit is missing.
    """
    stated = stated or Stated()
    table = find_table(text, stated.columns)
    rows = rows_of(table, stated)
    if not rows:
        raise CannotImport("no_rows")
    return mark_cold(rows)


def read_records(records: Sequence[Mapping[str, object]], stated: Stated) -> tuple[FileRow, ...]:
    """Return the rows of JSON objects whose keys are column titles, one object per trial.

    Args:
        records: the objects.
        stated: the user's statements about units and columns.

    Raises:
        CannotImport: as in ``read_table``.
    """
    titles = tuple(dict.fromkeys(key for record in records for key in record))
    columns = find_columns(titles, stated.columns)
    if lacking := lacking_fields(columns):
        raise CannotImport("no_columns", missing=list(lacking), header=list(titles[:12]))
    lines = tuple(
        (at, tuple("" if (value := record.get(title)) is None else str(value) for title in titles))
        for at, record in enumerate(records, 1)
    )
    return mark_cold(rows_of(Table(titles, columns, lines, ","), stated))


def find_table(text: str, asked: Mapping[str, str] | None = None) -> Table:
    """Return the table in a text. A title, blank lines or a ``sep=;`` line may precede it.

    Args:
        text: text of the file.
        asked: column titles that the user named, by field.

    Raises:
        CannotImport: ``no_columns``, ``no_such_column``, ``unknown_unit`` or ``broken_csv``.
    """
    heads = list(islice(_heads(text), HEADER_WITHIN))
    if not heads:
        raise CannotImport("no_columns", missing=["model", "tokens", "total"], header=[])
    best: tuple[int, tuple[str, ...], tuple[Field, ...]] | None = None
    refused: CannotImport | None = None
    for start, line, separators in heads:
        for separator in separators:
            titles = _cells(line, separator)
            try:
                columns = find_columns(titles, asked)
            except CannotImport as error:
                refused = refused or error
                continue
            lacking = lacking_fields(columns)
            if not lacking:
                return Table(titles, columns, _lines(text, start, separator), separator)
            if best is None or len(columns) > best[0]:
                best = len(columns), titles, lacking
    if refused is not None and (best is None or best[0] == 0 or asked):
        raise refused
    assert best is not None, "each line is read with each separator"
    raise CannotImport("no_columns", missing=list(best[2]), header=[one for one in best[1] if one][:12])


def _heads(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield each line that may be a header: (offset in characters, line, separators to try)."""
    at, separators = 0, SEPARATORS
    for line in io.StringIO(text, newline=""):
        stated = re.fullmatch(r'"?sep=(.)"?\s*', line.strip("\r\n"), re.IGNORECASE)
        if stated:
            separators = stated.group(1)
        elif len(line) <= LONGEST_LINE and line.strip(" \t\r\n,;|"):
            yield at, line, separators
        at += len(line)


def _cells(line: str, separator: str) -> tuple[str, ...]:
    try:
        return tuple(cell.strip() for cell in next(csv.reader([line], delimiter=separator, skipinitialspace=True), []))
    except csv.Error:
        return ()


def _lines(text: str, start: int, separator: str) -> tuple[tuple[int, tuple[str, ...]], ...]:
    before = len(io.StringIO(text[:start], newline="").readlines())
    lines = _bounded(io.StringIO(text[start:], newline=""), before)
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
    found: list[tuple[int, tuple[str, ...]]] = []
    try:
        next(reader)
        for cells in reader:
            # In Markdown a line of dashes follows the header.
            if any(cell.strip(" -:" if separator == "|" else None) for cell in cells):
                found.append((before + reader.line_num, tuple(cell.strip() for cell in cells)))
            if len(found) > MOST_ROWS:
                raise CannotImport("too_many_rows", most=MOST_ROWS)
    except csv.Error as error:
        raise CannotImport("broken_csv", line=before + reader.line_num, why=str(error)) from error
    return tuple(found)


def _bounded(lines: Iterable[str], before: int) -> Iterator[str]:
    """Yield the lines.

    Raises:
        CannotImport: a line is too long to be split into cells.
    """
    for at, line in enumerate(lines, before + 1):
        if len(line) > LONGEST_LINE:
            raise CannotImport("broken_csv", line=at, why=f"> {LONGEST_LINE} characters")
        yield line


# --- cells --------------------------------------------------------------------------------------------------------


def rows_of(table: Table, stated: Stated) -> tuple[FileRow, ...]:
    """Return one row per line of a table.

    Raises:
        CannotImport: ``unit_not_stated``, ``too_many_models`` or ``too_many_categories``.
    """
    columns, decimal = table.columns, _decimal_of(table)
    factors = _factors(table, decimal, stated)
    rows = tuple(
        _row(line, cells, columns, factors, decimal)
        for line, cells in table.lines
        # Scripts that append to their file write the header again.
        if cells != table.titles
    )
    if len({row.model for row in rows}) > MOST_MODELS:
        raise CannotImport("too_many_models", most=MOST_MODELS)
    if len({row.category for row in rows}) > MOST_CATEGORIES:
        raise CannotImport("too_many_categories", most=MOST_CATEGORIES)
    if stated.unit is None:
        _ask_for_units(rows, columns)
    return rows


def _decimal_of(table: Table) -> Decimal | None:
    """Return the decimal sign that the table's numbers show; None if they contradict each other.

    If every sign could also separate thousands (as in ``1.234``), the sign in the times is taken as the decimal sign.
    For times in milliseconds or smaller units, it is taken to separate thousands instead.
    """
    times = [name for name in TIMES if name in table.columns]
    numbers = [name for name in (*NUMBERS, *COUNTS) if name in table.columns]
    cells = {name: [_cell(line, table.columns, name) for _, line in table.lines] for name in numbers}
    every = [cell for name in numbers for cell in cells[name]]
    shown = {sign for cell in every if (sign := decimal_sign([cell])) is not None}
    if shown:
        return shown.pop() if len(shown) == 1 else None
    in_times = "".join(cell for name in times for cell in cells[name])
    small = any(table.columns[name].factor not in (None, 1.0) for name in times)
    if "," in in_times:
        return "." if small else ","
    if "." in in_times:
        return "," if small else "."
    return "," if table.separator == ";" else "."


def _factors(table: Table, decimal: Decimal | None, stated: Stated) -> dict[Field, float]:
    factors: dict[Field, float] = {}
    ollama = sum(column.ollama for column in table.columns.values())
    for name, column in table.columns.items():
        factors[name] = 1.0 if column.factor is None else column.factor
        if column.factor is not None:
            continue
        if stated.unit is not None:
            factors[name] = SECONDS[stated.unit]
        elif column.ollama and ollama:
            values = [read_number(_cell(cells, table.columns, name), decimal, SECONDS) for _, cells in table.lines]
            known = [value for value in values if value]
            if known and statistics.median(known) >= OLLAMA_FROM:
                factors[name] = 1e-9
    return factors


def _cell(cells: Sequence[str], columns: Columns, name: Field) -> str:
    column = columns.get(name)
    return cells[column.at] if column is not None and column.at < len(cells) else ""


_ABSENT = frozenset({"", "-", "–", "—", "n/a", "na", "null", "none", "nan"})


def _row(
    line: int, cells: Sequence[str], columns: Columns, factors: Mapping[Field, float], decimal: Decimal | None
) -> FileRow:
    numbers: dict[Field, float | None] = {}
    unreadable: dict[str, str] = {}
    for name in (*NUMBERS, *COUNTS):
        if name not in columns:
            continue
        text = _cell(cells, columns, name)
        if text.casefold() in _ABSENT:
            continue
        value: float | None
        value = read_count(text, decimal) if name in COUNTS else _with_factor(text, decimal, UNITS[name], factors[name])
        if value is None:
            unreadable[name] = text
        numbers[name] = value
    model = _cell(cells, columns, "model")
    if not model:
        unreadable["model"] = ""
    row = FileRow(
        model=model or NO_NAME,
        category=_cell(cells, columns, "category"),
        prompt=_cell(cells, columns, "prompt"),
        run=_whole(numbers.get("run")),
        recorded=Recorded(
            line=line,
            overall_tps=numbers.get("usual_tps"),
            ram_change_mb=numbers.get("ram"),
            ttft_s=numbers.get("ttft"),
            total_s=numbers.get("total"),
            tokens=_whole(numbers.get("tokens")),
            load_s=numbers.get("load"),
            prompt_tokens=_whole(numbers.get("prompt_tokens")),
            cached_tokens=_whole(numbers.get("cached_tokens")),
            prompt_s=numbers.get("prompt_time"),
            decode_s=numbers.get("decode_time"),
            # If tokens and time are there, the rate is the same figure, rounded.
            decode_tps=numbers.get("decode_tps") if numbers.get("decode_time") is None else None,
        ),
        unreadable=unreadable,
    )
    return msgspec.structs.replace(row, oddities=_odd(row.recorded))


def _with_factor(text: str, decimal: Decimal | None, units: dict[str, float], factor: float) -> float | None:
    """Return the number in seconds, MB or tokens per second.

    A unit in the cell itself takes precedence over the column's.
    """
    bare = read_number(text, decimal)
    return bare * factor if bare is not None else read_number(text, decimal, units)


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _odd(of: Recorded) -> tuple[Oddity, ...]:
    found: list[Oddity] = []
    naive = of.tokens / of.total_s if of.tokens is not None and of.total_s else None
    # Tolerance, since the file's decimals are not exact in binary.
    if naive is not None and of.overall_tps is not None and abs(naive - of.overall_tps) > OVERALL_DIGITS + 1e-9:
        found.append("usual_off")
    if of.ttft_s is not None and of.total_s is not None and of.ttft_s >= of.total_s:
        found.append("ttft_not_below_total")
    if of.tokens is not None and of.tokens < 2:
        found.append("tokens_below_2")
    return tuple(found)


def _ask_for_units(rows: Iterable[FileRow], columns: Columns) -> None:
    """Check times without a stated unit.

    Raises:
        CannotImport: the values are more likely milliseconds than seconds.
    """
    unstated = [column.title for name, column in columns.items() if name in TIMES and column.factor is None]
    if not unstated:
        return
    known = [row.recorded for row in rows]
    rates = [one.tokens / one.total_s for one in known if one.tokens and one.total_s]
    rates += [one.tokens / one.decode_s for one in known if one.tokens and one.decode_s]
    waits = [(one.ttft_s, one.total_s) for one in known if one.ttft_s is not None and one.total_s]
    late = bool(waits) and all(ttft >= total for ttft, total in waits)
    if (rates and statistics.median(rates) < SLOWEST_TPS) or late:
        tps = statistics.median(rates) if rates else None
        raise CannotImport("unit_not_stated", columns=unstated, tps=tps)


# --- cold starts --------------------------------------------------------------------------------------------------


def mark_cold(rows: Sequence[FileRow]) -> tuple[FileRow, ...]:
    """Return the rows; cold starts are marked.

    A row is a cold start if the row before it is of another model, and if its own wait is more than five times the
    median of the model's other rows. The wait is the TTFT, or the load time if the row has no TTFT.
    """
    waits: dict[str, list[float]] = {}
    for row in rows:
        if (wait := _wait(row)) is not None:
            waits.setdefault(row.model, []).append(wait)
    return tuple(
        msgspec.structs.replace(row, cold=True)
        if (at == 0 or rows[at - 1].model != row.model) and _is_cold(row, waits.get(row.model, []))
        else row
        for at, row in enumerate(rows)
    )


def _wait(row: FileRow) -> float | None:
    return row.recorded.ttft_s if row.recorded.ttft_s is not None else row.recorded.load_s


def _is_cold(row: FileRow, waits: Sequence[float]) -> bool:
    wait = _wait(row)
    if wait is None or len(waits) < 2:
        return False
    others = [*waits]
    others.remove(wait)
    return wait > COLD_FACTOR * statistics.median(others)
