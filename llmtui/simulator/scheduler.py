"""Loading and unloading: the models in memory, the requests that wait for them, and their prompt caches."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator

from msgspec import Struct

from llmtui.simulator.clock import Waiter, now_ns
from llmtui.simulator.identity import blob_hash
from llmtui.simulator.listing import Resident
from llmtui.simulator.model import SimulatedModel
from llmtui.simulator.options import ApiError, LoadOptions
from llmtui.simulator.script import Script
from llmtui.simulator.stand_in import StandInRunner

CHARACTERS_PER_TOKEN = 4
"""Number of characters that count as one token in all prompts."""


class PromptCount(Struct, frozen=True, kw_only=True):
    """Number of tokens of a prompt after any truncation, and how many of them are in the prompt cache."""

    tokens: int
    cached: int


class SimulatedRunner:
    """A model in memory. It serves one request at a time and has a prompt cache.

    Args:
        model: the loaded model.
        options: the options with which it was loaded.
        process: the stand-in for the process that would run the model; None = there is none.
        remembered: maximum number of prompts in the cache.
    """

    def __init__(
        self, model: SimulatedModel, options: LoadOptions, process: StandInRunner | None, remembered: int
    ) -> None:
        self.model = model
        self.options = options
        self.process = process
        self.slot = asyncio.Lock()
        self.gone = asyncio.Event()
        self.leaving = False
        self.users = 0
        self.keep_alive_s = 0.0
        self.idle_since_ns = now_ns()
        self.timer: asyncio.TimerHandle | None = None
        self._remembered = remembered
        self._prompts: list[str] = []

    def count(self, prompt: str) -> PromptCount:
        """Return the number of tokens of a prompt; at least one of them counts as not cached.

        Args:
            prompt: the conversation as the model reads it; four characters are a token.
        """
        tokens = tokens_of_text(prompt)
        common = max((_common_length(prompt, earlier) for earlier in self._prompts), default=0)
        return PromptCount(tokens=tokens, cached=min(common // CHARACTERS_PER_TOKEN, tokens - 1))

    def remember(self, conversation: str) -> None:
        """Add a conversation (prompt and answer) to the prompt cache; if it continues the latest one, replace that."""
        others = self._prompts
        if others and conversation.startswith(others[-1]):
            others = others[:-1]
        self._prompts = [*others, conversation][-self._remembered :] if self._remembered else []

    def forget(self) -> None:
        """Empty the prompt cache."""
        self._prompts = []

    @property
    def expires_in_s(self) -> float:
        """Return the seconds until the model is unloaded if no further request arrives."""
        if self.users or math.isinf(self.keep_alive_s):
            return self.keep_alive_s
        return max(0.0, self.keep_alive_s - (now_ns() - self.idle_since_ns) / 1e9)


class Scheduler:
    """Loads models into memory, and unloads them.

    Args:
        script: the script, which has limits and durations.
        waiter: waits for deadlines.
    """

    def __init__(self, script: Script, waiter: Waiter) -> None:
        self._script = script
        self._waiter = waiter
        self._runners: dict[str, SimulatedRunner] = {}
        self._loading = asyncio.Lock()
        self._loads: dict[str, tuple[SimulatedModel, int, int]] = {}
        self._queue_length = 0
        self._unloads: set[asyncio.Task[None]] = set()

    async def acquire(
        self, model: SimulatedModel, options: LoadOptions, keep_alive_s: float
    ) -> tuple[SimulatedRunner, bool]:
        """Return the loaded model for a request, and whether it had to be loaded. The caller must `release` it.

        Raises:
            ApiError: 503 if too many requests wait; 500 if the model does not load.
            asyncio.CancelledError: the client closed the connection; a load in progress is aborted.
        """
        runner = self._usable(model, options)
        if runner is not None:
            await self._waiter.until(now_ns() + self._script.duration_ns(self._script.dispatch_s))
            if runner is self._usable(model, options):
                return self._take(runner, keep_alive_s), False
        if self._queue_length >= self._script.max_queue:
            raise ApiError(503, "server busy, please try again.  maximum pending requests exceeded")
        self._queue_length += 1
        try:
            async with self._loading:
                return await self._make_ready(model, options, keep_alive_s)
        finally:
            self._queue_length -= 1

    def release(self, runner: SimulatedRunner) -> None:
        """End a request's use of a model; when no request uses it any more, its `keep_alive` time begins."""
        runner.users -= 1
        if runner.users:
            return
        runner.idle_since_ns = now_ns()
        if runner.keep_alive_s <= 0:
            self._leave(runner)
        elif not math.isinf(runner.keep_alive_s):
            runner.timer = asyncio.get_running_loop().call_later(runner.keep_alive_s, self._leave, runner)

    def expire(self, model: SimulatedModel) -> None:
        """Unload a model as soon as no request uses it; return at once, as the real server does."""
        runner = self._runners.get(blob_hash(model))
        if runner is not None:
            self._expire(runner)

    def runner(self, model: SimulatedModel) -> SimulatedRunner | None:
        """Return a model's entry if it is in memory, else None."""
        return self._runners.get(blob_hash(model))

    def residents(self) -> Iterator[Resident]:
        """Yield the entries of /api/ps: models in memory, including those being unloaded but not those being loaded."""
        for runner in self._runners.values():
            yield Resident(model=runner.model, num_ctx=runner.options.num_ctx, expires_in_s=runner.expires_in_s)

    def forget_prompts(self) -> None:
        """Empty the prompt caches of all models in memory."""
        for runner in self._runners.values():
            runner.forget()

    def state(self) -> dict[str, object]:
        """Return the models in memory, those being loaded and the number of waiting requests, for the control path."""
        now = now_ns()
        return {
            "loaded": [
                {
                    "model": runner.model.name,
                    "num_ctx": runner.options.num_ctx,
                    "users": runner.users,
                    "busy": runner.slot.locked(),
                    "leaving": runner.leaving,
                    "pid": runner.process.pid if runner.process else None,
                }
                for runner in self._runners.values()
            ],
            "loading": [
                {"model": model.name, "fraction": min(1.0, (now - began) / max(1, ends - began))}
                for model, began, ends in self._loads.values()
            ],
            "queued": max(0, self._queue_length - len(self._loads)),
        }

    async def close(self) -> None:
        """Remove all models from memory at once, and end their stand-in processes."""
        for task in list(self._unloads):
            task.cancel()
        for runner in list(self._runners.values()):
            if runner.timer is not None:
                runner.timer.cancel()
            self._drop(runner)

    def _usable(self, model: SimulatedModel, options: LoadOptions) -> SimulatedRunner | None:
        runner = self._runners.get(blob_hash(model))
        if runner is None or runner.leaving or options.differs(runner.options):
            return None
        return runner

    async def _make_ready(
        self, model: SimulatedModel, options: LoadOptions, keep_alive_s: float
    ) -> tuple[SimulatedRunner, bool]:
        while True:
            runner = self._usable(model, options)
            if runner is not None:
                return self._take(runner, keep_alive_s), False
            victim = self._runners.get(blob_hash(model))
            if victim is None and len(self._runners) >= self._script.max_loaded_models:
                victim = self._next_to_go()
            if victim is None:
                return self._take(await self._load(model, options), keep_alive_s), True
            self._expire(victim)
            await victim.gone.wait()

    async def _load(self, model: SimulatedModel, options: LoadOptions) -> SimulatedRunner:
        began_ns = now_ns()
        ends_ns = began_ns + self._script.duration_ns(model.load_s)
        process = None
        if self._script.stand_in_runner:
            process = StandInRunner(model, options, self._script.dialect, (ends_ns - began_ns) / 1e9)
        blob = blob_hash(model)
        self._loads[blob] = (model, began_ns, ends_ns)
        try:
            await self._waiter.until(ends_ns)
            if model.load_error is None:
                runner = SimulatedRunner(model, options, process, self._script.prompt_cache_prompts)
                self._runners[blob] = runner
                return runner
        finally:
            del self._loads[blob]
            if process is not None and blob not in self._runners:
                process.stop()
        raise ApiError(500, model.load_error)

    def _take(self, runner: SimulatedRunner, keep_alive_s: float) -> SimulatedRunner:
        if runner.timer is not None:
            runner.timer.cancel()
            runner.timer = None
        runner.users += 1
        runner.keep_alive_s = keep_alive_s
        return runner

    def _next_to_go(self) -> SimulatedRunner:
        by_keep_alive = sorted(self._runners.values(), key=lambda runner: (runner.keep_alive_s, runner.idle_since_ns))
        return next((runner for runner in by_keep_alive if not runner.users), by_keep_alive[0])

    def _expire(self, runner: SimulatedRunner) -> None:
        if runner.timer is not None:
            runner.timer.cancel()
            runner.timer = None
        runner.keep_alive_s = 0.0
        if not runner.users:
            self._leave(runner)

    def _leave(self, runner: SimulatedRunner) -> None:
        if runner.leaving:
            return
        runner.leaving = True
        task = asyncio.get_running_loop().create_task(self._unload(runner))
        self._unloads.add(task)
        task.add_done_callback(self._unloads.discard)

    async def _unload(self, runner: SimulatedRunner) -> None:
        await asyncio.sleep(self._script.duration_ns(self._script.unload_s) / 1e9)
        if runner.process is not None:
            # Freeing gigabytes takes time; the other streams must not wait for it.
            await asyncio.to_thread(runner.process.stop)
        self._drop(runner)

    def _drop(self, runner: SimulatedRunner) -> None:
        self._runners.pop(blob_hash(runner.model), None)
        if runner.process is not None:
            runner.process.stop()
        runner.gone.set()


def tokens_of_text(text: str) -> int:
    """Return the number of tokens of a text: one per four characters or part of four, but at least one."""
    return max(1, -(-len(text) // CHARACTERS_PER_TOKEN))


def _common_length(one: str, other: str) -> int:
    shorter = min(len(one), len(other))
    if one[:shorter] == other[:shorter]:
        return shorter
    low, high = 0, shorter  # the first `low` characters are equal, and no more than `high`
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low
