"""Time from starting the program to its first screen, and from q to its end, compared with an empty Textual app."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from statistics import median
from threading import Event

from benchmarks.programs import console_script, folder, on_screen, python, server_of, settings_for, steady, watched
from benchmarks.rows import Benchmark, Row, ratio, spread
from llmtui.selftest.screen import Screen, program
from llmtui.simulator import running_simulator

RUNS = 15
PAINT_BAR = 1.35
QUIT_BAR_MS = 250.0
VERSION_BAR_MS = 100.0
WHERE_PASS_TAKES_MS = 20.0
PAINTED = b"Prompts"
"""Text that is on the first screen and on that of the empty app."""
LIMIT_S = 30.0
EMPTY = """
from textual.app import App
from textual.widgets import Static
class Empty(App):
    BINDINGS = [("q", "quit", "Quit")]
    def compose(self):
        yield Static("Prompts")
Empty().run()
"""


class Painted:
    """Records when the expected text is drawn."""

    def __init__(self) -> None:
        self.at_ns = 0
        self._there = Event()
        self._tail = b""

    def __call__(self, at_ns: int, data: bytes) -> None:
        if not self._there.is_set() and PAINTED in self._tail + data:
            self.at_ns = at_ns
            self._there.set()
        self._tail = data[-len(PAINTED) :]

    def wait(self) -> None:
        if not self._there.wait(LIMIT_S):
            raise RuntimeError(f"{PAINTED!r} was not painted")


def measure(quick: bool) -> Iterable[Row]:
    runs = 3 if quick else RUNS
    yield _version(runs)
    empty, ours = [], []
    quits: dict[str, list[float]] = {"empty": [], "in Setup": [], "after a run": []}
    with running_simulator(server_of(steady(200.0, 20))) as server:
        settings = settings_for(server.url, trials=1, tokens=20)
        for _ in range(runs):
            empty.append(_start_and_quit((sys.executable, "-P", "-c", EMPTY), {}, quits["empty"]))
            ours.append(_start_and_quit(program(), settings, quits["in Setup"]))
            quits["after a run"].append(_quit_after_a_run(settings))
    share = ratio(ours, empty)
    yield Row(
        f"time to the first screen ÷ that of an empty Textual app, {runs} runs each",
        f"{share:.2f} ({spread(ours, 0)} ms; empty {spread(empty, 0)} ms)",
        f"≤ {PAINT_BAR}",
        share <= PAINT_BAR,
    )
    for name in ("in Setup", "after a run"):
        more = median(quits[name]) - median(quits["empty"])
        yield Row(
            f"time from q to the end of the program, {name}, compared with the empty app, {runs} runs each",
            f"{more:+.0f} ms ({spread(quits[name], 0)} ms; empty {spread(quits['empty'], 0)} ms)",
            f"≤ +{QUIT_BAR_MS:.0f} ms",
            more <= QUIT_BAR_MS,
        )


def _version(runs: int) -> Row:
    bare, ours = [], []
    command = [*console_script(), "--version"]
    for _ in range(2 * runs):
        bare.append(1000 * python("-c", "pass"))
        began_s = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        ours.append(1000 * (time.perf_counter() - began_s))
    allowed = VERSION_BAR_MS * max(1.0, median(bare) / WHERE_PASS_TAKES_MS)
    return Row(
        f"llmtui --version, compared with python -c pass, {len(ours)} runs each",
        f"{spread(ours, 0)} ms; pass {spread(bare, 0)} ms",
        f"< {VERSION_BAR_MS:.0f} ms if pass takes < {WHERE_PASS_TAKES_MS:.0f} ms (here: < {allowed:.0f} ms)",
        median(ours) < allowed,
    )


def _start_and_quit(command: Sequence[str], settings: dict[str, str], quits: list[float]) -> float:
    painted = Painted()
    with folder() as where, closing(Screen(command, folder=where, settings=settings, seen=painted)) as screen:
        painted.wait()
        time.sleep(1.5)  # until everything that follows the first screen is done
        quits.append(_quit_ms(screen))
        return (painted.at_ns - screen.started_ns) / 1e6


def _quit_after_a_run(settings: dict[str, str]) -> float:
    with folder() as where, on_screen(where, settings, trials=1) as run:
        watched(run)
        time.sleep(0.5)
        return _quit_ms(run.screen)


def _quit_ms(screen: Screen) -> float:
    began_s = time.perf_counter()
    screen.quit()
    return 1000 * (time.perf_counter() - began_s)


BENCHMARK = Benchmark("start", "Start and end", measure)
