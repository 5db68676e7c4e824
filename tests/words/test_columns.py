"""Every figure is explained, by a text that names the code which computes it."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from runpy import run_path

import pytest

from llmtui.core.metrics import Figures
from llmtui.store import summary_csv, trials_csv
from llmtui.words.columns import COLUMNS, Column, column

IN_ORDER = [pytest.param(one, id=one.id) for one in COLUMNS]
NOT_FIGURES = {
    "tps_source", "gap_clock", "thinking_inline", "why", "decode_steps", "decode_s", "decode_chars",
    "server_decode_tps", "prompt_tokens", "cached_tokens", "chunks", "answer_chars", "thinking_chars", "words",
    "prompt_ms", "clock_side",
}  # fmt: skip
"""Fields of Figures that are counts as sent, or parts of other figures."""


@pytest.mark.parametrize("one", IN_ORDER)
def test_the_code_named_exists(one: Column) -> None:
    module, _, function = one.computed_by.partition(":")
    assert callable(getattr(import_module(module), function))


@pytest.mark.parametrize("one", IN_ORDER)
def test_every_text_is_there_and_in_words_for_newcomers(one: Column) -> None:
    for text in (one.title, one.formula, one.source, one.excluded):
        assert text
        assert not re.search(r"\b(TPOT|ICL|nonce|Holm|MAD|RssAnon|RssFile|trial|trials)\b", text), text


def test_every_figure_of_a_trial_is_explained() -> None:
    assert set(Figures.__struct_fields__) - NOT_FIGURES <= {one.id for one in COLUMNS}


def test_explained_columns_are_columns_of_files_or_of_conclusions() -> None:
    files = {*trials_csv.COLUMNS, *summary_csv.COLUMNS}
    assert {one.id for one in COLUMNS} - files == {"round_spread", "ratio"}


def test_ids_are_unique_and_unknown_ones_have_no_explanation() -> None:
    assert len({one.id for one in COLUMNS}) == len(COLUMNS)
    assert column("decode_tps") in COLUMNS
    assert column("nonsense") is None


def test_the_document_says_the_same() -> None:
    root = Path(__file__).parents[2]
    document, tool = root / "docs" / "method.md", root / "tools" / "describe_columns.py"
    if not document.exists() or not tool.exists():
        pytest.skip("docs/ and tools/ are not part of this copy of the source")
    made = run_path(str(tool))["put_into"](document.read_text("utf-8"))
    assert made == document.read_text("utf-8"), "run: python tools/describe_columns.py docs/method.md"
