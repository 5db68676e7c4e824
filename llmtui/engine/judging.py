"""Outcome of a trial, and the flags whose evidence only the engine has. Rules: docs/method.md, "Flags"."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from llmtui.core.records import Evidence, Outcome, ResidentModel, ServerCounters
from llmtui.core.thinking import inline_thinking
from llmtui.engine.live_text import CollectedAnswer

RELOAD_FLOOR_NS: Final = 100_000_000
RELOAD_SHARE: Final = 0.5
"""A warm trial's load counts as a reload if it takes at least this fraction of the model's shortest cold load."""


class InMemory(msgspec.Struct, frozen=True, kw_only=True):
    """The models in the server's memory just before or after a trial."""

    own: ResidentModel | None = None
    others: tuple[ResidentModel, ...] = ()
    pid: int | None = None
    """Process in which the model runs, if it is visible."""
    is_listed: bool = True
    """Whether the server lists the models in its memory. If it does not, ``own`` is None although the model may
    be loaded.
    """


class Flag(msgspec.Struct, frozen=True):
    """A flag with its evidence."""

    name: str
    evidence: Evidence


def outcome_of(answer: CollectedAnswer) -> Outcome:
    """Return the outcome of an answer that was not cancelled."""
    if answer.stalled:
        return "stalled"
    if answer.problem is not None:
        return "error"
    if answer.final is None:
        return "no_final"
    if not answer.has_text:
        return "empty"
    if answer.final.ended_by != "length" and not says_something(answer.answer_text):
        return "thinking_only" if answer.text.strip() else "empty"  # blanks are neither thinking nor an answer
    return "ok"


def says_something(answer_text: str) -> bool:
    """Return whether an answer has text other than thinking."""
    start = inline_thinking(answer_text).start
    return start is not None and bool(answer_text[start:].strip())


def reload_evidence(
    before: InMemory,
    *,
    num_ctx: int | None,
    expected_pid: int | None,
    pid_after: int | None,
    counters: ServerCounters | None,
    shortest_cold_load_ns: int | None,
) -> Evidence | None:
    """Return why a warm or follow-up trial found a freshly loaded model; None if it did not.

    Args:
        before: the server's memory just before the request.
        num_ctx: the context length of this contender's requests, requested or set by the server; None: not known.
        expected_pid: the model's process in the contender's earlier trials of this round.
        pid_after: the model's process at the end of this trial.
        counters: the server's counters.
        shortest_cold_load_ns: shortest cold load of this model in this session.
    """
    if before.own is None and before.is_listed:
        return Evidence(code="reload_not_in_memory")
    if num_ctx is not None and before.own is not None and before.own.context_length not in (None, num_ctx):
        return Evidence(code="reload_context", args={"had": before.own.context_length or 0, "wanted": num_ctx})
    pids = [pid for pid in (expected_pid, before.pid, pid_after) if pid is not None]
    if len(set(pids)) > 1:
        return Evidence(code="reload_process", args={"old": pids[0], "new": pids[-1]})
    load_ns = None if counters is None else counters.load_duration_ns
    if load_ns is None or shortest_cold_load_ns is None:
        return None
    if load_ns >= RELOAD_FLOOR_NS and load_ns >= RELOAD_SHARE * shortest_cold_load_ns:
        return Evidence(code="reload_time", args={"ms": load_ns / 1e6, "least": shortest_cold_load_ns / 1e6})
    return None


def others_evidence(readings: Iterable[InMemory | None]) -> Evidence | None:
    """Return the evidence that other models were in the server's memory; None if there were none."""
    others = {other.digest: other for in_memory in readings if in_memory is not None for other in in_memory.others}
    if not others:
        return None
    names = ", ".join(sorted(_named(other) for other in others.values()))
    return Evidence(code="other_models", args={"names": names})


def split(residents: Sequence[ResidentModel], digest: str, pid: int | None) -> InMemory:
    """Return the server's memory, divided into the model with this digest and all others."""
    own = next((resident for resident in residents if resident.serves(digest)), None)
    others = tuple(resident for resident in residents if not resident.serves(digest))
    return InMemory(own=own, others=others, pid=pid if own is None or own.pid is None else own.pid)


def _named(resident: ResidentModel) -> str:
    return resident.name if resident.size_bytes is None else f"{resident.name} ({resident.size_bytes / 1e9:.1f} GB)"
