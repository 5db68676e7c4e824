"""The options of ``llmtui report``."""

from __future__ import annotations

from typing import Annotated

import typer

from llmtui.cli.completion import complete_session
from llmtui.words import marked

ReportSessions = Annotated[
    list[str],
    typer.Argument(
        metavar="SESSION",
        autocompletion=complete_session,
        help=marked("`last`, `last~1` (the one before it), a session's id or folder, or a journal (events.jsonl)."),
    ),
]
ReportCsv = Annotated[str | None, typer.Option("--csv", metavar="FILE", help=marked("Write one row per trial."))]
ReportExcelCsv = Annotated[
    str | None,
    typer.Option(
        "--excel-csv",
        metavar="FILE",
        help=marked("Write one row per trial for spreadsheets, with the decimal separator of the system's locale."),
    ),
]
ReportSummary = Annotated[
    bool,
    typer.Option(
        "--summary",
        help=marked("In CSV, write one row per model, then one per model and category, instead of one per trial."),
    ),
]
ReportJson = Annotated[
    str | None,
    typer.Option("--json", metavar="FILE", help=marked("Write one JSON document with a published schema.")),
]
ReportJsonl = Annotated[
    str | None,
    typer.Option("--jsonl", metavar="FILE", help=marked("Write one trial per line, with the times of its chunks.")),
]
ReportMarkdown = Annotated[
    str | None, typer.Option("--markdown", metavar="FILE", help=marked("Write conclusions and tables."))
]
ReportHtml = Annotated[
    str | None,
    typer.Option("--html", metavar="FILE", help=marked("Write one page with charts and answers; it needs no network.")),
]
ReportTable = Annotated[
    str | None,
    typer.Option(
        "--table",
        metavar="llama-bench[=FILE]",
        help=marked("Write the table in llama-bench's layout to FILE, or to stdout if FILE is left out."),
    ),
]
ReportBenchstat = Annotated[
    str | None,
    typer.Option("--benchstat", metavar="FILE", help=marked("Write Go benchmark lines for `benchstat OLD NEW`.")),
]
ReportAnonymous = Annotated[
    bool,
    typer.Option("--anonymous", help=marked("Leave out host name, user name, paths, prompts and answers.")),
]
ReportForce = Annotated[bool, typer.Option("--force", help=marked("Replace existing files."))]
