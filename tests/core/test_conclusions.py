"""Eight topics: each has its figures or the reason for their absence, and no model wins without a verdict."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
import pytest

from llmtui.core.across import Earlier
from llmtui.core.conclusions import (
    Conclusion,
    FirstToken,
    MemoryUse,
    OverallSpeed,
    SinceLast,
    Stability,
    WhichForWhat,
    WritingSpeed,
    conclude,
)
from llmtui.core.day_noise import DayNoise
from llmtui.core.events import TrialFinished
from llmtui.core.not_counted import NotCounted
from llmtui.core.plan import Plan
from llmtui.core.records import MachineFigures, ResidentModel
from llmtui.core.session import Session, fold
from tests.core.compared import compared, compared_plan, other, warm
from tests.core.made import started

Line = TypeVar("Line")
GB = 10**9


def line(session: Session, kind: type[Line], earlier: Earlier | None = None) -> Line:
    return next(one for one in conclude(session, earlier) if isinstance(one, kind))


def empty(of: Plan) -> Session:
    session = fold([started(of)])
    assert session is not None
    return session


def rows(of: Plan, contender: int, tps: float, rounds: int = 3, **changes: Any) -> list[TrialFinished]:
    return [warm(of, contender, number, which, tps, **changes) for number in range(1, rounds + 1) for which in range(3)]


def test_all_eight_lines_in_their_order() -> None:
    kinds = [type(one) for one in conclude(compared({"a": [10.0]}))]
    assert kinds == [
        WritingSpeed, FirstToken, Stability, MemoryUse, WhichForWhat, OverallSpeed, SinceLast, NotCounted,
    ]  # fmt: skip


def test_before_anything_is_measured_every_line_says_so() -> None:
    for one in conclude(empty(compared_plan("a", "b"))):
        assert one.why is not None, type(one)


def test_every_reason_is_one_that_words_know() -> None:
    from llmtui.words.reasons import known_codes

    of = compared_plan("a", "b")
    sessions = [
        empty(of), empty(compared_plan("a")), compared({"a": [10.0], "b": []}), compared({"a": [10.0] * 3}),
        compared({"a": [], "b": []}, *rows(of, 0, 10.0, tokens=10), *rows(of, 1, 10.0, tokens=40), of=of),
    ]  # fmt: skip
    for session in sessions:
        for one in conclude(session):
            assert one.why is None or one.why in known_codes()
            for _, why in getattr(one, "missing", ()):
                assert why in known_codes()


# --- 1 ------------------------------------------------------------------------------------------------------------


def test_a_leader_is_told_apart_from_all_others() -> None:
    found = line(compared({"a": [10.0, 10.1, 9.9], "b": [20.0, 20.1, 19.9], "c": [15.0, 15.1, 14.9]}), WritingSpeed)
    assert [amount.contender for amount in found.tps] == [1, 2, 0]
    assert found.leaders == (1,)


def test_a_lead_is_shared_where_no_verdict_separates() -> None:
    found = line(compared({"a": [10.0, 10.1, 9.9], "b": [10.05, 9.95, 10.0], "c": [5.0, 5.1, 4.9]}), WritingSpeed)
    assert set(found.leaders) == {0, 1}


def test_one_model_leads_nobody_and_has_its_figures() -> None:
    found = line(compared({"a": [10.0]}), WritingSpeed)
    assert (found.leaders, found.verdicts) == ((0,), ())
    assert found.tps[0].value == pytest.approx(10)


def test_who_has_no_verdict_is_no_leader() -> None:
    of = compared_plan("a", "b")
    disturbed = rows(of, 1, 99.0, flags=("noisy_start",))
    assert line(compared({"a": [10.0] * 3, "b": []}, *disturbed, of=of), WritingSpeed).leaders == ()


def test_a_leader_of_those_compared_is_not_said_to_lead_all() -> None:
    """C has no verdict and twice the speed: a leads among two of three."""
    of = compared_plan("a", "b", "c")
    disturbed = rows(of, 2, 40.0, flags=("noisy_start",))
    found = line(compared({"a": [20.0] * 3, "b": [10.0] * 3, "c": []}, *disturbed, of=of), WritingSpeed)
    assert (found.leaders, found.lead, found.compared) == ((0,), "fastest", (0, 1))


def test_several_share_the_lead_only_where_they_are_practically_equal() -> None:
    found = line(compared({"a": [11.3, 11.31, 11.29], "b": [10.2] * 3, "c": [10.0, 13.0, 7.5]}), WritingSpeed)
    assert (found.leaders, found.lead) == ((0, 2), "open")
    equal = line(compared({"a": [10.0, 10.01, 9.99], "b": [10.0] * 3, "c": [5.0] * 3}), WritingSpeed)
    assert (set(equal.leaders), equal.lead) == ({0, 1}, "shared")


def test_one_round_has_no_leader() -> None:
    found = line(compared({"a": [20.0], "b": [10.0]}), WritingSpeed)
    assert (found.leaders, found.lead) == ((), None)
    assert found.verdicts[0].word == "leads_in_this_round"


def test_two_rounds_can_say_ahead() -> None:
    assert line(compared({"a": [20.0] * 2, "b": [10.0] * 2}), WritingSpeed).lead == "ahead"


def test_more_tokens_and_less_text() -> None:
    of = compared_plan("a", "b")
    session = compared({"a": [], "b": []}, *rows(of, 0, 11.0, word="no "), *rows(of, 1, 10.0, word="letters "), of=of)
    found = line(session, WritingSpeed)
    assert (found.tps[0].contender, found.more_text) == (0, 1)
    assert line(compared({"a": [11.0] * 3, "b": [10.0] * 3}), WritingSpeed).more_text is None


def test_without_a_verdict_on_tokens_nobody_is_said_to_make_more_of_them() -> None:
    of = compared_plan("a", "b")
    one_round = [*rows(of, 0, 11.0, rounds=1, word="no "), *rows(of, 1, 10.0, rounds=1, word="letters ")]
    assert line(compared({"a": [], "b": []}, *one_round, of=of), WritingSpeed).more_text is None


def test_answers_too_short_to_compare_say_so() -> None:
    of = compared_plan("a", "b")
    found = line(
        compared({"a": [], "b": []}, *rows(of, 0, 10.0, tokens=10), *rows(of, 1, 10.0, tokens=40), of=of), WritingSpeed
    )
    assert (found.tps, found.leaders) == ((), ())
    assert found.missing == ((0, "too_short"), (1, "too_short_to_compare"))


# --- 2 ------------------------------------------------------------------------------------------------------------


def test_waits_starts_and_what_keeping_it_loaded_saves() -> None:
    of = compared_plan("a", "b")
    starts = [
        other(
            of,
            "cold",
            contender,
            number,
            ttft_ms=20000 if number == 1 else 3000,
            load_ms=19000 if number == 1 else 2500,
        )
        for contender in (0, 1)
        for number in (1, 2, 3)
    ]
    waits = [*rows(of, 0, 10.0, ttft_ms=900), *rows(of, 1, 10.0, ttft_ms=500)]
    found = line(compared({"a": [], "b": []}, *starts, *waits, of=of), FirstToken)
    assert [tuple(one) for one in found.ttft] == [(1, 500), (0, 900)]
    assert {tuple(one) for one in found.cold} == {(0, 20000), (1, 20000)}
    assert {tuple(one) for one in found.loading} == {(0, 19000), (1, 19000)}
    assert {tuple(one) for one in found.later_cold} == {(0, 3000), (1, 3000)}
    assert dict(found.saving) == {0: 2100, 1: 2500}, "of later starts: the first is told apart"
    assert found.leaders == (1,)


def test_where_one_thinks_all_have_a_first_answer_word() -> None:
    of = compared_plan("a", "b")
    session = compared({"a": [], "b": []}, *rows(of, 0, 10.0, thinking=64), *rows(of, 1, 10.0), of=of)
    assert [one.contender for one in line(session, FirstToken).ttfo] == [1, 0]
    assert line(compared({"a": [10.0]}), FirstToken).ttfo == ()


def test_who_never_answered_within_the_cap_is_named() -> None:
    of = compared_plan("a", "b")
    session = compared(
        {"a": [], "b": []}, *rows(of, 0, 10.0), *rows(of, 1, 10.0, thinking=127, ended_by="length"), of=of
    )
    assert line(session, FirstToken).unanswered == (1,)
    assert line(session, WhichForWhat).choices[0].unanswered == ()
    quick = [one for one in line(session, WhichForWhat).choices if one.occasion == "quick_questions"]
    assert quick == [], "there is nothing to compare it with"


# --- 3 ------------------------------------------------------------------------------------------------------------


def test_two_rounds_cannot_tell_who_is_steady() -> None:
    found = line(compared({"a": [10.0, 10.0]}), Stability)
    assert (found.spread, found.why) == ((), "needs_3_rounds")


def test_scatter_between_rounds_is_that_of_the_same_prompt() -> None:
    session = compared({"a": [(10.0, 50.0, 99.0)] * 3, "b": [10.0, 10.2, 9.8]})
    found = line(session, Stability)
    assert [one.contender for one in found.spread] == [0, 1]
    assert found.spread[0].value == pytest.approx(0, abs=1e-9)
    assert found.spread[1].value == pytest.approx(0.0202, abs=0.0002)


def test_nobody_is_the_steadiest_below_ten_rounds() -> None:
    steady, shaky = [10.0, 10.01, 9.99] * 4, [10.0, 11.0, 9.0] * 4
    assert line(compared({"a": steady[:9], "b": shaky[:9]}), Stability).steadiest is None
    assert line(compared({"a": steady[:10], "b": shaky[:10]}), Stability).steadiest == 0


def test_cost_of_a_token_is_that_of_all_tokens() -> None:
    of = compared_plan("a")
    machine = MachineFigures(runner_cpu_s=25.6, joules=256.0)
    found = line(compared({"a": []}, *rows(of, 0, 10.0, machine=machine), of=of), Stability)
    assert found.cpu_s_per_token[0].value == pytest.approx(0.2)
    assert found.joules_per_token[0].value == pytest.approx(2)


def test_what_watching_costs() -> None:
    of = compared_plan("a")
    found = line(compared({"a": []}, *rows(of, 0, 10.0, machine=MachineFigures(llmtui_cpu_s=0.132)), of=of), Stability)
    assert found.lag_ms == pytest.approx(0.5)
    assert found.llmtui_cores == pytest.approx(0.01)
    unknown = line(compared({"a": []}, *rows(of, 0, 10.0, outcome="error"), of=of), Stability)
    assert (unknown.lag_ms, unknown.llmtui_cores) == (None, None)


def test_nobody_counts_pauses_that_were_not_looked_for() -> None:
    assert not line(empty(compared_plan("a")), Stability).pauses_known
    assert line(compared({"a": [10.0]}), Stability).pauses_known


# --- 4 ------------------------------------------------------------------------------------------------------------


def held(**changes: Any) -> MachineFigures:
    fields = {
        "runner_peak_bytes": 5 * GB, "runner_steady_bytes": 4 * GB, "runner_file_bytes": 4 * GB,
        "runner_anon_bytes": GB, "available_min_bytes": 2 * GB, "swap_in_bytes": 0,
    }  # fmt: skip
    return MachineFigures(**(fields | changes))


def test_memory_is_what_the_process_held_by_its_parts() -> None:
    of = compared_plan("a")
    (found,) = line(compared({"a": []}, *rows(of, 0, 10.0, machine=held()), of=of), MemoryUse).held
    assert (found.peak_bytes, found.steady_bytes, found.weights_bytes, found.working_bytes) == (
        5 * GB, 4 * GB, 4 * GB, GB,
    )  # fmt: skip
    assert (found.left_bytes, found.swapped_bytes, found.by_server) == (2 * GB, 0, False)


def test_weights_in_anonymous_memory_are_as_large_as_the_file() -> None:
    of = with_size(3 * GB)
    machine = held(runner_file_bytes=0, runner_anon_bytes=5 * GB, weights_in_anon=True)
    (found,) = line(compared({"a": []}, *rows(of, 0, 10.0, machine=machine), of=of), MemoryUse).held
    assert (found.weights_bytes, found.working_bytes) == (3 * GB, 2 * GB)


@pytest.mark.parametrize(
    ("size", "file", "anon", "no_mmap", "weights", "working"),
    [
        (4, 4, 1, False, 4, 1),
        (4, 4, 1, True, 4, 1),  # told not to map, and yet it does
        (4, 0, 5, False, None, None),  # copied, or on a graphics card
        (6, 0, 5, True, None, None),  # the rest of them is elsewhere
        (None, 1, 4, False, None, None),  # libraries, such as vLLM's
        (None, 4, 1, False, 4, 1),
    ],
)
def test_the_parts_are_what_the_system_counts(
    size: int | None, file: int, anon: int, *, no_mmap: bool, weights: int | None, working: int | None
) -> None:
    of = compared_plan("a") if size is None else with_size(size * GB)
    machine = held(runner_file_bytes=file * GB, runner_anon_bytes=anon * GB, weights_in_anon=no_mmap)
    (found,) = line(compared({"a": []}, *rows(of, 0, 10.0, machine=machine), of=of), MemoryUse).held
    gigabytes = [None if part is None else part / GB for part in (found.weights_bytes, found.working_bytes)]
    assert gigabytes == [weights, working]


def test_only_ollama_says_what_a_model_holds() -> None:
    """Of other servers a file's size may be known, which is not memory."""
    of = with_backend("openai")
    resident = ResidentModel(name="a", digest="d", size_bytes=6 * GB)
    assert line(compared({"a": []}, *rows(of, 0, 10.0, resident=resident), of=of), MemoryUse).why == "not_visible"


