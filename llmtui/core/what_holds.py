"""The main conclusions in a few lines: fastest, soonest, smallest, steadiest, and what is not yet decided.

Each line is based on a verdict (see ``core.verdict`` and ``core.waits``) or, for memory and steadiness, on a rule of
its own. A topic without such a basis has no line. The wording is in ``words.what_holds``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Final, Literal

import msgspec

from llmtui.core.conclusions import FirstToken, MemoryUse, Stability, WritingSpeed, conclude
from llmtui.core.findings import Amount
from llmtui.core.letters import compared
from llmtui.core.rounds import rounds_to_tell
from llmtui.core.session import Session
from llmtui.core.uses import MEMORY_APART
from llmtui.core.verdict import SEPARATING, SpeedVerdict, Word, verdicts
from llmtui.core.waits import FINAL_WAITS, WaitVerdict, WaitWord

Topic = Literal["fastest", "most_text", "soonest", "smallest", "steadiest", "open"]
Mark = Literal["told", "ahead", "equal", "open"]

MARKS: Final[dict[Word | WaitWord, Mark]] = {
    "faster": "told",
    "slightly_faster": "told",
    "sooner": "told",
    "ahead": "ahead",
    "seems_faster": "ahead",
    "seems_sooner": "ahead",
    "leads_in_this_round": "ahead",
    "practically_equal": "equal",
    "equal": "equal",
    "no_noticeable_difference": "equal",
}
"""How certain each verdict is. Verdicts that are not listed are ``open``, which means undecided."""


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """One of the main conclusions of a session, shown as one line."""

    topic: Topic
    mark: Mark
    leaders: tuple[int, ...]
    """Contenders that the line names first: one, or all that are equal at the top."""
    other: int | None = None
    """The contender that the first one is compared with."""
    verdict: SpeedVerdict | WaitVerdict | None = None
    """The verdict that the line is based on; None for memory and steadiness."""
    amounts: tuple[Amount, ...] = ()
    """Figures of the leader and the other contender, if there is no verdict: bytes of memory, or relative variation."""
    is_of_all: bool = True
    """Whether every contender was compared."""
    more_rounds: int | None = None
    """For an undecided line: number of further rounds after which it is expected to be decided; None: not known, or
    more than 20."""


def holding_mark(word: Word | WaitWord) -> Mark:
    """Return how certain a verdict is."""
    return MARKS.get(word, "open")


def what_holds(session: Session) -> tuple[Holding, ...]:
    """Return the main conclusions in the order in which they are shown; empty for a single contender.

    At most one of them is undecided.

    Args:
        session: the session; while it runs, without its incomplete rounds (see ``core.whole_rounds``).
    """
    if len(session.plan.contenders) < 2 or not session.rows:
        return ()
    found = [one for one in _lines(session) if one is not None]
    told = [one for one in found if one.mark != "open"]
    still_open = [one for one in found if one.mark == "open"]
    lead = [one for one in found if one.topic == "fastest"]
    if still_open and lead and _same_pair(lead[0], still_open[-1]):
        # Both lines are about the same pair: keep the first, with the number of rounds needed.
        priced = msgspec.structs.replace(lead[0], more_rounds=still_open[-1].more_rounds)
        return (priced, *(one for one in told if one.topic != "fastest"))
    fastest = [one for one in still_open if one.topic == "fastest"]
    return (*fastest, *told, *([] if fastest else still_open[:1]))


def _same_pair(one: Holding, other: Holding) -> bool:
    pairs = [{line.verdict.first, line.verdict.second} for line in (one, other) if line.verdict is not None]
    return len(pairs) == 2 and pairs[0] == pairs[1] and "soonest" not in (one.topic, other.topic)


def _lines(session: Session) -> Iterator[Holding | None]:
    by_kind = {type(one): one for one in conclude(session)}
    speed, first_token = by_kind[WritingSpeed], by_kind[FirstToken]
    assert isinstance(speed, WritingSpeed)
    assert isinstance(first_token, FirstToken)
    yield _fastest(speed, session)
    yield _most_text(speed, session)
    yield _soonest(first_token, session)
    memory, stability = by_kind[MemoryUse], by_kind[Stability]
    assert isinstance(memory, MemoryUse)
    assert isinstance(stability, Stability)
    yield _smallest(memory, session)
    yield _steadiest(stability)
    yield _open(speed)


def _fastest(line: WritingSpeed, session: Session) -> Holding | None:
    order = [one.contender for one in line.tps]
    if line.lead in ("fastest", "ahead"):
        mine = [one for one in line.verdicts if one.first == line.leaders[0] and one.word in SEPARATING]
        deciding = min(mine, key=lambda one: one.ratio or 1.0)
    else:
        judged = compared(line.verdicts) or frozenset(order)
        deciding_or_none = _first_pair([one for one in order if one in judged], line.verdicts)
        if deciding_or_none is None:
            return None
        deciding = deciding_or_none
        if deciding.word == "leads_in_this_round" and not _leads_all(deciding.first, line.verdicts):
            deciding = msgspec.structs.replace(deciding, word="too_few_rounds")
    mark = holding_mark(deciding.word)
    leaders = line.leaders if line.lead == "shared" and mark == "equal" else (deciding.first,)
    if mark == "equal" and line.lead != "shared":  # a third contender at the top is not separated from these two
        deciding = _open_pair(line.leaders, line.verdicts) or deciding
        mark = holding_mark(deciding.word)
        leaders = (deciding.first,)
    return Holding(
        topic="fastest",
        mark=mark,
        leaders=leaders,
        other=deciding.second,
        verdict=deciding,
        is_of_all=not line.compared or len(line.compared) == len(session.plan.contenders),
        more_rounds=rounds_to_tell(line.verdicts) if mark == "open" else None,
    )


def _first_pair(order: Sequence[int], found: Sequence[SpeedVerdict]) -> SpeedVerdict | None:
    """Return the verdict on the fastest pair of contenders that has one.

    If no pair has one, return the entry of the fastest pair, with the reason why it has no verdict.
    """
    by_pair = {frozenset((one.first, one.second)): one for one in found}
    pairs = [by_pair[frozenset(pair)] for pair in combinations(order, 2) if frozenset(pair) in by_pair]
    return next((one for one in pairs if one.word != "no_verdict"), pairs[0] if pairs else next(iter(found), None))


def _leads_all(first: int, found: Sequence[SpeedVerdict]) -> bool:
    mine = [one for one in found if first in (one.first, one.second) and one.word != "no_verdict"]
    return all(one.first == first and one.word == "leads_in_this_round" for one in mine)


def _open_pair(leaders: Sequence[int], found: Sequence[SpeedVerdict]) -> SpeedVerdict | None:
    return next((one for one in found if one.is_open and {one.first, one.second} <= set(leaders)), None)


def _most_text(line: WritingSpeed, session: Session) -> Holding | None:
    if line.more_text is None:
        return None
    found = [one for one in verdicts(session, "decode_cps") if one.first == line.more_text]
    deciding = next((one for one in found if one.second == line.leaders[0]), None)
    if deciding is None:
        return None
    return Holding(
        topic="most_text",
        mark=holding_mark(deciding.word),
        leaders=(deciding.first,),
        other=deciding.second,
        verdict=deciding,
    )


def _soonest(line: FirstToken, session: Session) -> Holding | None:
    judged = [one for one in line.verdicts if one.word not in ("no_verdict", "too_few_rounds")]
    if not judged:
        return None
    leaders: tuple[int, ...]
    if len(line.leaders) == 1:
        mine = [one for one in judged if one.first == line.leaders[0] and one.word == "sooner"]
        deciding = min(mine, key=lambda one: one.ratio or 1.0)
        leaders = line.leaders
    else:
        order = [one.contender for one in line.ttft]
        among = [one for one in judged if {one.first, one.second} <= set(line.leaders)]
        among.sort(key=lambda one: sorted((order.index(one.first), order.index(one.second))))
        deciding = next((one for one in among if one.word not in FINAL_WAITS), among[0])
        leaders = line.leaders if holding_mark(deciding.word) == "equal" else (deciding.first,)
    return Holding(
        topic="soonest",
        mark=holding_mark(deciding.word),
        leaders=leaders,
        other=deciding.second,
        verdict=deciding,
        is_of_all=len(line.compared) == len(session.plan.contenders),
        more_rounds=deciding.more_rounds,
    )


def _smallest(line: MemoryUse, session: Session) -> Holding | None:
    if line.compared is None:
        return None
    (least, fewest), (following, more) = line.compared.sizes[:2]
    if more <= MEMORY_APART * fewest:
        return None
    return Holding(
        topic="smallest",
        mark="told",
        leaders=(least,),
        other=following,
        amounts=(Amount(least, fewest), Amount(following, more)),
        is_of_all=len(line.compared.sizes) == len(session.plan.contenders),
    )


def _steadiest(line: Stability) -> Holding | None:
    if line.steadiest is None:
        return None
    rest = [one for one in line.spread if one.contender != line.steadiest]
    mine = [one for one in line.spread if one.contender == line.steadiest]
    other = rest[0].contender if rest else None
    return Holding(
        topic="steadiest", mark="told", leaders=(line.steadiest,), other=other, amounts=(*mine, *rest[:1])
    )  # fmt: skip


def _open(line: WritingSpeed) -> Holding | None:
    """Return the line about the undecided pair that needs the fewest further rounds; None if there is no such pair."""
    pairs = [one for one in line.verdicts if one.is_open and one.more_rounds is not None and one.unit == "round"]
    if not pairs:
        return None
    nearest = min(pairs, key=lambda one: one.more_rounds or 0)
    return Holding(
        topic="open",
        mark="open",
        leaders=(nearest.first,),
        other=nearest.second,
        verdict=nearest,
        more_rounds=rounds_to_tell(line.verdicts),
    )
