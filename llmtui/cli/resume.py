"""``llmtui run --resume``: finding the interrupted session and the server it needs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from llmtui.cli.exits import Exit
from llmtui.cli.sessions import journal_of
from llmtui.cli.startup import Refused, Startup, builtin_available, cannot_list
from llmtui.config import SettingsError, normalise_host
from llmtui.config.access import origin_of
from llmtui.config.address import is_this_machine
from llmtui.core.codes import GONE
from llmtui.core.commands import SetServer
from llmtui.core.events import BadLine, SessionStarted, decode_event
from llmtui.core.plan import BUILTIN, Plan
from llmtui.core.records import AddressSource, Problem, ServerKind
from llmtui.store.listing import list_sessions
from llmtui.words import _
from llmtui.words.problems import whole_problem

NEWEST: Final = "last"
"""Value of ``--resume`` without a session: the newest session that is not complete."""


_REFUSALS: Final = (
    "results_unwritable", "results_in_use", "bad_journal", "not_a_session", "no_plan_of_import", "nothing_left",
    "resume_changed",
)  # fmt: skip


def folder_to_resume(of: Startup, word: str, *, beside: Mapping[str, object]) -> Path:
    """Return the folder of the session given with ``--resume``.

    Args:
        of: settings and folders of this run.
        word: the value of ``--resume``.
        beside: the values of the other options, by name. None of them may be given: they would change the requests,
            the models or the server of the interrupted session.

    Raises:
        Refused: there is no such session, or another option is given.
    """
    _refuse_beside(beside)
    if word != NEWEST:
        return journal_of(of, word).parent
    try:
        sessions = list_sessions(of.results)
    except OSError as error:
        raise Refused(cannot_list(of.results, error)) from error
    for one in sessions:
        if one.problem is None and one.finished != "complete":
            return one.path
    raise Refused(_("There is no interrupted session in {folder}.").format(folder=of.results))


def plan_in(folder: Path) -> Plan:
    """Return the plan of the session in a folder.

    Raises:
        Refused: the session's journal cannot be read or does not begin with a plan.
    """
    try:
        with (folder / "events.jsonl").open("rb") as file:
            first = decode_event(file.readline())
    except (OSError, BadLine) as error:
        problem = Problem(code="bad_journal", args={"folder": str(folder)}, detail=str(error))
        raise Refused(whole_problem(problem)) from error
    if not isinstance(first, SessionStarted):
        raise Refused(whole_problem(Problem(code="not_a_session", args={"folder": str(folder)})))
    return first.plan


def server_for(plan: Plan, *, host: str | None, key: str | None) -> SetServer:
    """Return the command that selects the server for which a plan was made.

    The address comes from a file that someone else may have written. The server gets a key only if it is on this
    machine, if the settings name it too, or if a key was given for this run.

    Args:
        plan: the plan of the session.
        host: the server in the settings or on the command line; None if there is none.
        key: the key from ``--api-key-file``; None if that option was not given.
    """
    kinds = {contender.model.backend for contender in plan.contenders} - {BUILTIN}
    kind: ServerKind = "openai" if "openai" in kinds else "ollama" if kinds else "builtin"
    is_trusted = key is not None or is_this_machine(plan.server) or _is_same(host, plan.server)
    source: AddressSource = "settings" if is_trusted else "session"
    return SetServer(address=plan.server, kind=kind, with_builtin=builtin_available(), address_source=source)


def _is_same(host: str | None, server: str) -> bool:
    try:
        return host is not None and origin_of(normalise_host(host).url) == origin_of(server)
    except SettingsError:  # ``builtin``, or no address at all
        return False


def _refuse_beside(options: Mapping[str, object]) -> None:
    names = [name for name, value in options.items() if value not in (None, False, [])]
    if names:
        flags = ", ".join("--" + name.removesuffix("_s").replace("_", "-") for name in names)
        raise Refused(
            _("`--resume` runs the rest of a session's own plan: leave {flags} out, or run a new session.").format(
                flags=flags
            )
        )


def exit_of(problem: Problem) -> Exit:
    """Return the exit code if the engine refuses a run because of this problem."""
    if problem.code in GONE:
        return Exit.NO_SERVER
    return Exit.USAGE if problem.code in _REFUSALS else Exit.INTERNAL
