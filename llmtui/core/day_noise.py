"""Day-to-day noise of a plan on one machine. Rules: docs/method.md, "Across sessions"."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from llmtui.core.differences import differences, matched_contenders
from llmtui.core.observed import round_logs
from llmtui.core.session import Session
from llmtui.core.stats import deviation, mean

MIN_SESSIONS = 4
"""Smallest number of earlier sessions, under the same conditions, from which the day-to-day noise is estimated."""


class DayNoise(msgspec.Struct, frozen=True):
    """How much a figure varies from day to day between sessions under the same conditions on this machine."""

    variance: float
    """Variance of the sessions' mean log values. It includes the scatter of the rounds within a session."""
    sessions: int


def day_noises(sessions: Sequence[Session], figures: Collection[str]) -> dict[str, DayNoise]:
    """Return the day-to-day noise of each figure for which it can be estimated.

    Args:
        sessions: sessions of one plan, the newest first; those under other conditions than the newest are ignored.
        figures: ids of the figures.
    """
    alike = _alike(sessions)
    known = {one: _of_figure(alike, one) for one in figures} if len(alike) >= MIN_SESSIONS else {}
    return {figure: noise for figure, noise in known.items() if noise is not None}


def day_noise(sessions: Sequence[Session], figure: str = "decode_tps") -> DayNoise | None:
    """Return the day-to-day noise of one figure; None for fewer than four sessions under the same conditions.

    It is the variance of the sessions' mean log values, averaged over the contenders. Contenders of one session share
    the state of the machine on that day, so the degrees of freedom are those of the sessions.

    Args:
        sessions: sessions of one plan, the newest first; those under other conditions than the newest are ignored.
        figure: id of the figure.
    """
    return day_noises(sessions, (figure,)).get(figure)


def noise_of(means: Sequence[Sequence[float]]) -> DayNoise | None:
    """Return the day-to-day noise of sessions' mean log values; None if no contender has four sessions.

    Args:
        means: for each contender, one mean log value per session.
    """
    known = [series for series in means if len(series) >= MIN_SESSIONS]
    if not known:
        return None
    return DayNoise(mean([deviation(series) ** 2 for series in known]), min(map(len, known)))


def _alike(sessions: Sequence[Session]) -> list[tuple[Session, Mapping[int, int]]]:
    """Return the sessions under the same conditions as the newest, each with its contenders matched to the newest's."""
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
