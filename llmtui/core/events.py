"""The vocabulary: everything the engine reports, and the JSON-lines codec for it and for commands.

*Session events* are journaled and folded into a Session; *live events* are drawn and forgotten; *replies* answer
commands. All times named ``t_ns`` are on the engine's monotonic clock (``time.perf_counter_ns``); ``wall_ns`` is
nanoseconds since 1970 UTC.
"""

from __future__ import annotations

import math
import re
from typing import Literal

import msgspec

from llmtui.core.commands import Command
from llmtui.core.fit import FreeMemory, KvShape
from llmtui.core.plan import Model, Plan, Trial
from llmtui.core.records import (
    ColdSource,
    EndedBy,
    Fingerprint,
    FlagEvidence,
    Level,
    MachineFigures,
    Outcome,
    Phase,
    PhaseDetail,
    Problem,
    Recorded,
    ResidentModel,
    ServerCounters,
    ServerKind,
    Tagged,
    Timeline,
)  # fmt: skip
from llmtui.core.shown import shown_event

SCHEMA = 2
"""2: problems, evidence and what is done within a phase are codes with arguments; pauses are events. 1: all three are
English texts, the first two shown as they are."""


# --- session events: journaled and folded -------------------------------------------------------------------------


class SessionStarted(Tagged, frozen=True, kw_only=True):
    """First line of a journal."""

    schema: int
    session_id: str
    t_ns: int
    wall_ns: int
    fingerprint: Fingerprint
    plan: Plan


class PlanExtended(Tagged, frozen=True, kw_only=True):
    """The number of promised rounds is now ``rounds``. After a SessionFinished it says that the session goes on."""

    t_ns: int
    rounds: int
    why: str


class TrialStarted(Tagged, frozen=True, kw_only=True):
    """A trial's turn has come: preparation (unload, waiting) precedes the request."""

    t_ns: int
    trial: Trial
    order: int
    """Running number in the session, from 1."""
    total: int
    """Trials of all promised rounds."""


class TrialFinished(Tagged, frozen=True, kw_only=True):
    """All that is known of one request. Figures are computed from this by core.metrics, never stored beside it."""

    t_ns: int
    trial: Trial
    order: int
    outcome: Outcome
    wall_ns: int
    """Wall clock at t0."""
    t0_ns: int | None = None
    """Start of sending the request; None if nothing was sent."""
    done_ns: int | None = None
    """End of the answer − t0: arrival of the last line, or of the last chunk of text if no last line came."""
    ended_by: EndedBy | None = None
    problem: Problem | None = None
    counters: ServerCounters | None = None
    timeline: Timeline = Timeline()
    text: str = ""
    flags: tuple[str, ...] = ()
    """Flags whose evidence only the engine has; core.checks adds those that follow from other rows."""
    evidence: tuple[FlagEvidence, ...] = ()
    """What was seen, one per flag in the order of ``flags``."""
    machine: MachineFigures | None = None
    resident: ResidentModel | None = None
    """The model in the server's memory right after the trial."""
    cold_source: ColdSource | None = None
    num_predict: int | None = None
    repeats: str | None = None
    """Trial id of the disturbed attempt that this one repeats."""
    recorded: Recorded | None = None
    """Only in imported sessions."""


class Sampled(Tagged, frozen=True, kw_only=True):
    """One look at the machine."""

    t_ns: int
    cores_busy: float
    per_core: tuple[float, ...] = ()
    """0–1 a logical core."""
    runner_cores: float | None = None
    llmtui_cores: float | None = None
    others_cores: float | None = None
    available_bytes: int | None = None
    ram_total_bytes: int | None = None
    swap_used_bytes: int | None = None
    runner_file_bytes: int | None = None
    runner_anon_bytes: int | None = None
    vram_bytes: int | None = None
    gpu_busy: float | None = None
    """0–1."""
    temperature_c: float | None = None
    frequency_mhz: float | None = None
    watts: float | None = None
    cost_ms: float | None = None
    """CPU time that this look cost."""
    gpu_temperature_c: float | None = None
    gpu_clock_mhz: float | None = None
    gpu_watts: float | None = None
    """Power of the graphics cards alone; ``watts`` is the sum of all metered parts."""


class PhaseChanged(Tagged, frozen=True, kw_only=True):
    """What the engine is doing from now on."""

    t_ns: int
    phase: Phase
    trial_id: str | None = None
    detail: PhaseDetail | str | None = None
    """None: the phase says it all. A text only in journals of schema 1; core.session reads it."""


class Paused(Tagged, frozen=True, kw_only=True):
    """A pause was asked for. It begins after the trial under way."""

    t_ns: int


class Resumed(Tagged, frozen=True, kw_only=True):
    """The pause is over, or will not begin."""

    t_ns: int


class Noted(Tagged, frozen=True, kw_only=True):
    """Something worth keeping with the session."""

    t_ns: int
    level: Level
    problem: Problem


class SessionFinished(Tagged, frozen=True, kw_only=True):
    """Last line of a journal that ended in order; more rounds may have been asked for after an earlier one."""

    t_ns: int
    wall_ns: int
    how: Literal["complete", "cancelled", "failed"]


SessionEvent = (
    SessionStarted
    | PlanExtended
    | TrialStarted
    | TrialFinished
    | Sampled
    | PhaseChanged
    | Paused
    | Resumed
    | Noted
    | SessionFinished
)


