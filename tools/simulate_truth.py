"""Simulated sessions of known truth, judged by the code that judges real ones.

    python tools/simulate_truth.py                       the table, on fresh seeds
    python tools/simulate_truth.py --write docs/method.md    the same, put into the document

A session here is what the rules see of it: the log ratio of each pair in each round. The order of models is the plan's
own (balanced pairs of rounds); the machine slows by the same share at every block; every model's speed in a round
scatters so that the ratio of two models has the given standard deviation. Between prompts a further 2 % is added.
"""

from __future__ import annotations

import argparse
import math
import random
import secrets
import sys
import time
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from llmtui.core.pairing import Pair
from llmtui.core.plan import Contender, Model, Plan, Variant, round_order
from llmtui.core.verdict import SEPARATING, Verdict, judge, settled

PROMPTS = 4
PROMPT_DEVIATION = 0.02
DRIFT = 0.06
DRIFT_ROUNDS = 5
"""The drift is what the machine slows by over a session of at most so many rounds; one that runs on slows on."""
BEGIN, END = "<!-- simulated truth: begin -->", "<!-- simulated truth: end -->"


class World(NamedTuple):
    """The truth of a simulated session."""

    models: int = 2
    rounds: int = 5
    deviation: float = 0.02
    """Standard deviation of d_r, the log ratio of two models in a round."""
    ratio: float = 1.0
    """True speed of the first model over the others'."""
    drift: float = 0.0
    stop_from: int | None = None
    """Stops after the first round from this one on in which nothing is open."""


class Case(NamedTuple):
    """A requirement and the world in which it has to hold."""

    what: str
    world: World
    share: str
    """Which share of sessions is counted."""
    least: float | None
    most: float | None


class Outcome(NamedTuple):
    """What became of one session."""

    verdicts: tuple[Verdict, ...]
    covered: bool
    """The first pair's interval holds the true ratio."""


def simulate(world: World, seed: int) -> Outcome:
    """Gives the verdicts on one simulated session."""
    chance = random.Random(seed)
    plan = _plan(world.models, seed)
    rounds: list[list[list[float]]] = []
    last = world.rounds
    for number in range(1, last + 1):
        rounds.append(_round(world, plan, number, chance))
        if world.stop_from is not None and number >= world.stop_from and number < last:
            found = _judge(rounds)
            if settled(found):
                return Outcome(found, _covered(found[0], world))
    found = _judge(rounds)
    return Outcome(found, _covered(found[0], world))


def ordering_word(outcome: Outcome) -> bool:
    """Whether any pair is said to be in an order."""
    return any(one.word in SEPARATING for one in outcome.verdicts)


def first_is_faster(outcome: Outcome) -> bool:
    """Whether the first model is said to be faster than the second, in the plain word."""
    return outcome.verdicts[0].word == "faster" and outcome.verdicts[0].first == 0


def equal(outcome: Outcome) -> bool:
    """Whether the first pair is said to be practically equal."""
    return outcome.verdicts[0].word == "practically_equal"


def covered(outcome: Outcome) -> bool:
    """Whether the first pair's interval holds the true ratio."""
    return outcome.covered


SHARES: dict[str, Callable[[Outcome], bool]] = {
    "an ordering word": ordering_word,
    "faster": first_is_faster,
    "practically equal": equal,
    "interval holds the truth": covered,
}


def cases() -> tuple[Case, ...]:
    """Gives everything that is required, and beside it what the same rules do in neighbouring worlds."""
    wrong, inside = "an ordering word", "interval holds the truth"
    drifting = World(drift=DRIFT)
    first_answer = drifting._replace(rounds=10, stop_from=3)
    thorough = drifting._replace(rounds=10, stop_from=5)
    return (
        Case("2 equal models, drift, 1 round", drifting._replace(rounds=1), wrong, None, 0.06),
        Case("2 equal models, drift, 3 rounds", drifting._replace(rounds=3), wrong, None, 0.06),
        Case("2 equal models, drift, 5 rounds", drifting, wrong, None, 0.06),
        Case("2 equal models, drift, 5 rounds, ± 1 %", drifting._replace(deviation=0.01), wrong, None, 0.06),
        Case("3 equal models, drift, 3 rounds", drifting._replace(models=3, rounds=3), wrong, None, 0.06),
        Case("3 equal models, drift, 5 rounds", drifting._replace(models=3), wrong, None, 0.06),
        Case("2 equal models, drift, stop at the first answer from round 3", first_answer, wrong, None, 0.06),
        Case(
            "3 equal models, drift, stop at the first answer from round 3",
            first_answer._replace(models=3),
            wrong,
            None,
            0.06,
        ),
        Case(
            "3 equal models, drift, stop from round 3, ± 1 %",
            first_answer._replace(models=3, deviation=0.01),
            wrong,
            None,
            0.06,
        ),
        Case("2 equal models, drift, stop at the first answer from round 5", thorough, wrong, None, 0.06),
        Case(
            "3 equal models, drift, stop at the first answer from round 5",
            thorough._replace(models=3),
            wrong,
            None,
            0.06,
        ),
        Case("drift, 3 rounds", drifting._replace(rounds=3), inside, 0.94, None),
        Case("drift, 5 rounds", drifting, inside, 0.94, None),
        Case("drift, 5 rounds, 3 models", drifting._replace(models=3), inside, 0.94, None),
        Case("no drift, 3 rounds", World(rounds=3), inside, 0.94, 0.99),
        Case("no drift, 5 rounds", World(), inside, 0.94, 0.99),
        Case("no drift, 10 rounds", World(rounds=10), inside, 0.94, 0.99),
        Case("1.20 times as fast, ± 2 %, 5 rounds", World(ratio=1.20), "faster", 0.99, None),
        Case("1.08 times as fast, ± 2 %, 5 rounds", World(ratio=1.08), "faster", 0.95, None),
        Case("1.05 times as fast, ± 1 %, 5 rounds", World(ratio=1.05, deviation=0.01), "faster", 0.85, None),
        Case("equally fast, ± 1 %, 5 rounds", World(deviation=0.01), "practically equal", 0.97, None),
    )


