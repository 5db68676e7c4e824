from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtui.simulator.options import ApiError
from llmtui.simulator.requests import (
    check_level,
    context_of_text,
    parse_ask,
    parse_model_name,
    parse_object,
    text_of_context,
)
from tests.simulator.test_options import JSON_VALUES

KEYS = ["model", "messages", "prompt", "system", "context", "raw", "options", "keep_alive", "think", "stream", "tools"]


def messages(*turns: tuple[str, str]) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": role, "content": content} for role, content in turns]}


def test_a_conversation_that_goes_on_begins_with_the_one_before() -> None:
    first = parse_ask("chat", messages(("user", "one")), "0.34.4").prompt
    second = parse_ask("chat", messages(("user", "one"), ("assistant", "two"), ("user", "three")), "0.34.4").prompt
    assert first is not None
    assert second is not None
    assert second.startswith(first + "two")


@pytest.mark.parametrize(("kind", "body"), [("chat", {"messages": []}), ("chat", {}), ("generate", {"prompt": ""})])
def test_nothing_asked_is_no_prompt(kind: Any, body: dict[str, Any]) -> None:
    assert parse_ask(kind, {"model": "m", **body}, "0.34.4").prompt is None


@given(st.dictionaries(st.sampled_from(KEYS), JSON_VALUES), st.sampled_from(["chat", "generate"]))
def test_any_object_is_a_request_or_an_api_error(body: dict[str, Any], kind: Any) -> None:
    parsed_kind, status, message = kind, 400, "none"
    try:
        parsed_kind = parse_ask(kind, body, "0.34.4").kind
    except ApiError as error:
        status, message = error.status, error.message
    assert parsed_kind == kind
    assert status == 400
    assert message


@given(st.binary(max_size=60))
def test_any_body_is_an_object_or_an_api_error(body: bytes) -> None:
    read: object = {}
    status = 400
    try:
        read = parse_object(body)
    except ApiError as error:
        status = error.status
    assert isinstance(read, dict)
    assert status == 400


def test_levels_of_thinking_are_the_dialects() -> None:
    for level in ("low", "medium", "high", "max"):
        check_level(level, "0.34.4")
    for dialect, level in (("0.34.4", "huge"), ("0.11.4", "max")):
        with pytest.raises(ApiError, match="invalid think value"):
            check_level(level, dialect)  # type: ignore[arg-type]


def test_the_old_dialect_checks_a_level_before_it_looks_for_the_model() -> None:
    assert parse_ask("chat", {"model": "m", "think": "huge"}, "0.34.4").think == "huge"
    with pytest.raises(ApiError):
        parse_ask("chat", {"model": "m", "think": "huge"}, "0.11.4")


@given(st.text())
def test_a_context_stands_for_its_text(text: str) -> None:
    assert text_of_context(context_of_text(text)) == text


@pytest.mark.parametrize("context", [["a"], [-1], [1 << 40], [True]])
def test_a_context_of_something_else_is_refused(context: list[object]) -> None:
    with pytest.raises(ApiError):
        text_of_context(context)


def test_raw_prompts_stay_as_they_are_and_take_no_system_text() -> None:
    assert parse_ask("generate", {"model": "m", "prompt": "p", "raw": True}, "0.34.4").prompt == "p"
    with pytest.raises(ApiError, match="raw mode"):
        parse_ask("generate", {"model": "m", "prompt": "p", "raw": True, "system": "s"}, "0.34.4")


def test_a_model_is_named_by_either_key() -> None:
    assert parse_model_name({"name": "a"}) == "a"
    assert parse_model_name({"model": "b", "name": "a"}) == "b"
    assert parse_model_name({}) == ""
