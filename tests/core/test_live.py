from __future__ import annotations

import pytest
from msgspec.structs import replace

from llmtui.core.events import Chunks
from llmtui.core.live import LiveTrial, RoundRates, loading, run_left_s, share_done, time_left_s, tokens_per_chunk
from llmtui.core.plan import Plan
from llmtui.core.session import Session, fold
from tests.tui.sessions import GB, SPEEDS, a_plan, a_session, start_of, until

MS = 1_000_000


def chunks(*times_ms: float, channel: str = "a", trial_id: str = "one") -> Chunks:
    return Chunks(trial_id=trial_id, chunks=tuple((round(at * MS), channel, "x ") for at in times_ms))


def session_at(seconds: float, *names: str) -> Session:
    session = fold(until(a_session(a_plan(*names)), seconds))
    assert session is not None
    return session


def test_the_first_piece_is_the_first_word_whatever_its_channel() -> None:
    live = LiveTrial("one")
    live.add(chunks(400, 500, channel="t"))
    assert (live.figures().ttft_ms, live.figures().ttfo_ms, live.figures().thinking) == (400, None, True)
    live.add(chunks(900))
    assert (live.figures().ttft_ms, live.figures().ttfo_ms, live.figures().thinking) == (400, 900, False)


def test_the_speed_is_pieces_after_the_first_over_the_time_since_it() -> None:
    live = LiveTrial("one")
    live.add(chunks(400, 500, 600, 700, 800))
    assert live.figures().tps == pytest.approx(10)


def test_the_speed_counts_the_tokens_that_a_piece_had_in_earlier_tests() -> None:
    live = LiveTrial("one", tokens_per_chunk=2.5)
    live.add(chunks(400, 500, 600))
    assert live.figures().tps == pytest.approx(25)


def test_two_pieces_make_no_speed() -> None:
    live = LiveTrial("one")
    live.add(chunks(400, 500))
    assert live.figures().tps is None


def test_text_of_another_trial_is_passed_over() -> None:
    live = LiveTrial("one")
    live.add(chunks(100, trial_id="two"))
    assert live.figures().chunks == 0


def test_tokens_a_piece_come_from_the_models_own_finished_tests() -> None:
    session = session_at(60)
    assert tokens_per_chunk(session, 2) == pytest.approx(1.0, abs=0.05)
    assert tokens_per_chunk(session, 0) == 1.0


def test_loading_says_how_much_is_in_memory_and_how_long_it_will_take() -> None:
    session = session_at(1.3 + 10, "llama3:8b")
    progress = loading(session, session.phases[-1].t_ns)
    assert progress is not None
    assert progress.size_bytes == round(SPEEDS["llama3:8b"].size_gb * GB)
    assert progress.held_bytes == pytest.approx(10 / 17.4 * 5.16 * GB, rel=0.05)
    # Memory is full before the server says so, by what the runner holds beyond the weights.
    assert progress.left_s == pytest.approx(17.4 * 4.66 / 5.16 - 10, abs=1)