def share(case: Case, sessions: int, seed: int) -> float:
    """Gives the share of sessions in which the case's event happens."""
    happens = SHARES[case.share]
    return sum(happens(simulate(case.world, seed + at)) for at in range(sessions)) / sessions


def holds(case: Case, found: float) -> bool:
    """Whether a share meets its requirement."""
    return (case.least is None or found >= case.least) and (case.most is None or found <= case.most)


def table(sessions: int, seed: int, say: Callable[[str], None]) -> tuple[str, bool]:
    """Gives the table as Markdown, and whether everything holds."""
    lines = [
        f"{sessions} sessions a line, seed {seed}. The ratio scatters by ± 2 % between rounds unless told otherwise.",
        f"Drift: the machine slows by {100 * DRIFT:.0f} % over the session, at most {DRIFT_ROUNDS} rounds, then on so.",
        "",
        "| sessions with | counted | required | found |",
        "|---|---|---|---|",
    ]
    fine = True
    for at, case in enumerate(cases()):
        found = share(case, sessions, seed + at * sessions)
        fine &= holds(case, found)
        mark = "" if holds(case, found) else " **missed**"
        lines.append(f"| {case.what} | {case.share} | {_required(case)} | {100 * found:.1f} %{mark} |")
        say(lines[-1])
    return "\n".join(lines), fine


def put_into(document: str, made: str) -> str:
    """Gives the document with the table between its marks."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"The document has no lines {BEGIN} and {END}.")
    return f"{before}{BEGIN}\n{made}\n{END}{after}"


def _round(world: World, plan: Plan, number: int, chance: random.Random) -> list[list[float]]:
    """Log speeds of each model on each prompt in one round."""
    order = round_order(plan, number)
    logs: list[list[float]] = [[] for _ in range(world.models)]
    for position, model in enumerate(order):
        block = (number - 1) * world.models + position
        slowed = -math.log1p(world.drift) * block / (world.models * min(world.rounds, DRIFT_ROUNDS))
        level = slowed + chance.gauss(0, world.deviation / math.sqrt(2))
        if model == 0:
            level += math.log(world.ratio)
        # What prompts add is taken out again on the mean: the deviation of d_r is what the world says.
        beside = [chance.gauss(0, PROMPT_DEVIATION / math.sqrt(2)) for _ in range(PROMPTS)]
        middle = sum(beside) / PROMPTS
        logs[model] = [level + one - middle for one in beside]
    return logs


def _judge(rounds: Sequence[Sequence[Sequence[float]]]) -> tuple[Verdict, ...]:
    pairs = [
        Pair(
            first=a,
            second=b,
            rounds=tuple((sum(logs[a]) - sum(logs[b])) / PROMPTS for logs in rounds),
            leads=tuple(tuple(x - y for x, y in zip(logs[a], logs[b], strict=True)) for logs in rounds),
            common=PROMPTS * len(rounds),
        )
        for a, b in combinations(range(len(rounds[0])), 2)
    ]
    return judge(pairs)


def _covered(verdict: Verdict, world: World) -> bool:
    if verdict.low is None or verdict.high is None:
        return False
    truth = world.ratio if verdict.first == 0 else 1 / world.ratio
    return verdict.low <= truth <= verdict.high


def _plan(models: int, seed: int) -> Plan:
    contenders = tuple(
        Contender(model=Model(name=str(at), digest=str(at)), variant=Variant(), label=str(at)) for at in range(models)
    )
    return Plan(
        preset="simulated", server="", contenders=contenders, prompts=(), cold_text="", follow_up_text="", seed=seed
    )


def _required(case: Case) -> str:
    if case.least is not None and case.most is not None:
        return f"{100 * case.least:.0f}–{100 * case.most:.0f} %"
    return f"≥ {100 * case.least:.0f} %" if case.least is not None else f"≤ {100 * (case.most or 0):.0f} %"


def main() -> int:
    """Prints or writes the table; 1 where a requirement is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=4000, help="sessions a line")
    parser.add_argument("--seed", type=int, default=None, help="fresh where it is not given")
    parser.add_argument("--write", type=Path, default=None, help="document to put the table into")
    chosen = parser.parse_args()
    seed = secrets.randbelow(10**6) * 1000 if chosen.seed is None else chosen.seed
    began = time.monotonic()
    made, fine = table(chosen.sessions, seed, lambda line: print(line, file=sys.stderr, flush=True))
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    if chosen.write is None:
        print(made)
    else:
        chosen.write.write_text(put_into(chosen.write.read_text("utf-8"), made), "utf-8")
    return 0 if fine else 1


if __name__ == "__main__":
    raise SystemExit(main())
