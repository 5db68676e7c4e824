"""A session is what its events say, however they are cut into batches."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtui.core.events import (
    SCHEMA,
    Chunks,
    Event,
    Noted,
    Paused,
    PhaseChanged,
    PlanExtended,
    Resumed,
    Sampled,
    SessionFinished,
    TrialStarted,
    decode_event,
    encode,
)
from llmtui.core.flags import counts_for_speed, counts_for_ttft, is_interfered_with
from llmtui.core.plan import Kind, round_blocks
from llmtui.core.records import MachineFigures, Phase, Problem, ResidentModel
from llmtui.core.session import MAX_SAMPLES, Session, SessionBuilder, fold
from llmtui.core.summary import pooled, spread, summarise
from llmtui.core.trial_row import TrialRow
from llmtui.words.evidence import evidence_text
from llmtui.words.problems import problem_what
from tests.core.made import MS, finished, plan, started, trial

PLAN = plan("llama3", "mistral")


def whole_session() -> list[Event]:
    events: list[Event] = [started(PLAN)]
    order = 0
    for number in (1, 2, 3):
        for part in round_blocks(PLAN, number):
            for one in part.trials:
                order += 1
                slow = part.contender == 1
                events.append(TrialStarted(t_ns=order, trial=one, order=order, total=24))
                events.append(PhaseChanged(t_ns=order, phase="waiting", trial_id=one.id))
                events.append(Sampled(t_ns=order, cores_busy=1.5, ram_total_bytes=100, available_bytes=40))
                tokens = {"cold": 16, "follow_up": 32, "warm": 128}[one.kind]
                load = 900 if one.kind == "cold" else 5
                events.append(
                    finished(
                        PLAN, one, order=order, tokens=tokens, ttft_ms=load + 500 + number, load_ms=load,
                        token_ms=200 if slow else 100,
                    )
                )  # fmt: skip
    return [*events, SessionFinished(t_ns=99, wall_ns=99, how="complete")]


def session_of(*events: Event) -> Session:
    session = fold([started(PLAN), *events])
    assert session is not None
    return session


def row(**changes: object) -> TrialRow:
    return session_of(finished(PLAN, **changes)).rows[0]  # type: ignore[arg-type]  # forwarded as they are


def test_nothing_before_the_start() -> None:
    builder = SessionBuilder()
    assert not builder.apply(finished(PLAN))
    assert builder.snapshot() is None
    assert builder.apply(started(PLAN))
    assert builder.snapshot() is not None


def test_live_text_is_not_state() -> None:
    builder = SessionBuilder()
    builder.apply(started(PLAN))
    before = builder.snapshot()
    assert not builder.apply(Chunks(trial_id="x", chunks=((1, "a", "text"),)))
    assert builder.snapshot() == before


def test_a_replay_gives_the_live_session() -> None:
    events = whole_session()
    replayed = [decode_event(encode(event)) for event in events]
    assert fold(replayed) == fold(events)


@given(st.integers(0, 200))
def test_a_cut_journal_is_a_valid_session(length: int) -> None:
    events = whole_session()[: length + 1]
    session = fold(events)
    assert session is not None
    assert len(session.rows) == sum(type(event).__name__ == "TrialFinished" for event in events)
    assert (session.finished == "complete") is (length + 1 >= len(whole_session()))
    assert len(summarise(session).lines) == 2


@given(st.integers(-3, 5), st.none() | st.integers(-3, 5), st.sampled_from(["cold", "warm", "follow_up"]))
def test_a_trial_that_the_plan_does_not_have_is_passed_over(contender: int, which: int | None, kind: Kind) -> None:
    """A damaged file opens; what is left of it is shown."""
    one = msgspec.structs.replace(trial(PLAN), contender=contender, prompt=which)
    one = msgspec.structs.replace(one, key=msgspec.structs.replace(one.key, kind=kind))
    event = finished(PLAN, one, outcome="skipped", t0_ns=None)
    session = fold([started(PLAN), TrialStarted(t_ns=1, trial=one, order=1, total=1), event, finished(PLAN)])
    assert session is not None
    known = 0 <= contender < len(PLAN.contenders) and (
        kind == "cold" if which is None else 0 <= which < len(PLAN.prompts)
    )
    assert len(session.rows) == 1 + known
    assert len(summarise(session).lines) == len(PLAN.contenders)


def test_snapshots_do_not_change() -> None:
    builder = SessionBuilder()
    for event in whole_session():
        builder.apply(event)
        if type(event) is TrialStarted:
            frozen = builder.snapshot()
            copy = msgspec.json.encode(frozen)
    assert msgspec.json.encode(frozen) == copy


def test_a_second_session_begins_anew() -> None:
    session = fold([*whole_session(), started(PLAN)])
    assert session is not None
    assert (session.rows, session.samples, session.finished, session.phases) == ((), (), None, ())


def test_promised_rounds_grow() -> None:
    session = session_of(PlanExtended(t_ns=2, rounds=5, why="asked"))
    assert (session.rounds, session.total) == (5, 40)


def test_samples_are_thinned_not_dropped_from_one_end() -> None:
    session = session_of(*(Sampled(t_ns=at, cores_busy=1.0) for at in range(10 * MAX_SAMPLES)))
    times = [point.t_ns for point in session.samples]
    assert MAX_SAMPLES / 4 <= len(times) <= MAX_SAMPLES
    assert times[0] == 0
    assert times[-1] >= 9.9 * MAX_SAMPLES
    assert session.latest_sample_t_ns == 10 * MAX_SAMPLES - 1


def test_missing_memory_is_missing_not_zero() -> None:
    point = session_of(Sampled(t_ns=1, cores_busy=1.0)).samples[0]
    assert point.runner_bytes is None
    assert point.used_bytes is None
    held = session_of(Sampled(t_ns=1, cores_busy=1.0, runner_anon_bytes=5, runner_file_bytes=7)).samples[0]
    assert held.runner_bytes == 12


def test_a_pause_is_part_of_the_session_until_it_ends() -> None:
    assert not session_of().paused
    assert session_of(Paused(t_ns=2)).paused
    assert not session_of(Paused(t_ns=2), Resumed(t_ns=3)).paused
    assert not session_of(Paused(t_ns=2), SessionFinished(t_ns=3, wall_ns=0, how="cancelled")).paused


@pytest.mark.parametrize(
    ("phase", "said", "step", "names"),
    [
        ("unload", "a:1b, b:1b", "unloading", ("a:1b", "b:1b")),
        ("waiting", "loading", "loading", ()),
        ("waiting", "loading a:1b", "loading", ("a:1b",)),
        ("waiting", "loading a:1b again, as it was before", "loading_again", ("a:1b",)),
        ("waiting", "other programs are busy", "waiting_for_others", ()),
        ("idle", "paused", "paused", ()),
        ("idle", "something else", None, ()),
    ],
)
def test_a_phase_of_schema_1_is_read(phase: Phase, said: str, step: str | None, names: tuple[str, ...]) -> None:
    (mark,) = session_of(PhaseChanged(t_ns=2, phase=phase, detail=said)).phases
    assert (mark.step, mark.names) == (step, names)


def test_notes_are_kept() -> None:
    note = Noted(t_ns=4, level="warning", problem=Problem(code="skipped"))
    assert session_of(note).notes[0].problem.code == "skipped"


def test_cold_warm_and_follow_up_are_three_figures() -> None:
    line = summarise(fold(whole_session())).lines[0]  # type: ignore[arg-type]  # a session it is
    assert line.cold_first_ms == 1401
    assert line.cold_first_load_ms == 900
    assert line.cold_later is not None
    assert (line.cold_later.low, line.cold_later.high, line.cold_later.n) == (1402, 1403, 2)
    assert line.ttft is not None
    assert (line.ttft.value, line.ttft.n) == (507, 6)
    assert line.follow_up is not None
    assert line.follow_up.n == 3


def test_rates_are_pooled_over_long_warm_rows_only() -> None:
    lines = summarise(fold(whole_session())).lines  # type: ignore[arg-type]  # a session it is
    rates = [line.decode_tps for line in lines]
    assert rates[0] is not None
    assert rates[1] is not None
    assert round(rates[0].value, 6) == 10
    assert round(rates[1].value, 6) == 5
    assert rates[0].n == 3


def test_categories_hold_warm_rows_only() -> None:
    categories = summarise(fold(whole_session())).categories  # type: ignore[arg-type]  # a session it is
    assert [(one.label, one.category, one.finished) for one in categories] == [
        ("llama3", "creativity", 3), ("llama3", "coding", 3), ("mistral", "creativity", 3), ("mistral", "coding", 3),
    ]  # fmt: skip


def test_an_empty_session_has_lines_without_figures() -> None:
    line = summarise(session_of()).lines[0]
    assert line.decode_tps is None
    assert line.why["decode_tps"] == "not_yet"
    assert spread([]) is None
    assert pooled([]) is None


def test_a_disturbed_attempt_is_replaced_by_its_repeat() -> None:
    first = finished(PLAN, ttft_ms=9000, flags=("unexpected_reload",), evidence=("loaded again",))
    again = msgspec.structs.replace(first.trial, id="again", attempt=2)
    second = finished(PLAN, again, ttft_ms=500, repeats=first.trial.id)
    line = summarise(session_of(first, second)).lines[0]
    assert line.ttft is not None
    assert (line.ttft.value, line.ttft.n, line.finished, line.disturbed) == (500, 1, 1, 0)


def test_a_follow_up_that_was_asked_again_word_for_word_counts_for_nothing() -> None:
    one = trial(PLAN, kind="follow_up")
    first = finished(PLAN, one, tokens=32, ttft_ms=9000, flags=("unexpected_reload",), evidence=("loaded again",))
    again = finished(PLAN, msgspec.structs.replace(one, id="again", attempt=2), tokens=32, ttft_ms=4, repeats=one.id)
    assert summarise(session_of(first, again)).lines[0].follow_up is None
    assert summarise(session_of(finished(PLAN, one, tokens=32, ttft_ms=90))).lines[0].follow_up == spread([90.0])


def test_memory_is_the_peak_and_the_steady_of_what_the_runner_held() -> None:
    machine = MachineFigures(runner_peak_bytes=5 * 10**9, runner_steady_bytes=4 * 10**9)
    line = summarise(session_of(finished(PLAN, machine=machine))).lines[0]
    assert (line.memory_peak_bytes, line.memory_steady_bytes) == (5 * 10**9, 4 * 10**9)
    assert summarise(session_of(finished(PLAN))).lines[0].memory_peak_bytes is None


# --- flags ---


def test_short_answers_are_flagged_and_not_compared() -> None:
    short = row(tokens=40)
    assert "short_output" in short.flags
    assert not counts_for_speed(short)
    assert counts_for_ttft(short)
    assert not is_interfered_with(short)


def test_a_wrong_counter_is_named_with_its_side() -> None:
    wrong = row(counter_scale=1.1)
    assert "clock_disagreement" in wrong.flags
    assert "the server's times are wrong" in evidence_text(wrong.evidence[wrong.flags.index("clock_disagreement")])
    assert counts_for_speed(wrong), "a condition, not a disturbance"


def test_a_late_program_is_named_too() -> None:
    event = finished(PLAN, counter_scale=0.9, ttft_ms=2500)
    assert event.timeline.server_ns is not None
    early = tuple(stamp - 2000 * MS for stamp in event.timeline.server_ns)
    late = msgspec.structs.replace(event, timeline=msgspec.structs.replace(event.timeline, server_ns=early))
    flagged = session_of(late).rows[0]
    assert "llmtui received the text late" in evidence_text(flagged.evidence[flagged.flags.index("clock_disagreement")])


def test_an_answer_that_arrived_at_one_moment_is_a_disagreement_and_no_crash() -> None:
    """A small model's whole answer can wait in the socket while other programs have the cores."""
    event = finished(PLAN, token_ms=50)
    assert event.done_ns is not None
    at_once = (event.done_ns,) * len(event.timeline.t_ns)
    late = msgspec.structs.replace(event, timeline=msgspec.structs.replace(event.timeline, t_ns=at_once))
    flagged = session_of(late).rows[0]
    assert "clock_disagreement" in flagged.flags
    evidence = evidence_text(flagged.evidence[flagged.flags.index("clock_disagreement")])
    assert "arrived all at once" in evidence
    assert "llmtui received the text late" in evidence, "by the server's own stamps the text was written over 6 s"
    assert flagged.figures.tps_source != "client"