def test_a_pace_that_cannot_be_true_is_not_told() -> None:
    session = session_at(1.3 + 10, "llama3:8b")
    samples = tuple(replace(one, runner_bytes=None if one.runner_bytes is None else one.runner_bytes // 100)
                    for one in session.samples)  # fmt: skip
    progress = loading(replace(session, samples=samples), session.phases[-1].t_ns)
    assert progress is not None
    assert progress.held_bytes is not None
    assert progress.left_s is None


def test_a_model_that_is_nearly_all_in_memory_is_not_loading_any_more() -> None:
    session = session_at(1.3 + 17.3, "llama3:8b")
    assert loading(session, session.phases[-1].t_ns) is None


def test_a_test_of_a_loaded_model_is_not_loading() -> None:
    events = a_session(a_plan("llama3:8b"))
    session = fold(until(events, start_of(events, "r1-m1-warm-p4", "waiting") + 0.3))
    assert session is not None
    assert loading(session, session.phases[-1].t_ns) is None


def test_a_runner_out_of_sight_loads_without_figures() -> None:
    session = session_at(1.4, "llama3:8b")
    progress = loading(session, session.phases[-1].t_ns)
    assert progress is not None
    assert progress.held_bytes is None
    assert progress.left_s is None


def test_nothing_is_known_of_the_time_before_the_first_test_is_over() -> None:
    assert time_left_s(session_at(5)) is None


def test_the_time_left_comes_near_to_the_truth_after_the_first_model() -> None:
    events = a_session()
    whole = fold(events)
    assert whole is not None
    total_s = (whole.last_t_ns - whole.t_ns) / 1e9
    at_s = start_of(events, "r1-m2-cold", "waiting")
    left_s = time_left_s(session_at(at_s))
    assert left_s == pytest.approx(total_s - at_s, rel=0.25)


def test_a_finished_session_has_no_time_left() -> None:
    session = fold(a_session(a_plan("llama3:8b")))
    assert session is not None
    assert time_left_s(session) is None


def test_time_left_shrinks_while_a_test_runs() -> None:
    events = a_session()
    at_s = start_of(events, "r1-m1-warm-p1")
    earlier, later = time_left_s(session_at(at_s + 2)), time_left_s(session_at(at_s + 7))
    assert earlier is not None
    assert later is not None
    assert earlier - later == pytest.approx(5, abs=0.6)


def test_the_rate_over_time_has_as_many_stretches_as_columns_at_most_and_keeps_the_tokens() -> None:
    trial = LiveTrial("t")
    step_ns = 25_000_000
    trial.add(Chunks(trial_id="t", chunks=tuple((1_000_000_000 + at * step_ns, "a", "x") for at in range(401))))
    rates = trial.rates(20)
    assert 15 <= len(rates) <= 20
    assert all(rate == pytest.approx(40, abs=2) for rate in rates)
    assert trial.rates(0) == ()


def test_a_slow_model_is_no_row_of_ones_and_zeros() -> None:
    trial = LiveTrial("t")
    trial.add(Chunks(trial_id="t", chunks=tuple((at * 500_000_000, "a", "x") for at in range(41))))
    assert all(rate == pytest.approx(2, abs=0.6) for rate in trial.rates(80))


def test_the_line_of_a_round_has_live_trials_in_full_and_others_by_their_mean() -> None:
    session = session_at(start_of(a_session(), "r1-m3-warm-p2") + 1)
    rates = RoundRates()
    line = rates.of(session, 2)
    done = [row.figures.decode_tps for row in session.rows if row.trial.contender == 2]
    assert line == tuple(value for rate in done for value in (0.0, rate, rate))
    first = LiveTrial(session.rows[0].trial.id)
    first.add(Chunks(trial_id=first.trial_id, chunks=tuple((at * 100_000_000, "a", "x") for at in range(40))))
    rates.keep(first, 1)
    assert len(rates.of(session, 2)) > len(line)


def test_the_share_that_is_done_never_falls_while_rounds_are_added() -> None:
    plan = a_plan(rounds=3, max_rounds=5, budget_s=3600.0)
    shares = [share_done(of_plan(plan, at)) for at in range(5, 800, 40)]
    assert shares == sorted(shares)
    assert shares[0] < 0.05


def test_the_time_left_is_a_range_where_rounds_may_follow() -> None:
    fixed = of_plan(a_plan(rounds=3, max_rounds=3), 300)
    low, high = run_left_s(fixed) or (0, 0)
    assert 0 < low == high
    more = of_plan(a_plan(rounds=3, max_rounds=5), 300)
    low, high = run_left_s(more) or (0, 0)
    assert high > low
    short = of_plan(a_plan(rounds=3, max_rounds=5, budget_s=60.0), 300)
    low, high = run_left_s(short) or (0, 0)
    assert low == high, "no further round ends within the budget"


def of_plan(plan: Plan, seconds: float) -> Session:
    session = fold(until(a_session(plan), seconds))
    assert session is not None
    return session
