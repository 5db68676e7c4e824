"""What a person may ask of a run while it goes on: pause, skip, more rounds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Literal


class Control:
    """Shared by the experiment, which asks, and the command runner, which sets. One event loop, no threads."""

    def __init__(self) -> None:
        self._going = asyncio.Event()
        self._going.set()
        self._task: asyncio.Task[None] | None = None
        self.contender: int | None = None
        """Whose block is under way."""
        self.left_out: set[int] = set()
        """Contenders of which nothing more is asked."""
        self.paused_s = 0.0
        """Time spent paused so far."""

    @property
    def paused(self) -> bool:
        """A pause was asked for; it begins after the current trial."""
        return not self._going.is_set()

    def pause(self) -> None:
        """Pause after the current trial."""
        self._going.clear()

    def resume(self) -> None:
        """Go on."""
        self._going.set()

    def skip(self, what: Literal["trial", "model"]) -> None:
        """Skip the trial under way, or all that is left of its model."""
        if what == "model" and self.contender is not None:
            self.left_out.add(self.contender)
        if self._task is not None:
            self._task.cancel()

    async def until_going(self) -> None:
        """Returns when no pause is asked for."""
        began_s = time.monotonic()
        await self._going.wait()
        self.paused_s += time.monotonic() - began_s

    async def skippable(self, work: Coroutine[Any, Any, None]) -> bool:
        """Carries out a trial's work.

        Returns:
            False if it was skipped.

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
        task.result()  # raises what the work raised
        return True
