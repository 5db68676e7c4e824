"""Outage of a server: it is tried again a few times at growing intervals, then given up for the rest of the run."""

from __future__ import annotations

import asyncio
from typing import Final

from llmtui.backends.base import Backend, BackendFailed
from llmtui.core.codes import GONE
from llmtui.core.records import Problem
from llmtui.engine.context import RunContext

BACK_OFF_S: Final = (0.1, 0.2, 0.4, 0.8, 1.6)
"""Delays before each new attempt to reach a server that did not answer."""
_SILENT_TRIES: Final = 2
"""Each attempt takes seconds of waiting."""


class Outage:
    """The state of one server's outage."""

    def __init__(self, context: RunContext, backend: Backend) -> None:
        self._context = context
        self._backend = backend
        self._tries = 0
        self.gave_up = False
        """No more requests are sent to this server in this run."""

    def report(self, problem: Problem) -> None:
        """Record a failed request's problem, which may mean that the server is gone."""
        if problem.code in GONE:
            self._context.absent.setdefault(self._backend.kind, problem)

    async def check(self) -> None:
        """Return if the server is there as far as is known; ask it if it was gone last time.

        Raises:
            BackendFailed: it is still gone.
        """
        problem = self._context.absent.get(self._backend.kind)
        if problem is None:
            self._tries = 0
            return
        if self.gave_up:
            raise BackendFailed(problem)
        await asyncio.sleep(BACK_OFF_S[self._tries])
        try:
            await self._context.ask_info(self._backend)
        except BackendFailed as failed:
            self._tries += 1
            is_slow = failed.problem.code in ("silent", "no_connection")
            if self._tries >= (_SILENT_TRIES if is_slow else len(BACK_OFF_S)):
                self._give_up(failed.problem)
            raise
        self._tries = 0

    def _give_up(self, problem: Problem) -> None:
        self.gave_up = True
        self._context.note("error", Problem(code="gave_up", args={"tries": self._tries}, cause=problem))
