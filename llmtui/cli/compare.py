"""``llmtui compare``: changes between sessions, limits for scripts, and pairs of models within one session."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import typer

from llmtui.cli.completion import complete_session
from llmtui.cli.exits import Exit
from llmtui.cli.options import Results
from llmtui.cli.sessions import comparable
from llmtui.cli.startup import Refused, Startup, cannot_list, load_startup
from llmtui.words import _, marked

if TYPE_CHECKING:
    from llmtui.core.gate import Gated, Limit
    from llmtui.core.session import Session
    from llmtui.store.compared import ComparedSessions

COMPARE_EXAMPLES: Final = (
    "Example: llmtui compare last~1 last\n\n"
    "Example: llmtui compare main last --fail-if 'decode_tps < -5%' --fail-if 'ttft_ms > 800'\n\n"
    "Example: llmtui compare last --first llama3.1:8b --second qwen3:4b"
)


class CompareOrder(msgspec.Struct, frozen=True, kw_only=True):
    """The arguments of ``llmtui compare``."""

    sessions: tuple[str, ...]
    first: str | None = None
    second: str | None = None
    limits: tuple[str, ...] = ()
    strict: bool = False
    json: bool = False


def compare_command(
    sessions: Annotated[
        list[str],
        typer.Argument(
            metavar="SESSION",
            autocompletion=complete_session,
            help=marked(
                "The earlier session, then later ones: `last`, `last~1`, MODEL@2026-11-22, a baseline's name, a "
                "session's id or folder."
            ),
        ),
    ],
    first: Annotated[
        str | None,
        typer.Option(
            "--first",
            metavar="MODEL",
            help=marked("Within one session, compare this model with the one named by --second."),
        ),
    ] = None,
    second: Annotated[
        str | None, typer.Option("--second", metavar="MODEL", help=marked("The other model of the pair."))
    ] = None,
    fail_if: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-if",
            metavar="LIMIT",
            help=marked(
                "Fail if a figure is beyond a limit: a change in %, or a value. Example: 'decode_tps < "
                "-5%'. Repeat the option for several. Figures have the names of the columns in "
                "trials.csv and summary.csv."
            ),
        ),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict", help=marked("Exit with code 6 if the rounds do not decide whether a limit is broken.")
        ),
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help=marked("Print one JSON document on stdout instead of the table."))
    ] = False,
    results: Results = None,
) -> None:
    """Carry out ``llmtui compare``."""
    asked = CompareOrder(
        sessions=tuple(sessions),
        first=first,
        second=second,
        limits=tuple(fail_if or ()),
        strict=strict,
        json=json,
    )
    raise typer.Exit(run_compare(load_startup({}, results=results), asked))


def run_compare(of: Startup, asked: CompareOrder) -> int:
    """Print the comparison and the result of each limit (--fail-if); return the exit code.

    Raises:
        Refused: a session or a limit cannot be used.
    """
    if asked.first is not None or asked.second is not None:
        return _pair(of, asked)
    if len(asked.sessions) < 2:
        raise Refused(_("`compare` takes two sessions: `llmtui compare last~1 last`."))
    from llmtui.core.across import COMPARED
    from llmtui.core.gate import hold
    from llmtui.report.comparing import comparison_json, print_comparisons
    from llmtui.store.compared import compare_saved

    limits = [_limit(text) for text in asked.limits]
    sessions = [comparable(of, word) for word in asked.sessions]
    figures = dict.fromkeys((*COMPARED, *(one.figure for one in limits)))
    try:
        found = compare_saved(of.results, sessions, tuple(figures))
    except OSError as error:
        raise Refused(cannot_list(of.results, error)) from error
    held = [(one, gated) for one in found for gated in hold(limits, one.comparison.changes)]
    if asked.json:
        sys.stdout.write(comparison_json(found, held).decode())
    else:
        print_comparisons(found, sys.stdout)
    return _told(held, asked)


def _limit(text: str) -> Limit:
    from llmtui.core.gate import BadLimit, read_limit
    from llmtui.core.measures import measures
    from llmtui.words.comparing import limit_refusal

    try:
        return read_limit(text)
    except BadLimit as error:
        known = [one.id for one in measures() if one.of_model is not None or one.of_trial is not None]
        raise Refused(limit_refusal(text, error, known)) from error


def _told(held: Sequence[tuple[ComparedSessions, Gated]], asked: CompareOrder) -> int:
    """Print the result of each limit (--fail-if), and return the exit code."""
    from llmtui.words.comparing import gate_sentence

    out = sys.stderr if asked.json else sys.stdout
    if held:
        print(file=out)
    for of, one in held:
        print(gate_sentence(one, of.after), file=out)
    if any(one.held == "beyond" for _of, one in held):
        return Exit.LIMIT
    is_open = any(one.held == "cannot_tell" for _of, one in held)
    return Exit.OPEN if is_open and asked.strict else Exit.OK


def _pair(of: Startup, asked: CompareOrder) -> int:
    """Print the comparison of two models within one session; return the exit code."""
    if asked.first is None or asked.second is None or len(asked.sessions) != 1:
        raise Refused(_("`--first` and `--second` go together: they compare two models of one session."))
    if asked.limits or asked.json:
        raise Refused(_("`--fail-if` and `--json` compare sessions, not the models of one."))
    from llmtui.report.pair_evidence import print_pair

    session = comparable(of, asked.sessions[0])
    places = [_contender(session, name) for name in (asked.first, asked.second)]
    if places[0] == places[1]:
        raise Refused(_("`--first` and `--second` are the same model."))
    print_pair(session, places[0], places[1], sys.stdout)
    return Exit.OK


def _contender(session: Session, name: str) -> int:
    """Return the index of a session's model by its label, or by its name if only one model has that name.

    Raises:
        Refused: no model has this label or name, or several have this name.
    """
    labels = [one.label for one in session.plan.contenders]
    if name in labels:
        return labels.index(name)
    found = list(_named(session, name))
    if len(found) == 1:
        return found[0]
    there = ", ".join(labels)
    raise Refused(_("The session has no model {name}. It has: {names}.").format(name=name, names=there))


def _named(session: Session, name: str) -> Iterator[int]:
    for at, one in enumerate(session.plan.contenders):
        if name in (one.model.name, one.model.spelling, one.model.name.partition(":")[0]):
            yield at
