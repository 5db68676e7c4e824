"""Every figure is one record with its words, and everything that shows figures is made from the list."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from runpy import run_path

import pytest

from llmtui.core.measures import MEASURES, Measure, measure_of, measures
from llmtui.core.metrics import Figures
from llmtui.store.summary_csv import summary_columns
from llmtui.store.trials_csv import trials_columns
from llmtui.words.measures import WORDS

IN_ORDER = [pytest.param(one, id=one.id) for one in MEASURES]
NOT_FIGURES = {
    "tps_source", "gap_clock", "thinking_inline", "why", "decode_steps", "decode_s", "decode_chars",
    "server_decode_tps", "chunks", "answer_chars", "thinking_chars", "words", "prompt_ms", "clock_side",
}  # fmt: skip
"""Fields of Figures that are counts as sent, or parts of other figures."""


@pytest.mark.parametrize("one", IN_ORDER)
def test_the_code_named_exists(one: Measure) -> None:
    module, _, function = one.computed_by.partition(":")
    assert callable(getattr(import_module(module), function))


@pytest.mark.parametrize("one", IN_ORDER)
def test_every_text_is_there_and_in_words_for_newcomers(one: Measure) -> None:
    words = WORDS[one.id]
    for text in (words.title, words.short, words.formula, words.source, words.excluded):
        assert text
        assert not re.search(r"\b(TPOT|ICL|nonce|Holm|MAD|RssAnon|RssFile)\b", text), text


def test_every_figure_of_a_trial_is_listed() -> None:
    assert set(Figures.__struct_fields__) - NOT_FIGURES <= {one.id for one in MEASURES}


def test_figures_are_columns_of_files_or_of_conclusions() -> None:
    files = {*trials_columns(), *summary_columns()}
    assert {one.id for one in MEASURES} - files == {"ratio"}, "which is in pairs.csv"


def test_ids_are_unique_and_unknown_ones_have_no_record() -> None:
    assert len({one.id for one in MEASURES}) == len(MEASURES) == len(WORDS)
    assert measure_of("decode_tps") in MEASURES
    assert measure_of("nonsense") is None


def test_a_table_has_the_figures_that_it_can_read() -> None:
    assert all(one.of_category is not None for one in measures("categories"))
    assert "follow_up_ttft_ms" not in {one.id for one in measures("categories")}
    assert "prefill_tps" not in {one.id for one in measures("models")}, "it is in files and details only"


def test_files_keep_the_order_of_their_first_version() -> None:
    assert trials_columns()[:15] == (
        "round", "model", "variant", "kind", "category", "prompt_id", "outcome", "ended_by", "flags", "tokens",
        "ttft_ms", "ttfo_ms", "decode_tps", "tpot_ms", "decode_cps",
    )  # fmt: skip
    assert summary_columns()[3:8] == ("ttft_ms", "ttft_ms_low", "ttft_ms_high", "ttft_ms_n", "ttfo_ms")
    assert summary_columns()[-8:-2] == ("conditions", "note", "missing", "digest", "session_id", "backend")
    assert summary_columns()[-2:] == ("usual_cold_tps", "round_spread"), "what was added later follows"
    assert trials_columns()[-6:-2] == ("decode_steps", "decode_s", "decode_chars", "clock_side"), "added later"
    assert trials_columns()[-2:] == ("runner_cpu_s_per_token", "joules_per_token"), "figures that were added later"


def test_the_document_says_the_same() -> None:
    root = Path(__file__).parents[2]
    document, tool = root / "docs" / "method.md", root / "tools" / "describe_columns.py"
    if not document.exists() or not tool.exists():
        pytest.skip("docs/ and tools/ are not part of this copy of the source")
    made = run_path(str(tool))["put_into"](document.read_text("utf-8"))
    assert made == document.read_text("utf-8"), "run: python tools/describe_columns.py docs/method.md"
