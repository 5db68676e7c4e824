"""Records that events consist of: server counters, machine figures, arrival times of text.

A missing value is None, with a reason beside it; never 0 or a sentinel.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import msgspec

from llmtui.core.codes import EvidenceCode, ProblemCode

if TYPE_CHECKING:
    _AnyProblem = ProblemCode
    _AnyEvidence = EvidenceCode
else:
    # Any string on the wire: journals of other versions have codes that this one does not know.
    _AnyProblem = _AnyEvidence = str

Argument = str | int | float
Outcome = Literal["ok", "no_final", "thinking_only", "empty", "error", "stalled", "cancelled", "skipped"]
EndedBy = Literal["stop", "length", "other"]
Channel = Literal["thinking", "answer"]
Phase = Literal["unload", "waiting", "thinking", "answer", "idle"]
Level = Literal["info", "warning", "error"]
ColdSource = Literal["disk", "memory", "mixed", "unknown"]
ServerKind = Literal["ollama", "openai", "builtin"]
NamedBy = Literal["nobody", "settings", "person"]
"""Origin of a server's address: ``nobody`` (found by a search), the settings or the environment, or the user."""


Step = Literal["unloading", "loading", "loading_again", "waiting_for_others", "waiting_for_server", "paused"]
"""The step within a phase. ``loading_again``: a model that was in memory before the run. ``waiting_for_others``: a cold
start is delayed until other programs leave the CPU idle. ``waiting_for_server``: it does not answer."""


class PhaseDetail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The step within a phase, and the models concerned."""

    step: Step
    names: tuple[str, ...] = ()


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A problem as data; ``llmtui.words.problems`` makes the sentences."""

    code: _AnyProblem
    args: dict[str, Argument] = {}
    """Names and figures for the code's sentence; no prose."""
    detail: str | None = None
    """The message of a server, a library or the system, as received."""
    cause: Problem | None = None
    """The problem that caused this one."""
    what: str | None = None
    """Only in journals of schema 1: what happened, in English."""
    remedy: str | None = None
    """Only in journals of schema 1: what to do about it."""

    def __str__(self) -> str:
        """Return the problem for logs and files: ``code name=value: detail``; schema 1's sentences unchanged."""
        if self.what is not None:
            return self.what if self.remedy is None else f"{self.what} {self.remedy}"
        said = coded(self.code, self.args)
        said = said if self.detail is None else f"{said}: {self.detail}"
        return said if self.cause is None else f"{said} < {self.cause}"


class ProblemError(Exception):
    """Base of the exceptions that have a problem; ``str`` is its code."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


class Evidence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The evidence for a flag, as data; ``llmtui.words.evidence`` makes the sentence."""

    code: _AnyEvidence
    args: dict[str, Argument] = {}

    def __str__(self) -> str:
        """Return the evidence for files: ``code name=value``."""
        return coded(self.code, self.args)


FlagEvidence = Evidence | str
"""Evidence for a flag; an English sentence in journals of schema 1, empty where a flag has none."""


def coded(code: str, args: Mapping[str, Argument]) -> str:
    """Return a code with its arguments as one readable line, floats to four significant digits."""
    told = (f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}" for name, value in args.items())
    return " ".join((code, *told))


class ServerCounters(msgspec.Struct, frozen=True, kw_only=True):
    """The counts in the server's last line, as sent; durations in ns. Absent keys are None, never 0."""

    total_duration_ns: int | None = None
    load_duration_ns: int | None = None
    prompt_tokens: int | None = None
    """All tokens of the prompt, including cached ones."""
    cached_tokens: int | None = None
    """Number of prompt tokens from the server's cache; None where the server does not report it."""
    prompt_duration_ns: int | None = None
    output_tokens: int | None = None
    """Output tokens, including the end-of-answer token (except with MLX)."""
    output_duration_ns: int | None = None
    output_steps: int | None = None
    """Number of decode steps in ``output_duration_ns``: output_tokens − 1 (llama.cpp), output_tokens (MLX)."""
    reasoning_tokens: int | None = None
    """Output tokens that were thinking, where the server reports it."""
    why: dict[str, str] = {}
    """Why a count that was sent is not used, by field (``not_a_number``, ``zero``, ``counts_disagree``)."""


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """Arrival of each chunk of text: arrays of equal length, in the order of ``TrialFinished.text``."""

    t_ns: tuple[int, ...] = ()
    """Arrival − t0, on the engine's clock."""
    chars: tuple[int, ...] = ()
    """Number of characters per chunk, to cut the text again."""
    channels: str = ""
    """One letter per chunk: ``t`` thinking, ``a`` answer."""
    server_ns: tuple[int, ...] | None = None
    """The server's own stamp of each chunk (wall clock, ns since 1970); None where it sends none."""
    tokens: tuple[int, ...] | None = None
    """Number of output tokens made up to each chunk, where the server reports it."""

    def __post_init__(self) -> None:
        """Refuse arrays of different lengths.

        Raises:
            ValueError: the lengths differ, as in a damaged line.
        """
        told = (self.chars, self.channels, self.server_ns, self.tokens)
        if any(array is not None and len(array) != len(self.t_ns) for array in told):
            raise ValueError("a timeline's arrays are of one length")


class MachineFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The machine during one trial. All None where it is not visible from here."""

    runner_pid: int | None = None
    runner_peak_bytes: int | None = None
    """Largest memory of the runner process: RssFile + RssAnon."""
    runner_steady_bytes: int | None = None
    """Its median over the second half of the trial."""
    runner_file_bytes: int | None = None
    runner_anon_bytes: int | None = None
    weights_in_anon: bool | None = None
    """The runner was started without memory-mapping its weights."""
    vram_bytes: int | None = None
    available_min_bytes: int | None = None
    swap_in_bytes: int | None = None
    disk_read_bytes: int | None = None
    runner_cpu_s: float | None = None
    llmtui_cpu_s: float | None = None
    others_cores_before: float | None = None
    """Cores that other programs kept busy in the second before the trial."""
    throttle_events: int | None = None
    joules: float | None = None
    joules_source: str | None = None
    temperature_c: float | None = None
    on_battery: bool | None = None
    others_cores: float | None = None
    """Cores that other programs kept busy during the trial; None where the server's processes were not all visible."""


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """One trial in another program's file. None: not recorded."""

    line: int
    """Line in the file, from 1."""
    overall_tps: float | None = msgspec.field(default=None, name="usual_tps")
    """Tokens ÷ total time, as recorded."""
    ram_change_mb: float | None = None
    """As recorded; in the earlier comparison's files the change of the whole machine's used memory."""
    ttft_s: float | None = None
    total_s: float | None = None
    tokens: int | None = None
    """Output tokens."""
    load_s: float | None = None
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    prompt_s: float | None = None
    """The server's time for the prompt."""
    decode_s: float | None = None
    """The server's time for the output."""
    steps: int | None = None
    """Number of tokens made within ``decode_s``, where that is not ``tokens`` − 1."""
    decode_tps: float | None = None
    """The speed after the first token, where the file has nothing but that."""
    program: str | None = None
    """The program whose format the file has; None: a plain table."""
    repetition: bool = False
    """It follows trials of the same model and prompt: repetitions show variation, but are no rounds."""
    mean_of: int | None = None
    """The figures are means of this many requests."""


class ResidentModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model in a server's memory, as the server reports it."""

    name: str
    digest: str
    size_bytes: int | None = None
    vram_bytes: int | None = None
    context_length: int | None = None
    pid: int | None = None
    also: tuple[str, ...] = ()
    """Digests of further models that use these weights: adapters."""

    def serves(self, digest: str) -> bool:
        """Return whether requests for the model of this digest use this model in memory."""
        return digest == self.digest or digest in self.also


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """A server of a session, as found at the start."""

    kind: ServerKind
    """The protocol."""
    address: str
    """Address without user name and password."""
    product: str | None = None
    """Such as ``vLLM``; None where the server does not report it."""
    version: str | None = None
    local: bool | None = None


class Fingerprint(msgspec.Struct, frozen=True, kw_only=True):
    """The conditions of a session: what must be equal for two sessions to be compared."""

    llmtui: str
    python: str
    os: str
    cpu: str | None = None
    cores_physical: int | None = None
    cores_logical: int | None = None
    ram_total_bytes: int | None = None
    gpu: str | None = None
    on_battery: bool | None = None
    server_kind: ServerKind = "ollama"
    server_version: str | None = None
    server_address: str = ""
    server_is_local: bool | None = None
    sampling_hz: float = 2.0
    host: str | None = None
    """Name of the machine on which llmtui ran; an identification, not a condition."""
    servers: tuple[Server, ...] = ()
    """All servers; earlier versions recorded only the main one, in the fields above."""

    def server_of(self, kind: str) -> Server | None:
        """Return the server of a protocol; None where it did not answer at the start."""
        if not self.servers and kind == self.server_kind and self.server_is_local is not None:
            return Server(
                kind=self.server_kind,
                address=self.server_address,
                version=self.server_version,
                local=self.server_is_local,
            )
        return next((server for server in self.servers if server.kind == kind), None)


class Tagged(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag=True, omit_defaults=True):
    """Base of everything that is sent as a line; the tag is the class name."""
