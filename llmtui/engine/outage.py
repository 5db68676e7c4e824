"""A server that does not respond: llmtui waits for a while, then treats it as gone for the rest of the run."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from llmtui.backends.base import Backend, BackendFailed
from llmtui.core.codes import GONE
from llmtui.core.records import Problem
from llmtui.engine.context import RunContext

PAUSES_S: Final = (0.1, 0.2, 0.4, 0.8, 1.6)
"""Pauses in seconds before each attempt to reach the server; the last one is repeated."""


class Outage:
    """Whether one server is gone, and the wait for its return."""

    def __init__(self, context: RunContext, backend: Backend) -> None:
        self._context = context
        self._backend = backend
        self.gave_up = False
        """Whether no more requests are sent to this server in this run."""

    def report(self, problem: Problem) -> None:
        """Process the problem of a failed request, which may mean that the server is gone."""
        if problem.code in GONE:
            self._context.absent.setdefault(self._backend.kind, problem)

    async def check(self) -> bool:
        """If the server is gone, wait until it responds again.

        Returns:
            Whether it was gone and came back. False at once if no request has failed since it last responded.

        Raises:
            BackendFailed: it did not come back within ``server_wait_s`` of the plan's options.
        """
        problem = self._context.absent.get(self._backend.kind)
        if problem is None:
            return False
        if self.gave_up:
            raise BackendFailed(problem)
        return await self._wait(problem)

    async def _wait(self, problem: Problem) -> bool:
        limit_s, began_s, tries = self._context.plan.options.server_wait_s, time.monotonic(), 0
        while True:
            await asyncio.sleep(PAUSES_S[min(tries, len(PAUSES_S) - 1)])
            try:
                await self._context.ask_info(self._backend)
            except BackendFailed as failed:
                problem = failed.problem
            else:
                break
            tries += 1
            if time.monotonic() - began_s >= limit_s:
                self._give_up(problem, tries)
                raise BackendFailed(problem)
            if tries == 1:
                self._context.note(
                    "warning", Problem(code="server_waited_for", args={"seconds": limit_s}, cause=problem)
                )
                self._context.phase("waiting", step="waiting_for_server")
        if tries:
            seconds = round(time.monotonic() - began_s, 1)
            self._context.note("info", Problem(code="server_back", args={"seconds": seconds}))
        return tries > 0

    def _give_up(self, problem: Problem, tries: int) -> None:
        self.gave_up = True
        self._context.note("error", Problem(code="gave_up", args={"tries": tries}, cause=problem))
