"""The promises on verdicts in simulated sessions: how often each verdict may or must occur.

Each ``…_session`` function simulates one session with a random generator and returns which events happened in it. The
sessions are judged by the functions that judge real ones. In this module, a block is one model's trials in one round.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

from llmtui.core.across import FigureChange, judge_change
from llmtui.core.day_noise import noise_of
from llmtui.core.steadiness import SteadyBlock, steadiest_of, trend_of
from llmtui.core.verdict import SEPARATING, SpeedVerdict, judge, settled
from llmtui.core.waits import judge_waits, pair_times
from tools.truth_worlds import Simulation, World

Events = Mapping[str, bool]
Session = Callable[[random.Random], Events | None]
"""Simulates one session; None means that it shows nothing about the promise and does not count."""

WORDS, SEEMS, HOLDS = "letters", "seems", "the intervals contain the true ratio"
FALSE_WORDS = 0.06
FALSE_SEEMS_STOPPING = 0.10
MOST_ROUNDS = 10
ROUNDS = (1, 2, 3, 5, 10)
STOPS = (3, 5)


class Promise(NamedTuple):
    """A limit on how often an event happens; without ``least`` and ``most``, the rate is shown without a promise."""

    event: str
    least: float | None = None
    most: float | None = None


class Case(NamedTuple):
    """One cell of a table: how its sessions are simulated, which events are counted, and the cell's place."""

    table: str
    row: str
    column: str
    session: Session
    promises: tuple[Promise, ...]


def cases() -> Iterator[Case]:
    """Yield all cases, in the order of the tables."""
    yield from _noisy_machines()
    yield from _realistic_machines()
    yield from _coverage()
    yield from _power()
    yield from _waits()
    yield from _steadiness()
    yield from _drift()
    yield from _across()
    yield Case("Forecasts", "a true ratio within ± 5 %, ± 0.5–4 %", "3 rounds", forecast_session, (
        Promise("settled within twice the rounds", least=0.80),
    ))  # fmt: skip


# --- speed --------------------------------------------------------------------------------------------------------


def judged(world: World, chance: random.Random) -> tuple[SpeedVerdict, ...]:
    """Return the verdicts on one simulated session."""
    session = Simulation(world, chance)
    for number in range(1, world.rounds + 1):
        session.round()
        if world.stop_from is not None and world.stop_from <= number < world.rounds:
            found = judge(session.pairs(), forecast=False)
            if settled(found):
                return found
    return judge(session.pairs(), forecast=False)


def speed_session(world: World, chance: random.Random) -> Events:
    """Simulate a session and return which verdicts on speed occur in it."""
    found = judged(world, chance)
    words = {one.word for one in found}
    first = next(one for one in found if {one.first, one.second} == {0, 1})
    return {
        WORDS: any(word in SEPARATING for word in words),
        SEEMS: "seems_faster" in words,
        HOLDS: all(_holds(one, world) for one in found),
        "faster": first.word == "faster" and first.first == 0,
        "faster or slightly": first.word in ("faster", "slightly_faster") and first.first == 0,
        "practically equal": first.word == "practically_equal",
    }


def _holds(verdict: SpeedVerdict, world: World) -> bool:
    truth = {0: world.ratio}.get(verdict.first, 1.0) / {0: world.ratio}.get(verdict.second, 1.0)
    return verdict.low is not None and verdict.high is not None and verdict.low <= truth <= verdict.high


def _columns(world: World) -> Iterator[tuple[str, World, tuple[Promise, ...]]]:
    """Yield the columns of a row: its title, the world with that number of rounds, and the promises."""
    for rounds in ROUNDS:
        told = (Promise(WORDS, most=FALSE_WORDS), Promise(SEEMS, most=FALSE_WORDS))
        yield f"{rounds}", world._replace(rounds=rounds), told
    for stop in STOPS:
        told = (Promise(WORDS, most=FALSE_WORDS), Promise(SEEMS, most=FALSE_SEEMS_STOPPING))
        yield f"stop from {stop}", world._replace(rounds=MOST_ROUNDS, stop_from=stop), told


def _noisy_machines() -> Iterator[Case]:
    table = "Equal models on a noisy machine: letters / seems"
    for deviation in (0.01, 0.02, 0.05, 0.10):
        for trial_share, where in ((0.0, "blocks"), (0.5, "half trials")):
            for models in (2, 3, 6):
                world = World(models=models, deviation=deviation, trial_share=trial_share)
                row = f"± {100 * deviation:.0f} %, {where}, {models} models"
                for column, of_rounds, promises in _columns(world):
                    yield Case(table, row, column, partial(speed_session, of_rounds), promises)


