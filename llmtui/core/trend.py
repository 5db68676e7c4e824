"""One figure over several sessions of one plan, with the conditions that changed between the sessions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache, partial

import msgspec

from llmtui.core.differences import Difference, differences, matched_contenders
from llmtui.core.interval import ALPHA, DEVIATION_FLOOR, MIN_ROUNDS
from llmtui.core.observed import observed
from llmtui.core.session import Session
from llmtui.core.stats import t_interval
from llmtui.core.summary import summarise


class TrendPoint(msgspec.Struct, frozen=True, kw_only=True):
    """The figure of one contender in one session."""

    session: int
    """Index into ``FigureTrend.sessions``."""
    value: float
    """Value of the figure, in the unit of files."""
    low: float | None = None
    """Lower end of the 95 % interval over the session's rounds, for this session alone; None below three rounds."""
    high: float | None = None
    rounds: int = 0


class TrendLine(msgspec.Struct, frozen=True, kw_only=True):
    """The figure of one contender, oldest session first. Sessions without the figure have no point."""

    label: str
    points: tuple[TrendPoint, ...]


class TrendSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session on the time axis of a trend."""

    session_id: str
    wall_ns: int
    changed: tuple[Difference, ...] = ()
    """Conditions that differ from those of the previous session."""


class FigureTrend(msgspec.Struct, frozen=True, kw_only=True):
    """One figure over time, for every contender of the newest session."""

    figure: str
    sessions: tuple[TrendSession, ...]
    """The sessions, oldest first."""
    lines: tuple[TrendLine, ...]


def trend(sessions: Sequence[Session], figure: str = "decode_tps") -> FigureTrend:
    """Return one figure over several sessions.

    Args:
        sessions: sessions of one plan, in any order.
        figure: id of the figure.

    Raises:
        ValueError: no session was given.
    """
    if not sessions:
        raise ValueError("a trend is of at least one session")
    ordered = sorted(sessions, key=lambda one: (one.wall_ns, one.session_id))
    newest = ordered[-1]
    prompts = {one.sha256 for one in newest.plan.prompts}
    points: list[list[TrendPoint]] = [[] for _ in newest.plan.contenders]
    for at, session in enumerate(ordered):
        summary, places = cache(partial(summarise, session)), matched_contenders(session.plan, newest.plan)
        asked = prompts & {one.sha256 for one in session.plan.prompts}
        for index, earlier in places.items():
            found = observed(session, summary, earlier, figure, asked)
            if found.value is not None:
                points[index].append(_point(at, found.value, found.logs))
    return FigureTrend(
        figure=figure,
        sessions=tuple(
            TrendSession(
                session_id=one.session_id,
                wall_ns=one.wall_ns,
                changed=() if at == 0 else differences(ordered[at - 1], one),
            )
            for at, one in enumerate(ordered)
        ),
        lines=tuple(
            TrendLine(label=one.label, points=tuple(points[index])) for index, one in enumerate(newest.plan.contenders)
        ),
    )


def has_points(found: FigureTrend) -> bool:
    """Return whether at least one session has the figure."""
    return any(line.points for line in found.lines)


def _point(at: int, value: float, logs: Sequence[float]) -> TrendPoint:
    if len(logs) < MIN_ROUNDS:
        return TrendPoint(session=at, value=value, rounds=len(logs))
    interval = t_interval(logs, level=1 - ALPHA, floor=DEVIATION_FLOOR)
    half = math.exp(interval.high - interval.mean)
    return TrendPoint(session=at, value=value, low=value / half, high=value * half, rounds=interval.n)
