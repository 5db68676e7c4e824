"""A file that is refused: one text that says what was found, and what would help, in the reader's language."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from llmtui.legacy.rows import CannotImport, Refusal
from llmtui.words.imports import import_refusal, spellings

TOLD: dict[str, dict[str, Any]] = {
    "cannot_read": {"why": "No such file or directory"},
    "not_a_file": {"directory": True},
    "too_large": {"megabytes": 64},
    "broken_csv": {"line": 3, "why": "field larger than field limit (131072)"},
    "broken_json": {"line": 7},
    "too_many_rows": {"most": 10000},
    "too_many_models": {"most": 60},
    "too_many_categories": {"most": 1000},
    "no_columns": {"missing": ["model", "tokens", "total"], "header": ["setup", "wall"]},
    "no_such_column": {"name": "model", "title": "x", "header": ["a", "b"], "known": ["model", "tokens"]},
    "unknown_unit": {"title": "TTFT(h)", "units": ["s", "ms"]},
    "unit_not_stated": {"columns": ["ttft", "total"], "tps": 0.0057},
    "nothing_measured": {"rows": 4, "cells": {"ttft": "timeout"}},
}


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("code", get_args(Refusal))
def test_every_refusal_is_said(monkeypatch: pytest.MonkeyPatch, language: str, code: Refusal) -> None:
    monkeypatch.setenv("LANGUAGE", language)
    said = import_refusal("old.csv", CannotImport(code, **TOLD.get(code, {})))
    assert said.startswith(("old.csv cannot be imported. ", "No se puede importar old.csv. "))
    assert said.startswith("old.csv") is (language == "en")
    assert said.endswith(".")
    assert "{" not in said
    assert "\n" not in said


def test_what_is_missing_is_told_with_its_known_titles_in_the_readers_language(monkeypatch: pytest.MonkeyPatch) -> None:
    error = CannotImport("no_columns", missing=["tokens"], header=["model", "wall"])
    monkeypatch.setenv("LANGUAGE", "en")
    assert import_refusal("old.csv", error) == (
        "old.csv cannot be imported. No column was recognized for: the number of tokens (known "
        "titles: tokens, total tokens, tokens total, token count, output tokens, …). Its first "
        "columns are: model, wall. Map them with --map tokens=TITLE."
    )
    monkeypatch.setenv("LANGUAGE", "es")
    assert "tokens totales, tokens generados" in import_refusal("old.csv", error)
    assert spellings("tokens")[0] == "tokens totales"


def test_the_question_about_the_unit_names_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "en")
    said = import_refusal("old.csv", CannotImport("unit_not_stated", columns=["total"], tps=0.0057))
    assert said.endswith(
        "The column total does not state its unit; in seconds the speed would be 0.0057 tok/s. "
        "Import again with --unit ms if these are milliseconds, else with --unit s."
    )