def with_backend(backend: str) -> Plan:
    of = compared_plan("a")
    model = msgspec.structs.replace(of.contenders[0].model, backend=backend)
    return msgspec.structs.replace(of, contenders=(msgspec.structs.replace(of.contenders[0], model=model),))


def with_size(size_bytes: int) -> Plan:
    of = compared_plan("a")
    model = msgspec.structs.replace(of.contenders[0].model, size_bytes=size_bytes)
    return msgspec.structs.replace(of, contenders=(msgspec.structs.replace(of.contenders[0], model=model),))


def test_memory_is_compared_with_the_gpus() -> None:
    """1 GB of RAM each, and 4 and 20 GB of GPU memory: not about the same."""
    of = compared_plan("a", "b")
    extra = [
        warm(
            of, contender, number, which, 10.0, machine=held(runner_peak_bytes=GB),
            resident=ResidentModel(name="x", digest="d", size_bytes=vram, vram_bytes=vram),
        )
        for contender, vram in enumerate((4 * GB, 20 * GB))
        for number in (1, 2, 3)
        for which in range(3)
    ]  # fmt: skip
    session = compared({"a": [], "b": []}, *extra, of=of)
    found = line(session, MemoryUse)
    assert found.compared is not None
    assert found.compared.sizes == ((0, 5 * GB), (1, 21 * GB))
    assert choices(session)["little_memory"] == (0,)


