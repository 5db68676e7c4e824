"""Resuming of an interrupted session: the trials it still lacks, whether its conditions still hold, and its clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from llmtui import __version__
from llmtui.backends.base import Backend, Message
from llmtui.core.events import Event, Sampled, SessionFinished, SessionResumed, SessionStarted, TrialFinished
from llmtui.core.pairing import is_imported
from llmtui.core.plan import BUILTIN, Plan, Trial
from llmtui.core.records import Problem, ProblemError
from llmtui.core.remainder import remaining
from llmtui.core.session import Session, fold
from llmtui.engine.asking import Conversation, request_for
from llmtui.store.journal import TrialIndex, read_events
from llmtui.store.session_folder import JOURNAL

_SAME_CLOCK_NS: Final = 5_000_000_000
_NEXT_NS: Final = 1_000_000


class CannotResume(ProblemError):
    """The session cannot continue; ``problem`` has the reason."""


class Interrupted(NamedTuple):
    """An interrupted session, as read from its folder."""

    folder: Path
    started: SessionStarted
    events: tuple[Event, ...]
    """The events in the journal, without machine readings, which stay on disk."""
    session: Session
    """The session without the trials that will be run again."""


def read_interrupted(folder: Path) -> Interrupted:
    """Return an interrupted session.

    Raises:
        CannotResume: the session cannot be read, was imported, or is complete.
    """
    try:
        events = tuple(read_events(folder / JOURNAL, without=(Sampled,)))
    except OSError as error:
        problem = Problem(code="bad_journal", args={"folder": str(folder)}, detail=error.strerror or str(error))
        raise CannotResume(problem) from error
    if not events or not isinstance(events[0], SessionStarted):
        raise CannotResume(Problem(code="not_a_session", args={"folder": str(folder)}))
    last_ns = max(getattr(event, "t_ns", 0) for event in events)
    session = fold([*events, SessionResumed(t_ns=last_ns, wall_ns=0)])
    assert session is not None, "its first event starts it"
    if is_imported(session.plan):
        raise CannotResume(Problem(code="no_plan_of_import"))
    left_out = set(skipped_contenders(session))
    left = remaining(session.plan, session.rounds, session.rows, first=went_first(session))
    if _is_closed(events) and not any(trial.contender not in left_out for trial in left):
        raise CannotResume(Problem(code="nothing_left", args={"folder": str(folder)}))
    return Interrupted(folder, events[0], events, session)


def _is_closed(events: Sequence[Event]) -> bool:
    """Return whether the end of the session is in the journal, after its last trial."""
    last = next((event for event in reversed(events) if isinstance(event, TrialFinished | SessionFinished)), None)
    return isinstance(last, SessionFinished) and last.how == "complete"


def skipped_contenders(session: Session) -> tuple[int, ...]:
    """Return the indices of the contenders that the user skipped for the rest of the session."""
    skipped = {row.trial.contender for row in session.rows if row.problem is not None and row.problem.code == "skipped"}
    return tuple(sorted(skipped))


def went_first(session: Session) -> int | None:
    """Return the contender, if any, that began with warm trials because its model was in memory at the start."""
    if "cold" not in session.plan.kinds or not session.rows or session.rows[0].trial.kind == "cold":
        return None
    return session.rows[0].trial.contender


def clock_shift_ns(of: Interrupted, now_ns: int, now_wall_ns: int) -> int:
    """Return what to add to this engine's clock to continue the session's clock, in ns; 0 if the clock is the same.

    Args:
        of: the interrupted session.
        now_ns: the present time on this engine's clock.
        now_wall_ns: the present time in ns since 1970 UTC.
    """
    started, last_ns = of.started, of.session.last_t_ns
    by_wall_ns = started.t_ns + now_wall_ns - started.wall_ns
    if now_ns > last_ns and abs(now_ns - by_wall_ns) < _SAME_CLOCK_NS:
        return 0
    return max(by_wall_ns, last_ns + _NEXT_NS) - now_ns


async def changes_since(of: Interrupted, backends: Mapping[str, Backend], version: str | None) -> tuple[Problem, ...]:
    """Return the differences from the conditions under which the session began.

    Args:
        of: the interrupted session.
        backends: its servers, which must respond.
        version: the present version of its main server.

    Raises:
        BackendFailed: a server does not list its models.
    """
    found: list[Problem] = []
    then = of.session.fingerprint
    if then.server_version != version:
        found.append(Problem(code="server_changed", args={"then": then.server_version or "?", "now": version or "?"}))
    if then.llmtui != __version__:
        found.append(Problem(code="llmtui_changed", args={"then": then.llmtui, "now": __version__}))
    for kind, backend in backends.items():
        listed = {one.model.name: one.model.digest for one in await backend.models()}
        for contender in of.session.plan.contenders:
            model = contender.model
            if model.backend != kind or model.name.endswith(".gguf"):
                continue  # a file's digest is checked when it is read
            now = listed.get(model.name)
            if now is None and listed and kind != BUILTIN:
                found.append(Problem(code="model_left", args={"name": model.name}))
            elif now is not None and now != model.digest:
                found.append(Problem(code="model_rebuilt", args={"name": model.name}))
    return tuple(found)


def told_changes(found: tuple[Problem, ...]) -> Problem:
    """Return one problem that lists all changes."""
    cause: Problem | None = None
    for one in found:
        cause = Problem(code=one.code, args=one.args, cause=cause)
    return Problem(code="resume_changed", cause=cause)


def conversation_so_far(of: Interrupted, plan: Plan, trial: Trial) -> tuple[Conversation, int | None]:
    """Return the conversation that a follow-up continues, from the journal, and its tag; empty if there is none."""
    warm = [
        row for row in of.session.rows
        if row.trial.kind == "warm" and row.trial.contender == trial.contender and row.trial.round == trial.round
    ]  # fmt: skip
    if not warm or warm[-1].outcome != "ok":
        return (), None
    before = warm[-1].trial
    finished = TrialIndex(of.folder / JOURNAL).read(before.id)
    if finished is None:
        return (), None
    said, at = "", 0
    for chars, channel in zip(finished.timeline.chars, finished.timeline.channels, strict=True):
        said += finished.text[at : at + chars] if channel == "a" else ""
        at += chars
    return (*request_for(plan, before, ()).messages, Message("assistant", said)), before.tag
