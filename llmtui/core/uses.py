"""Recommendations: which contender suits which use, as far as verdicts separate the contenders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from llmtui.core.findings import MemoryCompared
from llmtui.core.interval import MIN_ROUNDS
from llmtui.core.letters import ranks
from llmtui.core.session import Session
from llmtui.core.verdict import SpeedVerdict, verdicts
from llmtui.core.waits import WaitVerdict, wait_verdicts

MEMORY_APART = 1.03
"""Neither of two contenders is recommended over the other if their memory differs by at most this factor."""


class Recommendation(msgspec.Struct, frozen=True, kw_only=True):
    """A use with the contenders that suit it best; only one if verdicts separate it from all others."""

    occasion: str
    """Code of the use: ``long_answers``, ``quick_questions``, ``rarely_used`` or ``little_memory``."""
    contenders: tuple[int, ...]
    """Every contender that may be the best, in the order of the plan."""
    compared: tuple[int, ...]
    """Contenders that could be compared for this use; at least two."""
    unanswered: tuple[int, ...] = ()
    """Contenders that reached the token limit before they began their answer."""

    @property
    def is_open(self) -> bool:
        """Whether no contender is separated from the others."""
        return len(self.contenders) == len(self.compared)


def recommendations_of(
    session: Session, memory: MemoryCompared | None, unanswered: tuple[int, ...]
) -> tuple[Recommendation, ...]:
    """Return a recommendation for each use for which at least two contenders can be compared.

    The criteria are characters per second for long answers, TTFO for quick questions, a cold start with an answer of
    500 characters for rare use, and RAM and GPU memory together for little memory.
    """
    text = ranks(verdicts(session, "decode_cps"))
    quick = wait_ranks(wait_verdicts(session, "ttfo_ms"))
    rare = wait_ranks(wait_verdicts(session, "cold_answer_ms"))
    found = [
        _choice("long_answers", _first(text), text, ()),
        _choice("quick_questions", _first(quick), quick, unanswered),
        _choice("rarely_used", _first(rare), rare, unanswered),
    ]
    if memory is not None:
        sizes = dict(memory.sizes)
        found.append(_choice("little_memory", _smallest(memory), sizes, ()))
    return tuple(one for one in found if len(one.compared) > 1)


def wait_ranks(found: Sequence[WaitVerdict]) -> dict[int, int]:
    """Return the rank of each contender with three rounds or more.

    The rank is 1 + the number of contenders that a verdict calls sooner than this one.
    """
    judged = [one for one in found if one.rounds >= MIN_ROUNDS]
    above = dict.fromkeys(sorted(index for one in judged for index in (one.first, one.second)), 1)
    for one in judged:
        if one.word == "sooner":
            above[one.second] += 1
    return above


def text_winner(tps: Sequence[SpeedVerdict], cps: Sequence[SpeedVerdict], first: int) -> int | None:
    """Return the contender that a verdict on characters per second puts above the leader in tokens per second.

    None if there is no such contender.

    Args:
        tps: verdicts on tokens per second.
        cps: verdicts on characters per second.
        first: the contender that leads in tokens per second.
    """
    if ranks(tps).get(first) != 1:
        return None
    text = ranks(cps)
    above = [one.first for one in cps if one.second == first and one.word in ("faster", "slightly_faster", "ahead")]
    return min(above, key=lambda index: text[index], default=None)


def _first(rank: dict[int, int]) -> tuple[int, ...]:
    return tuple(index for index, place in sorted(rank.items()) if place == 1)


def _smallest(memory: MemoryCompared) -> tuple[int, ...]:
    least = min(value for _, value in memory.sizes)
    return tuple(sorted(index for index, value in memory.sizes if value <= MEMORY_APART * least))


def _choice(occasion: str, best: Iterable[int], compared: Iterable[int], unanswered: tuple[int, ...]) -> Recommendation:
    return Recommendation(
        occasion=occasion, contenders=tuple(best), compared=tuple(sorted(compared)), unanswered=unanswered
    )