def test_memory_of_two_sources_is_not_compared() -> None:
    of = compared_plan("a", "b")
    resident = ResidentModel(name="b", digest="d", size_bytes=5 * GB)
    mixed = [*rows(of, 0, 10.0, machine=held(runner_peak_bytes=6 * GB)), *rows(of, 1, 10.0, resident=resident)]
    session = compared({"a": [], "b": []}, *mixed, of=of)
    assert line(session, MemoryUse).compared is None
    assert "little_memory" not in choices(session)


def test_a_process_that_cannot_be_seen_leaves_the_servers_word() -> None:
    of = compared_plan("a")
    resident = ResidentModel(name="a", digest="d", size_bytes=6 * GB, vram_bytes=6 * GB)
    (found,) = line(compared({"a": []}, *rows(of, 0, 10.0, resident=resident), of=of), MemoryUse).held
    assert (found.peak_bytes, found.vram_bytes, found.by_server) == (6 * GB, 6 * GB, True)
    assert line(compared({"a": [10.0]}), MemoryUse).why == "not_visible"


# --- 5 ------------------------------------------------------------------------------------------------------------


def choices(session: Session) -> dict[str, tuple[int, ...]]:
    return {one.occasion: one.contenders for one in line(session, WhichForWhat).choices}


def test_one_name_only_where_one_is_told_apart() -> None:
    of = compared_plan("a", "b")
    session = compared(
        {"a": [], "b": []},
        *rows(of, 0, 20.0, ttft_ms=900, machine=held()),
        *rows(of, 1, 10.0, ttft_ms=400, machine=held(runner_peak_bytes=4 * GB)),
        of=of,
    )
    assert choices(session) == {"long_answers": (0,), "quick_questions": (1,), "little_memory": (1,)}


