"""A limit is broken where the whole interval is beyond it, and open where it is only partly."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import msgspec
import pytest

from llmtui.core.across import FigureChange, compare_sessions
from llmtui.core.day_noise import DayNoise, day_noise
from llmtui.core.gate import BadLimit, Gated, hold, read_limit
from llmtui.core.session import Session
from tests.core.compared import compared

MADE = compared({"a": [10.0] * 5})
SD = 0.01


def session(rates: Sequence[float]) -> Session:
    """The made session with another rate in each round."""
    return msgspec.structs.replace(
        MADE,
        rows=tuple(
            msgspec.structs.replace(
                row, figures=msgspec.structs.replace(row.figures, decode_tps=rates[row.trial.round - 1])
            )
            for row in MADE.rows
        ),
    )


def day(chance: random.Random, level: float = 1.0, rounds: int = 5) -> Session:
    """Return a session at 10 tok/s × level, whose rounds vary by 1 %."""
    return session([10.0 * level * math.exp(chance.gauss(0, SD)) for _ in range(rounds)])


def held(text: str, before: Session, after: Session, **noise: DayNoise) -> Gated:
    changes = compare_sessions(before, after, noise=noise).changes
    return hold([read_limit(text)], changes)[0]


def broken(level: float, times: int = 100) -> int:
    chance = random.Random(f"gate {level}")
    return sum(held("decode_tps < -3%", day(chance), day(chance, level)).held == "beyond" for _ in range(times))


def test_a_loss_of_six_percent_breaks_a_limit_of_three_in_95_of_100() -> None:
    assert broken(0.94) >= 95


def test_equal_sessions_break_it_in_2_of_100_at_most() -> None:
    assert broken(1.0) <= 2


def test_a_loss_at_the_limit_breaks_it_in_5_of_100_at_most() -> None:
    assert broken(0.97) <= 5


def test_two_days_of_one_machine_are_no_regression_where_their_noise_is_known() -> None:
    chance = random.Random("two days")
    found = []
    for _ in range(100):
        days = [day(chance, math.exp(chance.gauss(0, 0.02))) for _ in range(7)]
        noise = day_noise(days[:-1])
        assert noise is not None
        found.append(held("decode_tps < -3%", days[-2], days[-1], decode_tps=noise).held)
    assert found.count("beyond") <= 5


def test_what_is_open_says_how_many_rounds_it_takes() -> None:
    before, after = session([10, 10.1, 9.9, 10, 10]), session([9.7, 9.6, 9.5, 9.7, 9.6])
    found = held("decode_tps < -3%", before, after)
    assert found.held == "cannot_tell"
    assert found.rounds is not None
    assert 5 < found.rounds < 20


def test_what_the_days_hide_is_told_by_no_number_of_rounds() -> None:
    before, after = session([10, 10.1, 9.9, 10, 10]), session([9.7, 9.6, 9.5, 9.7, 9.6])
    assert held("decode_tps < -3%", before, after, decode_tps=DayNoise(0.05**2, 5)).rounds is None


def test_a_limit_that_the_whole_interval_keeps_is_within() -> None:
    before, after = session([10, 10.1, 9.9, 10, 10]), session([10, 10.1, 9.9, 10, 10.05])
    assert held("decode_tps < -5%", before, after).held == "within"
    assert held("decode_tps > +5%", before, after).held == "within"


def test_a_limit_without_percent_is_the_later_sessions_own_figure() -> None:
    before, after = session([20] * 5), session([10, 10.1, 9.9, 10, 10])
    assert held("decode_tps < 12", before, after).held == "beyond"
    assert held("decode_tps < 9 tok/s", before, after).held == "within"
    assert held("decode_tps < 10", before, after).held == "cannot_tell"


def test_a_value_may_be_in_the_unit_in_which_people_read_it() -> None:
    assert read_limit("ttft_ms > 0.8 s").value == pytest.approx(800)
    assert read_limit("ttft_ms > 800").value == pytest.approx(800)
    assert read_limit("memory_peak_bytes>6GB").value == pytest.approx(6e9)
    assert read_limit("ttft_ms > 20%").ratio == pytest.approx(1.2)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("decode_tps", "form"), ("decode_tps = 5", "form"), ("speed < -5%", "figure"), ("ratio < 1", "figure"),
        ("decode_tps < -5", "sign"), ("decode_tps < 5 ms", "unit"), ("decode_tps < -100%", "impossible"), ("", "form"),
    ],
)  # fmt: skip
def test_what_is_no_limit_is_refused(text: str, fault: str) -> None:
    with pytest.raises(BadLimit) as error:
        read_limit(text)
    assert error.value.fault == fault


def test_a_figure_without_rounds_cannot_be_held_to_a_limit() -> None:
    one = FigureChange(contender=0, figure="cold_first_ms", word="no_verdict", why="one_per_session", ratio=2.0)
    found = hold([read_limit("cold_first_ms > 20%")], [one])[0]
    assert (found.held, found.rounds) == ("cannot_tell", None)


def test_one_round_says_that_it_takes_two() -> None:
    found = held("decode_tps < -3%", session([10] * 5), compared({"a": [5.0]}))
    assert (found.held, found.rounds) == ("cannot_tell", 2)
