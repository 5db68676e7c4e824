"""Flags of a single trial, at both sides of each threshold, and which figures still count."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from llmtui.core.events import TrialFinished
from llmtui.core.flags import (
    BY_DESIGN,
    CONDITIONS,
    DISTURBANCES,
    counts_for_speed,
    counts_for_ttft,
    is_interfered_with,
)
from llmtui.core.records import Evidence, MachineFigures, ResidentModel, ServerCounters, Timeline
from llmtui.core.session import fold
from llmtui.core.trial_row import TrialRow
from llmtui.words.evidence import evidence_text
from tests.core.made import MS, finished, plan, started, trial

PLAN = plan("llama3", categories=("creativity", "coding"))


def row_of(event: TrialFinished) -> TrialRow:
    session = fold([started(PLAN), event])
    assert session is not None
    return session.rows[0]


def row(**changes: Any) -> TrialRow:
    return row_of(finished(PLAN, **changes))


def counters(**changes: Any) -> ServerCounters:
    """Those of made.finished: 5 ms load, 495 ms prompt, 127 steps of 100 ms."""
    fields: dict[str, Any] = {
        "total_duration_ns": (5 + 495 + 12700) * MS,
        "load_duration_ns": 5 * MS,
        "prompt_tokens": 80,
        "prompt_duration_ns": 495 * MS,
        "output_tokens": 128,
        "output_duration_ns": 12700 * MS,
        "output_steps": 127,
    }
    return ServerCounters(**(fields | changes))


def test_an_undisturbed_test_has_no_flag() -> None:
    assert row().flags == ()


def test_the_three_sorts_of_flags_do_not_overlap() -> None:
    everything = (*BY_DESIGN, *CONDITIONS, *DISTURBANCES)
    assert len(set(everything)) == len(everything)


# --- by design ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tokens", "flagged", "has_rate", "compared"), [
    (15, True, False, False), (16, True, True, False), (63, True, True, False), (64, False, True, True),
])  # fmt: skip
def test_short_answers(tokens: int, flagged: bool, has_rate: bool, compared: bool) -> None:
    found = row(tokens=tokens)
    assert ("short_output" in found.flags) is flagged
    assert (found.figures.decode_tps is not None) is has_rate
    assert counts_for_speed(found) is compared
    assert counts_for_ttft(found)
    assert not is_interfered_with(found)


@pytest.mark.parametrize("kind", ["cold", "follow_up"])
def test_starts_and_follow_ups_are_short_by_design(kind: Any) -> None:
    found = row_of(finished(PLAN, trial(PLAN, kind=kind), tokens=16))
    assert "short_output" not in found.flags
    assert not counts_for_speed(found)
    assert counts_for_ttft(found)


def test_reaching_the_limit_is_as_planned() -> None:
    found = row(ended_by="length")
    assert found.flags == ()
    assert counts_for_speed(found)


# --- conditions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("vram", "size", "flagged"),
    [(40, 100, True), (100, 100, False), (0, 100, False), (None, 100, False), (40, None, False)],
)
def test_a_model_partly_on_the_gpu(vram: int | None, size: int | None, flagged: bool) -> None:
    found = row(resident=ResidentModel(name="a", digest="d", size_bytes=size, vram_bytes=vram))
    assert ("spilled" in found.flags) is flagged
    assert counts_for_speed(found)
    if flagged:
        assert found.evidence == (Evidence(code="spilled", args={"percent": 40.0}),)


def test_thinking_inside_the_answer() -> None:
    chunks = ["<think>", *(["hm "] * 60), "</think>", *(["word "] * 65)]
    times = tuple((500 + 100 * at) * MS for at in range(len(chunks)))
    found = row(
        text="".join(chunks),
        timeline=Timeline(t_ns=times, chars=tuple(map(len, chunks)), channels="a" * len(chunks)),
    )
    assert found.flags == ("thinking_inline",)
    assert (found.figures.ttft_ms, found.figures.ttfo_ms) == (500, 500 + 100 * 62)
    assert not is_interfered_with(found)


@pytest.mark.parametrize(("scale", "flagged"), [(1.019, False), (1.03, True), (0.97, True), (0.981, False)])
def test_clocks_that_differ_by_more_than_two_percent(scale: float, flagged: bool) -> None:
    found = row(counter_scale=scale)
    assert ("clock_disagreement" in found.flags) is flagged
    assert counts_for_speed(found)
    assert not is_interfered_with(found)


def test_clocks_are_not_compared_over_a_short_answer() -> None:
    assert "clock_disagreement" not in row(tokens=63, counter_scale=1.5).flags
    assert "clock_disagreement" in row(tokens=64, counter_scale=1.5).flags


def test_a_few_milliseconds_are_no_disagreement() -> None:
    assert "clock_disagreement" not in row(token_ms=1, counter_scale=1.03).flags


def test_the_side_whose_clock_is_off_is_named() -> None:
    late = finished(PLAN, counter_scale=0.9)
    assert [evidence_text(one) for one in row_of(late).evidence] == [
        "the server's time differs by -10.0 % from the time measured here: the server's times are wrong"
    ]
    late = finished(PLAN, counter_scale=0.9, ttft_ms=3000)
    lagging = tuple(at - 2000 * MS for at in late.timeline.server_ns or ())
    timeline = Timeline(
        t_ns=late.timeline.t_ns, chars=late.timeline.chars, channels=late.timeline.channels, server_ns=lagging
    )
    assert evidence_text(row(counter_scale=0.9, timeline=timeline).evidence[0]).endswith(
        "llmtui received the text late"
    )
    without = msgspec.structs.replace(timeline, server_ns=None)
    seen = evidence_text(row(counter_scale=0.9, timeline=without).evidence[0])
    assert seen.endswith("it is not known which side is wrong")


def test_other_models_in_memory_are_the_engines_to_tell() -> None:
    found = row(flags=("other_model_resident",), evidence=("in memory too: x",))
    assert (found.flags, found.evidence) == (("other_model_resident",), ("in memory too: x",))
    assert counts_for_speed(found)
    assert not is_interfered_with(found)


# --- disturbances -------------------------------------------------------------------------------------------------


def queued_by(waited_ms: int, ttft_ms: int = 500) -> TrialRow:
    """Another client is served first: neither load nor prompt explains what went by."""
    return row(
        ttft_ms=ttft_ms + waited_ms,
        counters=counters(total_duration_ns=(5 + 495 + 12700 + waited_ms) * MS),
    )


@pytest.mark.parametrize(("waited_ms", "flagged"), [(45, False), (54, False), (70, True), (3000, True)])
def test_a_request_that_waited_for_another_client(waited_ms: int, flagged: bool) -> None:
    found = queued_by(waited_ms)
    assert ("queued" in found.flags) is flagged
    assert counts_for_ttft(found) is not flagged
    assert counts_for_speed(found)


def test_both_clocks_have_to_say_that_it_waited() -> None:
    only_ours = row(ttft_ms=3500, counters=counters())
    only_theirs = row(counters=counters(total_duration_ns=16200 * MS))
    assert "queued" not in only_ours.flags
    assert "queued" not in only_theirs.flags


@pytest.mark.parametrize(("tokens", "flagged"), [(80, False), (8, True)])
def test_a_prompt_of_too_few_tokens_was_cut(tokens: int, flagged: bool) -> None:
    found = row(counters=counters(prompt_tokens=tokens))
    assert ("prompt_cut" in found.flags) is flagged
    assert counts_for_ttft(found) is not flagged
    assert counts_for_speed(found)


@pytest.mark.parametrize(
    ("tokens", "flagged"), [(4096, True), (4089, True), (4080, False), (2048, True), (2041, True), (2030, False)]
)
def test_a_prompt_that_ends_at_the_context_or_half_of_it_was_cut(tokens: int, flagged: bool) -> None:
    long = plan("llama3", categories=("creativity",), cold_text="word " * 3000)
    event = finished(long, trial(long, kind="cold"), tokens=16, counters=counters(prompt_tokens=tokens))
    session = fold([started(long), event])
    assert session is not None
    assert ("prompt_cut" in session.rows[0].flags) is flagged


def test_a_short_prompt_may_have_any_number_of_tokens() -> None:
    assert "prompt_cut" not in row(counters=counters(prompt_tokens=2048)).flags


@pytest.mark.parametrize(("mebibytes", "flagged"), [(16, False), (17, True), (None, False)])
def test_memory_read_back_from_swap(mebibytes: int | None, flagged: bool) -> None:
    swapped = None if mebibytes is None else mebibytes * 2**20
    found = row(machine=MachineFigures(swap_in_bytes=swapped))
    assert ("swapped" in found.flags) is flagged
    assert is_interfered_with(found) is flagged
    assert counts_for_speed(found)


@pytest.mark.parametrize(("pause_ms", "flagged"), [(900, False), (1100, True)])
def test_text_that_stands_still(pause_ms: int, flagged: bool) -> None:
    even = finished(PLAN)
    later = tuple(at + (pause_ms * MS if number > 60 else 0) for number, at in enumerate(even.timeline.t_ns))
    timeline = Timeline(t_ns=later, chars=even.timeline.chars, channels=even.timeline.channels)
    assert even.done_ns is not None
    found = row(timeline=timeline, done_ns=even.done_ns + pause_ms * MS)
    assert ("stalled_output" in found.flags) is flagged
    assert is_interfered_with(found) is flagged


def test_a_slow_model_does_not_stand_still() -> None:
    assert row(token_ms=1500).flags == ()


def test_a_reloaded_model_counts_for_nothing() -> None:
    found = row(flags=("unexpected_reload",), evidence=("seen",))
    assert is_interfered_with(found)
    assert not counts_for_speed(found)
    assert not counts_for_ttft(found)


@pytest.mark.parametrize("cause", [one for one in DISTURBANCES if one not in ("outlier", "unexpected_reload")])
def test_an_outlier_leaves_only_with_a_cause(cause: str) -> None:
    assert counts_for_speed(row(flags=("outlier",)))
    assert not counts_for_speed(row(flags=("outlier", cause)))
    assert not counts_for_ttft(row(flags=("outlier", cause)))


@pytest.mark.parametrize("outcome", ["thinking_only", "empty", "error", "stalled", "cancelled", "skipped"])
def test_failed_tests_count_for_nothing(outcome: Any) -> None:
    found = row(outcome=outcome)
    assert not counts_for_speed(found)
    assert not counts_for_ttft(found)


def test_an_answer_without_its_last_line_keeps_its_first_word() -> None:
    found = row(outcome="no_final", counters=None)
    assert counts_for_ttft(found)
    assert not counts_for_speed(found)
    assert found.figures.decode_cps is not None


def test_every_flag_has_evidence_in_its_place() -> None:
    found = row(tokens=40, flags=("noisy_start", "queued"), evidence=("busy",))
    assert found.flags == ("noisy_start", "queued", "short_output")
    assert found.evidence == ("busy", "", Evidence(code="short_output", args={"tokens": 40, "least": 64}))
