"""The backend for OpenAI-compatible servers: llama.cpp, vLLM, LM Studio and many others; also llama.cpp inside llmtui.

Each request opens a separate connection, because a server may close an idle one just when it would be reused. The
connection is made before the clock starts.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager, suppress
from typing import TypeVar

import httpx
import msgspec

from llmtui.backends.answer import MAX_REFUSAL_BYTES, read_answer
from llmtui.backends.base import (
    BackendFailed,
    ChatRequest,
    Chunk,
    Final,
    PullStep,
    RequestRefused,
    RequestSent,
    RunnerClue,
    ServerInfo,
)
from llmtui.backends.foreign_answer import as_response, foreign_answer, is_page, said
from llmtui.backends.http_client import (
    CONNECT_LIMIT_S,
    LIST_LIMIT_S,
    STREAM_TIMEOUT,
    in_words,
    is_loopback,
    open_client,
    place_of,
    public_address,
    server_url,
)
from llmtui.backends.http_timing import timed_exchange
from llmtui.backends.lenient import NotJson, document, fitted
from llmtui.backends.openai_listing import (
    Dialect,
    LlamaProps,
    ModelEntry,
    VllmVersion,
    dialect_of,
    listed_entry,
    product_of,
    read_entries,
    residents,
    served_model,
    tells_states,
    with_details,
)
from llmtui.backends.openai_reading import OpenAiDialect
from llmtui.backends.openai_wire import CHAT_PATH, MODELS_PATH, error_problem, request_body
from llmtui.backends.refused_fields import RefusedFields
from llmtui.backends.shown_names import ShownNames
from llmtui.config.access import Access
from llmtui.config.interfaces import root_and_prefix
from llmtui.core.events import ListedModel, ModelShown
from llmtui.core.plan import Model
from llmtui.core.records import Problem, ResidentModel, ServerKind

DEFAULT_PORT = 8080
"""Default port of llama.cpp's server."""

_LAST = b"[DONE]"
_DETAILS_PATH = "/api/v0/models"
"""LM Studio's own list of models, relative to the server's root."""
_DETAILS_OWNER = "organization_owner"
"""LM Studio's ``owned_by``. Only servers with it are asked for the second list."""
_NO_LIST = (404, 405, 500, 501)
"""HTTP statuses that some servers send for ``/models`` although they can chat."""
_NO_CHAT = (404, 405)
S = TypeVar("S", bound=msgspec.Struct)


