"""Requests to a running experiment: pause, skip, more rounds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Literal


class Control:
    """Written by the command runner and read by the experiment, both in one event loop without threads."""

    def __init__(self) -> None:
        self._going = asyncio.Event()
        self._going.set()
        self._task: asyncio.Task[None] | None = None
        self.contender: int | None = None
        """Contender of the current block."""
        self.left_out: set[int] = set()
        """Contenders that get no more trials."""
        self.start_now = False
        """A wait for other programs is to end; the wait itself clears it when it begins."""
        self.paused_s = 0.0
        """Total time spent paused."""

    @property
    def paused(self) -> bool:
        """Whether a pause was requested; it begins after the current trial."""
        return not self._going.is_set()

    def pause(self) -> None:
        """Pause after the current trial."""
        self._going.clear()

    def resume(self) -> None:
        """Continue."""
        self._going.set()

    def skip(self, what: Literal["trial", "model"]) -> None:
        """Skip the current trial, or all remaining trials of its model."""
        if what == "model" and self.contender is not None:
            self.left_out.add(self.contender)
        if self._task is not None:
            self._task.cancel()

    def stop_waiting(self) -> None:
        """End a wait for other programs."""
        self.start_now = True

    async def until_going(self) -> None:
        """Return when no pause is requested."""
        began_s = time.monotonic()
        await self._going.wait()
        self.paused_s += time.monotonic() - began_s

    async def skippable(self, work: Coroutine[Any, Any, None]) -> bool:
        """Carry out a trial's work; return False if it was skipped.

        Raises:
            asyncio.CancelledError: the run itself was cancelled; the work has ended by then.
        """
        task = asyncio.create_task(work)
        self._task = task
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            task.cancel()
            while not task.done():
                with suppress(asyncio.CancelledError):  # quitting right after cancelling: what follows needs its end
                    await asyncio.wait({task})
            raise
        finally:
            self._task = None
        if task.cancelled():
            return False
        task.result()  # raises the exception of the work
        return True
