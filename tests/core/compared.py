"""Sessions in which only decode speed matters: whole rounds of warm trials at given rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llmtui.core.events import Event, TrialFinished
from llmtui.core.plan import Kind, Plan
from llmtui.core.session import Session, fold
from tests.core.made import finished, plan, started, trial

CATEGORIES = ("creativity", "reasoning", "coding")
Rate = float | Sequence[float]
"""Tokens per second: one for all prompts, or one for each."""


def compared_plan(*names: str, **changes: Any) -> Plan:
    return plan(*names, categories=changes.pop("categories", CATEGORIES), **changes)


def warm(of: Plan, contender: int, round_number: int, which: int, tps: float, **changes: Any) -> TrialFinished:
    """One warm trial at an exact rate; rounds and contenders follow each other in time."""
    place = (round_number - 1) * len(of.contenders) + contender
    return finished(
        of,
        trial(of, round_number=round_number, contender=contender, which=which),
        **{
            "token_ms": 1000 / tps,
            "t_ns": (place * len(of.prompts) + which + 1) * 10**10,
            "order": place * len(of.prompts) + which + 1,
            "num_predict": 128,
            **changes,
        },
    )


def other(of: Plan, kind: Kind, contender: int, round_number: int, **changes: Any) -> TrialFinished:
    """One cold or follow-up trial."""
    tokens = {"cold": 16, "follow_up": 32}[kind]
    place = (round_number - 1) * len(of.contenders) + contender
    return finished(
        of,
        trial(of, kind=kind, round_number=round_number, contender=contender),
        **{"tokens": tokens, "t_ns": place * len(of.prompts) * 10**10 + 1, **changes},
    )


def compared(rates: Mapping[str, Sequence[Rate]], *extra: TrialFinished, of: Plan | None = None) -> Session:
    """Return the session in which each contender had the given rate in each round."""
    of = of or compared_plan(*rates)
    events: list[Event] = [started(of)]
    for contender, per_round in enumerate(rates.values()):
        for number, rate in enumerate(per_round, 1):
            for which in range(len(of.prompts)):
                tps = rate if isinstance(rate, float | int) else rate[which]
                events.append(warm(of, contender, number, which, tps))
    session = fold([*events, *extra])
    assert session is not None
    return session
