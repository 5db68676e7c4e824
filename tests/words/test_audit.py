"""The sentences of an audit: what the file can show, and for each claim what its figures bear."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest

from llmtui.core.session import Session, fold
from llmtui.legacy.audit import Audit, audit
from llmtui.legacy.claims import Claim, Finding
from llmtui.legacy.events import legacy_events
from llmtui.legacy.readers import read_any
from llmtui.words.audit import audit_lines, claim_sentence, finding_sentence, finding_word
from llmtui.words.conclusions import sentences

SEED = Path(__file__).parents[3] / "shared" / "data" / "seed_benchmark.csv"
HEADER = "Modelo,Categoria,TTFT(s),Total(s),t/s,RAM_MB,Tokens\n"
FIGURES = {
    "usual_tps": 5.4675, "ratio": 1.0652, "low": 0.9410, "high": 1.2057, "units": 4.0, "leads": 1.0, "usual_cv": 0.19,
    "writing_cv": 0.058, "other_cv": 0.0143, "ttft_s": 26.7, "total_s": 43.7, "writing_tps": 4.007, "rest_tps": 3.963,
    "change_mb": 3178.52, "highest_mb": 3178.52, "other_highest_mb": 4291.49, "low_s": 19.1477, "high_s": 26.7033,
    "models": 2.0, "mean_s": 5.6595, "with_cold": 1.0,
}  # fmt: skip
SMALL = HEADER + "m,x,9,19,5,100,101\nm,y,1,11,9,5,101\no,x,1,9,11,-3,90\no,y,1,9,11,-3,90\n"


def session_of(text: str) -> Session:
    made = fold(legacy_events(read_any(text), name="old.csv", session_id="x", wall_ns=0, version="0"))
    assert made is not None
    return made


def small() -> Audit:
    return audit(session_of(SMALL))


def claim(says: Any, finding: Any, **changes: Any) -> Claim:
    fields = {"says": says, "finding": finding, "model": "m", "other": "o", "category": "Coding", "figures": FIGURES}
    return Claim(**(fields | changes))


@pytest.mark.parametrize(
    ("says", "said"),
    [
        ("fastest", "m is the fastest: 5.47 tok/s, as recorded"),
        ("steadiest", "m is the steadiest: ± 19 %"),
        ("slow_category", "m is slow in Coding: 5.47 tok/s"),
        ("most_memory", "m needs the most memory: 3179 MB"),
        ("cold_start", "A cold start takes 19.1 s to 26.7 s"),
        ("best_latency", "m has the best latency: 5.66 s"),
    ],
)
def test_what_is_claimed(says: str, said: str) -> None:
    assert claim_sentence(claim(says, "stands"), small().layout) == said


@pytest.mark.parametrize(
    ("says", "finding", "why", "because"),
    [
        ("fastest", "stands", None, "m is 1.065 times as fast as o (0.941–1.21, 4 categories)."),
        ("fastest", "not_shown", "interval_holds_1", "(0.941–1.21, 4 categories): the interval includes 1."),
        ("fastest", "not_shown", "may_be_chance", "(0.941–1.21, 4 categories): that may be chance."),
        ("fastest", "not_shown", "practically_equal", "(0.941–1.21, 4 categories): that is practically equal."),
        ("steadiest", "not_shown", "too_few_to_rank", "± 5.8 %; ten runs are needed to rank models by that."),
        ("steadiest", "artefact", "least_steady", "of m varies most, by ± 5.8 %; that of o by ± 1.4 %."),
        ("steadiest", "artefact", "another_varies_less", "of m varies by ± 5.8 %, that of o by ± 1.4 %."),
        (
            "slow_category",
            "not_shown",
            "single_trial",
            ("tok/s there and 3.96 elsewhere; a single category cannot show more."),
        ),
        (
            "slow_category",
            "artefact",
            "cold_start",
            ("was the cold start; decode speed there was 4.01 tok/s, elsewhere 3.96."),
        ),
        (
            "slow_category",
            "artefact",
            "waiting",
            ("26.7 s of 43.7 s was waiting; decode speed there was 4.01 tok/s, elsewhere 3.96."),
        ),
        ("most_memory", "not_shown", "machine_change", "The memory total is highest for m too: 3179 MB."),
        ("most_memory", "not_shown", "not_known_what", "whether that is the model's memory or the whole machine's."),
        (
            "most_memory",
            "artefact",
            "first_row",
            ("when no model was in memory. The memory total is highest for o: 4291 MB; m: 3179 MB."),
        ),
        (
            "cold_start",
            "stands",
            None,
            ("The first row of each model waited longest: m 9.00 s, 9.0 times the slowest of its other rows."),
        ),
        ("cold_start", "in_part", "some_models", "m 9.00 s, 9.0 times the slowest of its other rows."),
        ("best_latency", "not_shown", "single_trials", "4 pairs of single trials cannot show a winner."),
        (
            "best_latency",
            "not_shown",
            "not_apart",
            ("m 1.00 s (n = 1), o 1.00 s (n = 2). The difference is too close to tell."),
        ),
        ("best_latency", "wrong", "another_is", "o 1.00 s (n = 2). o responds sooner."),
        ("best_latency", "stands", None, "Median TTFT once loaded: m 1.00 s (n = 1), o 1.00 s (n = 2)."),
        ("fastest", "cannot_be_judged", "no_common_rows", "No category has usable rows from both models."),
        ("steadiest", "cannot_be_judged", "no_writing_speed", "The file does not separate waiting from writing."),
    ],
)
def test_what_its_figures_bear(says: str, finding: str, why: str | None, because: str) -> None:
    said = finding_sentence(claim(says, finding, why=why), small())
    assert said.endswith(because)
    assert said.lower().startswith(f"{finding_word(finding)}. ")


def test_a_cold_start_that_not_every_model_had() -> None:
    said = finding_sentence(claim("cold_start", "in_part", why="some_models"), small())
    assert said.startswith("True in part. True for 2 of 2 models. The first row of each model waited longest:")


def test_every_finding_has_a_word_and_one_of_a_newer_version_is_shown_as_it_is() -> None:
    assert all(finding_word(one) != one for one in get_args(Finding) if one not in ("stands", "wrong"))
    assert finding_word("brand_new") == "brand_new"


# --- the earlier comparison: what used to be said and is not ------------------------------------------------------


@pytest.fixture(scope="module")
def seed() -> dict[str, str]:
    if not SEED.exists():
        pytest.skip("the earlier comparison's file is not beside this checkout")
    return dict(audit_lines(session_of(SEED.read_text("utf-8"))))


def test_each_ratio_is_the_one_that_is_named(seed: dict[str, str]) -> None:
    assert seed["“A cold start takes 19.1 s to 26.7 s”"] == (
        "Confirmed. The first row of each model waited longest: llama3 19.1 s, 11 times the "
        "slowest of its other rows; mistral 20.6 s, 15 times the slowest of its other rows; gemma:7b 26.7 s, 4.3 "
        "times the slowest of its other rows."
    )


def test_an_order_that_is_not_told_apart_does_not_stand(seed: dict[str, str]) -> None:
    said = seed["“mistral is the fastest: 5.47 tok/s, as recorded”"]
    assert said.startswith("Not shown. By decode speed, mistral is 1.065 times as fast as llama3 (0.9")
    assert said.endswith("4 categories): the interval includes 1.")


def test_three_pairs_of_single_trials_name_no_winner(seed: dict[str, str]) -> None:
    said = seed["“llama3 has the best latency: 5.66 s”"]
    assert said.startswith("Not shown. The mean includes cold starts.")
    assert said.endswith("3 pairs of single trials cannot show a winner.")
    everything = " ".join(sentences(session_of(SEED.read_text("utf-8"))))
    assert not re.search("starts soonest|Quick questions|wrong winner", everything)


def test_one_figure_for_one_thing(seed: dict[str, str]) -> None:
    said = seed["Decode speed"]
    assert said.startswith("llama3 5.90, mistral 6.29, gemma:7b 4.03 tok/s (geometric mean over categories).")
    everything = " ".join(sentences(session_of(SEED.read_text("utf-8"))))
    assert not re.search(r"\b(6\.11|6\.12|5\.83|5\.86|3\.93|3\.97) tok/s", everything)


def test_the_file_itself_is_described(seed: dict[str, str]) -> None:
    assert seed["What this file can show"] == (
        "12 rows. One run, 4 categories: one category is one observation. The models ran one "
        "after the other, so a change on the machine looks like a difference between models. 4 "
        "rows with fewer than 64 tokens are included."
    )


def test_tokens_of_two_tokenizers_do_not_compare(seed: dict[str, str]) -> None:
    assert "Token rates of different tokenizers are not comparable" in seed["Decode speed"]


def test_no_sentence_is_answered_that_nobody_says() -> None:
    lines = [f"a,c{at},1,{1 + 199 / tps},,,200" for at, tps in enumerate((5.64, 5.67, 5.7, 5.74))]
    lines += [f"b,c{at},1,{1 + 199 / tps},,,200" for at, tps in enumerate((5.64, 5.67, 5.7, 5.74))]
    said = [heading for heading, _ in audit_lines(session_of(HEADER + "\n".join(lines)))]
    assert said == ["What this file can show", "Decode speed"]


# --- other files --------------------------------------------------------------------------------------------------


def test_as_recorded_is_said_of_a_recorded_column_only() -> None:
    lines = [
        f"{model},c{at},1,{total},{tokens}"
        for model, total, tokens in (("a", 11, 200), ("b", 21, 200))
        for at in range(4)
    ]
    headings = [
        heading for heading, _ in audit_lines(session_of("model,category,ttft_s,total_s,tokens\n" + "\n".join(lines)))
    ]
    assert "“a is the fastest: 18.2 tok/s (tokens ÷ total time)”" in headings


def test_runs_of_the_file_are_named_as_its_unit() -> None:
    lines = [f"{model},x,1,{total + run},200" for run in range(3) for model, total in (("a", 11), ("b", 31))]
    said = dict(audit_lines(session_of("model,category,ttft_s,total_s,tokens\n" + "\n".join(lines))))
    assert said["What this file can show"] == (
        "6 rows. 3 runs of the same prompts: one run is one observation. The models took turns."
    )
    assert "3 runs)" in said["Decode speed"]


def test_a_file_without_a_time_to_first_token_says_what_can_be_judged() -> None:
    lines = [f"{model},c{at},{total + at},200" for model, total in (("a", 11), ("b", 31)) for at in range(4)]
    said = dict(audit_lines(session_of("model,category,total_s,tokens\n" + "\n".join(lines))))
    assert "only tokens ÷ total time can be judged" in said["What this file can show"]
    assert said["Tokens ÷ total time"].startswith("a 16.1, b 6.16 tok/s")
    fastest = next(text for heading, text in said.items() if "fastest" in heading)
    assert fastest.startswith("Confirmed. By tokens ÷ total time, a is 2.61 times as fast as b (")
