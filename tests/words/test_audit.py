"""Each sentence of an audit, for each thing that can become of it."""

from __future__ import annotations

from typing import Any

import pytest

from llmtui.legacy.audit import Claim, audit
from llmtui.legacy.table import parse_legacy
from llmtui.words.audit import audited, claim_sentence, finding_sentence, finding_word

FIGURES = {
    "usual_tps": 5.4675,
    "ratio": 1.0652,
    "low": 0.9821,
    "high": 1.1553,
    "usual_cv": 0.19,
    "decode_cv": 0.058,
    "other_cv": 0.0143,
    "ttft_s": 26.7,
    "total_s": 43.7,
    "decode_tps": 4.007,
    "rest_tps": 3.963,
    "change_mb": 3178.52,
    "level_mb": 3178.52,
    "other_level_mb": 4291.49,
    "low_s": 19.1477,
    "high_s": 26.7033,
    "models": 2.0,
    "mean_s": 5.6595,
    "warm_s": 0.9077,
    "other_warm_s": 0.7822,
}


def claim(says: Any, finding: Any, **changes: Any) -> Claim:
    fields = {"says": says, "finding": finding, "model": "m", "other": "o", "category": "Coding", "figures": FIGURES}
    return Claim(**(fields | changes))


@pytest.mark.parametrize(
    ("says", "said"),
    [
        ("fastest", "m is the fastest: 5.47 tok/s"),
        ("steadiest", "m is the steadiest: ± 19 %"),
        ("slowest_category", "m is slow in Coding: 5.47 tok/s"),
        ("most_memory", "m needs the most memory: 3179 MB"),
        ("cold_start", "A cold start takes 19.1 s to 26.7 s"),
        ("best_latency", "m has the best latency: 5.66 s"),
    ],
)
def test_what_is_said(says: str, said: str) -> None:
    assert claim_sentence(claim(says, "stands")) == said


@pytest.mark.parametrize(
    ("says", "finding", "why", "becomes"),
    [
        ("fastest", "stands", None, "m is 1.07 times as fast as o (0.98–1.16)."),
        ("fastest", "order_only", None, "m is 1.07 times as fast as o (0.98–1.16)."),
        ("fastest", "wrong_winner", None, "o is 1.07 times as fast as m (0.98–1.16)."),
        ("fastest", "reversed", None, "o is 1.07 times as fast as m (0.98–1.16)."),
        ("steadiest", "stands", None, "Its writing speed scatters least too: ± 5.8 %."),
        ("steadiest", "artefact", "equally_steady", "Writing speeds are equally steady; waiting makes the difference."),
        ("steadiest", "artefact", "least_steady", "scatters most: ± 5.8 %, that of o ± 1.4 %."),
        ("steadiest", "artefact", "another_is", "of o scatters less: ± 1.4 % against ± 5.8 %."),
        ("slowest_category", "stands", None, "There it writes 4.01 tok/s, elsewhere 3.96."),
        (
            "slowest_category",
            "artefact",
            "cold_start",
            "26.7 s of 43.7 s were the cold start; it wrote 4.01 tok/s, elsewhere 3.96.",
        ),
        (
            "slowest_category",
            "artefact",
            "waiting",
            "26.7 s of 43.7 s were waiting; it wrote 4.01 tok/s, elsewhere 3.96.",
        ),
        ("most_memory", "order_only", "differences", "not what a model holds. Added up, m is highest too: 3179 MB."),
        (
            "most_memory",
            "artefact",
            "differences",
            "not what a model holds. Added up, o is highest: 4291 MB, m 3179 MB.",
        ),
        ("most_memory", "artefact", "first_row", "from an empty machine. Added up, o is highest: 4291 MB, m 3179 MB."),
        ("cold_start", "stands", None, "Every model's first row waited more than five times as long as its others."),
        ("cold_start", "in_part", "some_models", "Seen in 2 of the models only."),
        ("best_latency", "wrong_winner", None, "The mean holds cold starts. Once loaded: o 0.782 s, m 0.908 s."),
        ("best_latency", "stands", None, "Once loaded it starts soonest too: 0.908 s."),
        ("best_latency", "order_only", None, "it is first too, 0.908 s, but not told apart from all others."),
    ],
)
def test_what_becomes_of_it(says: str, finding: str, why: str | None, becomes: str) -> None:
    said = finding_sentence(claim(says, finding, why=why))
    assert said.endswith(becomes)
    assert said.lower().startswith(f"{finding_word(finding)}. ")


@pytest.mark.parametrize(
    "why",
    [
        "one_model",
        "no_common_rows",
        "needs_two_rows",
        "one_category",
        "nothing_to_compare",
        "no_memory",
        "no_cold_rows",
    ],
)
def test_what_cannot_be_judged_says_why(why: str) -> None:
    one = claim("fastest", "cannot_be_judged", why=why, figures={})
    assert claim_sentence(one) == "The fastest"
    assert finding_sentence(one).startswith("Cannot be judged. ")
    assert finding_sentence(one).count(".") == 2


def test_a_finding_of_a_newer_version_is_shown_as_it_is() -> None:
    assert finding_word("brand_new") == "brand_new"


def test_a_file_without_usable_times_still_has_its_heading() -> None:
    lines = audited(audit(parse_legacy("Modelo,Categoria,TTFT(s),Total(s),t/s,RAM_MB,Tokens\na,x,?,?,,,\n")))
    assert lines[0][1] == "One round, in an order that is not balanced; one category is taken for one observation."
    assert len(lines) == 7
