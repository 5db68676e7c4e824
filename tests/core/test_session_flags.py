"""Flags that follow from comparing trials."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmtui.core.events import TrialFinished
from llmtui.core.flags import counts_for_speed, counts_for_ttft, is_interfered_with
from llmtui.core.plan import Plan
from llmtui.core.records import Evidence, MachineFigures, ServerCounters
from llmtui.core.session import Session, SessionBuilder
from llmtui.core.session_flags import with_session_flags
from llmtui.words.evidence import evidence_text
from tests.core.compared import compared, compared_plan, other, warm
from tests.core.made import started

PLAN = compared_plan("a", rounds=5)


def counted(**changes: Any) -> ServerCounters:
    """Return the counters of an exact server at 10 tokens per second, with 200 prompt tokens read in half a second."""
    fields: dict[str, Any] = {
        "total_duration_ns": 5 * 10**6 + 500 * 10**6 + 12700 * 10**6,
        "load_duration_ns": 5 * 10**6,
        "prompt_tokens": 200,
        "prompt_duration_ns": 495 * 10**6,
        "output_tokens": 128,
        "output_duration_ns": 12700 * 10**6,
        "output_steps": 127,
    }
    return ServerCounters(**(fields | changes))


def session(*events: TrialFinished, of: Plan = PLAN) -> Session:
    return compared({contender.label: [] for contender in of.contenders}, *events, of=of)


def flags(found: Session) -> list[tuple[str, ...]]:
    return [row.flags for row in found.rows]


# --- cached_prompt ------------------------------------------------------------------------------------------------


def with_cached(*cached: int | None) -> Session:
    return session(
        *(warm(PLAN, 0, at + 1, 0, 10.0, counters=counted(cached_tokens=one)) for at, one in enumerate(cached))
    )


def test_a_remembered_prompt_is_known_by_the_servers_count() -> None:
    found = with_cached(5, 5, 100)
    assert flags(found) == [(), (), ("cached_prompt",)]
    assert found.rows[2].evidence == (Evidence(code="cached_tokens", args={"cached": 100, "least": 5}),)


def test_the_models_template_is_always_remembered() -> None:
    assert flags(with_cached(30, 46, 30)) == [(), (), ()]
    assert flags(with_cached(30, 47, 30)) == [(), ("cached_prompt",), ()]


def test_a_remembered_prompt_has_no_reading_rate_and_its_wait_is_not_counted() -> None:
    row = with_cached(5, 100).rows[1]
    assert (row.figures.prefill_tps, row.figures.why["prefill_tps"]) == (None, "cached")
    assert not counts_for_ttft(row)
    assert counts_for_speed(row)


def read_in(*prompt_ms: int) -> Session:
    return session(*(warm(PLAN, 0, at, 0, 10.0, **reading(ms)) for at, ms in enumerate(prompt_ms, 1)))


def reading(ms: int) -> dict[str, Any]:
    """Return a trial with this prompt time, in agreement with its wait."""
    total_ns = (5 + ms + 12700) * 10**6
    return {"ttft_ms": ms + 5, "counters": counted(prompt_duration_ns=ms * 10**6, total_duration_ns=total_ns)}


def test_without_a_count_a_prompt_read_three_times_as_fast_was_remembered() -> None:
    found = read_in(495, 495, 495, 150)
    assert flags(found) == [(), (), (), ("cached_prompt",)]
    assert [evidence_text(one) for one in found.rows[3].evidence] == [
        "the prompt was processed 3.3 times as fast as in the other rounds"
    ]


def test_two_other_rounds_are_too_few_to_say_so() -> None:
    assert flags(read_in(495, 495, 150)) == [(), (), ()]


def test_a_prompt_read_twice_as_fast_is_not_remembered() -> None:
    assert flags(read_in(495, 495, 495, 250)) == [()] * 4


def test_follow_ups_are_remembered_by_design() -> None:
    follow_up = other(PLAN, "follow_up", 0, 1, counters=counted(cached_tokens=150, output_tokens=32, output_steps=31))
    found = session(warm(PLAN, 0, 1, 0, 10.0, counters=counted(cached_tokens=5)), follow_up)
    assert "cached_prompt" not in found.rows[1].flags


# --- throttled ----------------------------------------------------------------------------------------------------


def with_throttling(*rows: tuple[float, int | None]) -> Session:
    return session(
        *(
            warm(PLAN, 0, at + 1, 0, tps, machine=MachineFigures(throttle_events=events))
            for at, (tps, events) in enumerate(rows)
        )
    )


def test_throttled_asks_for_the_counter_and_for_slower_tokens() -> None:
    found = with_throttling((10.0, 0), (10.0, 0), (9.0, 14), (9.9, 3), (9.0, 0))
    assert flags(found)[2:4] == [("throttled",), ()]
    assert [evidence_text(one) for one in found.rows[2].evidence] == [
        "the CPU was throttled 14 times, and each token took 11 % longer"
    ]


def test_without_a_calm_test_nobody_knows_what_would_have_been() -> None:
    assert flags(with_throttling((10.0, 2), (8.0, 9))) == [(), ()]


def test_a_machine_without_the_counter_is_never_throttled() -> None:
    assert flags(with_throttling((10.0, None), (8.0, None))) == [(), ()]


# --- outlier ------------------------------------------------------------------------------------------------------


def four_rounds(last: float) -> Session:
    of = compared_plan("a")
    steady = [warm(of, 0, number, which, 10.0) for number in (1, 2, 3, 4) for which in range(3)]
    return session(*steady[:-1], warm(of, 0, 4, 2, last), of=of)


def test_far_from_the_other_rounds_is_an_outlier() -> None:
    found = four_rounds(9.5)
    assert flags(found) == [()] * 11 + [("outlier",)]
    assert [evidence_text(one) for one in found.rows[-1].evidence] == [
        "+5.3 % from the median of its rounds; 0.3 % is usual"
    ]


def test_four_percent_are_within_what_a_machine_may_do() -> None:
    assert flags(four_rounds(9.62)) == [()] * 12


def test_an_outlier_without_a_cause_stays_in_the_pool() -> None:
    assert counts_for_speed(four_rounds(5.0).rows[-1])


def test_nine_readings_are_too_few() -> None:
    of = compared_plan("a")
    rows = [warm(of, 0, number, which, 10.0) for number in (1, 2, 3) for which in range(3)]
    found = session(*rows[:-1], warm(of, 0, 3, 2, 5.0), of=of)
    assert flags(found) == [()] * 9


def test_what_is_usual_is_each_models_own() -> None:
    """A restless model beside a calm one is not made of outliers."""
    found = compared({"calm": [12.0, 12.01, 12.02, 12.0], "restless": [11.0, 12.5, 10.4, 11.6]})
    assert flags(found) == [()] * 24


def test_levels_of_models_and_prompts_are_not_outliers() -> None:
    found = compared({"a": [(10.0, 50.0, 100.0)] * 3, "b": [(1.0, 5.0, 7.0)] * 3})
    assert flags(found) == [()] * 18


# --- together -----------------------------------------------------------------------------------------------------


def test_rows_without_flags_are_the_same_rows() -> None:
    rows = compared({"a": [10.0, 10.0]}).rows
    assert all(after is before for before, after in zip(rows, with_session_flags(rows), strict=True))


def test_flags_do_not_add_up_when_asked_again() -> None:
    rows = four_rounds(5.0).rows
    assert with_session_flags(rows) == rows


def test_a_flag_can_come_and_go_as_rounds_come_in() -> None:
    builder = SessionBuilder()
    builder.apply(started(PLAN))
    for number, ms in enumerate((150, 495, 495, 495), 1):
        builder.apply(warm(PLAN, 0, number, 0, 10.0, **reading(ms)))
        found = builder.snapshot()
        assert found is not None
        assert found.rows[0].flags == (("cached_prompt",) if number == 4 else ())


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(2.0, 30.0), min_size=1, max_size=5), st.integers(0, 2))
def test_every_flag_has_its_evidence(speeds: list[float], events: int) -> None:
    of = compared_plan("a", rounds=5)
    rows = [
        warm(of, 0, number, which, speed, machine=MachineFigures(throttle_events=events * which))
        for number, speed in enumerate(speeds, 1)
        for which in range(3)
    ]
    for row in session(*rows, of=of).rows:
        assert len(row.evidence) == len(row.flags)
        assert all(row.evidence)


@pytest.mark.parametrize("name", ["cached_prompt", "throttled", "outlier"])
def test_a_flag_that_the_engine_gave_is_kept_as_it_is(name: str) -> None:
    given_by_engine = warm(PLAN, 0, 1, 0, 10.0, flags=(name,), evidence=("seen",))
    row = session(given_by_engine).rows[0]
    assert (row.flags, row.evidence) == ((name,), ("seen",))


# --- busy ---------------------------------------------------------------------------------------------------------


def busy_session(*busy: bool, repeats: dict[int, str] | None = None) -> Session:
    found = []
    for at, is_busy in enumerate(busy):
        event = warm(PLAN, 0, at + 1, 0, 10.0, flags=("busy",) if is_busy else ())
        again = (repeats or {}).get(at)
        found.append(event if again is None else msgspec.structs.replace(event, repeats=again))
    return session(*found)


def test_busy_on_more_than_half_of_the_warm_trials_is_how_the_machine_is() -> None:
    found = busy_session(True, True, False)
    assert flags(found) == [("busy", "busy_machine"), ("busy", "busy_machine"), ()]
    assert found.rows[0].evidence[1] == Evidence(code="busy_machine", args={"busy": 2, "warm": 3})
    assert not any(map(is_interfered_with, found.rows))


def test_busy_on_fewer_is_a_disturbance() -> None:
    for found in (busy_session(True, False, False), busy_session(True, True, False, False), busy_session(True, True)):
        assert not any("busy_machine" in row.flags for row in found.rows)
        assert is_interfered_with(found.rows[0])
        assert counts_for_speed(found.rows[0])


def test_of_a_trial_and_its_repetition_one_counts() -> None:
    first = warm(PLAN, 0, 1, 0, 10.0).trial.id
    found = busy_session(True, False, False, repeats={1: first})
    assert flags(found) == [("busy", "superseded"), (), ()]
    assert [counts_for_speed(row) for row in found.rows] == [False, True, True]
    assert [counts_for_ttft(row) for row in found.rows] == [False, True, True]
