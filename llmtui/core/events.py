"""The engine's messages, and the JSON-lines encoding of messages and commands.

*Session events* are written to the journal and applied to a Session. *Live events* are displayed and not kept.
*Replies* answer commands. ``t_ns`` is on the engine's monotonic clock (``time.perf_counter_ns``); ``wall_ns`` is ns
since 1970 UTC.
"""

from __future__ import annotations

import math
import re
from typing import Literal, get_args

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
from llmtui.core.shown import Implausible, may_be_huge, shown_event

SCHEMA = 2
"""Version of the journal format. Before version 2, problems, evidence and steps were English texts instead of codes."""


# --- session events: journaled and folded -------------------------------------------------------------------------


class SessionStarted(Tagged, frozen=True, kw_only=True):
    """Session event, sent when a session starts; first line of its journal."""

    schema: int
    session_id: str
    t_ns: int
    wall_ns: int
    fingerprint: Fingerprint
    plan: Plan


class PlanExtended(Tagged, frozen=True, kw_only=True):
    """Session event: the number of rounds to be run in any case is now ``rounds``; a finished session continues."""

    t_ns: int
    rounds: int
    why: str


class TrialStarted(Tagged, frozen=True, kw_only=True):
    """Session event, sent when the engine begins to prepare a trial (unloading, waiting), before the request."""

    t_ns: int
    trial: Trial
    order: int
    """Number of the trial in the session, from 1."""
    total: int
    """Number of trials in all promised rounds."""


class TrialFinished(Tagged, frozen=True, kw_only=True):
    """Session event, sent when a trial ends, with all that was recorded. ``core.metrics`` computes the figures."""

    t_ns: int
    trial: Trial
    order: int
    outcome: Outcome
    wall_ns: int
    """Wall clock at the time when sending of the request began."""
    t0_ns: int | None = None
    """Time at which sending of the request began, on the engine's clock; None if nothing was sent."""
    done_ns: int | None = None
    """Time from ``t0_ns`` to the arrival of the line that ends the response, or of the last text if that line is
    missing."""
    ended_by: EndedBy | None = None
    problem: Problem | None = None
    counters: ServerCounters | None = None
    timeline: Timeline = Timeline()
    text: str = ""
    flags: tuple[str, ...] = ()
    """Flags that only the engine can detect; ``core.flags`` and ``core.session_flags`` add others."""
    evidence: tuple[FlagEvidence, ...] = ()
    """Evidence, one entry per flag in the order of ``flags``."""
    machine: MachineFigures | None = None
    resident: ResidentModel | None = None
    """The model in the server's memory right after the trial."""
    cold_source: ColdSource | None = None
    num_predict: int | None = None
    repeats: str | None = None
    """Id of the disturbed trial that this trial repeats; None if it is not a repetition."""
    recorded: Recorded | None = None
    """Values from another program's file; only in imported sessions."""


class Sampled(Tagged, frozen=True, kw_only=True):
    """Session event, sent regularly during a session with one reading of the machine."""

    t_ns: int
    cores_busy: float
    per_core: tuple[float, ...] = ()
    """Load of each logical core, from 0 to 1."""
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
    """Load of the GPU, from 0 to 1."""
    temperature_c: float | None = None
    frequency_mhz: float | None = None
    watts: float | None = None
    cost_ms: float | None = None
    """CPU time in ms that this reading itself took."""
    gpu_temperature_c: float | None = None
    gpu_clock_mhz: float | None = None
    gpu_watts: float | None = None
    """Power of the GPUs alone in watts; ``watts`` is the sum of all metered parts."""


class PhaseChanged(Tagged, frozen=True, kw_only=True):
    """Session event, sent when the engine enters another phase or step."""

    t_ns: int
    phase: Phase
    trial_id: str | None = None
    detail: PhaseDetail | str | None = None
    """The step within the phase; None if there is none. It is a text only in journals of schema 1."""


class Paused(Tagged, frozen=True, kw_only=True):
    """Session event, sent when a pause was requested. The pause begins after the current trial."""

    t_ns: int


class Resumed(Tagged, frozen=True, kw_only=True):
    """Session event, sent when a pause ends, or was cancelled before it began."""

    t_ns: int


class Noted(Tagged, frozen=True, kw_only=True):
    """Session event, sent when there is a message to keep with the session."""

    t_ns: int
    level: Level
    problem: Problem


class SessionFinished(Tagged, frozen=True, kw_only=True):
    """Session event, sent when a session ends normally. More rounds may follow it on request."""

    t_ns: int
    wall_ns: int
    how: Literal["complete", "cancelled", "failed"]


class SessionResumed(Tagged, frozen=True, kw_only=True):
    """Session event, sent when an interrupted session continues with its remaining trials."""

    t_ns: int
    wall_ns: int


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
    | SessionResumed
)


