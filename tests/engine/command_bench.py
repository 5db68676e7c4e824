"""A command runner with a server behind it, for tests of what commands do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from llmtui.backends.base import BackendFailed
from llmtui.core.commands import Command, StartPlan
from llmtui.core.events import CommandFailed, Event, decode_event
from llmtui.core.plan import Plan, PlanOptions
from llmtui.core.records import Problem
from llmtui.engine.commands import CommandRunner
from llmtui.engine.outbox import Outbox, Stream
from llmtui.engine.recorder import Recorder
from llmtui.engine.servers import Servers
from tests.core.made import plan
from tests.engine.fake_server import FakeServer, Words, resident
from tests.engine.waiting import until

AT_ONCE = PlanOptions(quiet_wait_s=0, server_wait_s=0)
"""Other programs are busy on a machine that runs tests."""


class Heard(Outbox):
    """An outbox that remembers what passes."""

    def __init__(self) -> None:
        self._null = os.open(os.devnull, os.O_WRONLY)
        super().__init__(self._null)
        self.events: list[Event] = []

    def put(self, line: bytes, stream: Stream = "facts") -> None:
        self.events.append(decode_event(line))
        super().put(line, stream)


class CommandBench:
    """A runner with a server behind it."""

    def __init__(self, results: Path) -> None:
        self.heard = Heard()
        self.server = FakeServer(memory=[resident("qwen")])
        self.opened: list[tuple[str, str]] = []
        self.results = results
        self.recorder = Recorder(self.heard)
        self.runner = CommandRunner(self.recorder, Servers(self._open))

    def _open(self, kind: str, address: str, access: object = None) -> Any:
        self.opened.append((kind, address))
        if address == "nonsense":
            raise BackendFailed(Problem(code="bad_address", what="That is no address."))
        return FakeServer() if address == "elsewhere" else self.server

    def take(self, *commands: Command) -> None:
        for command in commands:
            self.runner.take(command)

    def start(self, of: Plan) -> None:
        self.take(StartPlan(plan=of, results_dir=str(self.results)))

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.heard.events if isinstance(event, kind)]

    async def wait_for(self, kind: type[Any], count: int = 1) -> Any:
        await until(lambda: len(self.of(kind)) >= count)
        return self.of(kind)[count - 1]

    async def failure(self, command: str) -> Problem:
        await until(lambda: any(failed.command == command for failed in self.of(CommandFailed)))
        problem: Problem = next(failed.problem for failed in self.of(CommandFailed) if failed.command == command)
        return problem


def short(*names: str, **changes: Any) -> Plan:
    """Return one round of cold starts without an idle wait."""
    fields: dict[str, Any] = {"rounds": 1, "max_rounds": 1, "kinds": ("cold",), "options": AT_ONCE, **changes}
    return plan(*names or ("llama3",), **fields)


def slow(bench: CommandBench) -> None:
    bench.server.answers = lambda _request, _number: Words("word " * 400, pause_s=0.02)
