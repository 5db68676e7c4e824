"""Speed over the position in an answer."""

from __future__ import annotations

import pytest

from llmtui.core.position import PARTS, speed_over_position
from llmtui.core.records import Timeline


def timeline(*chunks: tuple[float, int]) -> Timeline:
    """Return a timeline of (seconds, characters)."""
    return Timeline(
        t_ns=tuple(round(at * 1e9) for at, _ in chunks),
        chars=tuple(chars for _, chars in chunks),
        channels="a" * len(chunks),
    )


def test_a_model_that_slows_down_to_half_shows_it() -> None:
    fast = [(1 + 0.1 * n, 5) for n in range(41)]
    slow = [(5 + 0.2 * n, 5) for n in range(1, 41)]
    found = speed_over_position(timeline(*fast, *slow))
    assert len(found) == PARTS
    assert found[0][0] == 17
    assert found[0][1] == pytest.approx(50)
    assert found[-1][1] == pytest.approx(25)
    assert [rate for _, rate in found] == sorted((rate for _, rate in found), reverse=True)


def test_the_time_before_the_first_text_is_in_no_stretch() -> None:
    assert speed_over_position(timeline((60, 500), (61, 10), (62, 10))) == ((505, 10.0), (515, 10.0))


def test_text_that_came_at_one_moment_has_no_speed() -> None:
    assert speed_over_position(timeline((1, 5), (1, 5), (1, 5))) == ()
    assert speed_over_position(timeline((1, 5), (2, 5))) == ()
    assert speed_over_position(timeline()) == ()
