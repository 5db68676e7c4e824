"""The words "faster" and their conditions: the rules of docs/method.md, "Verdicts", one by one."""

from __future__ import annotations

import math
from itertools import combinations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from llmtui.core.conditions import Condition
from llmtui.core.interval import MAX_MORE_ROUNDS
from llmtui.core.letters import groups, ranks
from llmtui.core.pairing import PairedRounds, pair_up
from llmtui.core.records import ResidentModel
from llmtui.core.session import Session
from llmtui.core.steadiness import drift
from llmtui.core.verdict import SETTLES, SpeedVerdict, judge, settled, verdicts
from tests.core.compared import compared, compared_plan, warm


def logs(*ratios: float) -> tuple[float, ...]:
    return tuple(math.log(ratio) for ratio in ratios)


def pair(
    *ratios: float, leads: tuple[tuple[float, ...], ...] | None = None, first: int = 0, second: int = 1
) -> PairedRounds:
    """A pair with the given ratio in each round; on each of three prompts too, unless told otherwise."""
    rounds = logs(*ratios)
    each = tuple((one,) * 3 for one in rounds) if leads is None else tuple(logs(*one) for one in leads)
    return PairedRounds(first=first, second=second, rounds=rounds, leads=each, common=3 * len(rounds))


def one(*ratios: float, leads: tuple[tuple[float, ...], ...] | None = None) -> SpeedVerdict:
    return judge([pair(*ratios, leads=leads)])[0]


# --- no counted round ---------------------------------------------------------------------------------------------


def test_without_a_common_row_there_is_no_verdict() -> None:
    found = judge([PairedRounds(first=0, second=1, rounds=(), leads=(), common=0)])[0]
    assert (found.word, found.why) == ("no_verdict", "no_common_rows")


def test_with_too_few_pairs_in_each_round_there_is_no_verdict() -> None:
    found = judge([PairedRounds(first=0, second=1, rounds=(), leads=(), common=1)])[0]
    assert (found.word, found.why) == ("no_verdict", "few_pairs")


def test_a_disturbed_contender_has_no_verdict_and_says_so() -> None:
    pairs = [pair(1.5, 1.5, 1.5), pair(1.5, 1.5, 1.5, first=0, second=2), pair(1.5, 1.5, 1.5, first=1, second=2)]
    found = judge(pairs, disturbed={2})
    assert [(verdict.word, verdict.why) for verdict in found] == [
        ("faster", None), ("no_verdict", "disturbed"), ("no_verdict", "disturbed"),
    ]  # fmt: skip


# --- one or two rounds --------------------------------------------------------------------------------------------


def test_one_round_has_a_leader_from_ten_percent_on_every_prompt() -> None:
    found = one(1.2, leads=((1.11, 1.2, 1.3),))
    assert (found.word, found.first) == ("leads_in_this_round", 0)
    assert found.smallest_lead == pytest.approx(1.11)
    assert (found.low, found.high) == (None, None)
    assert found.is_open
    assert found.more_rounds == 2, "to an interval"


@pytest.mark.parametrize("leads", [(1.09, 1.3, 1.3), (0.99, 2.0, 2.0)], ids=["nine percent", "the other way"])
def test_one_round_without_a_leader_is_too_little(leads: tuple[float, ...]) -> None:
    assert one(1.3, leads=(leads,)).word == "too_few_rounds"


def test_one_round_never_says_ahead() -> None:
    assert one(5.0).word == "leads_in_this_round"


def test_ahead_asks_for_twenty_percent_on_every_prompt_of_two_rounds() -> None:
    assert one(1.3, 1.3).word == "ahead"
    assert one(1.3, 1.3, leads=((1.19, 1.4, 1.4), (1.3, 1.3, 1.3))).word == "too_few_rounds"


def test_ahead_asks_for_a_lead_twice_the_rounds_difference() -> None:
    """A burst in one block separates the two rounds; a round and its mirror see a slow model equally."""
    assert one(1.5, 1.3).word == "ahead"
    assert one(2.2, 1.25).word == "too_few_rounds"


def test_two_rounds_have_a_figure_and_no_interval() -> None:
    found = one(1.2, 1.05)
    assert (found.word, found.low, found.high, found.more_rounds) == ("too_few_rounds", None, None, 1)


