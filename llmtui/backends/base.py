"""The interface of all backends: Ollama, OpenAI-compatible servers and the built-in llama.cpp.

The same timing rule applies to all: bytes are stamped with ``time.perf_counter_ns()`` when they arrive, before they are
parsed. Time zero is the moment at which the HTTP library starts to send the request's headers on an open connection.
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
    """Context length in tokens; None if the server decides it."""
    num_predict: int
    temperature: float
    seed: int
    think: Think | None
    """Whether, or how much, the model should think; None: not mentioned in the request."""
    num_thread: int | None
    keep_alive_s: int
    reuse_prefix: bool = False
    """Whether the request is a follow-up that should use the server's prompt cache, if the protocol has a field for
    that.
    """
    extra_fields: Mapping[str, object] = {}
    """Additional fields chosen by the user, added to the request's body."""


def with_extra(body: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request's body with additional fields. Nested objects such as ``options`` are merged."""
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
    """Path of the field within the request, such as ``stream_options.include_usage``."""
    instead: str | None = None
    """Name of another field in which the value was sent; None if the value was left out."""


class RequestSent(msgspec.Struct, frozen=True):
    """Event: sending of the request has started on an open connection.

    For the built-in server, if the model must be loaded first, ``t_ns`` is the start of the server's process.
    """

    t_ns: int
    without: tuple[DroppedField, ...] = ()
    """Fields left out because the server refused them, in this request or an earlier one."""


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """Event: a chunk of non-empty text has arrived."""

    t_ns: int
    channel: Literal["t", "a"]
    text: str
    server_ns: int | None = None
    """The server's own timestamp (wall clock, ns since 1970); None if it sends none."""
    tokens: int | None = None
    """Number of output tokens so far; None if the server does not report it."""


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """A flag that the reader of an answer sets, with its evidence."""

    flag: str
    evidence: Evidence


class Final(msgspec.Struct, frozen=True, kw_only=True):
    """Event: the answer is complete. A trial whose stream ends without this event has the outcome ``no_final``."""

    t_ns: int
    """Arrival of the first sign that no more text follows."""
    ended_by: EndedBy
    counters: ServerCounters | None
    remarks: tuple[Remark, ...] = ()


class BackendFailed(ProblemError):
    """A request could not be carried out; ``problem`` has the reason."""


class RequestRefused(BackendFailed):
    """The server responded with an HTTP status other than 200.

    Attributes:
        status: the HTTP status.
        body: the body or its beginning.
        headers: headers of the response, with names in lower case.
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
    """Kind, address and version of a server that responded."""

    kind: ServerKind
    address: str
    version: str | None
    product: str | None = None
    """Name of the product, such as ``vLLM``; None if the server does not report it."""
    local: bool
    """Whether the server runs on this machine, as far as its address shows."""


class ServerEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Addresses and port of a server on this machine."""

    addresses: tuple[str, ...]
    """IP addresses; a host name such as ``localhost`` has several."""
    port: int


class RunnerClue(msgspec.Struct, frozen=True, kw_only=True):
    """How to find the process that holds a model: by its pid, or from the process that listens at the server's port.

    A file name in a command line does not show which server a process belongs to, so it is never used alone.
    """

    pid: int | None = None
    """Process id, if llmtui started the process itself. The other fields are then ignored."""
    place: ServerEndpoint | None = None
    model_argument: str | None = None
    """The argument after ``--model``, such as ``sha256-6a0746a1ec1a``, if the server runs each model in a child
    process; None if all of the server's processes hold the model.
    """


class Backend(Protocol):
    """A model server. All methods raise BackendFailed, never the HTTP library's exceptions.

    Cancelling the task that awaits a method cancels the request: the server sees the connection close within 100 ms.
    """

    kind: ServerKind
    can_unload: bool
    """Whether the server can unload a model. Cold starts need this."""

    async def info(self) -> ServerInfo:
        """Return the server's product and version.

        Raises:
            BackendFailed: ``refused`` at once if nothing listens; ``silent`` after 5 s without a response.
        """
        ...

    async def models(self) -> tuple[ListedModel, ...]:
        """Return the server's models; a model that cannot be benchmarked has the reason with it."""
        ...

    async def resident(self) -> tuple[ResidentModel, ...] | None:
        """Return the models in the server's memory; None if the server cannot list them."""
        ...

    async def show(self, name: str) -> ModelShown:
        """Return the details of one model."""
        ...

    async def runner_clue(self, model: Model) -> RunnerClue | None:
        """Return how to find the process that holds the model; None if the server is not on this machine."""
        ...

    def stream(self, request: ChatRequest) -> AsyncGenerator[RequestSent | Chunk | Final, None]:
        """Yield a RequestSent, chunks, and at most one Final. Close the generator (``aclosing``) to cancel.

        If the server refuses a field of the request, the request is sent again without it, and another RequestSent is
        yielded. Times count from the last RequestSent.
        """
        ...

    async def unload(self, resident: ResidentModel) -> None:
        """Ask the server to unload a model. Return as soon as the request is accepted, before the memory is free."""
        ...

    async def load(self, resident: ResidentModel) -> None:
        """Load a model with the context length that the model had before; return when the model is in memory."""
        ...

    def pull(self, name: str) -> AsyncGenerator[PullStep, None]:
        """Download a model and yield the steps. A later call continues a download that was interrupted."""
        ...

    async def aclose(self) -> None:
        """Close the connections and stop whatever this backend started."""
        ...
