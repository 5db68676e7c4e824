"""Two sessions are judged where one condition differs, and shown where more do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from scipy import stats as scipy_stats

from llmtui.core.across import compare_sessions
from llmtui.core.day_noise import DayNoise, day_noise
from llmtui.core.differences import differences, plan_signature
from llmtui.core.plan import Plan, PlanOptions, Variant
from llmtui.core.records import Fingerprint
from llmtui.core.session import Session
from tests.core.compared import compared, compared_plan


def session(*rates: float, name: str = "a", of: Plan | None = None, **conditions: Any) -> Session:
    made = compared({name: rates}, of=of or compared_plan(name))
    fingerprint = msgspec.structs.replace(made.fingerprint, **conditions)
    return msgspec.structs.replace(made, fingerprint=fingerprint)


def with_model(**changes: Any) -> Plan:
    of = compared_plan("a")
    contender = of.contenders[0]
    model = msgspec.structs.replace(contender.model, **changes)
    return msgspec.structs.replace(of, contenders=(msgspec.structs.replace(contender, model=model),))


def with_context(num_ctx: int) -> Plan:
    of = compared_plan("a")
    contender = msgspec.structs.replace(of.contenders[0], variant=Variant(num_ctx=num_ctx))
    return msgspec.structs.replace(of, contenders=(contender,))


QUIET = DayNoise(variance=0.001**2, sessions=5)


def change(before: Session, after: Session, noise: DayNoise = QUIET) -> tuple[str, str | None]:
    found = compare_sessions(before, after, noise={"decode_tps": noise}).changes[0]
    return found.word, found.why


OLD = (10.0, 10.05, 9.95)


def test_one_difference_is_judged() -> None:
    before, after = session(*OLD, server_version="1"), session(12.0, 12.1, 11.9, server_version="2")
    found = compare_sessions(before, after, noise={"decode_tps": QUIET})
    assert [one.aspect for one in found.differences] == ["server_version"]
    assert found.judged
    assert found.changes[0].word == "faster"
    assert change(after, before)[0] == "slower"


def test_no_difference_is_judged_too() -> None:
    assert change(session(*OLD), session(10.02, 9.98, 10.01))[0] == "practically_equal"


def test_two_differences_are_shown_without_a_verdict() -> None:
    before = session(*OLD, server_version="1", cpu="this", gpu="none")
    after = session(12.0, 12.1, 11.9, server_version="2", cpu="that", gpu="some")
    found = compare_sessions(before, after, noise={"decode_tps": QUIET})
    assert [one.aspect for one in found.differences] == ["server_version", "machine"]
    assert not found.judged
    assert (found.changes[0].word, found.changes[0].why) == ("no_verdict", "several_differences")
    assert found.changes[0].ratio == pytest.approx(1.2, rel=0.01)


def test_the_interval_is_welchs_on_the_rounds_log_means() -> None:
    then, now = (10.0, 10.4, 9.8), (10.5, 11.0, 10.8, 10.2)
    found = compare_sessions(session(*then), session(*now)).changes[0]
    expected = scipy_stats.ttest_ind([math.log(one) for one in now], [math.log(one) for one in then], equal_var=False)
    interval = expected.confidence_interval()
    assert found.low == pytest.approx(math.exp(interval.low), rel=1e-6)
    assert found.high == pytest.approx(math.exp(interval.high), rel=1e-6)
    assert (found.word, found.why) == ("no_verdict", "day_noise_unknown")


def test_without_known_noise_from_day_to_day_nothing_is_ordered() -> None:
    found = compare_sessions(session(*OLD), session(20.0, 20.1, 19.9)).changes[0]
    assert (found.word, found.why) == ("no_verdict", "day_noise_unknown")
    assert found.low is not None
    assert found.low > 1.9


def test_noise_from_day_to_day_widens_the_interval() -> None:
    before, after = session(*OLD), session(10.6, 10.65, 10.55)
    assert change(before, after)[0] == "faster"
    assert change(before, after, DayNoise(variance=0.02**2, sessions=5))[0] == "too_close"


def test_an_interval_that_excludes_one_and_holds_the_margin_only_seems() -> None:
    slightly = session(10.3, 10.35, 10.25)
    assert change(session(*OLD), slightly)[0] == "seems_faster"
    assert change(slightly, session(*OLD))[0] == "seems_slower"


def test_noise_is_the_scatter_of_four_sessions_under_the_same_conditions() -> None:
    levels = (10.0, 10.2, 9.9, 10.1)
    sessions = [session(level, level, level) for level in levels]
    found = day_noise(sessions)
    assert found is not None
    assert found.sessions == 4
    assert math.sqrt(found.variance) == pytest.approx(0.01285, rel=0.01)
    assert day_noise(sessions[:3]) is None
    assert day_noise([*sessions[:3], session(99.0, 99.0, server_version="2", gpu="new")]) is not None
    assert day_noise([session(*OLD, server_version="1"), *(session(*OLD, server_version="2"),) * 3]) is None


def test_intervals_are_simultaneous_over_the_models() -> None:
    two = compared({"a": [10.0, 10.4, 9.8], "b": [5.0, 5.2, 4.9]})
    alone, among = compare_sessions(session(10.0, 10.4, 9.8), session(10.0, 10.4, 9.8)), compare_sessions(two, two)
    assert alone.changes[0].high is not None
    assert among.changes[0].high is not None
    assert among.changes[0].high > alone.changes[0].high


def test_another_version_of_llmtui_is_a_difference_and_is_judged_by_todays_rules() -> None:
    before = session(*OLD, llmtui="0.1")
    found = compare_sessions(before, session(*OLD))
    assert [one.aspect for one in found.differences] == ["llmtui"]
    assert found.older_rules


def test_a_new_build_under_the_same_name_is_one_difference() -> None:
    before, after = session(*OLD), session(12.0, 12.1, 11.9, of=with_model(digest="another"))
    assert [one.aspect for one in differences(before, after)] == ["model_build"]
    assert change(before, after)[0] == "faster"


def test_the_same_build_under_another_name_is_the_same_model() -> None:
    of = with_model(name="renamed", digest="digest-of-a")
    assert change(session(*OLD), session(*OLD, of=of))[0] == "practically_equal"


def test_another_context_length_is_one_difference_and_still_the_same_contender() -> None:
    before, after = session(*OLD), session(*OLD, of=with_context(8192))
    assert [one.aspect for one in differences(before, after)] == ["num_ctx"]
    assert change(before, after)[0] == "practically_equal"


def test_what_one_session_does_not_know_is_no_difference() -> None:
    assert differences(session(*OLD, gpu=None), session(*OLD, gpu="some", on_battery=True)) == ()


def test_another_server_is_not_also_another_version() -> None:
    before = session(*OLD, server_kind="ollama", server_version="0.12")
    after = session(*OLD, server_kind="builtin", server_version="b10488")
    assert [one.aspect for one in differences(before, after)] == ["server"]


@pytest.mark.parametrize(("rates", "why"), [((10.0,), "needs_rounds"), ((), "not_measured")])
def test_one_round_is_not_enough(rates: Sequence[float], why: str) -> None:
    assert change(session(*OLD), session(*rates)) == ("no_verdict", why)


def test_a_model_that_was_not_there_has_nothing_to_be_compared_with() -> None:
    assert change(session(*OLD), session(*OLD, name="b")) == ("no_verdict", "not_there_before")


def test_other_questions_cannot_be_compared() -> None:
    of = compared_plan("a", categories=("w", "x", "y"))
    assert change(session(*OLD), session(*OLD, of=of)) == ("no_verdict", "no_common_prompts")


def test_a_plan_repeats_another_whatever_its_rounds_and_order() -> None:
    of = compared_plan("a", "b")
    again = msgspec.structs.replace(of, rounds=9, seed=5, preset="quick", contenders=of.contenders[::-1])
    assert plan_signature(of) == plan_signature(again)
    assert plan_signature(of) != plan_signature(msgspec.structs.replace(of, options=PlanOptions(num_predict=64)))
    assert plan_signature(of) != plan_signature(compared_plan("a", "c"))
    assert plan_signature(of) != plan_signature(compared_plan("a", "b", categories=("w",)))


def test_a_bare_fingerprint_and_a_build_without_digest_are_no_difference() -> None:
    bare = Fingerprint(llmtui="0", python="3", os="Linux")
    before = msgspec.structs.replace(session(*OLD, of=with_model(digest="")), fingerprint=bare)
    assert differences(before, msgspec.structs.replace(session(*OLD), fingerprint=bare)) == ()
