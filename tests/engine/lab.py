"""An experiment with everything around it, for tests of what it does."""

from __future__ import annotations

import asyncio
from typing import Any

from llmtui.backends.base import ChatRequest
from llmtui.core.events import TrialFinished
from llmtui.core.plan import Plan
from llmtui.core.session import Session, fold
from llmtui.engine.context import RunContext
from llmtui.engine.experiment import Experiment, How
from tests.core.made import plan, started
from tests.engine.fake_server import FakeServer, FakeWatch, Reported, Words


class Lab:
    """An experiment with everything around it."""

    def __init__(self, of: Plan, server: FakeServer | None = None, *, so_far: Session | None = None) -> None:
        self.plan = of
        self.server = server or FakeServer()
        self.events = Reported()
        self.watch = FakeWatch()
        self.context = RunContext(of, {"ollama": self.server}, emit=self.events.append, watch=self.watch)
        self.experiment = Experiment(self.context, session=self._known, so_far=so_far)

    def session(self) -> Session:
        """What the events say; of a session that is gone on with, what its later events say."""
        made = fold([started(self.plan), *self.events])
        assert made is not None
        return made

    async def _known(self) -> Session:
        return self.session()

    async def run(self) -> How:
        async with asyncio.timeout(30):
            await self.context.ask_info(self.server)
            return await self.experiment.run()

    def start(self) -> asyncio.Task[How]:
        return asyncio.create_task(self.run())

    @property
    def rows(self) -> list[TrialFinished]:
        return self.events.of(TrialFinished)

    def row(self, trial_id: str) -> TrialFinished:
        return next(row for row in self.rows if row.trial.id == trial_id)

    def kinds(self) -> list[tuple[int, str]]:
        return [(row.trial.contender, row.trial.kind) for row in self.rows]


def one_round(*names: str, **changes: Any) -> Plan:
    return plan(*names or ("llama3",), **({"rounds": 1, "max_rounds": 1} | changes))


def is_warm(request: ChatRequest) -> bool:
    return len(request.messages) == 1 and request.num_predict == 128


def slow(server: FakeServer) -> FakeServer:
    server.answers = lambda _request, _number: Words("one two three four five six seven eight", pause_s=0.02)
    return server
