from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtui.backends.ollama_problems import error_text, model_problem, pull_problem, refusal
from llmtui.words.problems import problem_remedy, problem_what

WHERE = "127.0.0.1:11434"


@pytest.mark.parametrize(
    ("status", "said", "code"),
    [
        (404, "model 'tiny' not found", "no_such_model"),
        (404, 'model "tiny" not found, try pulling it first', "no_such_model"),
        (400, '"tiny" does not support chat', "embedding_only"),
        (400, '"tiny" does not support generate', "embedding_only"),
        (400, "registry.ollama.ai/library/tiny:latest does not support thinking", "no_thinking"),
        (400, 'think value "low" is not supported for this model', "no_thinking"),
        (400, 'invalid think value: "max" (must be "high", "medium", "low", true, or false)', "no_thinking"),
        (400, "this server cannot run this remote model", "cloud"),
        (400, "the prompt is longer than the context length of the model", "prompt_too_long"),
        (503, "server busy, please try again.  maximum pending requests exceeded", "busy"),
        (500, "model requires more system memory (5.6 GiB) than is available (3.2 GiB)", "out_of_memory"),
        (500, "llama-server reported out-of-memory during startup: x", "out_of_memory"),
        (500, "llama runner process has terminated: exit status 2", "load_failed"),
        (500, "unable to load model: /m/blobs/sha256-aa", "load_failed"),
        (500, 'read GGUF metadata "/m/sha256-aa": unsupported file type [120 120 120 120]', "load_failed"),
        (400, "invalid model name", "bad_name"),
        (500, "invalid model path", "bad_name"),
        (400, "model is required", "bad_name"),
        (500, 'option "num_ctx" must be of type integer', "error_status"),
        (None, "an error was encountered while running the model: unexpected EOF", "server_error"),
        (None, "prediction aborted, token repeat limit reached", "repeats"),
    ],
)
def test_what_the_server_says_has_a_meaning(status: int | None, said: str, code: str) -> None:
    assert model_problem(said, "tiny", where=WHERE, status=status).code == code


def test_the_runners_own_last_words_are_quoted() -> None:
    said = "llama runner process has terminated: exit status 2\nggml: loading\nllama_model_load: wrong magic\n"

    assert "llama_model_load: wrong magic" in problem_what(model_problem(said, "tiny", where=WHERE, status=500))


def test_a_model_that_is_not_there_can_be_pulled() -> None:
    problem = model_problem("model 'tiny' not found", "tiny", where=WHERE, status=404)

    assert problem_what(problem) == "127.0.0.1:11434 has no model tiny."
    assert problem_remedy(problem) == "Get it with `ollama pull tiny`."


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"error":"no"}', "no"),
        (b'{"error":{"message":"no"}}', "no"),
        (b'{"error":{"code":3}}', '{"code":3}'),
        (b'{"error":null}', "null"),
        (b'{"message":"no"}', None),
        (b"[]", None),
        (b"", None),
        (b"\xff", None),
    ],
)
def test_the_text_of_an_error(body: bytes, text: str | None) -> None:
    assert error_text(body) == text


def test_long_answers_are_cut() -> None:
    assert len(problem_what(refusal(418, b"x" * 100_000, where=WHERE))) < 400
    assert len(problem_what(model_problem("x" * 100_000, "tiny", where=WHERE))) < 400


@given(status=st.integers(201, 599), body=st.binary(max_size=200))
def test_every_refusal_has_words(status: int, body: bytes) -> None:
    problem = refusal(status, body, where=WHERE, model="tiny")

    assert problem.code
    assert problem_what(problem)
    assert problem_remedy(problem) or problem.code == "no_such_model"


def test_a_server_that_breaks_down_without_a_word() -> None:
    problem = refusal(500, b"", where=WHERE)

    assert problem_what(problem) == "127.0.0.1:11434 failed without giving a reason."


@given(said=st.text())
def test_every_failed_download_has_words_and_a_remedy(said: str) -> None:
    problem = pull_problem(said, "tiny", where=WHERE)

    assert problem_what(problem)
    assert problem_remedy(problem)
