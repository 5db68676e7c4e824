"""Eight lines: each has its figures or the reason why it cannot be filled, and nobody wins without a verdict."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
import pytest

from llmtui.core.across import Earlier
from llmtui.core.conclusions import (
    Conclusion,
    FirstWord,
    MemoryUse,
    NotCounted,
    SinceLast,
    Stability,
    UsualFormula,
    WhichForWhat,
    WritingSpeed,
    conclude,
)
from llmtui.core.events import TrialFinished
from llmtui.core.facts import MachineFigures, ResidentModel
from llmtui.core.plan import Plan
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


def rows(of: Plan, who: int, tps: float, rounds: int = 3, **changes: Any) -> list[TrialFinished]:
    return [warm(of, who, number, which, tps, **changes) for number in range(1, rounds + 1) for which in range(3)]


def test_all_eight_lines_in_their_order() -> None:
    kinds = [type(one) for one in conclude(compared({"a": [10.0]}))]
    assert kinds == [
        WritingSpeed, FirstWord, Stability, MemoryUse, WhichForWhat, UsualFormula, SinceLast, NotCounted,
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


def test_more_tokens_and_less_text() -> None:
    of = compared_plan("a", "b")
    session = compared({"a": [], "b": []}, *rows(of, 0, 11.0, word="no "), *rows(of, 1, 10.0, word="letters "), of=of)
    found = line(session, WritingSpeed)
    assert (found.tps[0].contender, found.more_text) == (0, 1)
    assert line(compared({"a": [11.0], "b": [10.0]}), WritingSpeed).more_text is None


def test_without_a_verdict_on_tokens_nobody_is_said_to_make_more_of_them() -> None:
    of = compared_plan("a", "b")
    level = [*rows(of, 0, 10.001, word="no "), *rows(of, 1, 10.0, word="letters ")]
    assert line(compared({"a": [], "b": []}, *level, of=of), WritingSpeed).more_text is None


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
        other(of, "cold", who, number, ttft_ms=20000 if number == 1 else 3000, load_ms=19000 if number == 1 else 2500)
        for who in (0, 1)
        for number in (1, 2, 3)
    ]
    waits = [*rows(of, 0, 10.0, ttft_ms=900), *rows(of, 1, 10.0, ttft_ms=500)]
    found = line(compared({"a": [], "b": []}, *starts, *waits, of=of), FirstWord)
    assert [tuple(one) for one in found.ttft] == [(1, 500), (0, 900)]
    assert {tuple(one) for one in found.cold} == {(0, 20000), (1, 20000)}
    assert {tuple(one) for one in found.loading} == {(0, 19000), (1, 19000)}
    assert {tuple(one) for one in found.again} == {(0, 3000), (1, 3000)}
    assert dict(found.saving) == {0: 19100, 1: 19500}
    assert found.leaders == (1,)


def test_only_those_that_think_have_a_first_answer_word() -> None:
    of = compared_plan("a", "b")
    session = compared({"a": [], "b": []}, *rows(of, 0, 10.0, thinking=64), *rows(of, 1, 10.0), of=of)
    assert [one.contender for one in line(session, FirstWord).ttfo] == [0]


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


def test_a_ranking_asks_for_twice_the_scatter_and_three_percent() -> None:
    assert not line(compared({"a": [10.0, 10.1, 9.9], "b": [10.0, 10.2, 9.8]}), Stability).ranked
    assert line(compared({"a": [10.0, 10.1, 9.9], "b": [10.0, 11.0, 9.0]}), Stability).ranked
    assert not line(compared({"a": [10.0, 10.6, 9.4], "b": [10.0, 11.0, 9.0]}), Stability).ranked


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
    assert choices(session) == {
        "long_answers": (0,), "quick_questions": (1,), "rarely_used": (), "little_memory": (1,),
    }  # fmt: skip


def test_within_three_percent_of_memory_both_are_named() -> None:
    of = compared_plan("a", "b")
    session = compared(
        {"a": [], "b": []},
        *rows(of, 0, 20.0, machine=held()),
        *rows(of, 1, 10.0, machine=held(runner_peak_bytes=round(4.9 * GB))),
        of=of,
    )
    assert set(choices(session)["little_memory"]) == {0, 1}


@pytest.mark.parametrize(("rounds", "named"), [(2, {0, 1}), (3, {1})])
def test_starts_from_off_are_told_apart_in_three_rounds(rounds: int, named: set[int]) -> None:
    of = compared_plan("a", "b")
    starts = [
        other(of, "cold", who, number, ttft_ms=(20000, 9000)[who]) for who in (0, 1) for number in range(1, rounds + 1)
    ]
    assert set(choices(compared({"a": [10.0] * 3, "b": [10.0] * 3}, *starts, of=of))["rarely_used"]) == named


def test_one_model_alone_suits_no_occasion_better() -> None:
    assert line(compared({"a": [10.0]}), WhichForWhat).why == "one_model"


# --- 6, 7, 8 ------------------------------------------------------------------------------------------------------


def test_the_usual_formula_can_name_another_winner() -> None:
    of = compared_plan("a", "b")
    fast = [*rows(of, 0, 12.0), *(other(of, "cold", 0, number, ttft_ms=60000) for number in (1, 2, 3))]
    found = line(compared({"a": [], "b": []}, *fast, *rows(of, 1, 10.0), of=of), UsualFormula)
    assert found.usual[0].contender == 1
    assert (found.other_winner, found.with_cold) == (True, True)
    assert dict(found.waiting)[0] > dict(found.waiting)[1]


def test_since_last_time_compares_with_the_earlier_session() -> None:
    before, now = compared({"a": [10.0, 10.1, 9.9]}), compared({"a": [12.0, 12.1, 11.9]})
    found = line(now, SinceLast, Earlier(session=before))
    assert found.comparison is not None
    assert found.comparison.changes[0].word == "faster"
    assert line(now, SinceLast).why == "no_earlier"


def counted(session: Session) -> list[tuple[int, str, str, int]]:
    return [(one.contender, one.code, one.what, one.count) for one in line(session, NotCounted).tests]


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


def test_a_model_without_verdict_is_named() -> None:
    of = compared_plan("a", "b")
    session = compared({"a": [10.0] * 3, "b": []}, *rows(of, 1, 9.0, flags=("noisy_start",)), of=of)
    assert line(session, NotCounted).contenders == ((1, "disturbed"),)
    assert line(compared({"a": [10.0]}), NotCounted).why == "all_counted"


def test_conclusions_are_one_of_eight_kinds() -> None:
    assert all(isinstance(one, Conclusion) for one in conclude(compared({"a": [10.0]})))