def test_long_answers_go_by_characters() -> None:
    """m0 makes 1.5 times the tokens, m1 1.5 times the text."""
    of = compared_plan("a", "b")
    session = compared({"a": [], "b": []}, *rows(of, 0, 14.6, word="no"), *rows(of, 1, 9.7, word="words "), of=of)
    assert line(session, WritingSpeed).leaders == (0,)
    assert choices(session)["long_answers"] == (1,)


def test_quick_questions_go_by_the_first_answer_word() -> None:
    of = compared_plan("a", "b")
    session = compared({"a": [], "b": []}, *rows(of, 0, 10.0, thinking=90), *rows(of, 1, 10.0), of=of)
    assert choices(session)["quick_questions"] == (1,)


def test_one_round_names_nobody_for_speed_or_waiting() -> None:
    session = compared({"a": [20.0], "b": [10.0]})
    assert line(session, WhichForWhat).why == "needs_3_rounds"


def test_who_failed_in_every_trial_is_not_among_those_that_suit() -> None:
    of = compared_plan("a", "b", "c")
    session = compared({"a": [20.0] * 3, "b": [20.0] * 3, "c": []}, *rows(of, 2, 20.0, outcome="error"), of=of)
    quick = next(one for one in line(session, WhichForWhat).choices if one.occasion == "quick_questions")
    assert (quick.contenders, quick.compared) == ((0, 1), (0, 1))


