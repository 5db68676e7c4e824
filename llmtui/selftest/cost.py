"""The cost of the screen: a real model's speed, alternately with the screen drawing and with it stopped.

The built-in server runs its small speed-only model in one session of the program. Before some trials the screen is
stopped as by Ctrl+Z, so that the engine measures without it; before others it continues. The order is A B B A (A
stopped, B drawing), so that a machine whose speed changes slowly favours neither.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec

from llmtui.core.events import TrialFinished
from llmtui.core.session import SessionBuilder
from llmtui.core.stats import Interval, t_interval
from llmtui.core.trial_row import TrialRow
from llmtui.selftest.screen import Screen, ScreenFailed, ScreenRun, program
from llmtui.selftest.script import categories, many_prompts

MODEL: Final = "synthetic-24M"
TOKENS: Final = 256
WARM_UP: Final = 1
TURNS: Final = 8
"""Largest number of turns; a turn is four trials, in the order A B B A."""
FEWEST_TURNS: Final = 2
BOUND: Final = 0.02
SESSION_LIMIT_S: Final = 300.0


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """The share of the model's speed that the screen costs, with its 95 % interval."""

    share: float
    low: float
    high: float
    turns: int
    """Number of turns of four trials; each turn is one observation."""
    headless_tps: float
    """Median decode speed without the screen, in tokens per second."""

    @property
    def within_bounds(self) -> bool:
        """Whether the lower end of the interval is within ``BOUND``, so that a higher cost is not proven."""
        return self.low <= BOUND


def measure_cost(folder: Path, *, limit_s: float, progress: Callable[[str], None]) -> Cost | None:
    """Run the built-in model with and without the screen; return what drawing costs: change of speed and CPU time.

    Args:
        folder: an empty folder for all files.
        limit_s: time limit in seconds; a turn of four trials that would exceed it is not started.
        progress: called with each new line of progress.

    Returns:
        The cost; None if there was no time for two turns.

    Raises:
        ScreenFailed: the program did not behave as expected.
    """
    trials = WARM_UP + 4 * TURNS
    prompts = folder / "prompts.toml"
    prompts.write_text(many_prompts(trials), encoding="utf-8")
    results = folder / "results"
    settings = {
        "host": "builtin",
        "models": f"builtin:{MODEL}",
        "preset": "quick",
        "num_predict": str(TOKENS),
        "categories": categories(trials),
        "bell": "off",
    }
    command = program("--results", str(results), "--prompts", str(prompts))
    with closing(Screen(command, folder=folder, settings=settings)) as screen:
        rates = _rates(screen, results, time.monotonic() + limit_s, progress)
    return cost_of(rates)


def cost_of(rates: Sequence[float]) -> Cost | None:
    """Return the cost from decode speeds in the repeated order A B B A; None for fewer than two turns.

    A is without the screen, B with it. Each turn of four speeds is one observation: (log A − log B − log B + log A) /
    2.
    """
    turns = [rates[at : at + 4] for at in range(0, len(rates) - 3, 4)]
    if len(turns) < FEWEST_TURNS:
        return None
    found: Interval = t_interval([(math.log(a / b) + math.log(d / c)) / 2 for a, b, c, d in turns])
    headless = sorted(rate for a, _, _, d in turns for rate in (a, d))
    return Cost(
        share=-math.expm1(-found.mean),
        low=-math.expm1(-found.low),
        high=-math.expm1(-found.high),
        turns=len(turns),
        headless_tps=headless[len(headless) // 2],
    )


def _rates(screen: Screen, results: Path, deadline: float, progress: Callable[[str], None]) -> list[float]:
    """Return the decode speeds of the compared trials, in order; the screen is ended afterwards."""
    run = ScreenRun(screen, results)
    run.begin()
    builder = SessionBuilder()
    rates: list[float] = []
    warm = 0
    began: float | None = None
    for event in run.events(limit_s=SESSION_LIMIT_S):
        builder.apply(event)
        if not isinstance(event, TrialFinished):
            continue
        session = builder.snapshot()
        assert session is not None, "a test belongs to a session"
        row = session.rows[-1]
        if row.trial.kind != "warm":
            continue
        warm += 1
        if warm > WARM_UP:
            rates.append(_rate(row, session.contender(row.trial).model.name))
            progress(f"{len(rates)}/{4 * TURNS}")
        began = began or time.monotonic()
        if len(rates) == 4 * TURNS or (len(rates) % 4 == 0 and _too_late(rates, began, deadline)):
            break
        _turn(screen, len(rates))
    screen.kill()
    return rates


def _turn(screen: Screen, done: int) -> None:
    """Stop or continue the screen for the next trial, if it has to change."""
    place = done % 4
    if place == 0:
        screen.freeze()
    elif place in (1, 3):
        (screen.thaw if place == 1 else screen.freeze)()


def _too_late(rates: Sequence[float], began: float, deadline: float) -> bool:
    now = time.monotonic()
    each_s = (now - began) / len(rates) if rates else 0.0
    return now + 4 * each_s > deadline


def _rate(row: TrialRow, model: str) -> float:
    if model != MODEL:
        raise ScreenFailed(f"The screen chose {model} instead of {MODEL}.")
    if row.figures.decode_tps is None:
        raise ScreenFailed(f"A test of the built-in model ended as {row.outcome}, without a speed.")
    return row.figures.decode_tps
