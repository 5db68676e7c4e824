"""The wait before a cold start until other programs leave the CPU idle. Rules: docs/method.md, "Flags"."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Final

from llmtui.core.records import Evidence, MachineFigures
from llmtui.engine.context import RunContext
from llmtui.engine.control import Control
from llmtui.engine.judging import Flag

SESSION_LIMIT_S: Final = 30.0
BUSY_CORES: Final = 0.5
BUSY_SHARE: Final = 0.10
"""Fraction of all cores above which other programs count as busy."""
_OBSERVED_S: Final = 0.3
"""Shortest time in seconds over which other programs are observed, since the system counts CPU time in steps of
10 ms.
"""


class IdleWait:
    """For one session, waits for idle cores before cold starts, and flags trials during which other programs were busy.

    The session's first cold start neither waits nor is flagged, because a run should start at once after Enter.
    """

    def __init__(
        self,
        context: RunContext,
        *,
        first_is_over: bool = False,
        cores: int | None = None,
        control: Control | None = None,
    ) -> None:
        """Start with all of the waiting time that a session may use.

        Args:
            context: has the sampler.
            first_is_over: whether the session has already had its first cold start.
            cores: number of logical cores; None: those of this machine.
            control: says whether the user wants no further waiting.
        """
        self._context = context
        self._first_is_over = first_is_over
        self._cores = cores or os.cpu_count() or 1
        self._control = control or Control()
        self._left_s = SESSION_LIMIT_S
        self._judged = False

    @property
    def most_cores(self) -> float:
        """The number of cores that other programs may keep busy on a machine that counts as idle."""
        return max(BUSY_CORES, BUSY_SHARE * self._cores)

    async def wait(self, *, local: bool | None) -> None:
        """Wait until other programs are idle or the time is up.

        To be called right after the server's memory was emptied.

        Args:
            local: whether the server is on this machine, since programs elsewhere are not visible.
        """
        self._judged = self._first_is_over and local is not False
        self._first_is_over = True
        if not self._judged:
            return
        # The unloaded model's process does not count as another program.
        self._context.watch.count_others_from_now()
        if self._context.watch.others_cores() is None:
            return
        began_s = time.monotonic()
        limit_s = min(self._context.plan.options.quiet_wait_s, self._left_s)
        told = False
        self._control.start_now = False
        while True:
            await asyncio.sleep(_OBSERVED_S)
            others = self._context.watch.others_cores()
            waited_s = time.monotonic() - began_s
            if others is None or others <= self.most_cores or waited_s >= limit_s or self._control.start_now:
                break
            if not told:
                told = True
                self._context.phase("waiting", step="waiting_for_others")  # belongs to no trial: nothing is loading yet
        self._left_s -= max(0.0, waited_s - _OBSERVED_S)

    def flag(self, figures: MachineFigures) -> Flag | None:
        """Return the flag for a cold start if other programs were busy before it; None if not, or if it is not known.

        Args:
            figures: machine figures of the cold start that followed the last wait.
        """
        others = figures.others_cores_before
        if not self._judged or others is None or others <= self.most_cores:
            return None
        return Flag("noisy_start", Evidence(code="noisy_start", args={"others": others, "cores": self._cores}))

    def busy(self, figures: MachineFigures) -> Flag | None:
        """Return the flag for a trial if other programs were busy during it; None if not, or if it is not known."""
        others = figures.others_cores
        if others is None or others <= self.most_cores:
            return None
        return Flag("busy", Evidence(code="busy", args={"others": others, "cores": self._cores}))
