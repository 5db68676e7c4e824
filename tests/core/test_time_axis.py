from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtui.core.events import Event, PhaseChanged, PlanExtended, Sampled, SessionFinished, TrialStarted
from llmtui.core.records import PhaseDetail
from llmtui.core.session import SamplePoint, Session, fold
from llmtui.core.time_axis import Band, band_columns, bands, per_column, without_standstills
from tests.core.made import finished, plan, started, trial
from tests.tui.sessions import S, a_plan, a_session, start_of, until

OTHERS = PhaseDetail(step="waiting_for_others")
LOADING = PhaseDetail(step="loading", names=("llama3",))


def named(session: Session) -> list[tuple[str, float]]:
    return [(band.name, round((band.end_ns - band.start_ns) / 1e9, 1)) for band in bands(session)]


def session_at(seconds: float) -> Session:
    session = fold(until(a_session(a_plan("llama3:8b")), seconds))
    assert session is not None
    return session


def test_a_wait_is_cut_into_loading_and_reading_by_the_servers_load_duration() -> None:
    session = fold(a_session(a_plan("llama3:8b")))
    assert session is not None
    assert named(session)[:4] == [("unload", 1.3), ("load", 17.4), ("prefill", 0.7), ("answer", 2.6)]


def test_a_wait_that_is_not_over_counts_as_loading_for_a_start_and_as_reading_for_a_test() -> None:
    assert named(session_at(10))[-1][0] == "load"
    events = a_session(a_plan("llama3:8b"))
    first = start_of(events, "r1-m1-warm-p4", "waiting")
    assert named(session_at(first + 0.6))[-1][0] == "prefill"


def test_bands_follow_each_other_without_holes() -> None:
    session = fold(a_session())
    assert session is not None
    made = bands(session)
    assert all(earlier.end_ns == later.start_ns for earlier, later in pairwise(made))
    assert made[-1].end_ns <= session.last_t_ns


def test_thinking_is_a_band_of_its_own() -> None:
    session = fold(a_session(a_plan("qwen3:4b")))
    assert session is not None
    assert {"thinking", "answer"} <= {band.name for band in bands(session)}


def test_a_wait_for_other_programs_is_no_loading() -> None:
    events = until(a_session(a_plan("llama3:8b")), 1)
    now_ns = session_at(1).last_t_ns
    session = fold([*events, PhaseChanged(t_ns=now_ns + S, phase="waiting", detail=OTHERS),
                    PhaseChanged(t_ns=now_ns + 3 * S, phase="waiting", trial_id="r1-m1-cold")])  # fmt: skip
    assert session is not None
    assert named(session)[-1] == ("idle", 2.0)