# --- live events: not journaled -------------------------------------------------------------------------------------


class Chunks(Tagged, frozen=True, kw_only=True):
    """Live event: new text of one trial, as (ns since the request, channel letter, text) for each chunk."""

    trial_id: str
    chunks: tuple[tuple[int, str, str], ...] = msgspec.field(name="pieces")


class Gap(Tagged, frozen=True, kw_only=True):
    """Live event: how many chunks and samples were left out because the receiver was too slow."""

    chunks: int
    samples: int


# --- replies ------------------------------------------------------------------------------------------------------


class EngineReady(Tagged, frozen=True, kw_only=True):
    """Reply, sent once when the engine has started and is ready for commands."""

    version: str
    schema: int
    pid: int


class ServerChanged(Tagged, frozen=True, kw_only=True):
    """Reply to SetServer and ListModels: facts about the chosen server."""

    address: str
    kind: ServerKind
    version: str | None = None
    local: bool | None = None
    problem: Problem | None = None


class FoundServer(msgspec.Struct, frozen=True, kw_only=True):
    """A server that was found on a usual port of this machine."""

    address: str
    kind: ServerKind
    version: str | None = None


class ServersFound(Tagged, frozen=True, kw_only=True):
    """Reply to FindServers: servers on the usual ports of this machine, in the order of the ports."""

    servers: tuple[FoundServer, ...]


class ListedModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model in the list of the Setup screen."""

    model: Model
    resident: ResidentModel | None = None
    why_not: Problem | None = None
    """Reason why the model cannot be benchmarked; None if it can."""
    aliases: tuple[str, ...] = ()
    """Other names of the model on the server."""


class ModelsListed(Tagged, frozen=True, kw_only=True):
    """Reply to SetServer and ListModels: the server's models, and those in its memory, even if not listed."""

    address: str
    models: tuple[ListedModel, ...]
    resident: tuple[ResidentModel, ...] = ()
    memory: FreeMemory | None = None
    """Current memory of the server's machine; None if that is not this machine."""


class ModelShown(Tagged, frozen=True, kw_only=True):
    """Reply to ShowModel: details of one model."""

    model: Model
    template: str | None = None
    parameters: str | None = None
    license: str | None = None
    capabilities: tuple[str, ...] = ()
    """Capabilities as the server names them; empty if it does not report any."""
    kv: KvShape | None = None
    """Memory that the model's KV cache takes; None if the model's metadata do not show it."""


class PullProgressed(Tagged, frozen=True, kw_only=True):
    """Reply to PullModel, sent repeatedly: progress of a download. It failed if it is ``done`` with a problem."""

    name: str
    status: str
    completed_bytes: int | None = None
    total_bytes: int | None = None
    done: bool = False
    problem: Problem | None = None


class SessionOpened(Tagged, frozen=True, kw_only=True):
    """Reply to StartPlan and ResumeSession: the folder of the session that was started."""

    session_id: str
    folder: str


class CommandFailed(Tagged, frozen=True, kw_only=True):
    """Reply to any command: the command could not be carried out."""

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
JOURNALED = get_args(SessionEvent)


# --- codec --------------------------------------------------------------------------------------------------------

_lone_surrogate = re.compile("[\ud800-\udfff]")
_ANSWER = frozenset(("text",))
_encoder = msgspec.json.Encoder()
_events: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
_commands: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)


class BadLine(ValueError):
    """Raised for a line that is not a message: not JSON, an unknown type, or a field of the wrong type."""


def encode(message: Event | Command) -> bytes:
    r"""Return a message as one line of JSON in UTF-8, which ends with ``\n``.

    Raises:
        ValueError: the message has a non-finite number, or a text with a lone surrogate (see ``clean_text``).
    """
    _refuse_non_finite(message)
    return _encoder.encode(message) + b"\n"


def decode_event(line: bytes) -> Event:
    """Return the event in a line; texts other than answers are made safe to show, and unknown keys are ignored.

    Raises:
        BadLine: the line is not an event. Callers skip it and report it once.
    """
    try:
        event = _events.decode(line)
        # Frequent, without text other than the model's answer:
        usual = isinstance(event, Chunks) or (isinstance(event, Sampled) and not may_be_huge(line))
        return event if usual else shown_event(event, keep=_ANSWER)
    except (msgspec.DecodeError, UnicodeDecodeError, Implausible) as error:
        raise BadLine(str(error)) from error


def decode_command(line: bytes) -> Command:
    """Return the command in a line.

    Raises:
        BadLine: the line is not a command.
    """
    try:
        return _commands.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadLine(str(error)) from error


def clean_text(text: str) -> tuple[str, bool]:
    """Return the text with lone surrogates replaced by U+FFFD, and whether there were any.

    Lone surrogates are valid in JSON escapes, but not in UTF-8: other programs could not read a journal with one.
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
