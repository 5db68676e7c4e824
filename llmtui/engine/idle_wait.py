"""Starts from off wait, for a while, until other programs leave the processor alone. Rules: docs/method.md, "Flags"."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Final

from llmtui.core.records import Evidence, MachineFigures
from llmtui.engine.context import RunContext
from llmtui.engine.judging import Flag

SESSION_LIMIT_S: Final = 30.0
BUSY_CORES: Final = 0.5
BUSY_SHARE: Final = 0.10
"""Of all cores."""
_LOOK_S: Final = 0.3
"""Shortest time over which others are looked at: the system counts in steps of 10 ms."""


class IdleWait:
    """What other programs do before starts from off, over one session.

    The session's first start does not wait and is not judged: something is to move right after Enter.
    """

    def __init__(self, context: RunContext, *, first_is_over: bool = False, cores: int | None = None) -> None:
        """Begins with the whole of the session's waiting time.

        Args:
            context: has the eye on the machine.
            first_is_over: the session had its first start from off already.
            cores: logical cores of this machine; asked for where it is not given.
        """
        self._context = context
        self._first_is_over = first_is_over
        self._cores = cores or os.cpu_count() or 1
        self._left_s = SESSION_LIMIT_S
        self._judged = False

    @property
    def most_cores(self) -> float:
        """Cores that others may keep busy in a quiet machine."""
        return max(BUSY_CORES, BUSY_SHARE * self._cores)

    async def wait(self, *, local: bool | None) -> None:
        """Waits until others are quiet, or has waited long enough. Called when the memory has just been emptied.

        Args:
            local: whether the model's server is on this machine; what others do elsewhere cannot be seen.
        """
        self._judged = self._first_is_over and local is not False
        self._first_is_over = True
        if not self._judged:
            return
        # What the unloaded model's process used until now is not others' doing.
        self._context.watch.count_others_from_now()
        if self._context.watch.others_cores() is None:
            return
        began_s = time.monotonic()
        limit_s = min(self._context.plan.options.quiet_wait_s, self._left_s)
        told = False
        while True:
            await asyncio.sleep(_LOOK_S)
            others = self._context.watch.others_cores()
            waited_s = time.monotonic() - began_s
            if others is None or others <= self.most_cores or waited_s >= limit_s:
                break
            if not told:
                told = True
                self._context.phase("waiting", step="waiting_for_others")  # of no trial: nothing loads yet
        self._left_s -= max(0.0, waited_s - _LOOK_S)

    def flag(self, figures: MachineFigures) -> Flag | None:
        """Gives the flag of a start from off before which others were not quiet.

        Args:
            figures: of the start whose waiting was the last.
        """
        others = figures.others_cores_before
        if not self._judged or others is None or others <= self.most_cores:
            return None
        return Flag("noisy_start", Evidence(code="noisy_start", args={"others": others, "cores": self._cores}))

    def busy(self, figures: MachineFigures) -> Flag | None:
        """Return the flag of a trial during which others were not quiet; None also where that is not known."""
        others = figures.others_cores
        if others is None or others <= self.most_cores:
            return None
        return Flag("busy", Evidence(code="busy", args={"others": others, "cores": self._cores}))
