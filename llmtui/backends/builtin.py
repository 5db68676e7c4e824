"""llmtui's own server: llama.cpp through the package xllamacpp, one child process per loaded model.

Loading a model starts a process and unloading ends it, so the memory of a process is the memory of its model. A child
runs until its model is unloaded or the backend is closed; ``keep_alive_s`` of a request is ignored.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import importlib.util
import os
import sys
import tempfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path

import httpcore
import httpx
import msgspec
import platformdirs
import psutil

from llmtui.backends.base import BackendFailed, ChatRequest, Chunk, Final, PullStep, RequestSent, RunnerClue, ServerInfo
from llmtui.backends.builtin_child import BuiltinChild, ChildConfig, import_failure, import_problem
from llmtui.backends.builtin_models import (
    DEMO_NAME,
    header_of,
    listed_models,
    model_file,
    shown_model,
    synthetic_size,
)
from llmtui.backends.http_client import open_client
from llmtui.backends.openai import OpenAiBackend
from llmtui.backends.synthetic import Size, is_made
from llmtui.config.access import Access
from llmtui.core.choices import Choices
from llmtui.core.codes import GONE
from llmtui.core.events import ListedModel, ModelShown
from llmtui.core.plan import Model
from llmtui.core.records import Problem, ResidentModel, ServerCounters, ServerKind

ADDRESS = "built-in"
MAX_NUM_CTX = 1 << 20
"""Largest context length in tokens, for files that do not state the length that the model was trained for."""
FIXED_LENGTH: Mapping[str, object] = {"ignore_eos": True}
"""Fields added to the demo model's requests, so that its answers reach the requested length.

On its own, the model ends anywhere between 40 and 200 tokens. With these fields it continues with other text.
"""


def _cache_folder() -> Path:
    try:
        return platformdirs.user_cache_path("llmtui") / "models"
    except RuntimeError:  # the user has no home folder
        return Path(tempfile.gettempdir()) / "llmtui" / "models"


class BuiltinBackend:
    """The server inside llmtui. It starts no process before a model is used."""

    kind: ServerKind = "builtin"
    can_unload = True

    def __init__(self, *, gguf_paths: Sequence[Path] = (), cache_folder: Path | None = None) -> None:
        """Store the paths; no process is started.

        Args:
            gguf_paths: GGUF files, and folders of them, to list besides the built-in models. Other files can be used by
                their path.
            cache_folder: folder of speed-only models; None: the user's cache folder.
        """
        self._gguf_paths = tuple(gguf_paths)
        self._cache_folder = cache_folder or _cache_folder()
        self._loaded: dict[str, _Loaded] = {}
        self._turn = asyncio.Lock()
        self._imports = False

    async def info(self) -> ServerInfo:
        """Return the version of xllamacpp. A failed import is tried again on the next call.

        Raises:
            BackendFailed: the package is not installed, or cannot be imported.
        """
        problem = missing()
        if problem is None and not self._imports:
            problem = await import_failure()
        if problem is not None:
            raise BackendFailed(problem)
        self._imports = True
        return ServerInfo(kind=self.kind, address=ADDRESS, version=_version(), product="llama.cpp", local=True)

    async def models(self) -> tuple[ListedModel, ...]:
        """Return the demo model, the speed-only models and the GGUF files; loaded ones are marked."""
        problem = missing()
        if problem is not None:
            raise BackendFailed(problem)
        listed = await asyncio.to_thread(listed_models, self._gguf_paths, self._cache_folder)
        resident = {item.name: item for item in await self.resident()}
        return tuple(msgspec.structs.replace(item, resident=resident.get(item.model.name)) for item in listed)

    async def resident(self) -> tuple[ResidentModel, ...]:
        """Return the models whose child processes are ready."""
        return tuple(loaded.resident() for loaded in self._loaded.values() if loaded.child.is_ready)

    async def show(self, name: str) -> ModelShown:
        """Return the details of one model."""
        return await asyncio.to_thread(shown_model, name, self._cache_folder)

    async def runner_clue(self, model: Model) -> RunnerClue | None:
        """Return the id of the model's child process, even while it loads; None if it has none."""
        loaded = self._loaded.get(model.name)
        if loaded is None or not loaded.child.alive:
            return None
        return RunnerClue(pid=loaded.child.pid)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[RequestSent | Chunk | Final, None]:
        """Yield the events of a request.

        If the model must be loaded first, the time in RequestSent is the start time of the model's process.
        """
        name = request.model.name
        async with self._turn:
            config = await self._config(name, request.num_ctx, request.num_thread)
            loaded = self._loaded.get(name)
            cold = loaded is None or not loaded.child.is_ready or loaded.child.config != config
            if loaded is None or cold:
                await self._end(name)
                loaded = await _Loaded.spawn(config, request.model.digest)
                self._loaded[name] = loaded
                try:
                    yield RequestSent(loaded.child.spawned_ns)
                    await loaded.ready()
                except BaseException:
                    await self._end(name)
                    raise
        load_duration_ns = (loaded.child.load_duration_ns if cold else 0) or 0
        try:
            async with aclosing(loaded.reader.stream(request)) as items:
                async for item in items:
                    if isinstance(item, Final):
                        yield _with_load(item, load_duration_ns)
                    elif not (cold and isinstance(item, RequestSent)):
                        yield item
        except BackendFailed as failure:
            if failure.problem.code not in GONE:
                raise
            death = await loaded.child.death()
            if death is None:
                raise BackendFailed(_unreachable(failure.problem)) from failure
            await self._end(name)
            raise BackendFailed(death) from failure

    async def unload(self, resident: ResidentModel) -> None:
        """End the model's process. Its memory is free when this returns."""
        await self._end(resident.name)

    async def load(self, resident: ResidentModel) -> None:
        """Load a model with the context length that the model had before; return when the model is in memory."""
        async with self._turn:
            config = await self._config(resident.name, resident.context_length, None)
            await self._end(resident.name)
            loaded = await _Loaded.spawn(config, resident.digest)
            self._loaded[resident.name] = loaded
            try:
                await loaded.ready()
            except BaseException:
                await self._end(resident.name)
                raise

    def pull(self, name: str) -> AsyncGenerator[PullStep, None]:
        """Refuse to download: the built-in server cannot download models.

        Raises:
            BackendFailed: always.
        """
        raise BackendFailed(Problem(code="builtin_pulls_not", args={"name": name}))

    async def aclose(self) -> None:
        """End all child processes."""
        for name in tuple(self._loaded):
            await self._end(name)

    async def _config(self, name: str, num_ctx: int | None, threads: int | None) -> ChildConfig:
        """Return the configuration of the child process for a model.

        A speed-only model is made first if its file is missing.
        """
        problem = missing()
        if problem is not None:
            raise BackendFailed(problem)
        size = synthetic_size(name)
        if size is not None and not await asyncio.to_thread(is_made, size, self._cache_folder):
            await make_in_child(size, self._cache_folder)
        path = model_file(name, self._cache_folder)
        header = await asyncio.to_thread(header_of, path)
        return ChildConfig(
            model_path=str(path),
            alias=name,
            num_ctx=min(num_ctx or Choices().num_ctx, header.context_length or MAX_NUM_CTX),
            threads=threads or (1 if name == DEMO_NAME else spare_cores()),
        )

    async def _end(self, name: str) -> None:
        loaded = self._loaded.pop(name, None)
        if loaded is not None:
            await loaded.aclose()