class OpenAiBackend:
    """One OpenAI-compatible server. It manages its models itself, so llmtui cannot load, unload or download them."""

    kind: ServerKind = "openai"
    can_unload = False

    def __init__(
        self,
        address: str,
        *,
        access: Access | None = None,
        dialect: Dialect | None = None,
        extra_fields: Mapping[str, object] | None = None,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        """Prepare the connection; no request is sent yet.

        Args:
            address: host, host:port or URL, without ``/models``. ``/v1`` is appended unless the address ends with a
                version or a slash.
            access: key or login for requests; never part of a message.
            dialect: the group of extra request fields that the server accepts; None: detected when needed.
            extra_fields: added unchanged to every chat request.
            client: an existing client, for callers that have no time to create one. It is closed together with this
                object.

        Raises:
            BackendFailed: the address is malformed.
        """
        self._url, self._prefix = openai_place(address)
        self.address = public_address(self._url) + (self._prefix or "/")
        self.local = is_loopback(self._url)
        self._dialect = dialect
        self._extra_fields = dict(extra_fields or {})
        self._names = ShownNames()
        self._client = client or open_client(self._url)
        self._client.base_url = self._url
        self._client.headers["connection"] = "close"
        self._access = access
        if access is not None:
            self._client.headers["authorization"] = access.header
        self.has_list = True
        """Whether the server has a list of models."""
        self._has_details: bool | None = None
        """Whether the server has LM Studio's own list of models; None if not yet known."""
        self._refused = RefusedFields()
        self._no_chats: dict[str, Problem] = {}
        """Models that the server refused to chat with, and the problem for each."""

    async def info(self) -> ServerInfo:
        """Return the server's product and version.

        A server without a list of models is accepted only if its chat interface responds.
        """
        entries = await self._entries()
        version: str | None = None
        if self._dialect == "llamacpp":
            version = (await self._optional("/props", LlamaProps) or LlamaProps()).build_info
        elif self._dialect == "vllm":
            version = (await self._optional("/version", VllmVersion) or VllmVersion()).version
        return ServerInfo(
            kind=self.kind, address=self.address, version=version, product=product_of(entries), local=self.local
        )

    async def models(self) -> tuple[ListedModel, ...]:
        """Return the models of the server's list, with their state in memory if the server reports it."""
        entries = await self._entries()
        in_memory = residents(entries) if self._tells_memory(entries) else ()
        return tuple(
            listed_entry(
                entry,
                next((one for one in in_memory if one.serves(served_model(entry).digest)), None),
                self._why_not(entry),
            )
            for entry in entries
        )

    async def resident(self) -> tuple[ResidentModel, ...] | None:
        """Return the models in memory if the server reports them (llama.cpp and vLLM do), else None."""
        entries = await self._entries()
        return residents(entries) if self._tells_memory(entries) else None

    def _tells_memory(self, entries: Sequence[ModelEntry]) -> bool:
        return self._dialect not in (None, "plain") or tells_states(entries)

    async def show(self, name: str) -> ModelShown:
        """Return the details of one model."""
        entry = await self._entry(name)
        props = await self._optional("/props", LlamaProps) if self._dialect == "llamacpp" else None
        return ModelShown(model=served_model(entry), template=props.chat_template if props else None)

    async def runner_clue(self, model: Model) -> RunnerClue | None:
        """Return the server's endpoint; None if it is on another machine.

        All processes of the server count as processes of the model.
        """
        place = place_of(self._url)
        return None if place is None else RunnerClue(place=place)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[RequestSent | Chunk | Final, None]:
        """Yield the events of a request. Fields that the server has refused are left out of it."""
        if self._dialect is None and self.has_list:
            await self._entries()
        name = self._names.sent(request.model.name)
        if name in self._no_chats:
            raise BackendFailed(self._no_chats[name])
        body = request_body(self._names.as_sent(request), self._dialect or "plain") | self._extra_fields
        async with aclosing(self._refused.ask(name, body, self._exchange)) as items:
            async for item in items:
                yield item

    async def _exchange(self, body: Mapping[str, object]) -> AsyncGenerator[RequestSent | Chunk | Final, None]:
        path = self._prefix + CHAT_PATH
        post = self._client.build_request("POST", path, json=body, timeout=STREAM_TIMEOUT)
        try:
            with self._in_words():
                async with (
                    aclosing(timed_exchange(self._client, post, last=_LAST)) as moments,
                    aclosing(read_answer(moments, OpenAiDialect())) as items,
                ):
                    async for item in items:
                        yield item
        except RequestRefused as refused:
            self._refuse_others(as_response(refused, post), path)
            if refused.problem.code == "no_chats":
                self._no_chats[str(body["model"])] = refused.problem
            raise

    async def unload(self, resident: ResidentModel) -> None:
        """Refuse to unload: this protocol cannot unload models.

        Raises:
            BackendFailed: always.
        """
        raise BackendFailed(Problem(code="cannot_unload", args={"name": resident.name}))

    async def load(self, resident: ResidentModel) -> None:
        """Refuse to load: this protocol cannot load models.

        Raises:
            BackendFailed: always.
        """
        raise BackendFailed(Problem(code="cannot_load", args={"name": resident.name}))

    def pull(self, name: str) -> AsyncGenerator[PullStep, None]:
        """Refuse to download: this protocol cannot download models.

        Raises:
            BackendFailed: always.
        """
        raise BackendFailed(Problem(code="cannot_pull", args={"name": name}))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _entries(self) -> Sequence[ModelEntry]:
        if not self.has_list:
            return ()
        path = self._prefix + MODELS_PATH
        with self._in_words():
            response = await self._client.get(path, timeout=httpx.Timeout(LIST_LIMIT_S, connect=CONNECT_LIMIT_S))
            if response.status_code in _NO_LIST and await self._answers_chats():
                self.has_list = False
                return ()
        self._refuse(response, path)
        try:
            entries = read_entries(response.content)
        except ValueError as error:
            told = said(response.content) if b'"error"' in response.content else str(error)
            raise self._not_openai(told or str(error)) from error
        if self._has_details is not False and any(entry.owned_by == _DETAILS_OWNER for entry in entries):
            entries = with_details(entries, await self._details())
        self._names.learn(entry.id for entry in entries)
        if self._dialect is None and entries:
            self._dialect = dialect_of(entries)
        return entries

    async def _details(self) -> Sequence[ModelEntry]:
        """Return LM Studio's own list of models; empty if the server does not have it."""
        found: Sequence[ModelEntry] = ()
        with suppress(BackendFailed, ValueError), self._in_words():
            response = await self._client.get(_DETAILS_PATH)
            found = read_entries(response.content) if response.status_code == httpx.codes.OK else ()
        if self._has_details is None:
            self._has_details = tells_states(found)
        return found

    def _why_not(self, entry: ModelEntry) -> Problem | None:
        return Problem(code="answers_no_chats", args={"name": entry.id}) if entry.id in self._no_chats else None

    async def _answers_chats(self) -> bool:
        """Return whether the server has a chat interface.

        An empty request is sent. A server with the interface refuses it, but not with the status for an unknown path.
        """
        async with self._client.stream("POST", self._prefix + CHAT_PATH, json={}) as response:
            if response.status_code >= httpx.codes.BAD_REQUEST:
                await response.aread()
                self._refuse_others(response, self._prefix + CHAT_PATH)
                page = is_page(response)
            else:
                page = "html" in response.headers.get("content-type", "")
            return not page and not 300 <= response.status_code < 400 and response.status_code not in _NO_CHAT

    async def _entry(self, name: str) -> ModelEntry:
        for entry in await self._entries():
            if self._names.sent(name) in (entry.id, *entry.other_names):
                return entry
        raise BackendFailed(Problem(code="not_served", args={"where": self.address, "name": name}))

    async def _optional(self, path: str, kind: type[S]) -> S | None:
        """Return the response of a path that only some servers have; None if this server lacks it."""
        try:
            with self._in_words():
                response = await self._client.get(path)
            return fitted(document(response.content), kind) if response.status_code == httpx.codes.OK else None
        except (BackendFailed, NotJson):
            return None

    def _refuse(self, response: httpx.Response, path: str) -> None:
        """Check the status of a response.

        Raises:
            BackendFailed: the response is a refusal, or does not belong to the protocol.
        """
        self._refuse_others(response, path)
        if response.status_code == httpx.codes.NOT_FOUND:
            raise BackendFailed(Problem(code="no_such_path", args={"where": self._where, "path": path}))
        if response.status_code >= httpx.codes.BAD_REQUEST:
            raise BackendFailed(error_problem(response.status_code, response.content[:MAX_REFUSAL_BYTES]))

    def _refuse_others(self, response: httpx.Response, path: str) -> None:
        after_version = path.removeprefix(self._prefix)
        problem = foreign_answer(response, where=self._where, path=after_version, access=self._access)
        if problem is not None:
            raise BackendFailed(problem)

    @property
    def _where(self) -> str:
        return self.address.removeprefix("http://").rstrip("/")

    def _not_openai(self, why: str) -> BackendFailed:
        return BackendFailed(Problem(code="not_openai", args={"where": self._where}, detail=why))

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        with in_words(self._url, "server"):
            yield


def openai_place(address: str) -> tuple[httpx.URL, str]:
    """Return the root URL of a server, and the path between it and ``/models``, usually ``/v1``.

    Raises:
        BackendFailed: the address is malformed.
    """
    url = server_url(address, DEFAULT_PORT)
    path, prefix = root_and_prefix(address)
    return url.copy_with(path=path, query=None, fragment=None), prefix
