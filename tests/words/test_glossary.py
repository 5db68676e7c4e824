"""The glossary: complete, and the same in the document."""

from __future__ import annotations

import re
from pathlib import Path
from runpy import run_path

import pytest

from llmtui.core.measures import MEASURES, measure_of
from llmtui.store.trials_csv import trials_columns
from llmtui.words.glossary import ELSEWHERE, glossary, glossary_text
from llmtui.words.measures import file_names

ROOT = Path(__file__).parents[2]


def test_every_figure_is_in_it_with_a_meaning() -> None:
    files = {one.in_files for one in glossary()}
    assert {file_names(one) for one in MEASURES} <= files
    assert all(one.term and one.meaning for one in glossary())


def test_names_of_other_tools_belong_to_figures() -> None:
    assert ELSEWHERE.keys() <= {one.id for one in MEASURES}


def test_figures_are_named_as_their_columns_are() -> None:
    named = {word for one in glossary() for word in re.findall(r"\w+", one.in_files)}
    assert {one.trial_column or one.id for one in MEASURES if one.of_trial is not None} <= named & set(trials_columns())
    assert {one.id for one in MEASURES if one.of_model is not None} <= named


def test_a_figure_with_two_names_has_both() -> None:
    memory = measure_of("memory_peak_bytes")
    assert memory is not None
    assert file_names(memory) == "trials.csv: runner_peak_bytes; summary.csv: memory_peak_bytes"


def test_no_term_is_explained_twice() -> None:
    terms = [one.term for one in glossary()]
    assert len(terms) == len(set(terms))


def test_it_is_translated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "es")
    assert "**Prueba**" in glossary_text()


def test_the_document_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "en")
    document, tool = ROOT / "docs" / "glossary.md", ROOT / "tools" / "describe_glossary.py"
    if not document.exists() or not tool.exists():
        pytest.skip("docs/ and tools/ are not part of this copy of the source")
    made = run_path(str(tool))["document"]()
    assert made == document.read_text("utf-8"), "run: python tools/describe_glossary.py docs/glossary.md"
