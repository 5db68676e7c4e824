"""The formats of ``llmtui report``, by the name of their flag."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from llmtui.core.pairing import is_imported
from llmtui.report.benchstat import benchstat
from llmtui.report.csv_forms import csv_form, excel_csv
from llmtui.report.html import html
from llmtui.report.json_form import json_form
from llmtui.report.jsonl import jsonl
from llmtui.report.llama_bench import llama_bench
from llmtui.report.markdown import markdown
from llmtui.report.saved import Saved
from llmtui.words import _

Form = Callable[[Sequence[Saved]], bytes]
"""Function that converts sessions to a file's content. It raises OSError if a session's file cannot be read."""


def forms(*, summary: bool = False, decimal_comma: bool = False) -> Mapping[str, Form]:
    """Return flag (without dashes) → function that writes the format.

    Args:
        summary: whether CSV has the rows of summary.csv instead of trials.csv.
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


def terminal_tables(sessions: Sequence[Saved], *, words: bool = False) -> str:
    """Return the text that ``llmtui run`` prints for each session: scoreboard, verdicts, and where it is saved.

    An imported session has its audit instead of scoreboard and verdicts.

    Args:
        sessions: the sessions, in the order in which they are printed.
        words: add all conclusions as sentences, and all tables.
    """
    from llmtui.report.terminal import print_audit, print_result, print_session

    out = io.StringIO()
    for at, saved in enumerate(sessions):
        out.write("\n" if at else "")
        if is_imported(saved.session.plan):
            print_audit(saved.session, out)
        else:
            print_result(saved.session, out)
            if words:
                out.write("\n")
                print_session(saved.session, out, saved.earlier)
        if not saved.anonymous:
            out.write("\n" + _("Saved: {path}").format(path=saved.journal.parent) + "\n")
    return out.getvalue()


_BETWEEN: Final = "\n---\n\n"


def _markdown(sessions: Sequence[Saved]) -> bytes:
    return _BETWEEN.join(markdown(saved.session, saved.earlier) for saved in sessions).encode("utf-8", "replace")