class _Loaded:
    """A child process and the connection to it."""

    def __init__(self, digest: str, client: httpx.AsyncClient, child: BuiltinChild) -> None:
        self.digest = digest
        self.child = child
        self._client = client
        self._reader: OpenAiBackend | None = None

    @classmethod
    async def spawn(cls, config: ChildConfig, digest: str) -> _Loaded:
        """Start the child process.

        Modules that the HTTP library imports late (0.1 s) are imported before that, so that the first answer's times do
        not include their import.
        """
        client = open_client(httpx.URL("http://127.0.0.1"))
        await httpcore.AnyIOBackend().sleep(0)
        return cls(digest, client, await BuiltinChild.spawn(config))

    @property
    def reader(self) -> OpenAiBackend:
        assert self._reader is not None, "asked before it was ready"
        return self._reader

    async def ready(self) -> None:
        """Wait until the child process has loaded the model."""
        address = await self.child.ready()
        self._reader = OpenAiBackend(
            address,
            access=Access(header=f"Bearer {self.child.api_key}", source="the built-in server"),
            dialect="llamacpp",
            extra_fields=FIXED_LENGTH if self.child.config.alias == DEMO_NAME else None,
            client=self._client,
        )

    def resident(self) -> ResidentModel:
        return ResidentModel(
            name=self.child.config.alias,
            digest=self.digest,
            context_length=self.child.config.num_ctx,
            pid=self.child.pid,
        )

    async def aclose(self) -> None:
        try:
            await self._client.aclose()
        finally:
            await self.child.end()


def missing() -> Problem | None:
    """Return the problem if the package xllamacpp is not installed; None if it is. Nothing is imported for this."""
    if importlib.util.find_spec("xllamacpp") is None:
        return import_problem("No module named 'xllamacpp'")
    return None


def _version() -> str:
    try:
        return f"xllamacpp {importlib.metadata.version('xllamacpp')}"
    except importlib.metadata.PackageNotFoundError:  # installed without package metadata
        return "xllamacpp"


def spare_cores() -> int:
    """Return the number of threads for a model of real size: all physical cores but one, and never less than 1.

    llama.cpp's threads wait for each other in a busy loop, so one that shares its core with another program delays all
    of them.
    """
    cores = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    if sys.platform == "linux":
        cores = min(cores, len(os.sched_getaffinity(0)))
    return max(1, cores - 1)


async def make_in_child(size: Size, folder: Path) -> None:
    """Make a speed-only model in a separate process, so that numpy is not loaded in this one.

    Args:
        size: the parameter count.
        folder: folder of speed-only models.

    Raises:
        BackendFailed: the model could not be made.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "llmtui.backends.synthetic",
        size,
        str(folder),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, log = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == 0:
        return
    try:
        problem = msgspec.json.decode(out, type=dict[str, Problem])["error"]
    except (msgspec.DecodeError, KeyError):
        words = log.decode("utf-8", "replace").strip().splitlines() or [""]
        problem = Problem(code="synthetic_failed", args={"size": size}, detail=words[-1])
    raise BackendFailed(problem)


def _unreachable(problem: Problem) -> Problem:
    if problem.code == "cut":
        return problem
    return Problem(code="builtin_unreachable", cause=problem)


def _with_load(last: Final, load_duration_ns: int) -> Final:
    """Return the Final with the load time that llmtui measured; llama.cpp's own counters begin after the load."""
    counters = msgspec.structs.replace(last.counters or ServerCounters(), load_duration_ns=load_duration_ns)
    return msgspec.structs.replace(last, counters=counters)