def test_two_prompts_are_too_few_however_large_the_lead() -> None:
    assert one(3.0, leads=((3.0, 3.0),)).word == "too_few_prompts"
    assert one(3.0, 3.0, leads=((3.0, 3.0, 3.0), (3.0, 3.0))).word == "too_few_prompts"


def test_the_leader_is_first() -> None:
    found = one(1 / 1.2)
    assert (found.word, found.first, found.second) == ("leads_in_this_round", 1, 0)
    assert found.ratio == pytest.approx(1.2)


# --- three rounds and more ----------------------------------------------------------------------------------------


def test_faster_when_the_whole_interval_lies_beyond_the_margin() -> None:
    found = one(1.10, 1.11, 1.12)
    assert found.word == "faster"
    assert found.low is not None
    assert found.low > 1.03


def test_practically_equal_when_it_lies_inside_also_if_it_excludes_one() -> None:
    found = one(1.010, 1.011, 1.012)
    assert found.word == "practically_equal"
    assert found.low is not None
    assert found.low > 1


def test_slightly_faster_when_it_crosses_the_margin_and_chance_is_under_one_percent() -> None:
    found = one(1.025, 1.03, 1.035, 1.03, 1.025, 1.035)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 1.03 < found.high
    assert found.word == "slightly_faster"


CLOSE = (1.023, 1.040, 1.023, 1.040)


def test_the_chance_is_adjusted_for_all_pairs_with_three_rounds() -> None:
    alone = judge([pair(*CLOSE)])[0]
    among = judge([pair(*CLOSE), *(pair(0.9, 1.0, 1.1, first=at, second=at + 1) for at in range(2, 12))])[0]
    assert (alone.word, among.word) == ("slightly_faster", "too_close")


def test_the_interval_is_simultaneous_over_the_pairs_with_three_rounds() -> None:
    more = [pair(0.9, 1.0, 1.1, first=2, second=3), pair(1.2, 1.3, first=4, second=5)]
    alone, among = judge([pair(*CLOSE)])[0], judge([pair(*CLOSE), *more])[0]
    values = logs(*CLOSE)
    for found, pairs in ((alone, 1), (among, 2)):
        half = scipy_stats.t.ppf(1 - 0.05 / (2 * pairs), 3) * np_std(values) / 2
        assert found.low == pytest.approx(math.exp(sum(values) / 4 - half), rel=1e-9)


def np_std(values: tuple[float, ...]) -> float:
    return math.sqrt(sum((one - sum(values) / len(values)) ** 2 for one in values) / (len(values) - 1))


def test_seems_faster_when_the_interval_excludes_one_and_chance_is_not_small_enough() -> None:
    found = one(1.01, 1.04, 1.03, 1.05)
    assert found.word == "seems_faster"
    assert found.low is not None
    assert found.low > 1
    assert found.is_open, "further rounds may settle it"


def test_otherwise_it_is_too_close_and_has_a_forecast() -> None:
    found = one(0.97, 1.1, 1.08)
    assert found.word == "too_close"
    assert found.more_rounds is not None
    assert 1 <= found.more_rounds <= MAX_MORE_ROUNDS


def test_a_hopeless_case_takes_more_than_twenty_rounds() -> None:
    found = one(0.7, 1.5, 0.96)
    assert (found.word, found.more_rounds) == ("too_close", None)


def test_three_equal_readings_claim_no_certainty() -> None:
    found = one(1.05, 1.05, 1.05)
    assert found.low is not None
    assert found.low < 1.05 - 0.002


RATIOS = st.lists(st.floats(0.8, 1.3), min_size=3, max_size=9)


@given(RATIOS)
def test_the_price_is_the_first_number_of_rounds_that_says_something_else(ratios: list[float]) -> None:
    found = one(*ratios)
    if not found.is_open:
        assert found.more_rounds is None
        return
    values = logs(*ratios)
    n, middle = len(values), sum(values) / len(values)
    spread = max(math.sqrt(sum((value - middle) ** 2 for value in values) / (n - 1)), 0.001)
    words = {
        more: judge([PairedRounds(0, 1, stretched(middle, spread, n + more), (), 1)])[0].word for more in range(1, 21)
    }
    said = [more for more, word in words.items() if word in SETTLES]
    assert found.more_rounds == (said[0] if said else None)


