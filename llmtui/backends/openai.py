"""Servers that speak OpenAI's protocol: llama.cpp, vLLM, LM Studio and many others; also llama.cpp inside llmtui.

A request opens a connection of its own: a server may close an idle one at the moment at which it would be used again,
and connecting is over before the clock starts.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from pathlib import PurePath
from typing import TypeVar

import httpx
import msgspec

from llmtui.backends.answer import MAX_REFUSAL_BYTES, read_answer
from llmtui.backends.base import BackendFailed, ChatRequest, Final, Piece, PullStep, RunnerClue, Sent, ServerInfo
from llmtui.backends.gguf_file import parameter_label
from llmtui.backends.http_client import STREAM_TIMEOUT, in_words, is_loopback, open_client, public_address, server_url
from llmtui.backends.http_timing import timed_exchange
from llmtui.backends.openai_reading import OpenAiDialect
from llmtui.backends.openai_wire import (
    CHAT_PATH,
    MODELS_PATH,
    Dialect,
    LlamaProps,
    ModelEntry,
    ModelList,
    VllmVersion,
    dialect_of,
    error_problem,
    request_body,
)
from llmtui.backends.shown_names import ShownNames
from llmtui.core.events import ListedModel, ModelShown
from llmtui.core.facts import Problem, ResidentModel, ServerKind
from llmtui.core.plan import Model

DEFAULT_PORT = 8080
"""Where llama.cpp's server listens if nobody says otherwise."""

_LAST = b"[DONE]"
T = TypeVar("T")


