"""The engine's events, and the JSON-lines codec for events and commands.

*Session events* are journaled and folded into a Session; *live events* are drawn and not kept; *replies* answer
commands. All times named ``t_ns`` are on the engine's monotonic clock (``time.perf_counter_ns``); ``wall_ns`` is
nanoseconds since 1970 UTC.
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
from llmtui.core.shown import shown_event

SCHEMA = 2
"""2: problems, evidence and the steps within a phase are codes with arguments; pauses are events. 1: these were English
texts, of which problems and evidence are still shown as they are."""


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
    """The number of promised rounds is now ``rounds``. After a SessionFinished it means that the session continues."""

    t_ns: int
    rounds: int
    why: str


class TrialStarted(Tagged, frozen=True, kw_only=True):
    """The engine turns to a trial: preparation (unload, waiting) precedes its request."""

    t_ns: int
    trial: Trial
    order: int
    """Number of the trial in the session, from 1."""
    total: int
    """Number of trials in all promised rounds."""


class TrialFinished(Tagged, frozen=True, kw_only=True):
    """Everything recorded about one request. Figures are computed from it by core.metrics and never stored with it."""

    t_ns: int
    trial: Trial
    order: int
    outcome: Outcome
    wall_ns: int
    """Wall clock at t0."""
    t0_ns: int | None = None
    """Time at which sending of the request began; None if nothing was sent."""
    done_ns: int | None = None
    """End of the answer − t0: arrival of the last line, or of the last chunk of text where no last line came."""
    ended_by: EndedBy | None = None
    problem: Problem | None = None
    counters: ServerCounters | None = None
    timeline: Timeline = Timeline()
    text: str = ""
    flags: tuple[str, ...] = ()
    """Flags whose evidence only the engine has; core.flags adds those that follow from other trials."""
    evidence: tuple[FlagEvidence, ...] = ()
    """Evidence, one per flag in the order of ``flags``."""
    machine: MachineFigures | None = None
    resident: ResidentModel | None = None
    """The model in the server's memory right after the trial."""
    cold_source: ColdSource | None = None
    num_predict: int | None = None
    repeats: str | None = None
    """Id of the disturbed trial that this one repeats."""
    recorded: Recorded | None = None
    """In imported sessions only."""


class Sampled(Tagged, frozen=True, kw_only=True):
    """One reading of the machine."""

    t_ns: int
    cores_busy: float
    per_core: tuple[float, ...] = ()
    """Load per logical core, 0–1."""
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
    """Load of the GPU, 0–1."""
    temperature_c: float | None = None
    frequency_mhz: float | None = None
    watts: float | None = None
    cost_ms: float | None = None
    """CPU time that this reading took."""
    gpu_temperature_c: float | None = None
    gpu_clock_mhz: float | None = None
    gpu_watts: float | None = None
    """Power of the GPUs alone; ``watts`` is the sum of all metered parts."""


class PhaseChanged(Tagged, frozen=True, kw_only=True):
    """The engine entered another phase."""

    t_ns: int
    phase: Phase
    trial_id: str | None = None
    detail: PhaseDetail | str | None = None
    """None where the phase says everything. A text only in journals of schema 1, read by core.session."""


class Paused(Tagged, frozen=True, kw_only=True):
    """A pause was requested. It begins after the current trial."""

    t_ns: int


class Resumed(Tagged, frozen=True, kw_only=True):
    """The pause is over, or was cancelled before it began."""

    t_ns: int


class Noted(Tagged, frozen=True, kw_only=True):
    """A message to keep with the session."""

    t_ns: int
    level: Level
    problem: Problem


class SessionFinished(Tagged, frozen=True, kw_only=True):
    """Last line of a journal that ended in order; more rounds may follow it on request."""

    t_ns: int
    wall_ns: int
    how: Literal["complete", "cancelled", "failed"]


class SessionResumed(Tagged, frozen=True, kw_only=True):
    """An interrupted session continues, on its own clock: its trials without a result follow."""

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
    """Live text of one trial: (t_ns − t0, channel letter, text), at most 20 batches per second."""

    trial_id: str
    chunks: tuple[tuple[int, str, str], ...] = msgspec.field(name="pieces")


class Gap(Tagged, frozen=True, kw_only=True):
    """The reader was too slow: the number of chunks and samples that were left out. Session events never are."""

    chunks: int
    samples: int


# --- replies ------------------------------------------------------------------------------------------------------


class EngineReady(Tagged, frozen=True, kw_only=True):
    """The engine is ready for commands."""

    version: str
    schema: int
    pid: int


class ServerChanged(Tagged, frozen=True, kw_only=True):
    """Facts about the chosen server."""

    address: str
    kind: ServerKind
    version: str | None = None
    local: bool | None = None
    problem: Problem | None = None


class FoundServer(msgspec.Struct, frozen=True, kw_only=True):
    """A server that was found by searching."""

    address: str
    kind: ServerKind
    version: str | None = None


class ServersFound(Tagged, frozen=True, kw_only=True):
    """Servers that answer on the usual ports of this machine, in the order of the ports."""

    servers: tuple[FoundServer, ...]


class ListedModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model in the list of the Setup screen."""

    model: Model
    resident: ResidentModel | None = None
    why_not: Problem | None = None
    """Why it cannot be benchmarked; None if it can."""
    aliases: tuple[str, ...] = ()
    """Other names of this model on the server."""


class ModelsListed(Tagged, frozen=True, kw_only=True):
    """The server's models, and all models in its memory, including those outside the list."""

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
    """Progress of a download. ``done`` with a problem means that it failed."""

    name: str
    status: str
    completed_bytes: int | None = None
    total_bytes: int | None = None
    done: bool = False
    problem: Problem | None = None


class SessionOpened(Tagged, frozen=True, kw_only=True):
    """Folder of the session that was just started."""

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
JOURNALED = get_args(SessionEvent)


# --- codec --------------------------------------------------------------------------------------------------------

_lone_surrogate = re.compile("[\ud800-\udfff]")
_ANSWER = frozenset(("text",))
_encoder = msgspec.json.Encoder()
_events: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
_commands: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)


class BadLine(ValueError):
    """A line that is no event: not JSON, an unknown tag, or a field of the wrong type."""


def encode(message: Event | Command) -> bytes:
    r"""Return the message as one UTF-8 JSON line that ends with ``\n``.

    Raises:
        ValueError: the message has a non-finite number, or a text with a lone surrogate (see ``clean_text``).
    """
    _refuse_non_finite(message)
    return _encoder.encode(message) + b"\n"


def decode_event(line: bytes) -> Event:
    """Return the event in a line; all text but the answer's is made safe to show, unknown keys are ignored.

    Raises:
        BadLine: the line is no event. Readers skip such a line and report it once.
    """
    try:
        event = _events.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadLine(str(error)) from error
    if isinstance(event, Chunks | Sampled):  # frequent, and their only text is the model's answer
        return event
    return shown_event(event, keep=_ANSWER)


def decode_command(line: bytes) -> Command:
    """Return the command in a line.

    Raises:
        BadLine: the line is no command.
    """
    try:
        return _commands.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadLine(str(error)) from error


def clean_text(text: str) -> tuple[str, bool]:
    """Return the text with lone surrogates replaced by U+FFFD, and whether there were any.

    They are valid in JSON escapes but not in UTF-8; other programs could not read a journal that has one.
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
