"""Cost of a token: llmtui's own CPU time with a screen and without, and a real model's speed in both cases."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from benchmarks.programs import folder, on_screen, own_cpu_s, settings_for, watched, without_screen
from benchmarks.rows import Benchmark, Row, spread
from llmtui.core.events import SessionEvent, TrialFinished
from llmtui.core.stats import t_interval

MODEL = "synthetic-114M"
TURNS = 10
TESTS = 4
TOKENS = 128
WARM_UP = 1
"""Number of answers at the start of each session that are not compared."""
UPPER_BAR = 0.99


@dataclass(frozen=True)
class Run:
    """The figures of one session: decode speed, and llmtui's CPU seconds per 1,000 tokens."""

    tps: float
    cpu_s_per_1000: float


def measure(quick: bool) -> Iterable[Row]:
    if find_spec("xllamacpp") is None:
        yield Row(f"{MODEL} with the screens and without", "left out: the built-in server is not installed")
        return
    with folder() as cache:
        _run(cache, with_screen=False)  # makes the model
        turns = [
            [_run(cache, with_screen=drawn) for drawn in (True, False, False, True)]
            for _ in range(2 if quick else TURNS)
        ]
    drawn = [run for turn in turns for run in (turn[0], turn[3])]
    plain = [run for turn in turns for run in (turn[1], turn[2])]
    for words, runs in (("with the screens", drawn), ("without the screens", plain)):
        yield Row(
            f"CPU time of llmtui per 1,000 tokens {words}, {MODEL}",
            f"{spread([run.cpu_s_per_1000 for run in runs])} s (at {spread([run.tps for run in runs], 0)} tok/s)",
        )
    found = t_interval([(math.log(a.tps / b.tps) + math.log(d.tps / c.tps)) / 2 for a, b, c, d in turns])
    low, middle, high = math.exp(found.low), math.exp(found.mean), math.exp(found.high)
    yield Row(
        f"decode speed of {MODEL}, with the screens ÷ without, {len(turns)} turns of four alternating sessions",
        f"{middle:.3f} [{low:.3f}, {high:.3f}]",
        f"upper end ≥ {UPPER_BAR}",
        high >= UPPER_BAR,
    )


def _run(cache: Path, *, with_screen: bool) -> Run:
    """Run one session in the home folder ``cache``, which has the model.

    Only the warm answers after the first count, including the time between them.
    """
    trials = WARM_UP + TESTS
    settings = settings_for("builtin", trials=trials, tokens=TOKENS, models=[f"builtin:{MODEL}"])
    looks: list[float] = []

    def look(event: SessionEvent) -> None:
        if isinstance(event, TrialFinished) and event.trial.kind == "warm":
            looks.append(own_cpu_s(run.screen.pid))

    shutil.rmtree(cache / "results", ignore_errors=True)
    start = on_screen if with_screen else without_screen
    with start(cache, settings, trials=trials) as run:
        session = watched(run, look)
        if with_screen:
            run.screen.quit()
    warm = [row.figures for row in session.rows if row.trial.kind == "warm"][WARM_UP:]
    names = [contender.model.name for contender in session.plan.contenders]
    if names != [MODEL]:
        raise RuntimeError(f"other models ran: {names}")
    return Run(
        tps=sum(one.decode_steps or 0 for one in warm) / sum(one.decode_s or 0.0 for one in warm),
        cpu_s_per_1000=1000 * (looks[-1] - looks[WARM_UP - 1]) / sum(one.tokens or 0 for one in warm),
    )


BENCHMARK = Benchmark("token", "What a token costs", measure)
