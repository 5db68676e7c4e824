"""A figure over sessions: in order of time, with its interval, and with what changed in between."""

from __future__ import annotations

import msgspec
import pytest

from llmtui.core.session import Session
from llmtui.core.trend import trend
from tests.core.compared import compared


def session(day: int, *rates: float, version: str = "1", name: str = "a") -> Session:
    made = compared({name: rates})
    return msgspec.structs.replace(
        made,
        session_id=f"day-{day}",
        wall_ns=day * 86_400 * 10**9,
        fingerprint=msgspec.structs.replace(made.fingerprint, server_version=version),
    )


def test_points_follow_each_other_in_time_with_their_intervals() -> None:
    found = trend([session(3, 12, 12.2, 11.8), session(1, 10, 10.1, 9.9), session(2, 10.5)])
    assert [one.session_id for one in found.sessions] == ["day-1", "day-2", "day-3"]
    (line,) = found.lines
    assert [one.session for one in line.points] == [0, 1, 2]
    assert [round(one.value, 1) for one in line.points] == [10.0, 10.5, 12.0]
    first, one_round, _ = line.points
    assert first.low is not None
    assert first.high is not None
    assert first.low < first.value < first.high
    assert (one_round.low, one_round.high, one_round.rounds) == (None, None, 1)


def test_a_version_is_marked_where_it_changes() -> None:
    found = trend([session(day, 10, 10.1, 9.9, version="1" if day < 3 else "2") for day in (1, 2, 3, 4)])
    changed = [[(one.aspect, one.before, one.after) for one in at.changed] for at in found.sessions]
    assert changed == [[], [], [("server_version", "1", "2")], []]


def test_a_session_without_the_figure_has_no_point() -> None:
    assert [line.points for line in trend([session(1, 10.0)], "follow_up_ttft_ms").lines] == [()]
    with pytest.raises(ValueError, match="at least one"):
        trend([])