# --- live only ----------------------------------------------------------------------------------------------------


class Chunks(Tagged, frozen=True, kw_only=True):
    """Live text of one trial: (t_ns − t0, channel letter, text), at most 20 batches a second."""

    trial_id: str
    chunks: tuple[tuple[int, str, str], ...] = msgspec.field(name="pieces")


class Gap(Tagged, frozen=True, kw_only=True):
    """The reader was too slow: so much live material was left out. Facts never are."""

    chunks: int
    samples: int


# --- replies ------------------------------------------------------------------------------------------------------


class EngineReady(Tagged, frozen=True, kw_only=True):
    """The engine is up."""

    version: str
    schema: int
    pid: int


class ServerChanged(Tagged, frozen=True, kw_only=True):
    """What is known of the chosen server."""

    address: str
    kind: ServerKind
    version: str | None = None
    local: bool | None = None
    problem: Problem | None = None


class FoundServer(msgspec.Struct, frozen=True, kw_only=True):
    """A server that was found without being named."""

    address: str
    kind: ServerKind
    version: str | None = None


class ServersFound(Tagged, frozen=True, kw_only=True):
    """What answers on the usual ports of this machine, in the order of the ports."""

    servers: tuple[FoundServer, ...]


class ListedModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model as Setup shows it."""

    model: Model
    resident: ResidentModel | None = None
    why_not: Problem | None = None
    """Why it cannot be benchmarked; None if it can."""
    aliases: tuple[str, ...] = ()
    """Other names that the server answers to with this model."""


class ModelsListed(Tagged, frozen=True, kw_only=True):
    """The server's models, and everything in its memory, also what is not in the list."""

    address: str
    models: tuple[ListedModel, ...]
    resident: tuple[ResidentModel, ...] = ()
    memory: FreeMemory | None = None
    """Of the server's machine now; None where that is not this one."""


class ModelShown(Tagged, frozen=True, kw_only=True):
    """Details of one model."""

    model: Model
    template: str | None = None
    parameters: str | None = None
    license: str | None = None
    capabilities: tuple[str, ...] = ()
    """As the server names them; empty where it does not tell."""
    kv: KvShape | None = None
    """What its KV cache takes; None where the model's metadata do not tell."""


class PullProgressed(Tagged, frozen=True, kw_only=True):
    """A download moves. ``done`` with a problem means that it failed."""

    name: str
    status: str
    completed_bytes: int | None = None
    total_bytes: int | None = None
    done: bool = False
    problem: Problem | None = None


class SessionOpened(Tagged, frozen=True, kw_only=True):
    """Where the session that was just started is kept."""

    session_id: str
    folder: str


class CommandFailed(Tagged, frozen=True, kw_only=True):
    """A command could not be carried out."""

    command: str
    problem: Problem


LiveEvent = Chunks | Gap
Reply = (
    EngineReady
    | ServerChanged
    | ServersFound
    | ModelsListed
    | ModelShown
    | PullProgressed
    | SessionOpened
    | CommandFailed
)
Event = SessionEvent | LiveEvent | Reply
JOURNALED = (
    SessionStarted, PlanExtended, TrialStarted, TrialFinished, Sampled, PhaseChanged, Paused, Resumed, Noted,
    SessionFinished,
)  # fmt: skip


# --- codec --------------------------------------------------------------------------------------------------------

_lone_surrogate = re.compile("[\ud800-\udfff]")
_ANSWER = frozenset(("text",))
_encoder = msgspec.json.Encoder()
_events: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
_commands: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)


class BadLine(ValueError):
    """A line that is not one of ours: not JSON, an unknown tag, or a field of the wrong type."""


def encode(message: Event | Command) -> bytes:
    r"""Gives the message as one UTF-8 JSON line with its ``\n``.

    Raises:
        ValueError: a non-finite number stands in it (refused at the edge, so that no reader ever meets one), or a text
            holds a lone surrogate (callers replace those first, see ``clean_text``).
    """
    _refuse_non_finite(message)
    return _encoder.encode(message) + b"\n"


def decode_event(line: bytes) -> Event:
    """Return the event in a line, with all text but the answer's as it is shown; unknown keys are ignored.

    Raises:
        BadLine: with the reason. Readers skip such a line and say so once.
    """
    try:
        event = _events.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadLine(str(error)) from error
    if isinstance(event, Chunks | Sampled):  # frequent, and their text is an answer's
        return event
    return shown_event(event, keep=_ANSWER)


def decode_command(line: bytes) -> Command:
    """Gives the command in a line.

    Raises:
        BadLine: with the reason.
    """
    try:
        return _commands.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadLine(str(error)) from error


def clean_text(text: str) -> tuple[str, bool]:
    """Gives the text with lone surrogates replaced by U+FFFD, and whether there were any.

    They are valid in JSON escapes but not in UTF-8; a journal that held one could not be read by other programs.
    """
    if text.isascii():
        return text, False
    cleaned = _lone_surrogate.sub("\N{REPLACEMENT CHARACTER}", text)
    return cleaned, cleaned != text


def _refuse_non_finite(value: object) -> None:
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("a non-finite number cannot be reported: use None and a reason")
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            _refuse_non_finite(getattr(value, name))
    elif isinstance(value, dict):
        for item in value.values():
            _refuse_non_finite(item)
    elif isinstance(value, tuple) and value and not isinstance(value[0], int | str):
        for item in value:
            _refuse_non_finite(item)