def test_time_that_no_counter_explains_is_a_queue() -> None:
    event = finished(PLAN, ttft_ms=2000, load_ms=5)
    counters = event.counters
    assert counters is not None
    assert counters.prompt_duration_ns is not None
    queued = msgspec.structs.replace(
        event, counters=msgspec.structs.replace(counters, prompt_duration_ns=counters.prompt_duration_ns - 1500 * MS)
    )
    flagged = session_of(queued).rows[0]
    assert "queued" in flagged.flags
    assert not counts_for_ttft(flagged)
    assert counts_for_speed(flagged)
    assert "queued" not in row(ttft_ms=2000).flags


def test_a_cut_prompt_is_noticed() -> None:
    event = finished(PLAN, trial(PLAN, kind="cold"))
    assert event.counters is not None
    cut = msgspec.structs.replace(event, counters=msgspec.structs.replace(event.counters, prompt_tokens=20))
    assert "prompt_cut" in session_of(cut).rows[0].flags
    assert "prompt_cut" not in session_of(event).rows[0].flags
    follow = finished(PLAN, trial(PLAN, kind="follow_up"))
    assert "prompt_cut" not in session_of(follow).rows[0].flags


def test_spilled_swapped_and_stalled_rows_say_so() -> None:
    spilled = row(resident=ResidentModel(name="a", digest="d", size_bytes=100, vram_bytes=40))
    assert spilled.flags == ("spilled",)
    assert "40 %" in evidence_text(spilled.evidence[0])
    whole = row(resident=ResidentModel(name="a", digest="d", size_bytes=100, vram_bytes=100))
    assert whole.flags == ()
    assert row(machine=MachineFigures(swap_in_bytes=20 * 2**20)).flags == ("swapped",)
    assert row(machine=MachineFigures(swap_in_bytes=2**20)).flags == ()


