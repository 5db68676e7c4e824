"""What a trial's figures are, and when they are missing."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtui.core.clocks import clocks_disagree, held_back_ns, was_late_at_an_end
from llmtui.core.events import TrialFinished
from llmtui.core.metrics import Figures, measure, quantile
from llmtui.core.reading import answer_of, chunk_texts
from llmtui.core.records import ServerCounters, Timeline
from tests.core.made import MS, finished, plan, trial

PLAN = plan()


def figures(**changes: Any) -> Figures:
    return measure(finished(PLAN, **changes), local=True)


def counted(of: TrialFinished, **changes: Any) -> TrialFinished:
    assert of.counters is not None
    return msgspec.structs.replace(of, counters=msgspec.structs.replace(of.counters, **changes))


def test_times_start_when_the_request_is_sent() -> None:
    made = figures(ttft_ms=908)
    assert made.ttft_ms == 908
    assert made.ttfo_ms == 908
    assert made.e2e_ms == 908 + 127 * 100


def test_decode_rate_leaves_out_the_first_token() -> None:
    made = figures(tokens=128, token_ms=100)
    assert made.decode_tps == pytest.approx(10)
    assert made.tpot_ms == pytest.approx(100)
    assert made.decode_steps == 127
    assert made.tps_source == "client"


def test_usual_formula_is_lower_by_the_wait() -> None:
    made = figures(ttft_ms=10_000, tokens=101, token_ms=100)
    assert made.decode_tps == pytest.approx(10)
    assert made.e2e_tps == pytest.approx(101 / 20)


def test_thinking_counts_for_the_first_token_but_not_for_the_first_answer() -> None:
    made = figures(ttft_ms=500, token_ms=100, thinking=20)
    assert made.ttft_ms == 500
    assert made.ttfo_ms == 500 + 20 * 100
    assert made.thinking_chars == 20 * 5
    assert made.decode_tps == pytest.approx(10)


def test_inline_thinking_ends_where_its_mark_does() -> None:
    chunks = ("<think>", "let me", "</thi", "nk>\n\n", "Four", ".", *["."] * 60)
    line = Timeline(
        t_ns=tuple(range(MS, MS * (len(chunks) + 1), MS)),
        chars=tuple(map(len, chunks)),
        channels="a" * len(chunks),
    )
    made = figures(timeline=line, text="".join(chunks))
    assert made.thinking_inline
    assert made.ttfo_ms == 5


def test_inline_thinking_without_an_end_has_no_first_answer() -> None:
    line = Timeline(t_ns=(MS, 2 * MS), chars=(7, 5), channels="aa")
    made = figures(timeline=line, text="<think>never", ended_by="length")
    assert made.ttfo_ms is None
    assert made.why["ttfo_ms"] == "still_thinking"


def test_capped_inside_thinking_keeps_the_rate() -> None:
    made = figures(thinking=128, ended_by="length")
    assert made.ttft_ms == 500
    assert made.ttfo_ms is None
    assert made.why["ttfo_ms"] == "still_thinking"
    assert made.decode_tps == pytest.approx(10)


def test_bundled_chunks_use_the_servers_clock() -> None:
    made = figures(per_chunk=4, ttft_ms=500, token_ms=20)
    assert made.tps_source == "server"
    assert made.decode_tps == pytest.approx(50)
    assert made.chunks == 32


def test_bundled_chunks_with_running_counts_need_no_other_clock() -> None:
    bundled = finished(PLAN, per_chunk=4, token_ms=20)
    counts = (*range(4, 128, 4), 127)
    line = msgspec.structs.replace(bundled.timeline, tokens=counts)
    made = measure(msgspec.structs.replace(bundled, timeline=line), local=True)
    assert made.tps_source == "client"
    assert made.decode_tps == pytest.approx(50)
    assert made.decode_steps == 124


def test_bundled_chunks_of_a_server_that_counts_wrong_use_our_clock() -> None:
    made = figures(per_chunk=4, token_ms=20, counter_scale=1.3)
    assert made.tps_source == "client"
    assert made.decode_tps == pytest.approx(50, rel=0.01)


def busy_server(per_chunk: int, token_ms: float, waited_ms: float, **changes: Any) -> TrialFinished:
    """Return a trial of a server that bundles text and lets a request wait first, which no counter shows."""
    sent = finished(PLAN, per_chunk=per_chunk, token_ms=token_ms, **changes)
    assert sent.done_ns is not None
    wait = round(waited_ms * MS)
    line = msgspec.structs.replace(sent.timeline, t_ns=tuple(at + wait for at in sent.timeline.t_ns))
    return msgspec.structs.replace(sent, timeline=line, done_ns=sent.done_ns + wait)


@given(st.integers(2, 12), st.floats(2, 100), st.floats(0, 300))
def test_bundles_explain_a_difference_of_clocks_whatever_else_delays_the_first(
    per_chunk: int, token_ms: float, waited_ms: float
) -> None:
    exact = busy_server(per_chunk, token_ms, waited_ms)
    assert not clocks_disagree(exact)
    made = measure(exact, local=True)
    assert made.tps_source == "server"
    assert made.decode_tps == pytest.approx(1000 / token_ms, rel=1e-6)


@given(st.integers(2, 8), st.floats(5, 100), st.floats(0, 300), st.sampled_from([0.8, 1.2, 1.5]))
def test_bundles_do_not_explain_counters_that_are_wrong(
    per_chunk: int, token_ms: float, waited_ms: float, scale: float
) -> None:
    wrong = busy_server(per_chunk, token_ms, waited_ms, counter_scale=scale)
    assert clocks_disagree(wrong)
    assert not was_late_at_an_end(wrong)
    assert measure(wrong, local=True).tps_source == "client"


def test_bundles_that_are_seen_late_leave_the_servers_clock_in_its_right() -> None:
    sent = finished(PLAN, per_chunk=4, token_ms=20)
    assert sent.done_ns is not None
    late_ns = 400 * MS  # longer than any bundle: other programs had the cores
    line = sent.timeline
    times = tuple(max(at, line.t_ns[0] + late_ns) for at in line.t_ns)
    late = msgspec.structs.replace(sent, timeline=msgspec.structs.replace(line, t_ns=times))
    assert clocks_disagree(late)
    assert was_late_at_an_end(late)
    made = measure(late, local=True)
    assert made.tps_source == "server"
    assert made.decode_tps == pytest.approx(50)


def test_first_text_held_back_uses_the_servers_clock() -> None:
    exact = finished(PLAN, ttft_ms=500, token_ms=100)
    line = exact.timeline
    held = Timeline(
        t_ns=line.t_ns[3:], chars=(sum(line.chars[:4]), *line.chars[4:]), channels=line.channels[3:]
    )  # fmt: skip
    late = msgspec.structs.replace(exact, timeline=held)
    assert held_back_ns(late) == pytest.approx(300 * MS)
    made = measure(late, local=True)
    assert made.tps_source == "server"
    assert made.decode_tps == pytest.approx(10)
    assert not clocks_disagree(late)


def late_reader(late: int, **changes: Any) -> TrialFinished:
    """Return a trial whose first ``late`` chunks reached this program together, when the last of them was sent."""
    exact = finished(PLAN, tokens=128, **changes)
    line = exact.timeline
    times = (line.t_ns[late],) * late + line.t_ns[late:]
    counts = (late + 1,) * late + tuple(range(late + 1, len(times) + 1))
    return msgspec.structs.replace(exact, timeline=msgspec.structs.replace(line, t_ns=times, tokens=counts))


def test_a_reader_that_missed_most_of_the_answer_believes_the_server() -> None:
    made = measure(late_reader(100, token_ms=10), local=True)
    assert made.tps_source == "server"
    assert made.decode_tps == pytest.approx(100)
    made = measure(late_reader(20, token_ms=10), local=True)
    assert made.tps_source == "client"
    assert made.decode_tps == pytest.approx(100)


def test_an_answer_that_arrives_at_one_moment_has_no_rate_of_ours() -> None:
    burst = finished(PLAN, tokens=128, token_ms=0.01)
    assert measure(burst, local=True).decode_tps is None
    assert measure(burst, local=True).why["decode_tps"] == "all_at_once"
    told = counted(burst, output_duration_ns=127 * 10 * MS)
    assert measure(told, local=True).decode_tps == pytest.approx(100)


def test_mlx_counts_an_interval_a_token() -> None:
    one = counted(finished(PLAN, tokens=129), output_tokens=128, output_steps=128)
    assert measure(one, local=True).decode_tps == pytest.approx(10)


@pytest.mark.parametrize(("scale", "disagree"), [(1.0, False), (1.01, False), (1.10, True), (0.90, True)])
def test_clocks_disagree_beyond_two_percent(scale: float, disagree: bool) -> None:
    one = finished(PLAN, counter_scale=scale)
    assert clocks_disagree(one) is disagree
    assert measure(one, local=True).decode_tps == pytest.approx(10), "the figure follows our clock either way"


def test_clocks_of_short_answers_are_not_compared() -> None:
    assert not clocks_disagree(finished(PLAN, tokens=40, counter_scale=1.5))


def test_few_tokens_have_no_rate() -> None:
    made = figures(tokens=10)
    assert made.decode_tps is None
    assert made.tpot_ms is None
    assert made.decode_cps is None
    assert made.why["decode_tps"] == "too_short"
    assert made.ttft_ms == 500
    assert made.tokens == 10


def test_without_a_last_line_times_and_characters_stay() -> None:
    made = figures(outcome="no_final", counters=None, ended_by=None)
    assert made.ttft_ms == 500
    assert made.decode_cps is not None
    for column in ("decode_tps", "tpot_ms", "tokens", "e2e_tps", "load_ms"):
        assert getattr(made, column) is None
    assert made.why["decode_tps"] == "no_count"


@pytest.mark.parametrize("outcome", ["error", "stalled", "cancelled", "skipped"])
def test_an_unfinished_trial_keeps_only_what_was_seen(outcome: str) -> None:
    made = figures(outcome=outcome, counters=None, ended_by=None, done_ns=None)
    assert made.ttft_ms == 500
    assert made.decode_tps is None
    assert made.decode_cps is None
    assert made.e2e_ms is None


def test_without_text_everything_is_missing_with_a_reason() -> None:
    made = figures(outcome="error", timeline=Timeline(), text="", counters=None, t0_ns=None)
    assert made.ttft_ms is None
    assert set(made.why.values()) == {"nothing_sent"}
    empty = figures(outcome="empty", timeline=Timeline(), text="")
    assert set(empty.why.values()) == {"no_text"}
    assert empty.load_ms == 5


def test_prefill_needs_a_cold_trial_or_a_known_cache() -> None:
    assert figures().prefill_tps is None
    assert figures().why["prefill_tps"] == "cache_unknown"
    cold = finished(PLAN, trial(PLAN, kind="cold"), ttft_ms=805, load_ms=5)
    assert measure(cold, local=True).prefill_tps == pytest.approx(80 / 0.8)
    told = counted(finished(PLAN, ttft_ms=805, load_ms=5), cached_tokens=10)
    assert measure(told, local=True).prefill_tps == pytest.approx(70 / 0.8)
    cached = counted(finished(PLAN), cached_tokens=79)
    assert measure(cached, local=True).prefill_tps is None


def test_gaps_are_read_from_the_servers_stamps() -> None:
    made = figures(token_ms=100)
    assert made.gap_p50_ms == pytest.approx(100)
    assert made.stalls == 0
    assert made.gap_clock == "server"


@pytest.mark.parametrize(("tokens", "known"), [(2, False), (3, False), (4, True)])
def test_gaps_that_are_missing_have_a_reason(tokens: int, known: bool) -> None:
    """The last token has no text, so that four tokens make three chunks with two gaps between them."""
    made = figures(tokens=tokens)
    for name in ("gap_p50_ms", "gap_p95_ms", "longest_gap_ms", "stalls"):
        assert (getattr(made, name) is not None) is known
        assert made.why.get(name) == (None if known else "few_pieces")


def test_a_stall_is_five_gaps_and_a_quarter_second_long() -> None:
    exact = finished(PLAN, token_ms=40)
    times = tuple(at + (400 * MS if index > 50 else 0) for index, at in enumerate(exact.timeline.t_ns))
    made = figures(token_ms=40, timeline=msgspec.structs.replace(exact.timeline, t_ns=times, server_ns=None))
    assert made.stalls == 1
    assert made.longest_gap_ms == pytest.approx(440)
    assert made.gap_clock == "arrival"


def test_client_lag_is_our_own_delay() -> None:
    assert figures().client_lag_ms == pytest.approx(0.5)
    assert measure(finished(PLAN), local=False).client_lag_ms == pytest.approx(0)


def test_text_speed_leaves_out_the_first_piece() -> None:
    made = figures(tokens=101, token_ms=100, word="word ")
    assert made.decode_cps == pytest.approx(99 * 5 / 10)
    assert made.reading_x == pytest.approx(99 / 10 / (238 / 60))


def test_text_without_spaces_has_no_reading_pace() -> None:
    made = figures(word="语言模型")
    assert made.decode_cps is not None
    assert made.reading_x is None
    assert made.why["reading_x"] == "no_words"


@given(st.integers(16, 400), st.floats(1, 500), st.floats(1, 20_000), st.integers(1, 6), st.integers(0, 30))
def test_an_exact_server_is_measured_exactly(
    tokens: int, token_ms: float, ttft_ms: float, per_chunk: int, thinking: int
) -> None:
    one = finished(PLAN, tokens=tokens, token_ms=token_ms, ttft_ms=ttft_ms + 5, per_chunk=per_chunk, thinking=thinking)
    made = measure(one, local=True)
    assert made.decode_tps is None or made.decode_tps == pytest.approx(1000 / token_ms, rel=0.02)
    assert made.ttft_ms == pytest.approx(one.timeline.t_ns[0] / MS)
    assert made.ttft_ms is not None
    assert made.ttfo_ms is None or made.ttfo_ms >= made.ttft_ms
    assert "".join(chunk_texts(one)) == one.text
    assert len(answer_of(one)) == made.answer_chars


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.floats(0, 1))
def test_a_quantile_lies_within_the_series(values: list[float], share: float) -> None:
    values.sort()
    assert values[0] <= quantile(values, share) <= values[-1]


def test_counters_without_a_decode_time_have_no_server_rate() -> None:
    one = msgspec.structs.replace(finished(PLAN), counters=ServerCounters(output_tokens=128, output_steps=127))
    made = measure(one, local=True)
    assert made.server_decode_tps is None
    assert made.decode_tps == pytest.approx(10)
