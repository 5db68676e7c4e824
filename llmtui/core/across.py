"""Comparison of two sessions: which conditions differ, and how each figure changed.

Changes get a verdict only if at most one condition differs and the day-to-day noise is known. The test is Welch's t on
the log means of the rounds. With two or more differences, the cause of a change cannot be known. Rules: docs/method.md,
"Across sessions".
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from llmtui.core.day_noise import DayNoise
from llmtui.core.differences import Difference, differences, matched_contenders
from llmtui.core.interval import ALPHA, DEVIATION_FLOOR
from llmtui.core.measures import measure_of
from llmtui.core.observed import WAITED, Observed, observed
from llmtui.core.pairing import is_imported
from llmtui.core.session import Session
from llmtui.core.stats import Part, mean, welch
from llmtui.core.summary import Summary, prefill_kind, summarise
from llmtui.core.verdict import MARGIN
from llmtui.core.waits import NOTICEABLE_MS, SOONER

MIN_ROUNDS_ACROSS = 2
"""Smallest number of rounds per session for a change to have an interval."""
COMPARED: Final = (
    "decode_tps", "ttft_ms", "cold_first_ms", "cold_again_ms", "follow_up_ttft_ms", "prefill_tps", "memory_peak_bytes",
    "vram_bytes",
)  # fmt: skip
"""Ids of the figures that a comparison shows."""

ChangeWord = Literal[
    "faster", "slower", "seems_faster", "seems_slower",
    "sooner", "later", "seems_sooner", "seems_later",
    "less", "more", "seems_less", "seems_more",
    "practically_equal", "no_noticeable_difference", "too_close", "no_verdict",
]  # fmt: skip
"""Verdicts on a change: first those on rates, then those on waiting times, those on other figures, and last those that
any figure can have."""
Mark = Literal["better", "worse", "equal", "open", "none"]
_UP: Final[tuple[ChangeWord, ...]] = ("faster", "seems_faster", "later", "seems_later", "more", "seems_more")
_DOWN: Final[tuple[ChangeWord, ...]] = ("slower", "seems_slower", "sooner", "seems_sooner", "less", "seems_less")
_WORDS: Final[Mapping[str, tuple[ChangeWord, ChangeWord, ChangeWord, ChangeWord]]] = MappingProxyType({
    "rate": ("faster", "slower", "seems_faster", "seems_slower"),
    "wait": ("later", "sooner", "seems_later", "seems_sooner"),
    "amount": ("more", "less", "seems_more", "seems_less"),
})  # fmt: skip
"""Verdicts for each kind of figure, in the order: higher, lower, seems higher, seems lower."""


class FigureChange(msgspec.Struct, frozen=True, kw_only=True):
    """The change of one contender's figure from the earlier session to the later one."""

    contender: int
    """Index into the later session's contenders."""
    figure: str = "decode_tps"
    word: ChangeWord
    before: float | None = None
    """Earlier value, in the unit of files. It is the figure of the session's tables if both sessions used the same
    prompts, otherwise the geometric mean over the rounds of the common prompts."""
    after: float | None = None
    ratio: float | None = None
    """Later ÷ earlier: the ratio of the geometric means over the rounds; if there are no rounds, of ``after`` to
    ``before``."""
    low: float | None = None
    """Lower end of the 95 % interval of the ratio, valid for all contenders together. It includes the day-to-day noise
    if that is known."""
    high: float | None = None
    logs_before: tuple[float, ...] = ()
    """Mean logarithm in each counted round of the earlier session."""
    logs_after: tuple[float, ...] = ()
    pairs: int = 1
    """Number of changes for which the intervals are valid together."""
    noise: DayNoise | None = None
    """The day-to-day noise that is included in the interval; None if it is not known."""
    why: str | None = None
    """Reason for ``no_verdict``: ``not_there_before``, ``no_common_prompts``, ``needs_rounds``,
    ``several_differences``, ``day_noise_unknown``, ``one_per_session``, ``other_trials``, ``not_rounds`` or
    ``not_measured``."""

    @property
    def rounds_before(self) -> int:
        """Number of counted rounds of the earlier session."""
        return len(self.logs_before)

    @property
    def rounds_after(self) -> int:
        """Number of counted rounds of the later session."""
        return len(self.logs_after)

    @property
    def days(self) -> tuple[Part, ...]:
        """The part of the variance of the change that comes from day-to-day noise; empty if the noise is not known."""
        return () if self.noise is None else (Part(2 * self.noise.variance, self.noise.sessions - 1),)


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The comparison of a later session with an earlier one."""

    before_id: str
    before_wall_ns: int
    differences: tuple[Difference, ...]
    changes: tuple[FigureChange, ...]
    """The changes, by figure in the requested order, then by contender of the later session."""
    gone: tuple[str, ...] = ()
    """Labels of the earlier session's contenders that are missing in the later one."""
    day_noise: float | None
    """Standard deviation of a session's log speed from day to day. None if it is not known; there are then no
    verdicts."""
    older_rules: bool = False
    """Whether another version of llmtui made the earlier session. This version's rules are applied to both sessions."""

    @property
    def judged(self) -> bool:
        """Whether a verdict is possible: at most one condition differs, and the day-to-day noise is known."""
        return len(self.differences) <= 1 and self.day_noise is not None


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """The session to compare with, which is the last one of the same plan, and the day-to-day noise."""

    session: Session
    noise: DayNoise | None = None
    """Day-to-day noise, estimated from at least four earlier sessions under the same conditions; None if there are
    fewer."""