def test_a_pause_is_one_by_both_clocks() -> None:
    event = finished(PLAN)
    line = event.timeline
    assert line.server_ns is not None
    assert event.done_ns is not None
    pause = [2000 * MS if at > 60 else 0 for at in range(len(line.t_ns))]
    stamps = tuple(stamp + more for stamp, more in zip(line.server_ns, pause, strict=True))
    arrivals = tuple(at + more for at, more in zip(line.t_ns, pause, strict=True))
    paused = msgspec.structs.replace(line, t_ns=arrivals, server_ns=stamps)
    stalled = session_of(msgspec.structs.replace(event, timeline=paused, done_ns=event.done_ns + 2000 * MS)).rows[0]
    assert "stalled_output" in stalled.flags
    stepped = session_of(msgspec.structs.replace(event, timeline=msgspec.structs.replace(line, server_ns=stamps)))
    assert stepped.rows[0].flags == ("clocks_apart",), "the server's clock was set: our own saw no pause"


def test_the_engines_own_flags_come_first_with_their_evidence() -> None:
    flagged = row(flags=("other_model_resident",), evidence=("qwen3 is in memory too",), tokens=40)
    assert flagged.flags == ("other_model_resident", "short_output")
    assert evidence_text(flagged.evidence[0]) == "qwen3 is in memory too"


def test_an_outlier_leaves_the_pool_only_with_a_cause() -> None:
    assert counts_for_speed(row(flags=("outlier",)))
    assert not counts_for_speed(row(flags=("outlier", "throttled")))


def test_a_session_of_a_newer_format_says_so() -> None:
    newer = msgspec.structs.replace(started(PLAN), schema=SCHEMA + 1)
    session = fold([newer])
    assert session is not None
    assert [(note.level, note.problem.code, note.problem.args) for note in session.notes] == [
        ("warning", "newer_schema", {"schema": SCHEMA + 1})
    ]
    assert problem_what(session.notes[0].problem)
    usual = fold([started(PLAN)])
    assert usual is not None
    assert not usual.notes
