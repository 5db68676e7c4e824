"""The printed result: what ``llmtui run`` says at its end."""

from __future__ import annotations

from typing import IO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from llmtui.core.across import Earlier
from llmtui.core.session import Session
from llmtui.report.rows import Row, by_category, by_model
from llmtui.words import _
from llmtui.words.conclusions import headed
from llmtui.words.verdicts import drift_sentence

UNWRAPPED = 100_000
"""Cells of a line that nobody looks at: wider than any table or sentence."""


def print_session(session: Session, out: IO[str], earlier: Earlier | None = None) -> None:
    """Prints conclusions, then tables.

    Plain and unwrapped where ``out`` is not a terminal, so that other programs can read it.
    """
    console = Console(file=out, width=None if out.isatty() else UNWRAPPED, highlight=False, markup=False)
    banner = drift_sentence(session)
    if banner:
        console.print(banner, style="bold")
    for line in headed(session, earlier):
        console.print(Text.assemble((line.heading, "bold"), ": ", line.said))
    console.print()
    console.print(_table(by_model(session), _("By model"), columns_of_names=1))
    if len(session.plan.prompts) > 1:
        console.print()
        console.print(_table(by_category(session), _("By category (warm)"), columns_of_names=2))


def _table(rows: list[Row], title: str, *, columns_of_names: int) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for at, name in enumerate(rows[0] if rows else ()):
        names_rows = at < columns_of_names
        table.add_column(name, justify="left" if names_rows else "right", no_wrap=names_rows)
    for row in rows:
        table.add_row(*row.values())
    return table
