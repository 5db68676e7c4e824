"""Records that are parts of events: server counters, machine figures, arrival times of text.

A missing value is None, never 0 or another placeholder.
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
    # Any string is accepted when reading, since journals of other versions can have codes unknown to this one.
    _AnyProblem = _AnyEvidence = str

Argument = str | int | float
Outcome = Literal["ok", "no_final", "thinking_only", "empty", "error", "stalled", "cancelled", "skipped"]
EndedBy = Literal["stop", "length", "other"]
Channel = Literal["thinking", "answer"]
Phase = Literal["unload", "waiting", "thinking", "answer", "idle"]
Level = Literal["info", "warning", "error"]
ColdSource = Literal["disk", "memory", "mixed", "unknown"]
ServerKind = Literal["ollama", "openai", "builtin"]
AddressSource = Literal["search", "session", "settings", "user"]
"""Where a server's address comes from: a search of the usual ports, a saved session, the settings (file or
environment), or the user (command line or Setup). It decides whether the server gets an API key.
"""


Step = Literal["unloading", "loading", "loading_again", "waiting_for_others", "waiting_for_server", "paused"]
"""The step within a phase. ``loading_again``: loading a model that was in memory before the run.
``waiting_for_others``: a cold start is delayed until other programs leave the CPU idle. ``waiting_for_server``: the
server does not respond."""


class PhaseDetail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The step within a phase, and the names of the models concerned."""

    step: Step
    names: tuple[str, ...] = ()


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A problem as data: a code with arguments. ``llmtui.words.problems`` turns it into a sentence."""

    code: _AnyProblem
    args: dict[str, Argument] = {}
    """Names and numbers that are inserted into the sentence; no prose."""
    detail: str | None = None
    """Message of a server, a library or the system, as received."""
    cause: Problem | None = None
    """The problem that caused this one."""
    what: str | None = None
    """What happened, in English. Set only in journals of schema 1."""
    remedy: str | None = None
    """What to do about the problem, in English. Set only in journals of schema 1."""

    def __str__(self) -> str:
        """Return the problem for logs and files as ``code name=value: detail``.

        A problem of schema 1 is returned as its English text.
        """
        if self.what is not None:
            return self.what if self.remedy is None else f"{self.what} {self.remedy}"
        said = coded(self.code, self.args)
        said = said if self.detail is None else f"{said}: {self.detail}"
        return said if self.cause is None else f"{said} < {self.cause}"


class ProblemError(Exception):
    """Base class of exceptions that carry a ``Problem``; ``str`` returns the problem's code."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


class Evidence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The evidence for a flag, as data: a code with arguments. ``llmtui.words.evidence`` turns it into a sentence."""

    code: _AnyEvidence
    args: dict[str, Argument] = {}

    def __str__(self) -> str:
        """Return the evidence as written to files: ``code name=value``."""
        return coded(self.code, self.args)


FlagEvidence = Evidence | str
"""Evidence for a flag. In journals of schema 1 it is an English sentence; it is an empty string if a flag has none."""


def coded(code: str, args: Mapping[str, Argument]) -> str:
    """Return a code with its arguments as one line, ``code name=value …``; floats have four significant digits."""
    told = (f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}" for name, value in args.items())
    return " ".join((code, *told))


class ServerCounters(msgspec.Struct, frozen=True, kw_only=True):
    """The counts at the end of a server's response, as sent; durations in ns. A count that was not sent is None."""

    total_duration_ns: int | None = None
    load_duration_ns: int | None = None
    prompt_tokens: int | None = None
    """Number of all tokens of the prompt, including cached ones."""
    cached_tokens: int | None = None
    """Number of prompt tokens from the server's cache; None if the server does not report it."""
    prompt_duration_ns: int | None = None
    output_tokens: int | None = None
    """Number of output tokens. It includes the end-of-answer token, except with MLX."""
    output_duration_ns: int | None = None
    output_steps: int | None = None
    """Number of decode steps in ``output_duration_ns``: output_tokens − 1 for llama.cpp, output_tokens for MLX."""
    reasoning_tokens: int | None = None
    """Number of output tokens that were thinking; None if the server does not report it."""
    why: dict[str, str] = {}
    """Reason why a count that was sent is not used, by field: ``not_a_number``, ``zero`` or ``counts_disagree``."""


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """Arrival times and sizes of an answer's chunks, as arrays of equal length in the order of arrival."""

    t_ns: tuple[int, ...] = ()
    """Arrival time − time at which the request was sent, in ns, on the engine's clock."""
    chars: tuple[int, ...] = ()
    """Number of characters of each chunk, by which the whole text can be divided into its chunks."""
    channels: str = ""
    """One letter per chunk: ``t`` for thinking, ``a`` for the answer."""
    server_ns: tuple[int, ...] | None = None
    """The server's own timestamp of each chunk (wall clock, ns since 1970); None if it sends none."""
    tokens: tuple[int, ...] | None = None
    """Number of output tokens generated up to and including each chunk; None if the server does not report it."""

    def __post_init__(self) -> None:
        """Refuse arrays of different lengths.

        Raises:
            ValueError: the lengths differ, as they can in a damaged line of a file.
        """
        told = (self.chars, self.channels, self.server_ns, self.tokens)
        if any(array is not None and len(array) != len(self.t_ns) for array in told):
            raise ValueError("a timeline's arrays are of one length")


