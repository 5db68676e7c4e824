"""``llmtui trend``: a figure over the sessions of one plan."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Final

import typer

from llmtui.cli.completion import complete_session
from llmtui.cli.exits import Exit
from llmtui.cli.options import Results
from llmtui.cli.sessions import comparable
from llmtui.cli.startup import Refused, Startup, cannot_list, load_startup
from llmtui.words import _, marked

if TYPE_CHECKING:
    from llmtui.core.session import Session

TREND_EXAMPLES: Final = (
    "Example: llmtui trend\n\nExample: llmtui trend last --figure ttft_ms\n\nExample: llmtui trend main last~1 last"
)


def trend_command(
    sessions: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SESSION",
            autocompletion=complete_session,
            help=marked(
                "One session: it and all earlier sessions of the same plan. Several: exactly those. "
                "Default: `last`. Sessions are named as in `llmtui compare`."
            ),
        ),
    ] = None,
    figure: Annotated[
        str,
        typer.Option(
            "--figure",
            metavar="FIGURE",
            help=marked("The figure, by the name of its column in trials.csv or summary.csv."),
        ),
    ] = "decode_tps",
    json: Annotated[
        bool, typer.Option("--json", help=marked("Print one JSON document on stdout instead of the table."))
    ] = False,
    results: Results = None,
) -> None:
    """Carry out ``llmtui trend``."""
    raise typer.Exit(run_trend(load_startup({}, results=results), sessions or ["last"], figure, json=json))


def run_trend(of: Startup, words: list[str], figure: str, *, json: bool = False) -> int:
    """Print a figure over sessions; return the exit code.

    Args:
        of: settings and folders.
        words: the sessions as named on the command line; if only one, earlier ones of the same plan are added.
        figure: id of the figure.
        json: whether to print a JSON document instead of rows.

    Raises:
        Refused: a session or the figure cannot be used.
    """
    from llmtui.core.measures import measures
    from llmtui.core.trend import has_points, trend
    from llmtui.report.trending import print_trend, trend_json

    known = [one.id for one in measures() if one.of_model is not None or one.of_trial is not None]
    if figure not in known:
        raise Refused(_("There is no figure {name}. Available: {names}.").format(name=figure, names=", ".join(known)))
    sessions = [comparable(of, word) for word in words]
    if len(sessions) == 1:
        sessions += _before(of, sessions[0], speed_only=figure == "decode_tps")
    found = trend(sessions, figure)
    if not has_points(found):
        raise Refused(_("No session of this plan has the figure {name}.").format(name=figure))
    if json:
        sys.stdout.write(trend_json(found).decode())
    else:
        print_trend(found, sys.stdout)
    return Exit.OK


def _before(of: Startup, session: Session, *, speed_only: bool) -> list[Session]:
    from llmtui.store.earlier import MOST_IN_TREND, sessions_before

    try:
        return sessions_before(of.results, session, most=MOST_IN_TREND, speed_only=speed_only)
    except OSError as error:
        raise Refused(cannot_list(of.results, error)) from error