def test_a_start_before_the_first_question_is_loading_though_no_test_counts_it() -> None:
    """A block without a cold start: its model is loaded by a request that is not measured."""
    of = plan("llama3", kinds=("warm",))
    warm = trial(of)
    asked_ns = 1_000 + 5 * S
    row = finished(of, warm, t0_ns=asked_ns, t_ns=asked_ns + 14 * S)
    events: list[Event] = [
        started(of),
        TrialStarted(t_ns=1_000, trial=warm, order=1, total=2),
        PhaseChanged(t_ns=1_000, phase="waiting", trial_id=warm.id, detail=LOADING),
        PhaseChanged(t_ns=asked_ns, phase="waiting", trial_id=warm.id),
        PhaseChanged(t_ns=asked_ns + S // 2, phase="answer", trial_id=warm.id),
        row,
    ]
    while_it_loads, whole = fold([*events[:3], sampled(4 * S)]), fold(events)
    assert while_it_loads is not None
    assert whole is not None
    assert named(while_it_loads) == [("load", 4.0)]
    assert named(whole)[:2] == [("load", 5.0), ("prefill", 0.5)]


def test_what_was_there_before_is_loaded_again_at_the_end() -> None:
    of = plan("llama3")
    session = fold([
        started(of),
        PhaseChanged(t_ns=2_000, phase="waiting", detail=PhaseDetail(step="loading_again", names=("qwen",))),
        PhaseChanged(t_ns=2_000 + 3 * S, phase="idle"),
    ])  # fmt: skip
    assert session is not None
    assert named(session) == [("load", 3.0)]


def sampled(t_ns: int) -> Sampled:
    return Sampled(t_ns=1_000 + t_ns, cores_busy=1.0)


def sample(at_s: float, cores: float | None) -> SamplePoint:
    return SamplePoint(round(at_s * S), 0.0, cores, None, None, None, None, None, None)


def test_a_column_is_the_mean_of_its_samples_and_a_hole_where_there_is_none() -> None:
    samples = [sample(0.2, 1.0), sample(0.7, 3.0), sample(2.5, 4.0), sample(2.6, None), sample(9, 8.0)]
    columns = per_column(samples, lambda one: one.runner_cores, start_ns=0, column_ns=S, columns=4)
    assert columns == [2.0, None, 4.0, None]


@given(st.lists(st.integers(0, 400).map(lambda tenth: sample(tenth / 10, 1.0)), max_size=200), st.integers(1, 60))
def test_there_is_never_more_than_one_point_a_column(samples: list[SamplePoint], columns: int) -> None:
    drawn = per_column(samples, lambda one: one.runner_cores, start_ns=0, column_ns=S, columns=columns)
    assert len(drawn) == columns


def test_a_column_shows_the_band_that_fills_most_of_it() -> None:
    marked = [Band(0, round(0.4 * S), "load", "a"), Band(round(0.4 * S), 2 * S, "answer", "a")]
    shown = band_columns(marked, start_ns=0, column_ns=S, columns=3)
    assert [None if band is None else band.name for band in shown] == ["answer", "answer", None]


@pytest.mark.parametrize("start_ns", [-5 * S, 0, 100 * S])
def test_bands_outside_the_window_are_left_out(start_ns: int) -> None:
    shown = band_columns([Band(0, S, "load", None)], start_ns=start_ns, column_ns=S, columns=10)
    assert sum(band is not None for band in shown) == (start_ns <= 0)


# --- a session that continues after its end ---------------------------------------------------------------------------


def gone_on(*pauses_s: int) -> Session:
    """Return rounds of ten seconds, one before the pauses and one after each."""
    of = plan("llama3", rounds=1)
    events: list[Event] = [started(of)]
    at_ns = 1_000
    for number, pause_s in enumerate((0, *pauses_s), 1):
        if number > 1:
            events.append(SessionFinished(t_ns=at_ns, wall_ns=0, how="complete"))
            at_ns += pause_s * S
            events.append(PlanExtended(t_ns=at_ns, rounds=number, why="asked for"))
        one = trial(of, round_number=number)
        events.append(PhaseChanged(t_ns=at_ns, phase="waiting", trial_id=one.id))
        events.append(PhaseChanged(t_ns=at_ns + 4 * S, phase="answer", trial_id=one.id))
        events.append(Sampled(t_ns=at_ns + 5 * S, cores_busy=1.0))
        events.append(finished(of, one, t0_ns=at_ns, t_ns=at_ns + 10 * S))
        events.append(PhaseChanged(t_ns=at_ns + 10 * S, phase="idle"))
        at_ns += 10 * S
    session = fold(events)
    assert session is not None
    return session


@given(st.lists(st.integers(0, 100_000), max_size=4))
def test_what_lies_between_the_end_and_further_rounds_is_not_drawn(pauses_s: list[int]) -> None:
    drawn = without_standstills(gone_on(*pauses_s))
    expected = without_standstills(gone_on(*(0 for _ in pauses_s)))
    assert drawn == expected
    assert named(drawn) == [("prefill", 4.0), ("answer", 6.0)] * (len(pauses_s) + 1)
    assert drawn.last_t_ns - drawn.t_ns == 10 * S * (len(pauses_s) + 1)


def test_a_session_that_never_stood_still_is_drawn_as_it_is() -> None:
    session = gone_on()
    assert without_standstills(session) is session


def test_a_start_that_failed_while_loading_never_came_to_reading() -> None:
    one = plan()
    cold = trial(one, kind="cold")
    failed = finished(one, cold, outcome="error", counters=None)
    session = fold([started(one), PhaseChanged(t_ns=2, phase="waiting", trial_id=cold.id), failed])
    assert session is not None
    assert {band.name for band in bands(session)} <= {"load"}
