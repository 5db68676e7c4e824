"""The user's requests to a running experiment: pause, skip, no more waiting."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Literal


class Control:
    """Holds the user's requests.

    The command runner writes them and the experiment reads them, both in one event loop.
    """

    def __init__(self) -> None:
        self._going = asyncio.Event()
        self._going.set()
        self._task: asyncio.Task[None] | None = None
        self.contender: int | None = None
        """Index of the contender whose trials are running."""
        self.left_out: set[int] = set()
        """Indices of the contenders that get no more trials."""
        self.start_now = False
        """Whether a wait for other programs should end. Each wait clears it when it begins."""
        self.paused_s = 0.0
        """Total time spent paused, in seconds."""

    @property
    def paused(self) -> bool:
        """Whether a pause was requested. It begins after the current trial."""
        return not self._going.is_set()

    def pause(self) -> None:
        """Pause after the current trial."""
        self._going.clear()

    def resume(self) -> None:
        """End the pause, or withdraw the request for one."""
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
        """Wait while a pause is requested; return at once if none is."""
        began_s = time.monotonic()
        await self._going.wait()
        self.paused_s += time.monotonic() - began_s

    async def skippable(self, work: Coroutine[Any, Any, None]) -> bool:
        """Await a trial's work as a task that ``skip`` can cancel; return False if it was skipped.

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
                with suppress(asyncio.CancelledError):  # cancelled a second time: the work must still end first
                    await asyncio.wait({task})
            raise
        finally:
            self._task = None
        if task.cancelled():
            return False
        task.result()  # raises the exception of the work
        return True
