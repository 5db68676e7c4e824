"""Simulated sessions of known truth: log speeds of each model on each prompt, round by round.

The unit of time is the block (one model in one round), in the plan's own order: random in odd rounds, mirrored in even
ones. ``deviation`` is the standard deviation of d_r, the log ratio of two models in a round, trial noise included.
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
"""Further scatter between prompts; it is taken out of the mean, so that it leaves d_r as it is."""
SESSION_ROUNDS = 5
"""A change over the session is spread over at most this many rounds; a longer session continues to change."""
DRIFT = 0.06
RARE_SHARE, RARE_SLOW = 0.10, 0.30
TWO_SPEEDS = 0.08
BURST_SLOW = 0.40
CORRELATION = 0.6

Level = list[list[float]]
"""Log speeds of one round: of each model, on each prompt."""


class World(NamedTuple):
    """The truth of a simulated session."""

    models: int = 2
    rounds: int = 5
    deviation: float = 0.02
    trial_share: float = 0.0
    """Share of the variance of d_r that comes from single trials; the rest is that of blocks."""
    ratio: float = 1.0
    """True speed of the first model over the others'."""
    machine: str = "calm"
    """One of ``MACHINES``."""
    noise: str = "normal"
    """Of blocks: ``normal``, ``t3``, ``lognormal``, ``ar1``."""
    stop_from: int | None = None
    """Stop after the first round from this one on in which nothing is open."""


class Clock(NamedTuple):
    """What a machine does over time: what changes at each block."""

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
"""What is added to the log speed of a block, by its number, the session's clock, chance and the session's blocks."""


class Simulation:
    """One simulated session; each call of ``round`` makes one more round."""

    def __init__(self, world: World, chance: random.Random) -> None:
        """Prepare the session.

        Args:
            world: its truth.
            chance: of everything that scatters.
        """
        self.world = world
        self.rounds: list[Level] = []
        self._chance = chance
        self._noise = _noise(world.noise, chance)
        self._blocks = world.models * min(world.rounds, SESSION_ROUNDS)
        self._clock = Clock(self._blocks // 2, frozenset({chance.randrange(self._blocks)}))
        self._plan = None if world.machine == "calm" and world.noise != "ar1" else _plan(world.models, chance)

    def round(self) -> None:
        """Run one more round."""
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
        """Return the pairs of models as the rules see them."""
        means = [[sum(of) / PROMPTS for of in logs] for logs in self.rounds]
        return [
            PairedRounds(
                first=a,
                second=b,
                rounds=tuple(one[a] - one[b] for one in means),
                # From three rounds on nothing depends on single prompts.
                leads=tuple(tuple(x - y for x, y in zip(logs[a], logs[b], strict=True)) for logs in self.rounds[:2])
                if len(self.rounds) < 3
                else (),
                common=PROMPTS * len(self.rounds),
            )
            for a, b in combinations(range(self.world.models), 2)
        ]


def _noise(kind: str, chance: random.Random) -> Callable[[], float]:
    """Return a source of block noise with mean 0 and standard deviation 1."""
    if kind == "t3":
        return lambda: chance.gauss(0, 1) / math.sqrt(chance.gammavariate(1.5, 2) / 3) / math.sqrt(3)
    if kind == "lognormal":
        # As skewed as exp of a normal with deviation 0.5; centred and scaled.
        mean = math.exp(0.125)
        deviation = math.sqrt((math.exp(0.25) - 1) * math.exp(0.25))
        return lambda: (math.exp(chance.gauss(0, 0.5)) - mean) / deviation
    if kind == "ar1":
        return _Correlated(chance).next
    return lambda: chance.gauss(0, 1)


class _Correlated:
    """Noise in which each block remembers the one before: AR(1)."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._last = chance.gauss(0, 1)

    def next(self) -> float:
        """Return the next block's."""
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