def compare_sessions(
    before: Session,
    after: Session,
    *,
    noise: Mapping[str, DayNoise] = MappingProxyType({}),
    figures: Collection[str] = ("decode_tps",),
    comparisons: int = 1,
) -> Comparison:
    """Return the differences in conditions and the changes of figures from one session to a later one.

    Args:
        before: the earlier session.
        after: the later session.
        noise: day-to-day noise by figure. Without it, the result has figures and intervals, but no verdicts.
        figures: ids of the figures to compare.
        comparisons: number of comparisons shown together; the intervals are valid for all of them together.
    """
    found = differences(before, after)
    pair = _Pair(before, after)
    changes: list[FigureChange] = []
    for figure in figures:
        sides = [pair.sides(index, figure) for index in range(len(after.plan.contenders))]
        known = [
            _change(pair, figure, index, both) if both is not None else _absent(pair, figure, index)
            for index, both in enumerate(sides)
        ]
        pairs = max(sum(one.why == "needs_rounds" and _has_rounds(one) for one in known), 1) * comparisons
        changes += [
            judge_change(one, noise=noise.get(figure), pairs=pairs, judged=len(found) <= 1)
            if one.why == "needs_rounds" and _has_rounds(one)
            else one
            for one in known
        ]
    speed = noise.get("decode_tps")
    return Comparison(
        before_id=before.session_id,
        before_wall_ns=before.wall_ns,
        differences=found,
        changes=tuple(changes),
        gone=tuple(one.label for at, one in enumerate(before.plan.contenders) if at not in pair.matches.values()),
        day_noise=None if speed is None else math.sqrt(speed.variance),
        older_rules=before.fingerprint.llmtui != after.fingerprint.llmtui,
    )


def judge_change(known: FigureChange, *, noise: DayNoise | None, pairs: int, judged: bool) -> FigureChange:
    """Return the change with its interval, and with a verdict if the day-to-day noise is known.

    Args:
        known: the change, still without an interval; each session must have at least two rounds.
        noise: day-to-day noise, added to the variance of both sessions.
        pairs: number of changes shown together; the interval is valid for all of them together.
        judged: whether a verdict is allowed, because at most one condition differs.
    """
    known = msgspec.structs.replace(known, noise=noise, pairs=pairs)
    interval = welch(
        known.logs_after, known.logs_before, level=1 - ALPHA / pairs, floor=DEVIATION_FLOOR, also=known.days
    )
    word: ChangeWord = "no_verdict"
    why = None
    if not judged:
        why = "several_differences"
    elif noise is None:
        why = "day_noise_unknown"
    else:
        word = _change_word(known, interval.low, interval.high)
    return msgspec.structs.replace(
        known,
        word=word,
        why=why,
        ratio=math.exp(interval.difference),
        low=math.exp(interval.low),
        high=math.exp(interval.high),
    )


