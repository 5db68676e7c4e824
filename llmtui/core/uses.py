"""Which contender for what: by the figure that the use needs, and only as far as verdicts tell contenders apart."""

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
"""Nobody is named for a smaller ratio of memory."""


class Recommendation(msgspec.Struct, frozen=True, kw_only=True):
    """A use, and who suits it: one contender only if it is told apart from the others that were compared."""

    occasion: str
    """``long_answers``, ``quick_questions``, ``rarely_used``, ``little_memory``."""
    contenders: tuple[int, ...]
    """Every contender that may be the best, in the plan's order."""
    compared: tuple[int, ...]
    """Those of which the figure is known well enough; two at least."""
    unanswered: tuple[int, ...] = ()
    """Those that never came to an answer within the cap on tokens."""

    @property
    def is_open(self) -> bool:
        """Whether none is told apart."""
        return len(self.contenders) == len(self.compared)


def recommendations_of(
    session: Session, memory: MemoryCompared | None, unanswered: tuple[int, ...]
) -> tuple[Recommendation, ...]:
    """Return the uses for which at least two contenders can be compared.

    Long answers go by characters per second, quick questions by TTFO, rare use by a cold start with an answer of 500
    characters, little memory by RAM and GPU memory together.
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
    """Return the rank of each contender with three rounds or more: 1 + the number of those that are sooner."""
    judged = [one for one in found if one.rounds >= MIN_ROUNDS]
    above = dict.fromkeys(sorted(index for one in judged for index in (one.first, one.second)), 1)
    for one in judged:
        if one.word == "sooner":
            above[one.second] += 1
    return above


def text_winner(tps: Sequence[SpeedVerdict], cps: Sequence[SpeedVerdict], first: int) -> int | None:
    """Return the contender that a verdict on characters per second puts above the one that leads in tokens.

    Args:
        tps: verdicts on tokens per second.
        cps: verdicts on characters per second.
        first: the leader in tokens per second.
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
