"""CPU time of screen and engine while text arrives, compared with a naive app that shows the same."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil

from benchmarks.programs import cpu_s, engine_of, folder, on_screen, server_of, settings_for, steady
from benchmarks.rows import Benchmark, Row, spread
from llmtui.selftest.screen import Screen
from llmtui.simulator import RunningSimulator, running_simulator

RATE_TPS = 50.0
RUNS = 5
SECONDS = 20.0
SETTLE_S = 2.0
"""Seconds of text before the measurement begins, so that the start of an answer does not count."""
ALL_BAR = 0.10
ENGINE_BAR = 0.02
NAIVE_BAR = 1 / 3
MODEL = "steady:1b"
START_LIMIT_S = 30.0


@dataclass(frozen=True)
class Shares:
    """CPU time as a share of one core."""

    screen: float
    engine: float


def measure(quick: bool) -> Iterable[Row]:
    seconds = 5.0 if quick else SECONDS
    ours: list[Shares] = []
    naive: list[float] = []
    tokens = round(RATE_TPS * (seconds + SETTLE_S + 2.0))
    for _ in range(1 if quick else RUNS):
        with running_simulator(server_of(steady(RATE_TPS, 10**6, name=MODEL))) as server:
            ours.append(_ours(server, tokens, seconds))
            naive.append(_naive(server, tokens, seconds))
    whole = [one.screen + one.engine for one in ours]
    engine = [one.engine for one in ours]
    yield Row(
        f"CPU time of screens and engine at {RATE_TPS:.0f} tok/s, with all panes shown, median of {len(ours)} runs",
        f"{_percent(whole)} of a core (screens {_percent([one.screen for one in ours])})",
        f"≤ {100 * ALL_BAR:.0f} %",
        median(whole) <= ALL_BAR,
    )
    yield Row(
        "of this, the engine with its sensors", f"{_percent(engine)} of a core", f"≤ {100 * ENGINE_BAR:.0f} %",
        median(engine) <= ENGINE_BAR,
    )  # fmt: skip
    share = median(whole) / median(naive)
    yield Row(
        "CPU time of screens and engine ÷ that of a naive app (Markdown at every token, two plots at 2 Hz)",
        f"{share:.2f} (the naive app: {_percent(naive)} of a core)",
        "≤ 1/3",
        share <= NAIVE_BAR,
    )


def _ours(server: RunningSimulator, tokens: int, seconds: float) -> Shares:
    with folder() as where, on_screen(where, settings_for(server.url, trials=1, tokens=tokens), trials=1) as run:
        run.begin()
        _until_warm_text(server)
        processes = [psutil.Process(run.screen.pid), engine_of(run.screen.pid)]
        screen, engine = _shares(processes, seconds)
        run.screen.kill()
    return Shares(screen=screen, engine=engine)


def _naive(server: RunningSimulator, tokens: int, seconds: float) -> float:
    command = [sys.executable, "-m", "benchmarks.naive_app", server.url, MODEL, str(tokens)]
    asked = len(server.answers())
    root = Path(__file__).parents[1]
    with closing(Screen(command, folder=root, settings={})) as screen:
        _until(lambda: len(server.answers()) > asked and len(server.answers()[-1].texts) > RATE_TPS * SETTLE_S)
        (share,) = _shares([psutil.Process(screen.pid)], seconds)
    return share


def _until_warm_text(server: RunningSimulator) -> None:
    """Wait until the cold start is over and the answer to the warm prompt has been arriving for a while."""
    _until(lambda: len(server.answers()) > 1 and len(server.answers()[-1].texts) > RATE_TPS * SETTLE_S)


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while not holds():
        if time.monotonic() > deadline:
            raise RuntimeError("the text did not come")
        time.sleep(0.2)


def _shares(processes: list[psutil.Process], seconds: float) -> list[float]:
    before = [cpu_s(process) for process in processes]
    began_s = time.perf_counter()
    time.sleep(seconds)
    after = [cpu_s(process) for process in processes]
    lasted_s = time.perf_counter() - began_s
    return [((later or 0.0) - (earlier or 0.0)) / lasted_s for earlier, later in zip(before, after, strict=True)]


def _percent(shares: list[float]) -> str:
    return f"{spread([100 * share for share in shares], 1)} %"


BENCHMARK = Benchmark("cpu", "CPU time while text arrives", measure)
