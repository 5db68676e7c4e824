"""Cost of single parts of the program, measured by pytest-benchmark in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec

from benchmarks.programs import folder
from benchmarks.rows import Benchmark, Row
from llmtui.selftest.screen import own_environment

PARTS = Path(__file__).with_name("test_parts.py")
LAZY = {"pandas": "pandas", "plotext": "plotext", "the command line": "typer", "HTTP": "httpx"}
"""Name for the page → module that must not be imported before the first screen is drawn."""
FIRST_PAINT = """
import json, sys
from llmtui.cli.startup import load_startup
from llmtui.cli.services import Services
from llmtui.tui.app import LlmtuiApp

class Painted(LlmtuiApp):
    async def begin(self) -> None:
        sys.__stdout__.write(json.dumps(list(sys.modules)))
        self.exit()

Painted(Services(load_startup({}))).run(headless=True, size=(140, 40))
"""


class _Stats(msgspec.Struct):
    median: float
    min: float
    max: float


class _Part(msgspec.Struct):
    stats: _Stats
    extra_info: dict[str, str | int]


class _PullLine(msgspec.Struct):
    benchmarks: list[_Part]


def measure(quick: bool) -> Iterable[Row]:
    """Yield the results of pytest-benchmark, and the number of modules imported before the first screen is drawn.

    ``quick`` has no effect.
    """
    with folder() as where:
        told = where / "parts.json"
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            f"--benchmark-json={told}",
            str(PARTS),
        ]
        subprocess.run(command, check=True, cwd=PARTS.parents[1], stdout=subprocess.DEVNULL)
        parts = msgspec.json.decode(told.read_bytes(), type=_PullLine).benchmarks
    for part in parts:
        each_us = [
            1e6 * value / int(part.extra_info["parts"]) for value in (part.stats.median, part.stats.min, part.stats.max)
        ]
        yield Row(str(part.extra_info["what"]), _time_words(*each_us))
    yield _imports()


def _imports() -> Row:
    with folder() as where:
        command = [sys.executable, "-P", "-c", FIRST_PAINT]
        run = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=own_environment(where, {}))
    modules = json.loads(run.stdout)
    present = [words for words, name in LAZY.items() if name in modules]
    return Row(
        f"modules imported before the first screen is drawn; without {', '.join(LAZY)}",
        f"{len(modules)}" + (f", among them {', '.join(present)}" if present else ""),
        "none of these",
        not present,
    )


def _time_words(middle_us: float, low_us: float, high_us: float) -> str:
    unit, factor = ("ms", 1000.0) if middle_us >= 1000 else ("µs", 1.0)
    return f"{middle_us / factor:.1f} {unit} ({low_us / factor:.1f}–{high_us / factor:.1f})"


BENCHMARK = Benchmark("parts", "CPU time of single parts", measure)
