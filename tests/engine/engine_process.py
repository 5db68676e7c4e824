"""The real engine process, held by a test instead of by llmtui."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from llmtui.core.commands import Command, SetServer, StartPlan
from llmtui.core.events import (
    Event,
    ModelsListed,
    SessionFinished,
    SessionOpened,
    TrialFinished,
    decode_event,
    encode,
)
from llmtui.core.plan import Contender, Model, Plan, PlanOptions, Variant
from llmtui.store.journal import read_events
from llmtui.store.session_folder import JOURNAL
from tests.core.made import prompt
from tests.engine.waiting import wait_until

E = TypeVar("E")


class Engine:
    """A running engine; a thread reads its lines until ``stop_reading`` is called."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self.log = log
        self.lines: list[bytes] = []
        self._reading = threading.Event()
        self._reading.set()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        rest = b""
        while True:
            self._reading.wait()
            data = os.read(self.process.stdout.fileno(), 1 << 16)
            if not data:
                break
            *lines, rest = (rest + data).split(b"\n")
            self.lines.extend(lines)
        if rest:
            self.lines.append(rest)

    def stop_reading(self) -> None:
        """One more read may happen: the thread may be in it."""
        self._reading.clear()

    def read_on(self) -> None:
        self._reading.set()

    @property
    def events(self) -> list[Event]:
        return [decode_event(line) for line in list(self.lines)]

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def wait_for(self, kind: type[E], *, within_s: float = 60.0) -> E:
        wait_until(lambda: bool(self.of(kind)), within_s=within_s)
        return self.of(kind)[0]

    def send(self, command: Command) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(encode(command))
        self.process.stdin.flush()

    def end_of_commands(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def ended_within(self, limit_s: float) -> float:
        """Wait for the end; return the time that it took."""
        began_s = time.monotonic()
        self.process.wait(limit_s)
        self._thread.join(5)
        return time.monotonic() - began_s

    def folder(self) -> Path:
        return Path(self.wait_for(SessionOpened).folder)

    def journal(self) -> list[Event]:
        return list(read_events(self.folder() / JOURNAL))

    def finished_session(self, *, within_s: float = 60.0) -> SessionFinished:
        return self.wait_for(SessionFinished, within_s=within_s)

    def rows(self) -> list[TrialFinished]:
        return self.of(TrialFinished)


@contextmanager
def running_engine(
    tmp_path: Path, *, environment: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Iterator[Engine]:
    log = tmp_path / "engine.log"
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "llmtui.engine", "--log", str(log)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
    )
    engine = Engine(process, log)
    try:
        yield engine
    finally:
        engine.read_on()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def models_of(engine: Engine, address: str) -> dict[str, Model]:
    engine.send(SetServer(address=address))
    listed = engine.wait_for(ModelsListed)
    return {entry.model.name: entry.model for entry in listed.models}


def plan_for(
    address: str, *models: Model, categories: tuple[str, ...] = ("creativity", "coding"), **changes: Any
) -> Plan:
    variant = Variant(**{name: changes.pop(name) for name in Variant.__struct_fields__ if name in changes})
    fields: dict[str, Any] = {
        "preset": "quick",
        "server": address,
        "contenders": tuple(Contender(model=model, variant=variant, label=model.name) for model in models),
        "prompts": tuple(prompt(name) for name in categories),
        "cold_text": "Explain in detail how a lighthouse works. " * 10,
        "follow_up_text": "And why?",
        "seed": 11,
    }
    options = {name: changes.pop(name) for name in PlanOptions.__struct_fields__ if name in changes}
    return Plan(
        **{
            **fields,
            **changes,
            "options": msgspec.structs.replace(PlanOptions(quiet_wait_s=0, server_wait_s=0), **options),
        }
    )


def start(engine: Engine, plan: Plan, results: Path) -> None:
    engine.send(StartPlan(plan=plan, results_dir=str(results)))