class MachineFigures(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Readings of the server's machine during one trial; None: not measured, or not visible from this machine."""

    runner_pid: int | None = None
    runner_peak_bytes: int | None = None
    """Largest memory of the model's process (the runner): RssFile + RssAnon."""
    runner_steady_bytes: int | None = None
    """Median memory of the model's process over the second half of the trial."""
    runner_file_bytes: int | None = None
    runner_anon_bytes: int | None = None
    weights_in_anon: bool | None = None
    """Whether the model's process was started without memory-mapping the weights."""
    vram_bytes: int | None = None
    available_min_bytes: int | None = None
    swap_in_bytes: int | None = None
    disk_read_bytes: int | None = None
    runner_cpu_s: float | None = None
    llmtui_cpu_s: float | None = None
    others_cores_before: float | None = None
    """Mean number of CPU cores that other programs kept busy in the second before the trial."""
    throttle_events: int | None = None
    joules: float | None = None
    joules_source: str | None = None
    temperature_c: float | None = None
    on_battery: bool | None = None
    others_cores: float | None = None
    """Mean number of CPU cores that other programs kept busy during the trial; None unless all processes of the server
    were visible."""


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """One trial from another program's file. None: the file does not have the value."""

    line: int
    """Line number in the file, from 1."""
    overall_tps: float | None = msgspec.field(default=None, name="usual_tps")
    """Output tokens ÷ total time, in tokens per second, as recorded."""
    ram_change_mb: float | None = None
    """Change of memory in MB, as recorded; files of the earlier comparison script have that of the whole machine."""
    ttft_s: float | None = None
    total_s: float | None = None
    tokens: int | None = None
    """Number of output tokens."""
    load_s: float | None = None
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    prompt_s: float | None = None
    """The server's time for processing the prompt, in seconds."""
    decode_s: float | None = None
    """The server's time for generating the output, in seconds."""
    steps: int | None = None
    """Number of tokens generated within ``decode_s``; None: ``tokens`` − 1."""
    decode_tps: float | None = None
    """Tokens per second after the first token; set only if the file has no times to compute the speed from."""
    program: str | None = None
    """Name of the program whose file format was read; None for a plain table."""
    repetition: bool = False
    """Whether the trial directly follows trials of the same model and prompt. Such repetitions show variation, but do
    not form rounds."""
    mean_of: int | None = None
    """Number of requests that the figures are averaged over; None for a single request."""


class ResidentModel(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A model in a server's memory, as reported by the server."""

    name: str
    digest: str
    size_bytes: int | None = None
    vram_bytes: int | None = None
    context_length: int | None = None
    pid: int | None = None
    also: tuple[str, ...] = ()
    """Digests of other models that use the same weights (adapters)."""

    def serves(self, digest: str) -> bool:
        """Return whether requests for the model with the given digest would use this model in memory."""
        return digest == self.digest or digest in self.also


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """A server that was used in a session, as found at the session's start."""

    kind: ServerKind
    """Kind of server, which determines the protocol."""
    address: str
    """Address of the server, without user name and password."""
    product: str | None = None
    """Name of the server's software, such as ``vLLM``; None if the server does not report it."""
    version: str | None = None
    local: bool | None = None


class Fingerprint(msgspec.Struct, frozen=True, kw_only=True):
    """The conditions under which a session ran: software, machine and servers."""

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
    """Name of the machine on which llmtui ran. It identifies the machine and is not compared."""
    servers: tuple[Server, ...] = ()
    """All servers of the session. Empty in sessions of earlier versions: these recorded only the main server, in other
    fields of this record."""

    def server_of(self, kind: str) -> Server | None:
        """Return the server of the given kind; None if it did not respond at the start of the session."""
        if not self.servers and kind == self.server_kind and self.server_is_local is not None:
            return Server(
                kind=self.server_kind,
                address=self.server_address,
                version=self.server_version,
                local=self.server_is_local,
            )
        return next((server for server in self.servers if server.kind == kind), None)


class Tagged(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag=True, omit_defaults=True):
    """Base class of all messages that are sent as one line of JSON. The class name is the message's ``type``."""