def stretched(middle: float, spread: float, n: int) -> tuple[float, ...]:
    """Return this number of values with exactly this mean and sample deviation."""
    shape = [1.0 if at % 2 else -1.0 for at in range(n)]
    if n % 2:
        shape[-1] = 0.0
    mean = sum(shape) / n
    scale = spread / math.sqrt(sum((value - mean) ** 2 for value in shape) / (n - 1))
    return tuple(middle + scale * (value - mean) for value in shape)


@given(st.lists(st.floats(0.7, 1.5), min_size=1, max_size=8))
def test_swapping_the_names_keeps_the_verdict(ratios: list[float]) -> None:
    there, back = one(*ratios), one(*(1 / ratio for ratio in ratios))
    assert there.word == back.word
    assert there.ratio == pytest.approx(back.ratio)
    assert there.low == pytest.approx(back.low)
    assert there.more_rounds == back.more_rounds
    if there.ratio is not None and there.ratio > 1 + 1e-9:
        assert (there.first, there.second) == (back.second, back.first)


@given(RATIOS)
def test_an_ordering_word_never_contradicts_its_interval(ratios: list[float]) -> None:
    found = one(*ratios)
    assert found.low is not None
    assert found.high is not None
    assert found.ratio is not None
    assert found.low <= found.ratio <= found.high
    if found.word == "faster":
        assert found.low > 1.03
    if found.word == "practically_equal":
        assert 1 / 1.03 < found.low < found.high < 1.03
    if found.word in ("slightly_faster", "seems_faster"):
        assert found.low > 1
    if found.word == "too_close":
        assert found.low <= 1 <= found.high


# --- which rounds count -------------------------------------------------------------------------------------------


def test_rates_are_pooled_over_the_paired_prompts() -> None:
    session = compared({"a": [(10.0, 20.0, 40.0)], "b": [10.0]})
    found = pair_up(session.plan, session.rows, 0, 1)
    # 127 steps each: pooled rate of a is 3 / (1/10 + 1/20 + 1/40), not the mean of its rates.
    assert math.exp(found.rounds[0]) == pytest.approx(3 / (1 / 10 + 1 / 20 + 1 / 40) / 10)
    assert [math.exp(lead) for lead in found.leads[0]] == pytest.approx([1, 2, 4])


def test_short_answers_are_not_paired() -> None:
    of = compared_plan("a", "b", rounds=1)
    session = compared({"a": [20.0], "b": []}, *(warm(of, 1, 1, which, 10.0, tokens=40) for which in range(3)), of=of)
    assert verdicts(session)[0].why == "no_common_rows"


def test_a_round_counts_with_half_of_its_prompts() -> None:
    of = compared_plan("a", "b", categories=("w", "x", "y", "z"), rounds=1)
    half = compared({"a": [20.0], "b": []}, *(warm(of, 1, 1, which, 10.0) for which in (0, 1)), of=of)
    less = compared({"a": [20.0], "b": []}, warm(of, 1, 1, 0, 10.0), of=of)
    assert verdicts(half)[0].rounds == 1
    assert (verdicts(less)[0].word, verdicts(less)[0].why) == ("no_verdict", "few_pairs")


def test_answers_with_another_cap_are_not_paired() -> None:
    of = compared_plan("a", "b", rounds=1)
    session = compared({"a": [20.0], "b": []}, *(warm(of, 1, 1, at, 10.0, num_predict=256) for at in range(3)), of=of)
    assert verdicts(session)[0].word == "no_verdict"


def test_more_than_a_fifth_disturbed_rows_withhold_the_verdict() -> None:
    of = compared_plan("a", "b")
    stalled = [warm(of, 1, 1, which, 10.0, flags=("noisy_start",)) for which in range(2)]
    rest = [warm(of, 1, number, which, 10.0) for number in (1, 2, 3) for which in range(3) if (number, which) > (1, 1)]
    two_of_nine = compared({"a": [20.0] * 3, "b": []}, *stalled, *rest, of=of)
    one_of_nine = compared({"a": [20.0] * 3, "b": []}, stalled[0], warm(of, 1, 1, 1, 10.0), *rest, of=of)
    assert verdicts(two_of_nine)[0].why == "disturbed"
    assert verdicts(one_of_nine)[0].word == "faster"


