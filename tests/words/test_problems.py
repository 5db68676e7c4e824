"""Problems are English sentences in files, and are read in the person's language."""

from __future__ import annotations

import pytest

from llmtui.backends.ollama_problems import cut_line, model_problem, not_ollama, refusal
from llmtui.core.facts import Problem
from llmtui.words.problems import problem_words, whole_problem

WHERE = "127.0.0.1:11434"
MET = (
    model_problem("model requires more system memory (48 GiB) than is available", "big:70b", where=WHERE, status=500),
    model_problem("llama runner process has terminated", "a:1b", where=WHERE, status=500),
    model_problem("llama runner process no longer running: signal: killed", "a:1b", where=WHERE),
    model_problem("model not found", "b:1b", where=WHERE, status=404),
    model_problem("a does not support chat", "a", where=WHERE),
    model_problem("server busy", "a", where=WHERE, status=503),
    refusal(403, b"", where=WHERE),
    refusal(502, b"<html>", where=WHERE),
    not_ollama(WHERE),
    cut_line(WHERE),
)


def test_in_english_a_problem_is_as_it_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "en")
    for problem in MET:
        assert problem_words(problem.what) == problem.what
        assert whole_problem(problem) == f"{problem.what} {problem.remedy}"


@pytest.mark.parametrize("problem", MET, ids=lambda problem: problem.code)
def test_what_servers_meet_is_said_in_spanish(monkeypatch: pytest.MonkeyPatch, problem: Problem) -> None:
    monkeypatch.setenv("LANGUAGE", "es")
    said = problem_words(problem.what)
    assert said != problem.what
    for name in (WHERE, "big:70b", "a:1b", "b:1b", "signal: killed"):
        assert (name in said) == (name in problem.what)


@pytest.mark.parametrize("sentence", ["", "Something nobody thought of {x}."])
def test_what_no_pattern_knows_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch, sentence: str) -> None:
    monkeypatch.setenv("LANGUAGE", "es")
    assert problem_words(sentence) == sentence
    assert whole_problem(Problem(code="x", what=sentence)) == sentence
