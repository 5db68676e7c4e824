"""The forms in which a report leaves the program, by the name of their flag."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from llmtui.report.benchstat import benchstat
from llmtui.report.csv_forms import csv_form, excel_csv
from llmtui.report.html import html
from llmtui.report.json_form import json_form
from llmtui.report.jsonl import jsonl
from llmtui.report.llama_bench import llama_bench
from llmtui.report.markdown import markdown
from llmtui.report.saved import Saved

Form = Callable[[Sequence[Saved]], bytes]
"""Converts sessions to a file's content. Raises OSError where a session's file cannot be read."""


def forms(*, summary: bool = False, decimal_comma: bool = False) -> Mapping[str, Form]:
    """Return the forms by flag, without the dashes.

    Args:
        summary: whether the CSV forms have the rows of summary.csv.
        decimal_comma: whether ``excel-csv`` is for a country that writes 1,5.
    """
    return {
        "csv": partial(csv_form, summary=summary),
        "excel-csv": partial(excel_csv, summary=summary, decimal_comma=decimal_comma),
        "json": json_form,
        "jsonl": jsonl,
        "markdown": _markdown,
        "html": html,
        "llama-bench": llama_bench,
        "benchstat": benchstat,
    }


def terminal_tables(sessions: Sequence[Saved]) -> str:
    """Return the output of ``llmtui run --words`` for each session: conclusions and tables."""
    from llmtui.report.terminal import print_session

    out = io.StringIO()
    for saved in sessions:
        print_session(saved.session, out, saved.earlier)
    return out.getvalue()


_BETWEEN: Final = "\n---\n\n"


def _markdown(sessions: Sequence[Saved]) -> bytes:
    return _BETWEEN.join(markdown(saved.session, saved.earlier) for saved in sessions).encode("utf-8", "replace")
