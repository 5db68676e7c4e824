"""Limits on a session's figures, and on their changes, such as ``decode_tps < -5%`` or ``ttft_ms > 800``.

A limit states what must not happen. It counts as broken only if the whole confidence interval is beyond it. Rules:
docs/method.md, "Across sessions".
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from llmtui.core.across import MIN_ROUNDS_ACROSS, FigureChange
from llmtui.core.interval import ALPHA, DEVIATION_FLOOR
from llmtui.core.measures import measure_of
from llmtui.core.stats import Part, Welch, around, deviation, mean

MOST_ROUNDS: Final = 64
"""Largest number of rounds per session for which a forecast is made."""
_LIMIT: Final = re.compile(r"\s*(\w+)\s*([<>])\s*([+-]?[0-9]+(?:\.[0-9]+)?)\s*(\S*)\s*")

Held = Literal["beyond", "within", "cannot_tell"]
Fault = Literal["form", "figure", "unit", "sign", "impossible"]


class BadLimit(Exception):
    """Raised for a text that is not a limit."""

    def __init__(self, fault: Fault, *, figure: str = "", unit: str = "") -> None:
        super().__init__(fault)
        self.fault = fault
        self.figure = figure
        """Id of the figure as written."""
        self.unit = unit
        """Unit of the figure on screen."""


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """A limit for one figure, or for the change of one figure."""

    text: str
    """The limit as written."""
    figure: str
    above: bool
    """Whether values above the limit break it; if False, values below it do."""
    ratio: float | None = None
    """Limit for a change, as the ratio later ÷ earlier; None if the limit is for the value."""
    value: float | None = None
    """Limit for the later session's value, in the unit of files; None if the limit is for the change."""


class Gated(msgspec.Struct, frozen=True, kw_only=True):
    """The result of checking one limit on one contender's figure."""

    limit: Limit
    change: FigureChange
    held: Held
    low: float | None = None
    """Lower end of the interval that the result is based on: of the ratio, or of the value in the unit of files."""
    high: float | None = None
    rounds: int | None = None
    """For ``cannot_tell``: number of rounds per session with which the result is expected to be clear, if the figures
    stay the same. None: more than 64, or more rounds do not help."""


def read_limit(text: str) -> Limit:
    """Return the limit in a text: ``FIGURE < NUMBER%`` for a change, ``FIGURE > NUMBER`` for the value itself.

    A number without a unit is in the unit of files. A unit after the number must be the figure's unit on screen.

    Raises:
        BadLimit: the text is not a limit.
    """
    found = _LIMIT.fullmatch(text)
    if found is None:
        raise BadLimit("form")
    figure, sign, number, unit = found.groups()
    one = measure_of(figure)
    if one is None or (one.of_model is None and one.of_trial is None):
        raise BadLimit("figure", figure=figure)
    above = sign == ">"
    if unit == "%" and one.unit != "%":
        ratio = 1 + float(number) / 100
        if ratio <= 0:
            raise BadLimit("impossible", figure=figure)
        return Limit(text=text.strip(), figure=figure, above=above, ratio=ratio)
    if number[0] in "+-":
        raise BadLimit("sign", figure=figure)
    if unit not in ("", one.unit):
        raise BadLimit("unit", figure=figure, unit=one.unit)
    return Limit(text=text.strip(), figure=figure, above=above, value=float(number) * (one.per if unit else 1))


def hold(limits: Sequence[Limit], changes: Sequence[FigureChange]) -> tuple[Gated, ...]:
    """Check each limit on every change of its figure, and return the results."""
    return tuple(_held(limit, one) for limit in limits for one in changes if one.figure == limit.figure)


def _held(limit: Limit, change: FigureChange) -> Gated:
    """Return the result of checking one limit on one change; ``cannot_tell`` if there is no confidence interval."""
    at = limit.ratio if limit.ratio is not None else limit.value
    assert at is not None, "a limit is a change or a value"
    interval = _interval(limit, change, change.rounds_before, change.rounds_after)
    if interval is None:
        return Gated(limit=limit, change=change, held="cannot_tell", rounds=_price(limit, change, at))
    low, high = math.exp(interval.low), math.exp(interval.high)
    held = _side(low, high, at, above=limit.above)
    return Gated(
        limit=limit,
        change=change,
        held=held,
        low=low,
        high=high,
        rounds=_price(limit, change, at) if held == "cannot_tell" else None,
    )


def _side(low: float, high: float, at: float, *, above: bool) -> Held:
    if (low > at) if above else (high < at):
        return "beyond"
    return "within" if ((high <= at) if above else (low >= at)) else "cannot_tell"


def _interval(limit: Limit, change: FigureChange, before: int, after: int) -> Welch | None:
    """Return the confidence interval for the given numbers of rounds, assuming the observed scatter.

    None if a session has fewer than two rounds, so that its scatter is unknown.

    Args:
        limit: the limit, which decides whether the interval is that of the ratio or of the value.
        change: the observed change.
        before: number of rounds of the earlier session.
        after: number of rounds of the later session.
    """
    level = 1 - ALPHA / change.pairs
    if limit.ratio is None:
        if change.rounds_after < MIN_ROUNDS_ACROSS:
            return None
        middle = math.log(change.after) if change.after else mean(change.logs_after)
        return around(middle, [_part(change.logs_after, after)], level=level)
    if min(change.rounds_before, change.rounds_after) < MIN_ROUNDS_ACROSS:
        return None
    parts = [_part(change.logs_after, after), _part(change.logs_before, before), *change.days]
    return around(mean(change.logs_after) - mean(change.logs_before), parts, level=level)


def _part(logs: Sequence[float], rounds: int) -> Part:
    return Part(max(deviation(logs), DEVIATION_FLOOR) ** 2 / rounds, rounds - 1)


def _price(limit: Limit, change: FigureChange, at: float) -> int | None:
    """Return the number of rounds per session after which the limit's result is expected to be clear.

    None if that takes more than 64 rounds, or if more rounds do not help.
    """
    have = [change.rounds_after] if limit.ratio is None else [change.rounds_before, change.rounds_after]
    if min(have) < MIN_ROUNDS_ACROSS:
        return MIN_ROUNDS_ACROSS if change.why == "needs_rounds" else None

    def tells(rounds: int) -> bool:
        found = _interval(limit, change, max(rounds, change.rounds_before), max(rounds, change.rounds_after))
        return (
            found is not None
            and _side(math.exp(found.low), math.exp(found.high), at, above=limit.above) != "cannot_tell"
        )

    # More rounds only narrow the interval, so the first sufficient number can be found by bisection.
    candidates = range(min(have) + 1, MOST_ROUNDS + 1)
    place = bisect_left(candidates, True, key=tells)
    return candidates[place] if place < len(candidates) else None
