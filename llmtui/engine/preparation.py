"""The server's memory before, between and after trials. Rules: docs/method.md, "Trials"."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

import msgspec

from llmtui.backends.base import Backend, BackendFailed
from llmtui.core.codes import UNSUPPORTED
from llmtui.core.plan import Model, num_ctx, round_order
from llmtui.core.records import Problem, ResidentModel
from llmtui.engine.context import RunContext
from llmtui.engine.judging import InMemory, split
from llmtui.engine.sensors.processes import process_table
from llmtui.engine.sensors.runner import RunnerTarget, find_runner

UNLOAD_LIMIT_S: Final = 30.0
_POLL_S: Final = 0.05
_HURRY_LIMIT_S: Final = 0.7
"""Time limit in seconds for unloading when the process must end within 2 s."""
_UNTOLD: Final = Problem(code="no_cold_start")


class LoadedModel(msgspec.Struct, frozen=True):
    """A model in the memory of one of the experiment's servers."""

    backend: Backend
    model: ResidentModel

    @property
    def key(self) -> tuple[str, str, str]:
        """(server kind, name, digest). The name alone may occur twice, after a model was rebuilt."""
        return self.backend.kind, self.model.name, self.model.digest


class Preparation:
    """Empties the server's memory for cold starts, and restores it at the end of the run."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._picked = frozenset(contender.model.digest for contender in context.plan.contenders)
        self._before: tuple[LoadedModel, ...] = ()
        self._taken_out: set[tuple[str, str, str]] = set()
        self._stays: dict[tuple[str, str, str], Problem] = {}
        """Models that could not be unloaded, with the problem."""
        self._in_flight: LoadedModel | None = None
        self._silent: set[str] = set()
        """Kinds of servers that do not list the models in their memory."""

    async def remember(self) -> None:
        """Read which models are in memory before anything is changed.

        Raises:
            BackendFailed: a server does not respond.
        """
        self._before = await self._loaded()

    def ready_contender(self) -> int | None:
        """Return a contender whose model is already loaded with the right options, so that it can go first, or None."""
        plan = self._context.plan
        there = {(loaded.model.digest, loaded.model.context_length) for loaded in self._before}
        for index in round_order(plan, 1):
            contender = plan.contenders[index]
            if contender.variant.num_thread is None and (contender.model.digest, num_ctx(contender)) in there:
                return index
        return None

    async def memory_of(self, contender: int, pid: int | None) -> InMemory:
        """Return the models in memory, divided into the contender's model and all others.

        Args:
            contender: index of the contender.
            pid: the process of its model, if known.

        Raises:
            BackendFailed: a server does not respond.
        """
        residents = [loaded.model for loaded in await self._loaded()]
        seen = split(residents, self._context.contender(contender).model.digest, pid)
        return msgspec.structs.replace(seen, is_listed=self._context.backend(contender).kind not in self._silent)

    async def make_cold(self, contender: int, trial_id: str) -> None:
        """Unload the model, and all others that may be unloaded. Wait until their processes are gone.

        Raises:
            BackendFailed: a server does not respond, or the model stays in memory, or (``unsupported``) the server
                cannot show whether it does.
        """
        backend, own = self._context.backend(contender), self._context.contender(contender).model
        if not backend.can_unload:
            await backend.unload(ResidentModel(name=own.name, digest=own.digest))  # raises with its own problem
        await self._clear(contender, trial_id, spare_own=False)
        if backend.kind in self._silent:
            raise BackendFailed(_UNTOLD)
        for loaded in await self._loaded():
            is_own = loaded.backend is backend and loaded.model.serves(own.digest)
            if is_own or await self._is_same_file(loaded, contender):
                raise BackendFailed(self._stays.get(loaded.key) or _not_unloaded(loaded.model.name))

    async def clear_others(self, contender: int, trial_id: str) -> None:
        """Unload other models if the plan allows it, before trials that do not begin with a cold start.

        Raises:
            BackendFailed: a server does not respond.
        """
        await self._clear(contender, trial_id, spare_own=True)

    def asked(self, contender: int) -> None:
        """Record that a request was sent. Its model may be loading although the server does not list it yet."""
        model, backend = self._context.contender(contender).model, self._context.backend(contender)
        if backend.can_unload:
            self._in_flight = LoadedModel(backend, ResidentModel(name=model.name, digest=model.digest))

    def answered(self) -> None:
        """Record that the request has ended."""
        self._in_flight = None

    async def leave_as_found(self) -> None:
        """Unload the models that this run loaded, and reload those that it unloaded.

        Failures are recorded, not raised.
        """
        try:
            await self._ask_the_absent()
            there = await self._loaded()
            if self._in_flight is not None and self._in_flight.key not in {loaded.key for loaded in there}:
                await self._in_flight.backend.unload(self._in_flight.model)
            await self._unload([loaded for loaded in there if self._is_ours(loaded)], trial_id=None)
        except BackendFailed as failed:
            if failed.problem.code not in UNSUPPORTED:
                self._context.note("warning", failed.problem)
        for loaded in self._before:
            if loaded.key in self._taken_out:
                await self._reload(loaded)

    async def leave_in_a_hurry(self) -> None:
        """Unload the models that this run loaded, without waiting.

        Nothing is reloaded; a message lists the models that this run unloaded and did not load again.
        """
        with suppress(BackendFailed, TimeoutError):
            async with asyncio.timeout(_HURRY_LIMIT_S):
                await self._ask_the_absent()
                there = await self._loaded()
                if self._in_flight is not None and self._in_flight.key not in {loaded.key for loaded in there}:
                    await self._in_flight.backend.unload(self._in_flight.model)
                for loaded in there:
                    if self._is_ours(loaded):
                        await loaded.backend.unload(loaded.model)
        names = [loaded.model.name for loaded in self._before if loaded.key in self._taken_out]
        if names:
            self._context.note("warning", Problem(code="not_loaded_again", args={"names": ", ".join(names)}))

    async def _loaded(self) -> tuple[LoadedModel, ...]:
        """Return the models in the memory of all servers that respond and list them."""
        found: list[LoadedModel] = []
        for kind, backend in self._context.backends.items():
            if kind in self._context.absent:
                continue
            residents = await backend.resident()
            if residents is None:
                self._silent.add(kind)
                continue
            found.extend(LoadedModel(backend, resident) for resident in residents)
        return tuple(found)

    async def _ask_the_absent(self) -> None:
        """Ask once more each server that did not respond.

        A server that cut an answer off usually responds again by then.
        """
        for kind in list(self._context.absent):
            with suppress(BackendFailed):
                await self._context.ask_info(self._context.backends[kind])

    async def _clear(self, contender: int, trial_id: str, *, spare_own: bool) -> None:
        own = self._context.contender(contender).model.digest
        there = [loaded for loaded in await self._loaded() if loaded.key not in self._stays]
        going = [loaded for loaded in there if self._may_go(loaded) or await self._is_same_file(loaded, contender)]
        others = [loaded for loaded in going if loaded.model.digest != own and self._is_within_reach(loaded)]
        try:
            await self._unload(others, trial_id)
        except BackendFailed as failed:
            if failed.problem.code not in UNSUPPORTED | {"not_unloaded"}:
                raise
            self._context.note("warning", failed.problem)
            # tried only once: each attempt may take the whole time limit
            self._stays |= dict.fromkeys((loaded.key for loaded in others), failed.problem)
        if not spare_own:
            await self._unload([loaded for loaded in going if loaded.model.digest == own], trial_id)

    def _may_go(self, loaded: LoadedModel) -> bool:
        """Return whether the plan wants a model out of memory, and its server can unload it."""
        wanted = loaded.model.digest in self._picked or self._context.plan.others == "unload"
        return wanted and loaded.backend.can_unload

    async def _is_same_file(self, loaded: LoadedModel, contender: int) -> bool:
        """Return whether a model has a contender's weights under another name, so that one process serves both."""
        if loaded.backend is not self._context.backend(contender):
            return False
        own = await self._context.runner_target(contender)
        return own is not None and bool(own.blob_hex or own.argument) and own == await self._target(loaded)

    def _is_within_reach(self, loaded: LoadedModel) -> bool:
        """Return whether a request can unload a model. A request has only a name, which means the newest build."""
        picked = {(one.model.backend, one.model.name) for one in self._context.plan.contenders}
        if loaded.model.digest in self._picked or (loaded.backend.kind, loaded.model.name) not in picked:
            return True
        problem = Problem(code="older_build", args={"name": loaded.model.name})
        self._stays[loaded.key] = problem
        self._context.note("warning", problem)
        return False

    def _is_ours(self, loaded: LoadedModel) -> bool:
        """Return whether a model belongs to the plan and is loaded differently than before the run."""
        if loaded.model.digest not in self._picked or not loaded.backend.can_unload:
            return False
        return not any(
            old.key == loaded.key and old.model.context_length == loaded.model.context_length for old in self._before
        )

    async def _unload(self, wanted: Sequence[LoadedModel], trial_id: str | None) -> None:
        if not wanted:
            return
        self._context.phase("unload", trial_id, "unloading", [loaded.model.name for loaded in wanted])
        targets = [target for loaded in wanted if (target := await self._target(loaded)) is not None]
        for loaded in wanted:
            await loaded.backend.unload(loaded.model)
            self._taken_out.add(loaded.key)
        await self._until_gone(wanted, targets)

    async def _target(self, loaded: LoadedModel) -> RunnerTarget | None:
        model = Model(name=loaded.model.name, digest=loaded.model.digest, backend=loaded.backend.kind)
        try:
            return RunnerTarget.of_clue(await loaded.backend.runner_clue(model))
        except BackendFailed:
            return None

    async def _until_gone(self, wanted: Sequence[LoadedModel], targets: Sequence[RunnerTarget]) -> None:
        """Wait until the models leave the server's list and, for some 100 ms more, until their processes have ended."""
        keys = {loaded.key for loaded in wanted}
        names = ", ".join(loaded.model.name for loaded in wanted)
        try:
            async with asyncio.timeout(UNLOAD_LIMIT_S):
                await _poll(lambda: self._all_left(keys))
        except TimeoutError as error:
            raise BackendFailed(_not_unloaded(names)) from error
        try:
            async with asyncio.timeout(UNLOAD_LIMIT_S):
                await _poll(lambda: _all_ended(targets))
        except TimeoutError:
            self._context.note("warning", Problem(code="process_left", args={"names": names}))

    async def _all_left(self, keys: set[tuple[str, str, str]]) -> bool:
        return not keys.intersection(loaded.key for loaded in await self._loaded())

    async def _reload(self, loaded: LoadedModel) -> None:
        try:
            there = {now.key: now.model.context_length for now in await self._loaded()}
            if loaded.key in there and there[loaded.key] == loaded.model.context_length:
                return
            self._context.phase("waiting", step="loading_again", names=[loaded.model.name])
            await loaded.backend.load(loaded.model)
        except BackendFailed as failed:
            self._context.note("warning", failed.problem)


def _not_unloaded(names: str) -> Problem:
    return Problem(code="not_unloaded", args={"names": names, "seconds": UNLOAD_LIMIT_S})


async def _all_ended(targets: Sequence[RunnerTarget]) -> bool:
    processes = process_table()
    for target in targets:
        found = await asyncio.to_thread(find_runner, target, processes)
        if found.runner is not None:
            return False
    return True


async def _poll(is_so: Callable[[], Awaitable[bool]]) -> None:
    while True:
        if await is_so():
            return
        await asyncio.sleep(_POLL_S)