def _realistic_machines() -> Iterator[Case]:
    table = "Equal models, ± 2 %, on realistic machines: letters / seems"
    machines = (
        "drift", "throttled 15 %", "throttled 30 %", "burst of one block", "burst of two blocks", "slow first block",
        "two speeds", "rare slow blocks", "ar1",
    )  # fmt: skip
    for machine in machines:
        for models in (2, 3, 6):
            world = World(models=models, noise="ar1") if machine == "ar1" else World(models=models, machine=machine)
            row = f"{'AR(1), 0.6' if machine == 'ar1' else machine}, {models} models"
            for column, of_rounds, told in _columns(world):
                # Where a round meets its mirror image, one model has two blocks in a row: both can be slow.
                free = machine == "burst of two blocks" and column == "2"
                promises = tuple(Promise(one.event) for one in told) if free else told
                yield Case(table, row, column, partial(speed_session, of_rounds), promises)


def _coverage() -> Iterator[Case]:
    for noise in ("normal", "t3", "lognormal", "ar1"):
        for models in (2, 3, 6):
            for rounds in (3, 5, 10):
                world = World(models=models, rounds=rounds, noise=noise)
                yield Case(
                    "All intervals contain the true ratio",
                    f"{noise}, {models} models",
                    f"{rounds}",
                    partial(speed_session, world),
                    (Promise(HOLDS, least=0.94),),
                )


def _power() -> Iterator[Case]:
    for what, world, promise in (
        ("1.20 times as fast, ± 2 %", World(ratio=1.20), Promise("faster", least=0.99)),
        ("1.08 times as fast, ± 2 %", World(ratio=1.08), Promise("faster", least=0.95)),
        ("1.05 times as fast, ± 1 %", World(ratio=1.05, deviation=0.01), Promise("faster", least=0.85)),
        ("equally fast, ± 1 %", World(deviation=0.01), Promise("practically equal", least=0.97)),
        ("3 models, 1.08 times, ± 2 %", World(ratio=1.08, models=3), Promise("faster or slightly", least=0.90)),
    ):
        yield Case("What is found in 5 rounds", what, promise.event, partial(speed_session, world), (promise,))


def forecast_session(chance: random.Random) -> Events | None:
    """Simulate three rounds and, if the pair is still open, twice as many more as forecast.

    Return None if the pair is not open, or nothing was forecast.
    """
    ratio = math.exp(chance.uniform(-math.log(1.05), math.log(1.05)))
    session = Simulation(World(ratio=ratio, deviation=chance.uniform(0.005, 0.04)), chance)
    for _ in range(3):
        session.round()
    (found,) = judge(session.pairs())
    if not found.is_open or found.more_rounds is None:
        return None
    for _ in range(2 * found.more_rounds):
        session.round()
    return {"settled within twice the rounds": not judge(session.pairs(), forecast=False)[0].is_open}


# --- waits --------------------------------------------------------------------------------------------------------


def wait_session(
    models: int, rounds: int, block: float, trial: float, ratio: float, prompts: int, chance: random.Random
) -> Events:
    """Simulate TTFTs of about 1 s, the first model's shorter by a ratio; return which verdicts on waiting occur."""
    times: list[dict[int, dict[int | None, float]]] = []
    for model in range(models):
        usual = 1000.0 if model == 0 else 1000.0 * ratio
        times.append({})
        for number in range(rounds):
            level = chance.gauss(0, block)
            times[-1][number] = {at: usual * math.exp(level + chance.gauss(0, trial)) for at in range(prompts)}
    found = judge_waits(
        [pair_times(times[a], times[b], a, b, prompts) for a in range(models) for b in range(a + 1, models)],
        forecast=False,
    )
    return {
        "sooner": any(one.word == "sooner" and (ratio == 1 or one.first == 0) for one in found),
        SEEMS: any(one.word == "seems_sooner" for one in found),
    }


def _waits() -> Iterator[Case]:
    table = "Equal waits of 1 s, block / trial noise: sooner / seems"
    told = (Promise("sooner", most=FALSE_WORDS), Promise(SEEMS, most=FALSE_WORDS))
    for block, trial in ((0.0, 0.05), (0.0, 0.10), (0.0, 0.20), (0.05, 0.05), (0.10, 0.05), (0.20, 0.10)):
        for models in (2, 3, 6):
            for rounds in ROUNDS:
                session = partial(wait_session, models, rounds, block, trial, 1.0, 4)
                row = f"± {100 * block:.0f} / ± {100 * trial:.0f} %, {models} models"
                yield Case(table, row, f"{rounds}", session, told)
    for rounds, least in ((3, 0.70), (5, 0.98)):
        session = partial(wait_session, 2, rounds, 0.05, 0.10, 1.5, 4)
        yield Case("A wait 1.5 times as long, ± 5 / ± 10 %", "sooner", f"{rounds}", session, (
            Promise("sooner", least=least),
        ))  # fmt: skip