def test_a_machine_that_becomes_slower_in_the_middle_keeps_its_verdict() -> None:
    """Many rows are outliers then; models alternated, so the verdict holds, and the drift is shown."""
    session = compared({"a": [20.0] * 4 + [18.0] * 3, "b": [10.0] * 4 + [9.0] * 3})
    assert sum("outlier" in row.flags for row in session.rows) == 18
    assert verdicts(session)[0].word == "faster"
    assert drift(session) is not None


def test_lasting_conditions_keep_the_verdict_and_are_named() -> None:
    of = compared_plan("a", "b")
    beside = ResidentModel(name="b", digest="d", size_bytes=100, vram_bytes=40)
    spilled = [warm(of, 1, number, which, 10.0, resident=beside) for number in (1, 2, 3) for which in range(3)]
    found = verdicts(compared({"a": [20.0] * 3, "b": []}, *spilled, of=of))[0]
    assert (found.word, found.conditions) == ("faster", (Condition("spilled", 9, 18, lasting=True),))


# --- groups -------------------------------------------------------------------------------------------------------


def test_letters_are_shared_unless_a_verdict_separates() -> None:
    session = compared({"a": [20.0, 20.1, 19.9], "b": [19.95, 20.05, 20.0], "c": [10.0, 10.1, 9.9]})
    found = verdicts(session)
    assert groups(session, found) == {0: "a", 1: "a", 2: "b"}


def test_who_cannot_be_told_from_either_shares_both_letters() -> None:
    session = compared({"a": [12.0, 12.01, 12.02], "b": [11.0, 12.5, 10.4], "c": [10.5, 10.51, 10.52]})
    letters = groups(session, verdicts(session))
    assert letters[0] != letters[2]
    assert set(letters[1]) == set(letters[0] + letters[2])


@pytest.fixture(scope="module")
def five_models() -> Session:
    return compared({f"m{index}": [20.0 - index] for index in range(5)})


@given(separated=st.sets(st.integers(0, 9)))
def test_letters_say_exactly_what_the_verdicts_say(five_models: Session, separated: set[int]) -> None:
    pairs = list(combinations(range(5), 2))
    found = [
        SpeedVerdict(word="faster" if at in separated else "too_close", first=a, second=b, rounds=3)
        for at, (a, b) in enumerate(pairs)
    ]
    letters = groups(five_models, found)
    for at, (a, b) in enumerate(pairs):
        assert bool(set(letters[a]) & set(letters[b])) is (at not in separated)
    used = sorted(set("".join(letters.values())))
    members = [{index for index in range(5) if letter in letters[index]} for letter in used]
    assert not any(one < two for one in members for two in members), "a letter says nothing that another does not"


def test_one_round_gives_no_letter_and_no_rank() -> None:
    session = compared({"a": [20.0], "b": [10.0]})
    found = verdicts(session)
    assert (groups(session, found), ranks(found)) == ({}, {})


def test_ranks_count_the_models_that_a_verdict_puts_above() -> None:
    session = compared({"a": [12.0, 12.01, 12.02], "b": [11.0, 12.5, 10.4], "c": [10.5, 10.51, 10.52]})
    assert ranks(verdicts(session)) == {0: 1, 1: 1, 2: 2}


def test_who_has_no_verdict_has_no_letter() -> None:
    session = compared({"a": [20.0] * 3, "b": [10.0] * 3, "c": []})
    assert set(groups(session, verdicts(session))) == {0, 1}


# --- when to stop -------------------------------------------------------------------------------------------------


def test_a_comparison_is_settled_when_no_pair_is_open() -> None:
    assert settled(judge([pair(1.5, 1.5, 1.5)]))
    assert not settled(judge([pair(1.0, 1.2, 1.1)]))
    assert settled(judge([pair(1.5, 1.5, 1.5)], disturbed={0}))


def test_or_when_every_ratio_is_known_closely() -> None:
    narrow = msgspec.structs.replace(judge([pair(1.0, 1.2, 1.1)])[0], low=0.99, high=1.01)
    assert narrow.word == "too_close"
    assert settled([narrow])
    assert not settled([narrow, judge([pair(1.0)])[0]])
