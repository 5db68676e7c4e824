"""Simulation of sessions whose true speeds are known: log speeds of each model on each prompt, round by round.

The unit of time is the block: one model's trials in one round. Blocks are in the plan's own order, random in odd rounds
and mirrored in even ones. ``deviation`` is the standard deviation of d_r, the log ratio of two models in a round; it
includes the noise of trials.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import NamedTuple

import msgspec

from llmtui.core.pairing import PairedRounds
from llmtui.core.plan import Contender, Model, Plan, Variant, round_order

PROMPTS = 4
PROMPT_DEVIATION = 0.02
"""Standard deviation between prompts; it is removed from the mean, so that d_r does not change."""
SESSION_ROUNDS = 5
"""A change over the session takes at most this many rounds; in a longer session it continues."""
DRIFT = 0.06
RARE_SHARE, RARE_SLOW = 0.10, 0.30
TWO_SPEEDS = 0.08
BURST_SLOW = 0.40
CORRELATION = 0.6

Level = list[list[float]]
"""Log speeds of one round: for each model, one value per prompt."""


class World(NamedTuple):
    """The true properties of a simulated session."""

    models: int = 2
    rounds: int = 5
    deviation: float = 0.02
    trial_share: float = 0.0
    """Share of the variance of d_r that comes from single trials; the rest comes from blocks."""
    ratio: float = 1.0
    """True speed of the first model ÷ that of the others."""
    machine: str = "calm"
    """One of ``MACHINES``."""
    noise: str = "normal"
    """Distribution of the noise of blocks: ``normal``, ``t3``, ``lognormal``, ``ar1``."""
    stop_from: int | None = None
    """Stop after the first round, from this one on, in which every pair is settled; None = run all rounds."""


class Clock(NamedTuple):
    """How a machine changes over time, in numbers of blocks."""

    slow_from: int
    """First block of the second half of the session."""
    bad: frozenset[int]
    """Blocks that are slow by themselves."""


def throttled(share: float) -> Callable[[int, Clock, random.Random, int], float]:
    """Return a machine that is slower by a share from the middle of the session on."""
    return lambda block, clock, chance, blocks: math.log(1 - share) if block >= clock.slow_from else 0.0


MACHINES: dict[str, Callable[[int, Clock, random.Random, int], float]] = {
    "calm": lambda block, clock, chance, blocks: 0.0,
    "drift": lambda block, clock, chance, blocks: -math.log1p(DRIFT) * block / blocks,
    "throttled 15 %": throttled(0.15),
    "throttled 30 %": throttled(0.30),
    "burst of one block": lambda block, clock, chance, blocks: math.log(1 - BURST_SLOW) if block in clock.bad else 0.0,
    "burst of two blocks": lambda block, clock, chance, blocks: (
        math.log(1 - BURST_SLOW) if block in clock.bad or block - 1 in clock.bad else 0.0
    ),
    "slow first block": lambda block, clock, chance, blocks: math.log(1 - 0.20) if block == 0 else 0.0,
    "two speeds": lambda block, clock, chance, blocks: math.log1p(-TWO_SPEEDS) if chance.random() < 0.5 else 0.0,
    "rare slow blocks": lambda block, clock, chance, blocks: (
        math.log(1 - RARE_SLOW) if chance.random() < RARE_SHARE else 0.0
    ),
}
"""Name of a machine → function that returns what is added to the log speed of a block.

Its arguments are the block's number, the session's clock, a random generator and the session's number of blocks.
"""


class Simulation:
    """One simulated session; each call of ``round`` adds one round."""

    def __init__(self, world: World, chance: random.Random) -> None:
        """Prepare the session.

        Args:
            world: the session's true properties.
            chance: random generator for all noise.
        """
        self.world = world
        self.rounds: list[Level] = []
        self._chance = chance
        self._noise = _noise(world.noise, chance)
        self._blocks = world.models * min(world.rounds, SESSION_ROUNDS)
        self._clock = Clock(self._blocks // 2, frozenset({chance.randrange(self._blocks)}))
        self._plan = None if world.machine == "calm" and world.noise != "ar1" else _plan(world.models, chance)

    def round(self) -> None:
        """Simulate one more round."""
        world, chance = self.world, self._chance
        number = len(self.rounds) + 1
        order: Sequence[int] = range(world.models) if self._plan is None else round_order(self._plan, number)
        machine = MACHINES[world.machine]
        block_deviation = world.deviation * math.sqrt((1 - world.trial_share) / 2)
        trial_deviation = world.deviation * math.sqrt(world.trial_share / 2 * PROMPTS)
        logs: Level = [[] for _ in range(world.models)]
        for position, model in enumerate(order):
            block = (number - 1) * world.models + position
            level = machine(block, self._clock, chance, self._blocks) + block_deviation * self._noise()
            if model == 0:
                level += math.log(world.ratio)
            beside = [chance.gauss(0, PROMPT_DEVIATION / math.sqrt(2)) for _ in range(PROMPTS)]
            middle = sum(beside) / PROMPTS
            logs[model] = [level + one - middle for one in beside]
            if trial_deviation:
                logs[model] = [one + chance.gauss(0, trial_deviation) for one in logs[model]]
        self.rounds.append(logs)

    def pairs(self) -> list[PairedRounds]:
        """Return all pairs of models in the form that the verdicts use."""
        means = [[sum(of) / PROMPTS for of in logs] for logs in self.rounds]
        return [
            PairedRounds(
                first=a,
                second=b,
                rounds=tuple(one[a] - one[b] for one in means),
                # From three rounds on, no verdict depends on single prompts.
                leads=tuple(tuple(x - y for x, y in zip(logs[a], logs[b], strict=True)) for logs in self.rounds[:2])
                if len(self.rounds) < 3
                else (),
                common=PROMPTS * len(self.rounds),
            )
            for a, b in combinations(range(self.world.models), 2)
        ]


def _noise(kind: str, chance: random.Random) -> Callable[[], float]:
    """Return a function that returns block noise with mean 0 and standard deviation 1."""
    if kind == "t3":
        return lambda: chance.gauss(0, 1) / math.sqrt(chance.gammavariate(1.5, 2) / 3) / math.sqrt(3)
    if kind == "lognormal":
        # exp of a normal variable with standard deviation 0.5, shifted to mean 0 and scaled to deviation 1.
        mean = math.exp(0.125)
        deviation = math.sqrt((math.exp(0.25) - 1) * math.exp(0.25))
        return lambda: (math.exp(chance.gauss(0, 0.5)) - mean) / deviation
    if kind == "ar1":
        return _Correlated(chance).next
    return lambda: chance.gauss(0, 1)


class _Correlated:
    """Noise in which each value depends on the one before: AR(1)."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._last = chance.gauss(0, 1)

    def next(self) -> float:
        """Return the noise of the next block."""
        self._last = CORRELATION * self._last + math.sqrt(1 - CORRELATION**2) * self._chance.gauss(0, 1)
        return self._last


_PLANS: dict[int, Plan] = {}


def _plan(models: int, chance: random.Random) -> Plan:
    if models not in _PLANS:
        contenders = tuple(
            Contender(model=Model(name=str(at), digest=str(at)), variant=Variant(), label=str(at))
            for at in range(models)
        )
        _PLANS[models] = Plan(
            preset="simulated", server="", contenders=contenders, prompts=(), cold_text="", follow_up_text=""
        )
    return msgspec.structs.replace(_PLANS[models], seed=chance.randrange(2**31))
