"""Additional fields for every request, and those that are not allowed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmtui.cli.request_json import extra_fields
from llmtui.cli.startup import Refused


def read(folder: Path, content: object) -> dict[str, object]:
    path = folder / "fields.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return extra_fields(str(path))


def test_fields_are_taken_as_they_are(tmp_path: Path) -> None:
    fields = {"top_k": 1, "options": {"mirostat": 2}, "chat_template_kwargs": {"tone": "dry"}, "stop": ["\n"]}
    assert read(tmp_path, fields) == fields
    assert read(tmp_path, "\ufeff{}") == {}


@pytest.mark.parametrize("name", ["model", "messages", "stream", "stream_options", "n", "keep_alive", "seed"])
def test_what_measuring_rests_on_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Refused, match=f"`{name}` itself"):
        read(tmp_path, {"top_k": 1, name: 1})


@pytest.mark.parametrize(
    ("fields", "flag"),
    [
        ({"max_tokens": 5}, "--num-predict"),
        ({"temperature": 1}, "--temperature"),
        ({"options": {"num_ctx": 5}}, "--num-ctx"),
        ({"reasoning_effort": "low"}, "--think"),
        ({"chat_template_kwargs": {"enable_thinking": True}}, "--think"),
    ],
)
def test_what_has_a_flag_is_refused_with_its_name(tmp_path: Path, fields: dict[str, object], flag: str) -> None:
    with pytest.raises(Refused, match=f"use {flag} to set"):
        read(tmp_path, fields)


@pytest.mark.parametrize("content", ["", "[]", "{", "3", "{'a': 1}"])
def test_what_is_no_object_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(Refused, match="is not a JSON object"):
        read(tmp_path, content)


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(Refused, match=r"nowhere\.json cannot be read: No such file"):
        extra_fields("nowhere.json")