def test_within_three_percent_of_memory_both_are_named() -> None:
    of = compared_plan("a", "b")
    session = compared(
        {"a": [], "b": []},
        *rows(of, 0, 20.0, machine=held()),
        *rows(of, 1, 10.0, machine=held(runner_peak_bytes=round(4.9 * GB))),
        of=of,
    )
    assert set(choices(session)["little_memory"]) == {0, 1}


@pytest.mark.parametrize(("rounds", "named"), [(2, set()), (3, {1})])
def test_cold_starts_are_told_apart_in_three_rounds(rounds: int, named: set[int]) -> None:
    of = compared_plan("a", "b")
    starts = [
        other(of, "cold", contender, number, ttft_ms=(20000, 9000)[contender])
        for contender in (0, 1)
        for number in range(1, rounds + 1)
    ]
    assert set(choices(compared({"a": [10.0] * 3, "b": [10.0] * 3}, *starts, of=of)).get("rarely_used", ())) == named


def test_one_model_alone_suits_no_occasion_better() -> None:
    assert line(compared({"a": [10.0]}), WhichForWhat).why == "one_model"


# --- 6, 7, 8 ------------------------------------------------------------------------------------------------------


def test_the_usual_formula_can_name_another_winner() -> None:
    of = compared_plan("a", "b")
    session = compared({"a": [], "b": []}, *rows(of, 0, 12.0, ttft_ms=9000), *rows(of, 1, 10.0), of=of)
    found = line(session, OverallSpeed)
    assert found.overall[0].contender == 1
    assert found.other_winner
    assert dict(found.waiting)[0] > dict(found.waiting)[1]


