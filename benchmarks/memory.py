"""Memory used by the screens, by the whole program, and after a million tokens."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterable

import psutil

from benchmarks.programs import engine_of, folder, on_screen, server_of, settings_for, steady, watched
from benchmarks.rows import Benchmark, Row
from llmtui.simulator import running_simulator

SCREEN_BAR_MB = 75.0
PROGRAM_BAR_MB = 160.0
GROWTH_BAR_MB = 10.0
TOKENS = 1_000_000
TESTS = 8
F4 = "\x1bOS"


def measure(quick: bool) -> Iterable[Row]:
    yield from _after_a_run()
    yield _growth(100_000 if quick else TOKENS)


def _after_a_run() -> Iterable[Row]:
    with (
        running_simulator(server_of(steady(200.0, 200), steady(150.0, 200, name="other:1b"))) as server,
        folder() as where,
    ):
        settings = settings_for(server.url, trials=TESTS, tokens=200)
        with on_screen(where, settings, trials=TESTS) as run:
            watched(run)
            run.screen.press(F4)  # the Results screen, in addition to the Live screen
            time.sleep(3)
            screen, engine = psutil.Process(run.screen.pid), engine_of(run.screen.pid)
            screen_mb, engine_mb = (process.memory_info().rss / 1e6 for process in (screen, engine))
            run.screen.quit()
    yield Row(
        "memory of the screens' process after a run, with all screens opened",
        f"{screen_mb:.0f} MB",
        f"≤ {SCREEN_BAR_MB:.0f} MB",
        screen_mb <= SCREEN_BAR_MB,
    )
    yield Row(
        "memory of the whole program: screens and engine",
        f"{screen_mb + engine_mb:.0f} MB (engine {engine_mb:.0f} MB)",
        f"≤ {PROGRAM_BAR_MB:.0f} MB",
        screen_mb + engine_mb <= PROGRAM_BAR_MB,
    )


def _growth(tokens: int) -> Row:
    command = [sys.executable, "-m", "benchmarks.million", str(tokens)]
    told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    grown_mb = (told["all_bytes"] - told["tenth_bytes"]) / 0.9 / 1e6
    return Row(
        f"growth of the screens' process over {tokens:,} tokens in {told['rows']} trials",
        f"{grown_mb:.1f} MB ({told['all_bytes'] / 1e6:.0f} MB at the end)",
        f"≤ {GROWTH_BAR_MB:.0f} MB",
        grown_mb <= GROWTH_BAR_MB,
    )


BENCHMARK = Benchmark("memory", "Memory", measure)