class OpenAiBackend:
    """One OpenAI-compatible server. It keeps models as it likes, so nothing can be loaded, unloaded or pulled."""

    kind: ServerKind = "openai"

    def __init__(
        self,
        address: str,
        *,
        api_key: str | None = None,
        dialect: Dialect | None = None,
        extra_fields: Mapping[str, object] | None = None,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        """Prepares to talk to a server; nothing is sent yet.

        Args:
            address: host, host:port or URL, with or without ``/v1`` at its end.
            api_key: sent as bearer token; never put into a message.
            dialect: which extra fields the server knows; asked of the server when needed if None.
            extra_fields: go into every chat request as they are.
            client: taken over and closed with this object; for callers to whom making one (imports included) costs
                time at the wrong moment.

        Raises:
            BackendFailed: the address cannot be read.
        """
        self._url = openai_url(address)
        self.address = public_address(self._url)
        self.local = is_loopback(self._url)
        self._dialect = dialect
        self._extra_fields = dict(extra_fields or {})
        self._names = ShownNames()
        self._client = client or open_client(self._url)
        self._client.base_url = self._url
        self._client.headers["connection"] = "close"
        if api_key:
            self._client.headers["authorization"] = f"Bearer {api_key}"

    async def info(self) -> ServerInfo:
        """Asks who answers."""
        entries = await self._entries()
        version: str | None = None
        if self._dialect == "llamacpp":
            version = (await self._optional("/props", LlamaProps) or LlamaProps()).build_info
        elif self._dialect == "vllm":
            version = (await self._optional("/version", VllmVersion) or VllmVersion()).version
        if not entries:
            raise BackendFailed(
                Problem(
                    code="no_models",
                    what=f"The server at {self.address} serves no model.",
                    remedy="Load one in the server first.",
                )
            )
        return ServerInfo(kind=self.kind, address=self.address, version=version, local=self.local)

    async def models(self) -> tuple[ListedModel, ...]:
        """Gives the models that the server names."""
        entries = await self._entries()
        return tuple(ListedModel(model=self._model(entry), resident=self._resident(entry)) for entry in entries)

    async def resident(self) -> tuple[ResidentModel, ...] | None:
        """Gives the models in memory where the kind of server lets it be known (llama.cpp and vLLM do); else None."""
        entries = await self._entries()
        if self._dialect == "plain":
            return None
        found = (self._resident(entry) for entry in entries)
        return tuple(resident for resident in found if resident is not None)

    async def show(self, name: str) -> ModelShown:
        """Gives one model's details."""
        entry = await self._entry(name)
        props = await self._optional("/props", LlamaProps) if self._dialect == "llamacpp" else None
        return ModelShown(model=self._model(entry), template=props.chat_template if props else None)

    async def runner_clue(self, model: Model) -> RunnerClue | None:
        """Gives the file's name for a llama.cpp server on this machine, which has it in its command line."""
        if not self.local:
            return None
        await self._entry(model.name)  # fails where there is no such model, and learns the dialect
        props = await self._optional("/props", LlamaProps) if self._dialect == "llamacpp" else None
        if props is None or not props.model_path:
            return None
        return RunnerClue(model_argument=PurePath(props.model_path).name)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Sent | Piece | Final, None]:
        """Asks and gives what comes."""
        if self._dialect is None:
            await self._entries()
        body = request_body(self._names.as_sent(request), self._dialect or "plain") | self._extra_fields
        post = self._client.build_request("POST", CHAT_PATH, json=body, timeout=STREAM_TIMEOUT)
        with self._in_words():
            async with (
                aclosing(timed_exchange(self._client, post, last=_LAST)) as moments,
                aclosing(read_answer(moments, OpenAiDialect())) as items,
            ):
                async for item in items:
                    yield item

    async def unload(self, resident: ResidentModel) -> None:
        """Cannot be done.

        Raises:
            BackendFailed: always.
        """
        raise _unsupported(f"This server cannot be told to drop {resident.name}.")

    async def load(self, resident: ResidentModel) -> None:
        """Cannot be done.

        Raises:
            BackendFailed: always.
        """
        raise _unsupported(f"This server cannot be told to load {resident.name}.")

    def pull(self, name: str) -> AsyncGenerator[PullStep, None]:
        """Cannot be done.

        Raises:
            BackendFailed: always.
        """
        raise _unsupported(f"This server cannot be told to download {name}.")

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def _entries(self) -> list[ModelEntry]:
        entries = (await self._get(MODELS_PATH, ModelList)).data
        self._names.learn(entry.id for entry in entries)
        if self._dialect is None and entries:
            self._dialect = dialect_of(entries)
        return entries

    async def _entry(self, name: str) -> ModelEntry:
        for entry in await self._entries():
            if entry.id == self._names.sent(name):
                return entry
        raise BackendFailed(
            Problem(
                code="no_such_model",
                what=f"The server at {self.address} has no model {name}.",
                remedy="List its models again.",
            )
        )

    async def _get(self, path: str, kind: type[T]) -> T:
        """Gets a JSON answer of a known shape, within 5 s."""
        with self._in_words():
            response = await self._client.get(path)
            if response.status_code == httpx.codes.NOT_FOUND:
                raise self._not_openai("it does not know " + path)
            if response.status_code >= httpx.codes.BAD_REQUEST:
                raise BackendFailed(error_problem(response.status_code, response.content[:MAX_REFUSAL_BYTES]))
            try:
                return msgspec.json.decode(response.content, type=kind)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise self._not_openai(str(error)) from error

    async def _optional(self, path: str, kind: type[T]) -> T | None:
        """Gets what only some servers offer."""
        try:
            return await self._get(path, kind)
        except BackendFailed:
            return None

    def _not_openai(self, why: str) -> BackendFailed:
        return BackendFailed(
            Problem(
                code="not_openai",
                what=f"What answers at {self.address} does not speak OpenAI's protocol: {why}.",
                remedy="Check the address and the port.",
            )
        )

    def _model(self, entry: ModelEntry) -> Model:
        meta = entry.meta
        return Model(
            name=entry.id,
            digest=_digest(entry),
            backend=self.kind,
            size_bytes=meta.size if meta else None,
            parameters=parameter_label(meta.n_params) if meta and meta.n_params else None,
            quantisation=meta.ftype if meta else None,
            context_limit=(meta.n_ctx or meta.n_ctx_train if meta else None) or entry.max_model_len,
        )

    def _resident(self, entry: ModelEntry) -> ResidentModel | None:
        if self._dialect == "plain" or (entry.status is not None and entry.status.value not in (None, "loaded")):
            return None
        return ResidentModel(
            name=entry.id,
            digest=_digest(entry),
            size_bytes=entry.meta.size if entry.meta else None,
            context_length=(entry.meta.n_ctx if entry.meta else None) or entry.max_model_len,
        )

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        with in_words(self._url, "Start the server"):
            yield


def openai_url(address: str) -> httpx.URL:
    """Gives a server's address as a URL, without ``/v1`` or ``/v1/chat/completions`` at its end.

    Raises:
        BackendFailed: it is not an address.
    """
    url = server_url(address, DEFAULT_PORT)
    path = url.path.rstrip("/").removesuffix("/chat/completions").removesuffix("/v1")
    return url.copy_with(path=path or "/", query=None, fragment=None)


def _digest(entry: ModelEntry) -> str:
    """Such servers tell no digest; this one changes with name, size, parameter count and quantisation."""
    meta = entry.meta
    facts = [entry.id, *((meta.size, meta.n_params, meta.ftype) if meta else ())]
    return "name:" + hashlib.sha256(msgspec.json.encode(facts)).hexdigest()


def _unsupported(what: str) -> BackendFailed:
    return BackendFailed(
        Problem(code="unsupported", what=what, remedy="Ollama and the built-in server can load and unload models.")
    )