def test_the_usual_formula_is_formed_over_the_same_warm_trials() -> None:
    of = compared_plan("a")
    cold = [other(of, "cold", 0, number, ttft_ms=60000) for number in (1, 2, 3)]
    with_cold = line(compared({"a": []}, *rows(of, 0, 12.0), *cold, of=of), OverallSpeed)
    without = line(compared({"a": []}, *rows(of, 0, 12.0), of=of), OverallSpeed)
    assert with_cold.overall == without.overall
    assert (without.cold, with_cold.cold[0].value < 1) == ((), True)


def test_ollamas_eval_rate_counts_a_token_more() -> None:
    session = compared({"a": [10.0]})
    other_server = msgspec.structs.replace(session.fingerprint, server_kind="openai")
    assert line(session, OverallSpeed).eval_rate[0].value == pytest.approx(10.0 * 128 / 127)
    assert line(msgspec.structs.replace(session, fingerprint=other_server), OverallSpeed).eval_rate == ()


def test_since_last_time_compares_with_the_earlier_session() -> None:
    before, now = compared({"a": [10.0, 10.1, 9.9]}), compared({"a": [12.0, 12.1, 11.9]})
    found = line(now, SinceLast, Earlier(session=before, noise=DayNoise(1e-6, 5)))
    assert found.comparison is not None
    assert found.comparison.changes[0].word == "faster"
    unknown = line(now, SinceLast, Earlier(session=before)).comparison
    assert unknown is not None
    assert unknown.changes[0].word == "no_verdict"
    assert line(now, SinceLast).why == "no_earlier"


def counted(session: Session) -> list[tuple[int, str, str, int]]:
    return [(one.contender, one.code, one.what, one.count) for one in line(session, NotCounted).trials]


def test_what_was_left_out_is_named_with_its_reason() -> None:
    of = compared_plan("a", "b")
    session = compared(
        {"a": [10.0], "b": []},
        warm(of, 1, 1, 0, 10.0, tokens=40),
        warm(of, 1, 1, 1, 10.0, outcome="error"),
        warm(of, 1, 1, 2, 10.0, flags=("queued",)),
        of=of,
    )
    assert counted(session) == [
        (1, "outcome_error", "all", 1), (1, "queued", "ttft", 1), (1, "short_output", "speed", 1),
    ]  # fmt: skip


def test_a_disturbed_test_that_was_asked_again_is_named_once() -> None:
    of = compared_plan("a")
    first = warm(of, 0, 1, 0, 10.0, flags=("unexpected_reload",))
    again = warm(of, 0, 1, 0, 10.0, repeats=first.trial.id)
    trial = msgspec.structs.replace(again.trial, id=f"{first.trial.id}-again", attempt=2)
    again = msgspec.structs.replace(again, trial=trial)
    assert counted(compared({"a": []}, first, again, of=of)) == [(0, "repeated", "all", 1)]


def test_what_counts_without_a_last_line_is_not_said_to_be_left_out() -> None:
    """Without a last line there is no count of tokens; TTFT and characters per second stay."""
    of = compared_plan("a", "b")
    session = compared({"a": [10.0], "b": []}, *rows(of, 1, 10.0, rounds=1, outcome="no_final"), of=of)
    assert counted(session) == [(1, "outcome_no_final", "speed", 3)]


def test_busy_trials_are_told_although_they_count() -> None:
    of = compared_plan("a")
    found = line(compared({"a": []}, *rows(of, 0, 10.0, flags=("busy",)), of=of), NotCounted)
    assert (found.busy, found.warm, found.busy_lasts, found.why) == (9, 9, True, None)


def test_a_model_without_verdict_is_named() -> None:
    of = compared_plan("a", "b")
    session = compared({"a": [10.0] * 3, "b": []}, *rows(of, 1, 9.0, flags=("noisy_start",)), of=of)
    assert line(session, NotCounted).contenders == ((1, "disturbed"),)
    assert line(compared({"a": [10.0]}), NotCounted).why == "all_counted"


def test_conclusions_are_one_of_eight_kinds() -> None:
    assert all(isinstance(one, Conclusion) for one in conclude(compared({"a": [10.0]})))
