"""Sessions as CSV: in the format of the files in a session's folder, or for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from llmtui.core.summary import summarise
from llmtui.report.saved import Saved
from llmtui.store import summary_csv, trials_csv
from llmtui.store.csv_cells import cell, csv_line, number_cell, text_cell

Value = str | float | None
BOM: Final = "\ufeff"
"""Byte order mark; without it, Excel reads UTF-8 as the system's old encoding."""
_WIDE_FORMULA: Final = ("＝", "＋", "－", "＠")
"""Characters that begin a formula in spreadsheets set to Japanese or Chinese."""


def csv_form(sessions: Sequence[Saved], *, summary: bool = False) -> bytes:
    """Return the trials of one or more sessions as CSV; the column ``session_id`` identifies the session.

    Args:
        sessions: the sessions, in the order of their rows.
        summary: use the rows of summary.csv instead of trials.csv.
    """
    lines = [csv_line(columns(summary=summary))]
    lines.extend(csv_line(map(cell, values.values())) for values in csv_rows(sessions, summary=summary))
    return b"".join(lines)


def excel_csv(sessions: Sequence[Saved], *, summary: bool = False, decimal_comma: bool = False) -> bytes:
    r"""Return the same cells as ``csv_form`` for a spreadsheet: UTF-8 with byte order mark, ``\r\n``, no formulas.

    Args:
        sessions: the sessions, in the order of their rows.
        summary: use the rows of summary.csv instead of trials.csv.
        decimal_comma: write 1,5 and separate cells by ``;``, as spreadsheets of many countries expect.
    """
    text = io.StringIO()
    text.write(BOM)
    writer = csv.writer(text, delimiter=";" if decimal_comma else ",", lineterminator="\r\n")
    writer.writerow(columns(summary=summary))
    for values in csv_rows(sessions, summary=summary):
        writer.writerow([_sheet_cell(value, decimal_comma=decimal_comma) for value in values.values()])
    return text.getvalue().encode("utf-8", "replace")


def columns(*, summary: bool) -> tuple[str, ...]:
    """Return the column names of summary.csv or of trials.csv."""
    return summary_csv.summary_columns() if summary else trials_csv.trials_columns()


def csv_rows(sessions: Sequence[Saved], *, summary: bool) -> Iterator[Mapping[str, Value]]:
    """Yield each row as column name → value, in column order."""
    names = columns(summary=summary)
    for saved in sessions:
        session = saved.session
        rows = (
            summary_csv.summary_values(summarise(session), session)
            if summary
            else (trials_csv.row_values(row, session) for row in session.rows)
        )
        yield from ({name: values[name] for name in names} for values in rows)


def _sheet_cell(value: Value, *, decimal_comma: bool) -> str:
    if isinstance(value, str):
        text = text_cell(value)
        return f"'{text}" if text.startswith(_WIDE_FORMULA) else text
    number = number_cell(value)
    return number.replace(".", ",") if decimal_comma else number
