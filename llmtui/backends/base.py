"""The interface of all backends: Ollama, OpenAI-compatible servers and the built-in llama.cpp.

Timing rule for all of them: bytes are stamped with ``time.perf_counter_ns()`` when they arrive, before they are parsed,
and t0 is the moment at which the HTTP library starts to send the request's headers on an open connection.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any, Literal, Protocol

import msgspec

from llmtui.core.events import ListedModel, ModelShown
from llmtui.core.plan import Model, Think
from llmtui.core.records import EndedBy, Evidence, Problem, ProblemError, ResidentModel, ServerCounters, ServerKind


class Message(msgspec.Struct, frozen=True):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request to a model."""

    model: Model
    messages: tuple[Message, ...]
    num_ctx: int | None
    """None where the server decides it."""
    num_predict: int
    temperature: float
    seed: int
    think: Think | None
    """None: not mentioned in the request."""
    num_thread: int | None
    keep_alive_s: int
    reuse_prefix: bool = False
    """Whether it is a follow-up, for which the server's prefix cache should be used (where a request can ask for
    it)."""
    extra_fields: Mapping[str, object] = {}
    """Additional fields chosen by the user, added to the body."""


def with_extra(body: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request's body with additional fields; objects such as ``options`` are merged."""
    together = dict(body)
    for name, value in extra.items():
        there = together.get(name)
        if isinstance(there, Mapping) and isinstance(value, Mapping):
            together[name] = with_extra(there, value)
        else:
            together[name] = value
    return together


class DroppedField(msgspec.Struct, frozen=True):
    """A field that the server refuses, so that the request was sent without it."""

    field: str
    """Its path within the request: ``stream_options.include_usage``."""
    instead: str | None = None
    """The field that has its value instead."""


class RequestSent(msgspec.Struct, frozen=True):
    """The request has been sent."""

    t_ns: int
    without: tuple[DroppedField, ...] = ()
    """Fields that the server refused, for this request or an earlier one."""


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """A chunk of non-empty text."""

    t_ns: int
    channel: Literal["t", "a"]
    text: str
    server_ns: int | None = None
    """The server's own stamp (wall clock, ns since 1970)."""
    tokens: int | None = None
    """Number of output tokens so far, where the server reports it."""


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """A finding of the reader about an answer: a flag with its evidence."""

    flag: str
    evidence: Evidence


class Final(msgspec.Struct, frozen=True, kw_only=True):
    """The end of an answer. A stream that ends without one is ``no_final``."""

    t_ns: int
    """The moment from which no more text follows."""
    ended_by: EndedBy
    counters: ServerCounters | None
    remarks: tuple[Remark, ...] = ()


class BackendFailed(ProblemError):
    """A request could not be carried out; ``problem`` says why."""


class RequestRefused(BackendFailed):
    """A request was answered with a status other than 200.

    Attributes:
        status: the HTTP status.
        body: the body or its beginning.
        headers: headers of the answer, names in lower case.
    """

    def __init__(self, problem: Problem, *, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        super().__init__(problem)
        self.status = status
        self.body = body
        self.headers = headers


class PullStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a download."""

    status: str
    completed_bytes: int | None = None
    total_bytes: int | None = None


class ServerInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The server that answers."""

    kind: ServerKind
    address: str
    version: str | None
    product: str | None = None
    """Such as ``vLLM``; None where the server does not report it."""
    local: bool
    """Whether the server's processes are visible from here, as far as the address shows."""


class ServerEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The endpoint of a server on this machine."""

    addresses: tuple[str, ...]
    """IP addresses; a host name such as ``localhost`` has several."""
    port: int


class RunnerClue(msgspec.Struct, frozen=True, kw_only=True):
    """How to find the process that holds a model: by pid, or from the process that listens for its server.

    A file name in a command line does not show which server a process belongs to, so it is no clue by itself.
    """

    pid: int | None = None
    """Set where llmtui started the process itself; then nothing else is considered."""
    place: ServerEndpoint | None = None
    model_argument: str | None = None
    """The argument after ``--model``, such as ``sha256-6a0746a1ec1a``, where the server runs each model in a child
    process; None where all of the server's processes hold the model."""


class Backend(Protocol):
    """One server. All methods raise BackendFailed, never the HTTP library's exceptions.

    Cancelling the task that awaits a method cancels the request: the server sees the connection close within 100 ms.
    """

    kind: ServerKind
    can_unload: bool
    """Whether the server can unload a model, so that there are cold starts."""

    async def info(self) -> ServerInfo:
        """Return the server's product and version. Fails fast: ``silent`` after 5 s without an answer, ``refused``."""
        ...

    async def models(self) -> tuple[ListedModel, ...]:
        """Return the models; those that cannot be benchmarked have the reason."""
        ...

    async def resident(self) -> tuple[ResidentModel, ...] | None:
        """Return the models in the server's memory; None where such a server does not list them."""
        ...

    async def show(self, name: str) -> ModelShown:
        """Return one model's details."""
        ...

    async def runner_clue(self, model: Model) -> RunnerClue | None:
        """Return how to find the process that holds the model; None where the server is not on this machine."""
        ...

    def stream(self, request: ChatRequest) -> AsyncGenerator[RequestSent | Chunk | Final, None]:
        """Yield a RequestSent, chunks, and at most one Final. Close the generator (``aclosing``) to cancel.

        A request of which the server refuses a part is sent again: the last RequestSent counts.
        """
        ...

    async def unload(self, resident: ResidentModel) -> None:
        """Ask the server to unload a model; return when asked, not when done."""
        ...

    async def load(self, resident: ResidentModel) -> None:
        """Load a model again with its context length; return when it is in memory."""
        ...

    def pull(self, name: str) -> AsyncGenerator[PullStep, None]:
        """Download a model and yield the steps; a later call continues where an earlier one was cut."""
        ...

    async def aclose(self) -> None:
        """Close connections and end what was started here."""
        ...
