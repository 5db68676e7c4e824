"""The records that events are made of: what a server counted, what a machine did, when text arrived.

Missing is None, with a reason beside it; never 0 or a sentinel.
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
    # On the wire any word: journals of other versions hold codes that this one does not know.
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
"""Who named a server: nobody (it was looked for), the settings or the environment, or the person."""


Step = Literal["unloading", "loading", "loading_again", "waiting_for_others", "paused"]
"""What is done within a phase. ``loading_again``: a model that was in memory before the run. ``waiting_for_others``:
a cold start is delayed until other programs leave the processor alone."""


class PhaseDetail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is done within a phase, and with which models."""

    step: Step
    names: tuple[str, ...] = ()


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that went wrong, as data; ``llmtui.words.problems`` makes the sentences."""

    code: _AnyProblem
    args: dict[str, Argument] = {}
    """Names and figures, as the sentence of the code names them; no prose."""
    detail: str | None = None
    """The words of a server, a library or the system, as received."""
    cause: Problem | None = None
    """The problem that this one follows from."""
    what: str | None = None
    """Only in journals of schema 1: what happened, an English sentence."""
    remedy: str | None = None
    """Only in journals of schema 1: what to do about it."""

    def __str__(self) -> str:
        """Return the problem for logs and files: ``code name=value: detail``; schema 1's sentences as they are."""
        if self.what is not None:
            return self.what if self.remedy is None else f"{self.what} {self.remedy}"
        said = coded(self.code, self.args)
        said = said if self.detail is None else f"{said}: {self.detail}"
        return said if self.cause is None else f"{said} < {self.cause}"


class ProblemError(Exception):
    """Base of the exceptions that carry a problem; ``str`` is its code."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


class Evidence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was seen that earns a flag, as data; ``llmtui.words.evidence`` makes the sentence."""

    code: _AnyEvidence
    args: dict[str, Argument] = {}

    def __str__(self) -> str:
        """Return the evidence for files: ``code name=value``."""
        return coded(self.code, self.args)


FlagEvidence = Evidence | str
"""Evidence of a flag; an English sentence in journals of schema 1, empty where a flag has none."""


def coded(code: str, args: Mapping[str, Argument]) -> str:
    """Return a code with its arguments as one readable line, floats to four significant digits."""
    told = (f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}" for name, value in args.items())
    return " ".join((code, *told))


class ServerCounters(msgspec.Struct, frozen=True, kw_only=True):
    """What the server's last line counts, as sent; durations in ns. Absent keys are None, never 0."""

    total_duration_ns: int | None = None
    load_duration_ns: int | None = None
    prompt_tokens: int | None = None
    """All tokens of the prompt, cached ones among them."""
    cached_tokens: int | None = None
    """How many of them came from the server's cache; None where the server does not tell."""
    prompt_duration_ns: int | None = None
    output_tokens: int | None = None
    """Output tokens; the end-of-answer token counts but for MLX."""
    output_duration_ns: int | None = None
    output_steps: int | None = None
    """Decode steps that ``output_duration_ns`` covers: output_tokens − 1 (llama.cpp), output_tokens (MLX)."""
    reasoning_tokens: int | None = None
    """How many of the output tokens were thinking, where the server tells."""
    why: dict[str, str] = {}
    """By field: why a count that was sent is not used (``not_a_number``, ``zero``, ``counts_disagree``)."""


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """When each chunk of text arrived: arrays of one length, in the order of ``TrialFinished.text``."""

    t_ns: tuple[int, ...] = ()
    """Arrival − t0, on the engine's clock."""
    chars: tuple[int, ...] = ()
    """Characters of each chunk, so that the text can be cut again."""
    channels: str = ""
    """One letter a chunk: ``t`` thinking, ``a`` answer."""
    server_ns: tuple[int, ...] | None = None
    """The server's own stamp of each chunk (wall clock, ns since 1970); None where it sends none."""
    tokens: tuple[int, ...] | None = None
    """Output tokens made so far at each chunk, where the server tells."""

    def __post_init__(self) -> None:
        """Refuses arrays of different lengths.

        Raises:
            ValueError: a damaged line; its reader passes it over.
        """
        told = (self.chars, self.channels, self.server_ns, self.tokens)
        if any(array is not None and len(array) != len(self.t_ns) for array in told):
            raise ValueError("a timeline's arrays are of one length")


class MachineFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What the machine did during one trial. All None where it cannot be seen from here."""

    runner_pid: int | None = None
    runner_peak_bytes: int | None = None
    """Most that the runner process held: RssFile + RssAnon."""
    runner_steady_bytes: int | None = None
    """Median over the second half of the trial."""
    runner_file_bytes: int | None = None
    runner_anon_bytes: int | None = None
    weights_in_anon: bool | None = None
    """The runner was started without mapping its weights."""
    vram_bytes: int | None = None
    available_min_bytes: int | None = None
    swap_in_bytes: int | None = None
    disk_read_bytes: int | None = None
    runner_cpu_s: float | None = None
    llmtui_cpu_s: float | None = None
    others_cores_before: float | None = None
    """Cores kept busy by other programs in the second before."""
    throttle_events: int | None = None
    joules: float | None = None
    joules_source: str | None = None
    temperature_c: float | None = None
    on_battery: bool | None = None
    others_cores: float | None = None
    """Cores kept busy by other programs during the trial; None where the server's processes were not all seen."""


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """What another program's file says of one trial. None: it does not say it."""

    line: int
    """In the file, counted from 1."""
    usual_tps: float | None = None
    """Tokens ÷ total time, as the file has it."""
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
    """Tokens made within ``decode_s``, where that is not one less than ``tokens``."""
    decode_tps: float | None = None
    """The speed after the first token, where the file has that alone."""
    program: str | None = None
    """Which program's format the file has; None: a table of any program."""
    repetition: bool = False
    """It follows trials of the same model and prompt: several of them show spread, and are no rounds."""
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
    """Digests of further models that these weights serve: adapters that are put on them."""

    def serves(self, digest: str) -> bool:
        """Return whether a request for the model of this digest is answered from this memory."""
        return digest == self.digest or digest in self.also


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """A server of a session, as it was found at the start."""

    kind: ServerKind
    """The protocol."""
    address: str
    """Without a name and password."""
    product: str | None = None
    """Such as ``vLLM``; None where the server does not tell."""
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
    servers: tuple[Server, ...] = ()
    """All of them; earlier versions of this program noted only the main one, in the fields above."""

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
    """Base of everything that travels as a line; the tag is the class name."""
