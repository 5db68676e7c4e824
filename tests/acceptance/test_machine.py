"""Another program takes memory and a core: the machine's samples and the plot show it at once."""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple

import psutil
import pytest

from llmtui.simulator import Script, ScriptedAnswer, SimulatedModel
from llmtui.simulator.process import running_simulator
from tests.acceptance.program import Home, rows_of, say, start
from tests.terminal import Terminal, needs_tmux, wait_until

TAKEN_BYTES = 500_000_000
SAMPLES_WITHIN_S = 1.0
PLOT_WITHIN_S = 2.0
SEEN_SHARE = 0.7
"""Share of the memory, or of the core, that must be seen: other programs start and end meanwhile."""

FREE_CORE_WAIT_S = 15.0

TAKER = f"""
import sys, time
sys.stdin.readline()
taken = bytearray({TAKEN_BYTES})
taken[::4096] = b"x" * len(taken[::4096])
print(time.time(), flush=True)
while True:
    pass
"""


class Seen(NamedTuple):
    """Seconds from the logged time until it was seen; None: it was not."""

    memory_in_samples_s: float | None
    core_in_samples_s: float | None
    memory_on_screen_s: float | None

    def too_late(self) -> bool:
        """Whether any of it took longer than it may."""
        samples = (self.memory_in_samples_s, self.core_in_samples_s)
        late = any(took_s is None or took_s > SAMPLES_WITHIN_S for took_s in samples)
        return late or self.memory_on_screen_s is None or self.memory_on_screen_s > PLOT_WITHIN_S


@needs_tmux
@pytest.mark.slow
@pytest.mark.timed
def test_another_programs_memory_and_core_are_seen(home: Home) -> None:
    model = SimulatedModel(name="slow:1b", load_s=0.1, decode_tps=8.0, answers=(ScriptedAnswer(tokens=2000),))
    with running_simulator(Script(models=(model,))) as server:
        env = {"LLMTUI_NUM_PREDICT": "1000"}
        with home.screens("--host", server.url, env=env) as screen:
            start(screen)
            wait_until(lambda: len(_samples(home)) >= 8, timeout_s=30, what="four seconds of samples")
            seen = take(home, screen)
            if seen.too_late():
                say(f"once: {seen}")
                time.sleep(3)
                seen = take(home, screen)
            say(str(seen))
            screen.press("C-c")
            screen.wait_for_exit()
    assert not seen.too_late(), seen


def take(home: Home, screen: Terminal) -> Seen:
    """Let a helper use memory and a core; return the time until that was seen."""
    before = wait_for_a_free_core(home)
    available_bytes = statistics.median(float(row["available_bytes"]) for row in before)
    busy_cores = statistics.median(float(row["cores_busy"]) for row in before)
    room = (psutil.cpu_count() or 1) - busy_cores
    used_gb = _used_gb(screen)
    with taker() as took_at:
        on_screen_s: float | None = None
        while time.time() < took_at + PLOT_WITHIN_S + 0.5:
            if on_screen_s is None and _used_gb(screen) - used_gb >= SEEN_SHARE * TAKEN_BYTES / 1e9:
                on_screen_s = time.time() - took_at
            time.sleep(0.05)
    after = [(_utc_s(row) - took_at, row) for row in _samples(home) if _utc_s(row) >= took_at]
    return Seen(
        _first(after, "available_bytes", at_most=available_bytes - SEEN_SHARE * TAKEN_BYTES),
        _first(after, "cores_busy", at_least=busy_cores + SEEN_SHARE * min(1.0, room)),
        on_screen_s,
    )


def wait_for_a_free_core(home: Home) -> list[dict[str, str]]:
    """Return the last four samples with a free core; after a while also those of a machine without one.

    On such a machine, taking a core from others makes it no busier than it was.
    """
    deadline = time.monotonic() + FREE_CORE_WAIT_S
    while True:
        before = _samples(home)[-4:]
        busy = max(float(row["cores_busy"]) for row in before)
        if busy < (psutil.cpu_count() or 1) - SEEN_SHARE:
            return before
        if time.monotonic() > deadline:
            say(f"no core was free: {busy:.1f} busy")
            return before
        time.sleep(0.5)


@contextmanager
def taker() -> Iterator[float]:
    """Run a program that holds memory and keeps a core busy; yield the time from which it does."""
    helper = subprocess.Popen([sys.executable, "-c", TAKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert helper.stdin is not None
    assert helper.stdout is not None
    try:
        helper.stdin.write("\n")
        helper.stdin.flush()
        yield float(helper.stdout.readline())
    finally:
        helper.kill()
        helper.communicate()


def _samples(home: Home) -> list[dict[str, str]]:
    file = home.sessions()[-1] / "samples.csv" if home.sessions() else None
    return rows_of(file) if file is not None and file.exists() else []


def _utc_s(row: dict[str, str]) -> float:
    return datetime.fromisoformat(row["utc"]).timestamp()


def _first(
    after: list[tuple[float, dict[str, str]]], column: str, *, at_most: float = float("inf"), at_least: float = 0.0
) -> float | None:
    return next((at_s for at_s, row in after if at_least <= float(row[column]) <= at_most), None)


def _used_gb(screen: Terminal) -> float:
    """What the plot's legend says."""
    found = re.search(r"([\d.]+) of \d+ GB", screen.wait_for("RAM "))
    assert found is not None
    return float(found.group(1))
