"""How much sessions of one plan differ on one machine from day to day. Rules: docs/method.md, "Across sessions"."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from llmtui.core.differences import differences, matched_contenders
from llmtui.core.observed import round_logs
from llmtui.core.session import Session
from llmtui.core.stats import deviation, mean

MIN_SESSIONS = 4
"""Earlier sessions under one set of conditions from which the day-to-day noise is known."""


class DayNoise(msgspec.Struct, frozen=True):
    """How much sessions under the same conditions differ here from day to day."""

    variance: float
    """Of a session's mean log value; what the rounds of a session scatter is in it."""
    sessions: int


def day_noises(sessions: Sequence[Session], figures: Collection[str]) -> dict[str, DayNoise]:
    """Return the day-to-day noise of each figure of which it is known.

    Args:
        sessions: of one plan, the newest first.
        figures: ids of measures.
    """
    alike = _alike(sessions)
    known = {one: _of_figure(alike, one) for one in figures} if len(alike) >= MIN_SESSIONS else {}
    return {figure: noise for figure, noise in known.items() if noise is not None}


def day_noise(sessions: Sequence[Session], figure: str = "decode_tps") -> DayNoise | None:
    """Return how much sessions of one plan differ from day to day; None for fewer than four under equal conditions.

    The variance of the sessions' mean log values, averaged over the contenders: those share the machine's day, so that
    the degrees of freedom are those of the sessions.

    Args:
        sessions: of one plan, the newest first; those whose conditions differ from the newest's say nothing.
        figure: id of a measure.
    """
    return day_noises(sessions, (figure,)).get(figure)


def noise_of(means: Sequence[Sequence[float]]) -> DayNoise | None:
    """Return the day-to-day noise of sessions' mean log values; None where no contender has four sessions.

    Args:
        means: of each contender, one per session.
    """
    known = [series for series in means if len(series) >= MIN_SESSIONS]
    if not known:
        return None
    return DayNoise(mean([deviation(series) ** 2 for series in known]), min(map(len, known)))


def _alike(sessions: Sequence[Session]) -> list[tuple[Session, Mapping[int, int]]]:
    """The sessions under the newest one's conditions, each with its contenders by those of the newest."""
    return [
        (one, matched_contenders(one.plan, sessions[0].plan)) for one in sessions if not differences(one, sessions[0])
    ]


def _of_figure(alike: Sequence[tuple[Session, Mapping[int, int]]], figure: str) -> DayNoise | None:
    newest = alike[0][0]
    prompts = {one.sha256 for one in newest.plan.prompts}
    return noise_of([
        [
            mean(logs)
            for one, places in alike
            if index in places and (logs := round_logs(one, places[index], figure, prompts))
        ]
        for index in range(len(newest.plan.contenders))
    ])  # fmt: skip
