"""A server that is gone: asked again a few times, more and more rarely, then given up for the rest of the run."""

from __future__ import annotations

import asyncio
from typing import Final

from llmtui.backends.base import Backend, BackendFailed
from llmtui.core.codes import GONE
from llmtui.core.records import Problem
from llmtui.engine.context import RunContext

BACK_OFF_S: Final = (0.1, 0.2, 0.4, 0.8, 1.6)
"""Before each time that a server which was gone is asked again."""
_SILENT_TRIES: Final = 2
"""Each costs seconds of waiting."""


class Outage:
    """What is known of one server's absence."""

    def __init__(self, context: RunContext, backend: Backend) -> None:
        self._context = context
        self._backend = backend
        self._tries = 0
        self.gave_up = False
        """Nothing more is asked of this server in this run."""

    def report(self, problem: Problem) -> None:
        """Takes a failed request's problem, which may speak of a server that is gone."""
        if problem.code in GONE:
            self._context.absent.setdefault(self._backend.kind, problem)

    async def check(self) -> None:
        """Lets a trial pass if the server is there, as far as is known; asks it if it was last found gone.

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
