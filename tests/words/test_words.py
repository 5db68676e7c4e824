"""Every code has its words, in sentences that end and cells that are short."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

import llmtui
from llmtui.core import flags
from llmtui.core.across import ChangeWord
from llmtui.core.conditions import Condition
from llmtui.core.events import TrialFinished
from llmtui.core.measures import MEASURES
from llmtui.core.records import Outcome
from llmtui.core.session import Session
from llmtui.core.steadiness import drift
from llmtui.core.summary import Spread
from llmtui.core.trial_row import TrialRow
from llmtui.core.verdict import SpeedVerdict
from llmtui.core.verdict import Word as VerdictWord
from llmtui.core.waits import WaitVerdict, WaitWord
from llmtui.words.figures import duration, gigabytes, percent, rate_range, seconds, significant
from llmtui.words.flags import conditions_clause, explained, flag_mark, flag_sentence, mark
from llmtui.words.lists import and_list, few, or_list
from llmtui.words.measures import explain_measure, measure_title
from llmtui.words.outcomes import outcome_sentence, outcome_word
from llmtui.words.ratios import factor, factor_range
from llmtui.words.reasons import known_codes, reason
from llmtui.words.trials import ended_words, trial_name
from llmtui.words.verdicts import (
    banners,
    drift_sentence,
    open_pairs,
    price,
    under_conditions,
    verdict_sentence,
    verdict_word,
)
from llmtui.words.waits import wait_sentence, wait_sentences
from tests.core.compared import compared, compared_plan, warm
from tests.core.made import trial

PACKAGE = Path(llmtui.__file__).parent
FLAGS = (*flags.BY_DESIGN, *flags.CONDITIONS, *flags.READING, *flags.DISTURBANCES)
PLAN = compared_plan("a", "b")


def row(**changes: object) -> TrialRow:
    of_event: TrialFinished = warm(PLAN, 0, 1, 0, 10.0, **changes)
    return compared({"a": [], "b": []}, of_event, of=PLAN).rows[0]


# --- codes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flag", FLAGS)
def test_every_flag_has_a_mark_and_a_sentence(flag: str) -> None:
    assert flag_mark(flag) != flag
    assert len(flag_mark(flag)) <= 24
    assert flag_sentence(flag).endswith(".")


@pytest.mark.parametrize("outcome", get_args(Outcome))
def test_every_outcome_has_a_word_and_a_sentence(outcome: str) -> None:
    assert len(outcome_word(outcome)) <= 14
    assert outcome_sentence(outcome).endswith(".")
    assert outcome_word(outcome) in reason(f"outcome_{outcome}")


def test_reaching_the_limit_is_no_failure() -> None:
    assert outcome_word("ok", "length") == "complete (length limit)"
    assert "as planned" in outcome_sentence("ok", "length")
    assert outcome_sentence("ok", "stop") == "The model ended the answer itself."


@pytest.mark.parametrize("word", get_args(VerdictWord))
def test_every_verdict_has_a_word_and_a_sentence(word: VerdictWord) -> None:
    assert "_" not in verdict_word(word)
    verdict = SpeedVerdict(
        word=word, first=0, second=1, rounds=3, ratio=1.1, low=1.05, high=1.2, smallest_lead=1.1, more_rounds=4
    )
    text = verdict_sentence(verdict, compared({"a": [10.0], "b": [9.0]}), round_s=90)
    assert text.startswith("a ")
    assert "b" in text
    assert text.endswith(".")


def codes_in(name: str) -> set[str]:
    """Return every reason that a module of core stores in ``why``."""
    source = (PACKAGE / "core" / name).read_text("utf-8")
    found = re.findall(r'why(?:\[[^\]]+\])? \|?= (?:dict\.fromkeys\([^"]*(?:"\w+", )*\), )?"(\w+)"', source)
    found += re.findall(r'dict\.fromkeys\(.*, "(\w+)"\)', source)
    found += re.findall(r'(?:why=|else |return )"(\w+)"(?!:)', source)
    return {code for code in found if "_" in code and not code.endswith(("_ms", "_tps"))}


@pytest.mark.parametrize("name", ["metrics.py", "summary.py", "conclusions.py", "verdict.py", "across.py"])
def test_every_reason_in_the_code_has_a_clause(name: str) -> None:
    words = {*get_args(VerdictWord), *get_args(WaitWord), *get_args(ChangeWord)}
    codes = codes_in(name) - words - {"decode_tps", "unexpected_reload", "short_output"}
    assert codes, "the search finds what it looks for"
    assert codes <= {*known_codes(), "repeated"}


def test_unknown_codes_of_a_newer_version_are_shown_as_they_are() -> None:
    assert [
        word("brand_new") for word in (reason, flag_mark, flag_sentence, outcome_word, outcome_sentence, verdict_word)
    ] == ["brand_new"] * 6


def test_the_limit_of_tokens_is_named() -> None:
    assert reason("still_thinking", num_predict=128) == "still thinking after 128 tokens"
    assert "128" not in reason("still_thinking")


# --- tests --------------------------------------------------------------------------------------------------------


def test_what_a_test_is_about() -> None:
    of = compared_plan("a", categories=("coding", "mine"))
    cold, follow_up = trial(of, kind="cold"), trial(of, kind="follow_up")
    assert [trial_name(one, of) for one in (trial(of, which=0), trial(of, which=1))] == ["Coding", "mine"]
    assert trial_name(cold, of) == "cold start"
    assert trial_name(msgspec.structs.replace(cold, prompt=0), of) == "cold start: Coding"
    assert trial_name(follow_up, of).startswith("follow-up: ")
    assert [ended_words(one) for one in ("stop", "length", "other", None)] == [
        "by the model", "at the length limit", "for another reason", None,
    ]  # fmt: skip


# --- marks and evidence -------------------------------------------------------------------------------------------


def test_a_row_has_a_mark_only_if_something_is_counted_otherwise() -> None:
    assert mark(row()) == ""
    assert mark(row(tokens=40)) == "short answer"
    assert mark(row(flags=("noisy_start", "queued"))) == "waited in queue"
    assert mark(row(flags=("noisy_start",))) == ""
    assert mark(row(flags=("outlier",))) == ""
    assert mark(row(flags=("outlier", "throttled"))) == "speed outlier"


def test_what_stands_under_enter() -> None:
    one = row(tokens=40, flags=("noisy_start",))
    assert explained(one.flags, one.evidence) == (
        "busy at start: Other programs kept the CPU busy just before the cold start.",
        f"short answer: {flag_sentence('short_output')} (40 tokens; at least 64 are needed to compare speed)",
    )


def test_conditions_in_their_order() -> None:
    assert conditions_clause(("clock_disagreement", "spilled")) == "partly on the CPU; times differ"


# --- verdicts -----------------------------------------------------------------------------------------------------

TWO = compared({"a": [10.0], "b": [10.0]})


def verdict(word: VerdictWord, **changes: object) -> SpeedVerdict:
    fields: dict[str, object] = {"word": word, "first": 0, "second": 1, "rounds": 3, "ratio": 1.07}
    return SpeedVerdict(**(fields | changes))  # type: ignore[arg-type]  # forwarded as they are


def test_what_further_rounds_are_expected_to_tell() -> None:
    open_one = verdict("too_close", more_rounds=3)
    assert price(open_one, 120) == "To settle it: about 3 more rounds, perhaps twice that (6 min)."
    assert price(open_one, None) == "To settle it: about 3 more rounds, perhaps twice that."
    assert price(verdict("seems_faster", more_rounds=1), 90) == (
        "To settle it: about 1 more round, perhaps twice that (1 min 30 s)."
    )
    assert price(verdict("too_close"), 90) == "To settle it: many more rounds, if it can be settled at all."
    assert (
        price(verdict("too_few_rounds", rounds=1, more_rounds=2), None) == "2 more rounds until there is an interval."
    )
    assert (
        price(verdict("too_few_rounds", rounds=2, more_rounds=1), 60)
        == "1 more round until there is an interval (1 min)."
    )
    assert "cannot be given more rounds" in price(verdict("too_close", unit="category"), None)


def test_open_pairs_are_the_cheapest_first_and_only_those_that_rounds_can_close() -> None:
    pairs = (
        verdict("too_close"), verdict("too_close", more_rounds=2), verdict("seems_faster", more_rounds=1),
        verdict("faster"), verdict("too_close", unit="category"), verdict("no_verdict"),
    )  # fmt: skip
    assert [one.more_rounds for one in open_pairs(pairs)] == [1, 2, None]


def test_an_open_pair_is_close_only_below_a_tenth() -> None:
    assert verdict_word("too_close", 1.09) == "too close to tell yet"
    assert verdict_word("too_close", 1.10) == "not settled yet"
    wide = verdict("too_close", ratio=1.4, low=0.9, high=2.2)
    assert "not settled yet" in verdict_sentence(wide, TWO)


def test_three_decimals_below_a_tenth() -> None:
    assert [factor(one) for one in (0.987, 1.034, 1.0999, 1.1, 1.456, 12.34)] == [
        "0.987", "1.034", "1.0999", "1.10", "1.46", "12.3",
    ]  # fmt: skip
    assert factor_range(0.941, 1.2057) == "0.941–1.21"


def test_rounding_never_hides_on_which_side_of_one_an_interval_ends() -> None:
    assert factor(1.0003) == "1.0003"
    assert factor(0.99997) == "0.99997"
    assert factor(1.03004) == "1.03004"
    assert factor(1.0) == "1.000"


def test_conditions_that_last_and_those_that_do_not() -> None:
    assert (
        under_conditions((Condition("spilled", 9, 18, lasting=True),)) == "Under these conditions: partly on the CPU."
    )
    assert under_conditions((Condition("clock_disagreement", 1, 25, lasting=False),)) == (
        "In 1 of 25 trials: times differ."
    )


def test_no_verdict_says_why() -> None:
    assert verdict_sentence(verdict("no_verdict", why="disturbed", ratio=None), TWO) == (
        "a and b: no verdict: too many trials were disturbed."
    )


BY_CHANCE = "; chance alone shows this in up to 5 of 100 sessions."


def wait(word: WaitWord, **changes: object) -> WaitVerdict:
    fields: dict[str, object] = {
        "word": word, "first": 0, "second": 1, "rounds": 3, "ratio": 1.5, "low": 1.2, "high": 1.9,
        "difference_ms": 300.0,
    }  # fmt: skip
    return WaitVerdict(**(fields | changes))  # type: ignore[arg-type]  # forwarded as they are


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (wait("sooner"), "TTFT: a responds sooner than b, which takes 1.50 times as long (1.20–1.90, 3 rounds)."),
        (
            wait("seems_sooner", ratio=1.05, low=1.004, high=1.12),
            "TTFT: a seems to respond sooner than b, which takes 1.050 times as long (1.004–1.12, 3 rounds)"
            + BY_CHANCE,
        ),
        (
            wait("equal", ratio=1.02, low=0.99, high=1.05),
            "TTFT: a and b are practically equal: 1.020 (0.990–1.050, 3 rounds).",
        ),
        (
            wait("no_noticeable_difference", ratio=None, low=None, high=None, difference_ms=12.0),
            "TTFT: no noticeable difference between a and b (12.0 ms).",
        ),
        (
            wait("too_close", ratio=1.02, low=0.7, high=1.5),
            "TTFT: a and b are too close to tell yet: 1.020 (0.700–1.50, 3 rounds).",
        ),
        (wait("too_close", low=0.7, high=3.0), "TTFT: a and b, not settled yet: 1.50 (0.700–3.00, 3 rounds)."),
        (wait("too_few_rounds", low=None, high=None), ""),
        (wait("no_verdict", ratio=None, low=None, high=None), ""),
    ],
)  # fmt: skip
def test_waits_in_a_sentence(found: WaitVerdict, text: str) -> None:
    assert wait_sentence(found, TWO, "ttft_ms") == text


def test_where_no_wait_is_noticeable_one_sentence_says_so() -> None:
    none = wait("no_noticeable_difference", ratio=None, low=None, high=None)
    assert wait_sentences((none, none), TWO, "ttft_ms", 3) == ("TTFT: no noticeable difference (under 50 ms).",)


def drifting(factor: float) -> Session:
    speeds = [20.0 * factor**number for number in range(5)]
    return compared({"a": speeds, "b": [speed / 2 for speed in speeds]})


def test_the_banner_of_a_machine_that_changed() -> None:
    assert drift(drifting(0.98)) is not None
    assert drift_sentence(drifting(0.98)).startswith("The machine slowed by ")
    assert drift_sentence(drifting(0.98)).endswith("each model's own figures do not.")
    assert drift_sentence(drifting(1.02)).startswith("The machine sped up by ")
    assert drift_sentence(drifting(1.0)) == ""


def test_one_model_takes_no_turns() -> None:
    alone = compared({"a": [20.0 * 0.97**number for number in range(6)]})
    assert re.fullmatch(r"The machine slowed by \S+ % during the session\.", drift_sentence(alone))


def test_below_five_rounds_no_cause_is_named() -> None:
    speeds = [20.0, 18.0, 16.0]
    said = drift_sentence(compared({"a": speeds, "b": speeds, "c": speeds}))
    assert re.fullmatch(r"Later trials were \S+ % slower than earlier ones\.", said)


def test_the_banner_of_a_busy_machine() -> None:
    rows = [warm(PLAN, contender, 1, which, 10.0, flags=("busy",)) for contender in (0, 1) for which in range(3)]
    assert banners(compared({"a": [], "b": []}, *rows, of=PLAN)) == (
        "Measured on a busy machine: other programs were busy in 6 of 6 trials.",
    )


# --- columns, lists, figures --------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", [one.id for one in MEASURES])
def test_a_column_is_explained_in_five_lines(column: str) -> None:
    lines = explain_measure(column).split("\n")
    assert len(lines) == 5
    assert lines[0].startswith(measure_title(column))
    assert lines[2].startswith("Source: ")
    assert lines[4].startswith("In files: ")
    assert lines[4].endswith(column)


def test_a_column_without_explanation_is_called_as_in_files() -> None:
    assert (measure_title("nonsense"), explain_measure("nonsense")) == ("nonsense", "")


def test_lists() -> None:
    assert [and_list(names) for names in ((), ("a",), ("a", "b"), ("a", "b", "c"))] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert or_list(("a", "b", "c")) == "a, b or c"
    assert few(["a", "b", "c"], most=2) == "a, b and 1 more"
    assert few(["a", "b"], most=2) == "a, b"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (0.9077, "0.908"), (19.1477, "19.1"), (1800.4, "1800"), (9.996, "10.0"), (0.0999996, "0.100"),
        (-3.14159, "-3.14"), (99.96, "100"), (0.00123, "0.00123"), (123456, "123000"),
    ],
)  # fmt: skip
def test_three_significant_digits(value: float, text: str) -> None:
    assert significant(value) == text


def test_units_follow_the_size() -> None:
    assert [seconds(one) for one in (None, 12.34, 99.9, 907.7, 19147.7)] == [
        "",
        "12.3 ms",
        "99.9 ms",
        "0.908 s",
        "19.1 s",
    ]
    assert [gigabytes(one) for one in (None, 4_150_000_000, 52_000_000)] == ["", "4.15 GB", "52.0 MB"]
    assert [duration(one) for one in (None, 42, 200, 180, 3900, 3600)] == [
        "",
        "42 s",
        "3 min 20 s",
        "3 min",
        "1 h 5 min",
        "1 h",
    ]
    assert [percent(one) for one in (None, 0.0143, 0.5)] == ["", "1.4 %", "50 %"]
    assert rate_range(None) == ""
    assert rate_range(Spread(5.9, 5.82, 5.99, 3)) == "5.82–5.99"
