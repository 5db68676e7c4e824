"""What goes into a request beside the prompt: how a server is told to think, and fields of a person's own choice."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from llmtui.backends.base import with_extra
from llmtui.backends.ollama_reading import chat_body
from llmtui.backends.openai_listing import ModelEntry, served_model
from llmtui.backends.openai_wire import request_body, thinking_fields
from llmtui.core.plan import Think, ThinkingControl
from tests.backends.openai_served import request


@pytest.mark.parametrize(
    ("control", "think", "fields"),
    [
        ("template", False, {"chat_template_kwargs": {"enable_thinking": False}}),
        ("template", True, {"chat_template_kwargs": {"enable_thinking": True}}),
        ("template", "low", {"chat_template_kwargs": {"enable_thinking": True}, "reasoning_effort": "low"}),
        ("effort", False, {}),
        ("effort", True, {"reasoning_effort": "medium"}),
        ("effort", "high", {"reasoning_effort": "high"}),
        ("effort_none", False, {"reasoning_effort": "none"}),
        ("effort_none", "medium", {"reasoning_effort": "medium"}),
        ("reasoning", False, {"reasoning": {"enabled": False}}),
        ("reasoning", "high", {"reasoning": {"effort": "high"}}),
        *((control, None, {}) for control in ("template", "effort", "effort_none", "reasoning")),
    ],
)
def test_each_server_is_told_to_think_in_its_own_way(
    control: ThinkingControl, think: Think | None, fields: dict[str, Any]
) -> None:
    assert thinking_fields(think, control) == fields


@pytest.mark.parametrize(
    ("entry", "control"),
    [
        ({"owned_by": "llamacpp"}, "template"),
        ({"owned_by": "vllm"}, "template"),
        ({"owned_by": "library"}, "effort_none"),
        ({"owned_by": "x", "supported_parameters": ["tools", "reasoning"]}, "reasoning"),
        ({"owned_by": "organization_owner", "supported_parameters": "reasoning"}, "effort"),
        ({}, "effort"),
    ],
)
def test_the_way_follows_from_the_list_of_models(entry: dict[str, Any], control: str) -> None:
    assert served_model(ModelEntry(id="m", **entry)).thinking_control == control


def test_fields_of_ones_own_go_beside_ours_and_into_the_parts_of_ours() -> None:
    asked = msgspec.structs.replace(request(), extra_fields={"top_k": 1, "chat_template_kwargs": {"tone": "dry"}})
    body: dict[str, Any] = request_body(asked, "llamacpp")
    assert body["top_k"] == 1
    assert body["chat_template_kwargs"] == {"enable_thinking": False, "tone": "dry"}
    asked = msgspec.structs.replace(request(), extra_fields={"options": {"top_k": 1}, "format": "json"})
    body = chat_body(asked)
    assert body["format"] == "json"
    assert body["options"]["top_k"] == 1
    assert body["options"]["num_ctx"] == 4096


def test_what_was_there_is_not_changed() -> None:
    before = {"options": {"a": 1}}
    assert with_extra(before, {"options": {"b": 2}, "options2": 3}) == {"options": {"a": 1, "b": 2}, "options2": 3}
    assert before == {"options": {"a": 1}}
