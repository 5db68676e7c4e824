"""The backend for Ollama: answers from /api/chat with exact times, the lists of models, and downloads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, suppress
from typing import Any

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
)  # fmt: skip
from llmtui.backends.foreign_answer import as_response, foreign_answer, is_page
from llmtui.backends.http_client import (
    ANSWER_LIMIT_S,
    CONNECT_LIMIT_S,
    LIST_LIMIT_S,
    STREAM_TIMEOUT,
    in_words,
    is_loopback,
    open_client,
    place_of,
    public_address,
    server_url,
)  # fmt: skip
from llmtui.backends.http_timing import ExchangeEvent, timed_exchange
from llmtui.backends.ollama_listing import (
    NotSuchAnswer,
    ShowAnswer,
    TagsEntry,
    blob_of,
    is_ollama_list,
    license_text,
    listed,
    model_of,
    needs_show,
    read_resident,
    read_show,
    read_tags,
    read_version,
)  # fmt: skip
from llmtui.backends.ollama_problems import (
    error_text,
    model_problem,
    not_ollama,
    refusal,
)  # fmt: skip
from llmtui.backends.ollama_pull import pull_steps
from llmtui.backends.ollama_reading import OllamaDialect, chat_body, is_mlx
from llmtui.backends.refused_fields import RefusedFields
from llmtui.backends.shown_names import ShownNames
from llmtui.config.access import Access
from llmtui.config.address import DEFAULT_PORT, normalise_host
from llmtui.config.errors import SettingsError
from llmtui.core.codes import ServerProblem, Start
from llmtui.core.events import ListedModel, ModelShown
from llmtui.core.fit import kv_shape
from llmtui.core.names import is_name_digest, ollama_name
from llmtui.core.plan import Model
from llmtui.core.records import Problem, ResidentModel, ServerKind

_RESIDENT_LIMIT_S = 8.0
"""Timeout for /api/ps in seconds: it takes up to 5 s while a GPU frees memory."""
_UNLOAD_LIMIT_S = 30.0
_LOAD_LIMIT_S = 600.0
_SHOWS_AT_ONCE = 4
_SHOWS_LIMIT_S = 10.0
_DRAIN_LIMIT_S = 0.5
_LAST = b'"done":true'
_NO_SUCH_PATH = (404, 405, 501)


class OllamaBackend:
    """One Ollama server.

    Args:
        address: in the form of ``OLLAMA_HOST``: ``127.0.0.1:11434``, ``box``, ``https://box/path``.
        access: key or login for requests; never part of a message.

    Raises:
        BackendFailed: ``bad_address``.
    """

    def __init__(self, address: str, *, access: Access | None = None) -> None:
        """Prepare the connection; no request is sent yet."""
        self.kind: ServerKind = "ollama"
        self._access = access
        self.can_unload = True
        self._url = _ollama_url(address)
        self._where = public_address(self._url).removeprefix("http://")
        self._local = is_loopback(self._url)
        self._start: Start = "ollama" if self._local else "ollama_elsewhere"
        self._client = open_client(self._url)
        self._names = ShownNames()
        if access is not None:
            self._client.headers["authorization"] = access.header
        self._refused = RefusedFields()
        self._tells_memory = True
        """Whether /api/ps exists. Programs that imitate Ollama may lack it."""
        self._digests: dict[str, str] | None = None
        """Digests of the listed models, by name in the form in which Ollama compares names."""
        self._shown: dict[str, ShowAnswer] = {}
        self._blobs: dict[tuple[str, str], str | None] = {}
        """Names of the files of weights, by the model's name and digest.

        Cached because they are needed before every trial, and the response of /api/show can be megabytes long.
        """

    async def info(self) -> ServerInfo:
        """Return the server's version from /api/version.

        If that path is missing, /api/tags must have a list like Ollama's.
        """
        version: str | None = None
        product: str | None = "Ollama"
        try:
            version = read_version(await self._ask("GET", "/api/version", limit_s=ANSWER_LIMIT_S))
        except NotSuchAnswer as error:
            raise BackendFailed(not_ollama(self._where)) from error
        except RequestRefused as refused:
            if refused.status not in _NO_SUCH_PATH or not await self._lists_as_ollama():
                raise
            product = None  # a program that imitates Ollama
        return ServerInfo(
            kind=self.kind, address=public_address(self._url), version=version, product=product, local=self._local
        )

    async def _lists_as_ollama(self) -> bool:
        with suppress(BackendFailed):
            return is_ollama_list(await self._ask("GET", "/api/tags", limit_s=LIST_LIMIT_S))
        return False

    async def models(self) -> tuple[ListedModel, ...]:
        """Return the models of /api/tags with their state from /api/ps. /api/show adds fields that old servers omit."""
        entries, residents = await asyncio.gather(self._tags(), self._resident_if_listed())
        shown = await self._shown_where_needed(entries)
        return tuple(listed(entry, shown.get(entry.key), residents) for entry in entries)

    async def resident(self) -> tuple[ResidentModel, ...] | None:
        """Return the models in the server's memory. Match them by digest, since a name can occur twice.

        Returns:
            The models; None if a program that imitates Ollama has no such list.
        """
        if not self._tells_memory:
            return None
        try:
            body = await self._ask("GET", "/api/ps", limit_s=_RESIDENT_LIMIT_S)
            return await self._with_listed_digests(read_resident(body))
        except RequestRefused as refused:
            if refused.status not in (*_NO_SUCH_PATH, httpx.codes.OK):
                raise
        except NotSuchAnswer:
            pass
        self._tells_memory = False
        return None

    async def _with_listed_digests(self, residents: tuple[ResidentModel, ...]) -> tuple[ResidentModel, ...]:
        """Return the models in memory, with digests that match those of the model list.

        If the server sends a digest in only one of the two lists, that of the model list is used.
        """
        if residents and self._digests is None:
            await self._tags()
        named = self._digests or {}
        return tuple(
            msgspec.structs.replace(one, digest=listed_digest)
            if (listed_digest := named.get(ollama_name(one.name))) and is_name_digest(listed_digest, one.digest)
            else one
            for one in residents
        )

    async def show(self, name: str) -> ModelShown:
        """Return the details of one model."""
        entries, shown = await asyncio.gather(self._tags(), self._show(name))
        entry = next((entry for entry in entries if ollama_name(entry.name) == ollama_name(name)), TagsEntry(name=name))
        return ModelShown(
            model=model_of(entry, shown),
            template=shown.template or None,
            parameters=shown.parameters or None,
            license=license_text(shown),
            capabilities=tuple(shown.capabilities or entry.capabilities or ()),
            kv=kv_shape(shown.model_info or {}),
        )

    async def runner_clue(self, model: Model) -> RunnerClue | None:
        """Return how to find the process that holds the model; None if the server is on another machine.

        The clue has the server's endpoint and the argument after ``--model`` in the command line of the server's child
        process. For MLX models this argument is the model's name; for other models it is the file of weights.
        """
        place = place_of(self._url)
        if place is None:
            return None
        if is_mlx(model):
            return RunnerClue(place=place, model_argument=model.name)
        build = model.name, model.digest
        if build not in self._blobs or not model.digest:
            self._blobs[build] = blob_of((await self._show(model.name)).modelfile or "")
        return RunnerClue(place=place, model_argument=self._blobs[build] or "")

    async def stream(self, request: ChatRequest) -> AsyncGenerator[RequestSent | Chunk | Final, None]:
        """Send a request to /api/chat and yield one RequestSent, chunks of text, and at most one Final.

        If the server closes the stream in an orderly way but without its last line, there is no Final. To close the
        connection, close the generator or cancel the task that awaits it.

        Raises:
            BackendFailed: refused, no such model, an error line (``server_error``), connection lost (``cut``), …
        """
        name = request.model.name
        async with aclosing(
            self._refused.ask(
                name, chat_body(self._names.as_sent(request)), lambda body: self._exchange(body, request.model)
            )
        ) as items:
            async for item in items:
                yield item

    async def _exchange(
        self, body: Mapping[str, Any], model: Model
    ) -> AsyncGenerator[RequestSent | Chunk | Final, None]:
        http_request = self._client.build_request(
            "POST",
            "/api/chat",
            content=msgspec.json.encode(body),
            headers={"Content-Type": "application/json"},
            timeout=STREAM_TIMEOUT,
        )
        version = self._client.build_request("GET", "/api/version")
        try:
            with in_words(self._url, self._start):
                async with (
                    aclosing(timed_exchange(self._client, http_request, first=version, last=_LAST)) as moments,
                    aclosing(read_answer(moments, OllamaDialect(model, self._where))) as items,
                ):
                    async for said in items:
                        yield said
                        if isinstance(said, Final):
                            await _drain(moments)
        except RequestRefused as refused:
            raise self._judged(as_response(refused, http_request), "/api/chat", model.name) from refused

    async def unload(self, resident: ResidentModel) -> None:
        """Ask the server to unload a model. The request has only the model's name, since Ollama accepts no digest."""
        await self._generate({"model": resident.name, "keep_alive": 0}, _UNLOAD_LIMIT_S)

    async def load(self, resident: ResidentModel) -> None:
        """Load a model with the context length that the model had before; return when the model is in memory.

        The server keeps the model in memory for the server's default time.
        """
        body: dict[str, Any] = {"model": resident.name}
        if resident.context_length is not None:
            body["options"] = {"num_ctx": resident.context_length}
        try:
            await self._generate(body, _LOAD_LIMIT_S)
        except BackendFailed as failed:
            if failed.problem.code != "embedding_only":
                raise
            await self._ask("POST", "/api/embed", body=body | {"input": ""}, limit_s=_LOAD_LIMIT_S, model=resident.name)

    def pull(self, name: str) -> AsyncGenerator[PullStep, None]:
        """Download a model and yield the steps. Sizes are sums over the layers that the server has named so far."""
        return pull_steps(self._client, name, where=self._where, start=self._start, judged=self._judged)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _judged(self, response: httpx.Response, path: str, model: str | None) -> RequestRefused:
        """Return the refusal for a response with a status other than 200."""
        body = response.content[:MAX_REFUSAL_BYTES]
        of_server = error_text(body) is None or b"signin_url" not in body  # else a model in the cloud
        problem = foreign_answer(
            response, where=self._where, path=path, access=self._access, challenge_is_login=of_server
        ) or refusal(response.status_code, body, where=self._where, model=model)
        return RequestRefused(problem, status=response.status_code, body=body, headers=response.headers)

    async def _tags(self) -> tuple[TagsEntry, ...]:
        body = await self._ask("GET", "/api/tags", limit_s=LIST_LIMIT_S)
        try:
            entries = read_tags(body)
        except NotSuchAnswer as error:
            raise BackendFailed(not_ollama(self._where)) from error
        self._names.learn(entry.name for entry in entries)
        self._digests = {ollama_name(entry.name): model_of(entry, None).digest for entry in entries}
        return entries

    async def _resident_if_listed(self) -> tuple[ResidentModel, ...]:
        # /api/ps can take seconds on a busy server; the list of models is useful without it.
        with suppress(BackendFailed):
            return await self.resident() or ()
        return ()

    async def _show(self, name: str) -> ShowAnswer:
        body = await self._ask(
            "POST", "/api/show", body={"model": self._names.sent(name)}, limit_s=ANSWER_LIMIT_S, model=name
        )
        try:
            return read_show(body)
        except NotSuchAnswer as error:
            raise BackendFailed(not_ollama(self._where)) from error

    async def _shown_where_needed(self, entries: tuple[TagsEntry, ...]) -> dict[str, ShowAnswer]:
        """Return the responses of /api/show for models whose entries in /api/tags are incomplete.

        If a response does not arrive in time, it is missing in the result.
        """
        at_once = asyncio.Semaphore(_SHOWS_AT_ONCE)

        async def ask(entry: TagsEntry) -> None:
            async with at_once:
                with suppress(BackendFailed):
                    self._shown[entry.key] = await self._show(entry.name)

        with suppress(TimeoutError):
            async with asyncio.timeout(_SHOWS_LIMIT_S), asyncio.TaskGroup() as group:
                for entry in entries:
                    if needs_show(entry) and entry.key not in self._shown:
                        group.create_task(ask(entry))
        return self._shown

    async def _generate(self, body: dict[str, Any], limit_s: float) -> None:
        model = str(body["model"])
        answer = await self._ask("POST", "/api/generate", body=body | {"stream": False}, limit_s=limit_s, model=model)
        said = error_text(answer)
        if said is not None:
            raise BackendFailed(model_problem(said, model, where=self._where))

    async def _ask(
        self, method: str, path: str, *, limit_s: float, body: dict[str, Any] | None = None, model: str | None = None
    ) -> bytes:
        with in_words(self._url, self._start):
            async with asyncio.timeout(limit_s):
                response = await self._client.request(
                    method,
                    path,
                    content=None if body is None else msgspec.json.encode(body),
                    headers={"Content-Type": "application/json"},
                    timeout=httpx.Timeout(limit_s, connect=CONNECT_LIMIT_S),
                )
        if response.status_code != 200 or is_page(response):
            raise self._judged(response, path, model)
        return response.content


def _ollama_url(address: str) -> httpx.URL:
    try:
        return server_url(normalise_host(address).url, DEFAULT_PORT)
    except SettingsError as error:
        code: ServerProblem = "bad_scheme" if error.reason == "bad_scheme" else "bad_address"
        raise BackendFailed(Problem(code=code, args={"address": address})) from error


async def _drain(moments: AsyncIterator[ExchangeEvent]) -> None:
    """Read to the end of the body, so that the connection can be reused. Errors are ignored."""
    with suppress(TimeoutError, httpx.HTTPError):
        async with asyncio.timeout(_DRAIN_LIMIT_S):
            async for _ in moments:
                pass