# --- steadiness and drift -----------------------------------------------------------------------------------------


def steady_session(models: int, rounds: int, block: float, trial: float, chance: random.Random) -> Events:
    """Simulate equally steady models, and return whether one is called the steadiest."""
    deviation = math.hypot(block, trial / 2)
    series = [[chance.gauss(0, deviation) for _ in range(rounds)] for _ in range(models)]
    return {"the steadiest": steadiest_of(series) is not None}


def _steadiness() -> Iterator[Case]:
    for block, trial in ((0.0, 0.05), (0.02, 0.005), (0.03, 0.01), (0.05, 0.01)):
        for models in (2, 3, 6):
            for rounds in (3, 5, 10, 20):
                session = partial(steady_session, models, rounds, block, trial)
                row = f"± {100 * block:.0f} / ± {100 * trial:g} %, {models} models"
                told = (Promise("the steadiest", most=0.02),)
                yield Case("Equally steady models, block / trial noise: the steadiest", row, f"{rounds}", session, told)


def _models(number: int) -> str:
    return "1 model" if number == 1 else f"{number} models"


def drift_session(models: int, rounds: int, block: float, shared: float, slows: float, chance: random.Random) -> Events:
    """Simulate a machine that slows by a share over the session, and return whether that is reported."""
    series: list[list[SteadyBlock]] = [[] for _ in range(models)]
    for number in range(rounds):
        together = chance.gauss(0, shared)
        for model in chance.sample(range(models), models):
            at = number * models + len([one for one in series if len(one) > number])
            level = together + chance.gauss(0, block) + math.log1p(slows) * at / (models * rounds - 1 or 1)
            series[model].append(SteadyBlock(number, float(at), level))
    found = trend_of(series)
    return {"the machine slowed": found is not None and found.of_the_machine}


def _drift() -> Iterator[Case]:
    told = (Promise("the machine slowed", most=0.04),)
    for what, block, shared in (
        ("blocks ± 1.4 %", 0.014, 0.0), ("blocks ± 3.5 %", 0.035, 0.0), ("rounds share ± 2 %", 0.014, 0.02),
    ):  # fmt: skip
        for models in (1, 2, 3, 6):
            for rounds in (3, 5, 10):
                session = partial(drift_session, models, rounds, block, shared, 0.0)
                yield Case("No drift: the machine slowed", f"{what}, {_models(models)}", f"{rounds}", session, told)
    for models in (1, 3):
        for rounds in (5, 10):
            session = partial(drift_session, models, rounds, 0.014, 0.0, 0.06)
            yield Case("A drift of 6 %, blocks ± 1.4 %: the machine slowed", _models(models), f"{rounds}", session, (
                Promise("the machine slowed"),
            ))  # fmt: skip


# --- across sessions ----------------------------------------------------------------------------------------------


def across_session(models: int, rounds: int, earlier: int, day: float, chance: random.Random) -> Events:
    """Simulate sessions on days with different speeds; return which verdicts the comparison of the last two has.

    The comparison uses the day-to-day variation of all sessions before the last one.
    """
    deviation = 0.02 / math.sqrt(2)
    sessions = []
    for _ in range(earlier + 1):
        today = chance.gauss(0, day)
        sessions.append([[today + chance.gauss(0, deviation) for _ in range(rounds)] for _ in range(models)])
    means = [[sum(one[model]) / rounds for one in sessions[:-1]] for model in range(models)]
    noise = noise_of(means)
    words = [
        judge_change(
            FigureChange(
                contender=model,
                word="no_verdict",
                logs_before=tuple(sessions[-2][model]),
                logs_after=tuple(sessions[-1][model]),
            ),
            noise=noise,
            pairs=models,
            judged=True,
        ).word
        for model in range(models)
    ]
    return {
        "faster or slower": any(word in ("faster", "slower") for word in words),
        SEEMS: any(word in ("seems_faster", "seems_slower") for word in words),
    }


def _across() -> Iterator[Case]:
    told = (Promise("faster or slower", most=FALSE_WORDS), Promise(SEEMS, most=FALSE_WORDS))
    for earlier in (3, 4, 5, 8):
        for models in (1, 3):
            for rounds in (2, 3, 5):
                session = partial(across_session, models, rounds, earlier, 0.02)
                row = f"{earlier} earlier sessions, {_models(models)}"
                table = "Nothing changed but the day, ± 2 %: faster or slower / seems"
                yield Case(table, row, f"{rounds}", session, told)