def mark_of(change: FigureChange) -> Mark:
    """Return whether a change is better, worse, equal or open (undecided).

    The result is ``none`` if there is no verdict, or if a higher value of the figure is neither better nor worse.
    """
    if change.word in ("practically_equal", "no_noticeable_difference"):
        return "equal"
    if change.word == "too_close":
        return "open"
    one = measure_of(change.figure)
    if one is None or one.better == "neither" or change.word not in (*_UP, *_DOWN):
        return "none"
    return "better" if (change.word in _UP) == (one.better == "higher") else "worse"


def is_unnoticed(change: FigureChange) -> bool:
    """Return whether a waiting time changed by less than a person notices, so that its ratio is not meaningful."""
    both = change.before, change.after
    return change.figure in WAITED and None not in both and abs((both[1] or 0) - (both[0] or 0)) < NOTICEABLE_MS


def only_seems(word: ChangeWord) -> bool:
    """Return whether a verdict is one of the ``seems_`` verdicts, which chance causes in up to 5 of 100 comparisons."""
    return word.startswith("seems_")


class _Pair:
    """Two sessions with the data that the comparison of every figure needs."""

    def __init__(self, before: Session, after: Session) -> None:
        self.before, self.after = before, after
        self.matches = matched_contenders(before.plan, after.plan)
        self.prompts = {one.sha256 for one in before.plan.prompts} & {one.sha256 for one in after.plan.prompts}
        self._summaries: tuple[Summary, Summary] = summarise(before), summarise(after)

    def sides(self, later: int, figure: str) -> tuple[Observed, Observed] | None:
        """Return a contender's figure in both sessions.

        None if the earlier session has no matching contender, or if the sessions have no prompt in common.
        """
        earlier = self.matches.get(later)
        if earlier is None or not self.prompts:
            return None
        return (
            observed(self.before, lambda: self._summaries[0], earlier, figure, self.prompts),
            observed(self.after, lambda: self._summaries[1], later, figure, self.prompts),
        )


def _absent(pair: _Pair, figure: str, index: int) -> FigureChange:
    why = "no_common_prompts" if index in pair.matches else "not_there_before"
    return FigureChange(contender=index, figure=figure, word="no_verdict", why=why)


def _change(pair: _Pair, figure: str, index: int, both: tuple[Observed, Observed]) -> FigureChange:
    then, now = both
    ratio = None
    if then.logs and now.logs:
        ratio = math.exp(mean(now.logs) - mean(then.logs))
    elif then.value and now.value:
        ratio = now.value / then.value
    why = "needs_rounds"
    if then.value is None or now.value is None:
        why = "not_measured"
    elif is_imported(pair.before.plan) or is_imported(pair.after.plan):
        why = "not_rounds"
    elif figure == "prefill_tps" and prefill_kind(pair.before) != prefill_kind(pair.after):
        ratio, why = None, "other_trials"
    elif not then.logs and not now.logs:
        why = "one_per_session"
    return FigureChange(
        contender=index,
        figure=figure,
        word="no_verdict",
        why=why,
        before=then.value,
        after=now.value,
        ratio=ratio,
        logs_before=then.logs,
        logs_after=now.logs,
    )


def _has_rounds(one: FigureChange) -> bool:
    return min(one.rounds_before, one.rounds_after) >= MIN_ROUNDS_ACROSS


def _change_word(known: FigureChange, low: float, high: float) -> ChangeWord:
    if is_unnoticed(known):
        return "no_noticeable_difference"
    is_wait = known.figure in WAITED
    margin = SOONER if is_wait else MARGIN
    one = measure_of(known.figure)
    family = "wait" if is_wait else "rate" if one is not None and one.better == "higher" else "amount"
    higher, lower, seems_higher, seems_lower = _WORDS[family]
    if low > margin:
        return higher
    if high < -margin:
        return lower
    if low > -margin and high < margin:
        return "practically_equal"
    return seems_higher if low > 0 else seems_lower if high < 0 else "too_close"
