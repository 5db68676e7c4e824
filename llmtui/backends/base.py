"""What every backend offers the engine: one shape for Ollama, OpenAI-compatible servers and the built-in llama.cpp.

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
    """One request, as the experiment wants it."""

    model: Model
    messages: tuple[Message, ...]
    num_ctx: int | None
    """None where the server decides it."""
    num_predict: int
    temperature: float
    seed: int
    think: Think | None
    """None: nothing is said about it."""
    num_thread: int | None
    keep_alive_s: int
    reuse_prefix: bool = False
    """The follow-up of a conversation: the server's prefix cache is wanted (where a request can say so)."""
    extra_fields: Mapping[str, object] = {}
    """Of the person's own choice; put into the body beside what this program sends."""


def with_extra(body: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request's body with more fields; those of an object such as ``options`` go into it."""
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
    """Its name, with the part of the request that it stands in: ``stream_options.include_usage``."""
    instead: str | None = None
    """The field that carries its value instead."""


class RequestSent(msgspec.Struct, frozen=True):
    """The request is on its way."""

    t_ns: int
    without: tuple[DroppedField, ...] = ()
    """What the server refused of it before, then or in an earlier request."""


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """A chunk of non-empty text."""

    t_ns: int
    channel: Literal["t", "a"]
    text: str
    server_ns: int | None = None
    """The server's own stamp (wall clock, ns since 1970)."""
    tokens: int | None = None
    """Output tokens made so far, where the server tells."""


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """What the reader noticed about an answer: a flag with its evidence."""

    flag: str
    evidence: Evidence


class Final(msgspec.Struct, frozen=True, kw_only=True):
    """The end of an answer. A stream that ends without one is ``no_final``."""

    t_ns: int
    """When it was known that no more text follows."""
    ended_by: EndedBy
    counters: ServerCounters | None
    remarks: tuple[Remark, ...] = ()


class BackendFailed(ProblemError):
    """A request could not be carried out; ``problem`` says why."""


class RequestRefused(BackendFailed):
    """A request was answered with a status other than 200.

    Attributes:
        status: of HTTP.
        body: what came with it, or its beginning.
        headers: of the answer, names in small letters.
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
    """Who answers."""

    kind: ServerKind
    address: str
    version: str | None
    product: str | None = None
    """Such as ``vLLM``; None where the server does not tell."""
    local: bool
    """The server's processes can be seen from here, as far as the address tells."""


class ServerEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where a server of this machine is connected to."""

    addresses: tuple[str, ...]
    """IP addresses; a host name such as ``localhost`` has several."""
    port: int


class RunnerClue(msgspec.Struct, frozen=True, kw_only=True):
    """How the process that holds a model can be found: by pid, or from the process that listens for its server.

    A file's name in a command line says nothing about whose process it is, so it alone is no clue.
    """

    pid: int | None = None
    """Known where llmtui started the process itself; nothing else is looked at then."""
    place: ServerEndpoint | None = None
    model_argument: str | None = None
    """The server runs each model in a process of its own below it, with this after ``--model``, such as
    ``sha256-6a0746a1ec1a``; None where all of the server's processes hold the model."""


class Backend(Protocol):
    """One server. All methods raise BackendFailed, never the HTTP library's exceptions.

    Cancelling the task that awaits a method cancels the request: the server sees the connection close within 100 ms.
    """

    kind: ServerKind
    can_unload: bool
    """A model can be taken out of its memory, so that there are cold starts."""

    async def info(self) -> ServerInfo:
        """Asks who answers. Fails fast: ``silent`` after 5 s without an answer, ``refused`` for a closed port."""
        ...

    async def models(self) -> tuple[ListedModel, ...]:
        """Gives the models, those that cannot be benchmarked with the reason."""
        ...

    async def resident(self) -> tuple[ResidentModel, ...] | None:
        """Gives what is in the server's memory now; None where such a server does not tell."""
        ...

    async def show(self, name: str) -> ModelShown:
        """Gives one model's details."""
        ...

    async def runner_clue(self, model: Model) -> RunnerClue | None:
        """Return how to find the process that holds the model; None where the server is not on this machine."""
        ...

    def stream(self, request: ChatRequest) -> AsyncGenerator[RequestSent | Chunk | Final, None]:
        """Ask and return what comes: a Sent, chunks, at most one Final. Close it (``aclosing``) to cancel.

        A request of which the server refused a part is sent again: the last Sent counts.
        """
        ...

    async def unload(self, resident: ResidentModel) -> None:
        """Asks the server to drop a model; returns when asked, not when done."""
        ...

    async def load(self, resident: ResidentModel) -> None:
        """Loads a model again as it was: by name, with its context length. Returns when it is in memory."""
        ...

    def pull(self, name: str) -> AsyncGenerator[PullStep, None]:
        """Downloads a model; a later call goes on where an earlier one was cut."""
        ...

    async def aclose(self) -> None:
        """Closes connections and ends what was started here."""
        ...
