from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtui.simulator.jsontext import go_json, read_json


@given(st.text(st.characters(exclude_categories=[])))
def test_every_text_survives_also_half_of_a_surrogate_pair(text: str) -> None:
    encoded = go_json({"text": text})
    assert b"\n" not in encoded
    decoded = read_json(encoded)
    assert isinstance(decoded, dict)
    # A high and a low half that meet in the escaped form are one character again, as everywhere in JSON.
    assert decoded["text"] == json.loads(json.dumps(text))


def test_the_next_line_character_is_sent_as_it_is() -> None:
    assert go_json("\u0085") == b'"\xc2\x85"'


def test_what_is_escaped_is_what_go_escapes() -> None:
    assert go_json("<&>\u2028\u2029") == b'"\\u003c\\u0026\\u003e\\u2028\\u2029"'


@pytest.mark.parametrize("text", ["", "{", "NaN", '{"a":Infinity}', "[" * 100_000, b"\xff"])
def test_what_is_no_json_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - each has its own message, and has one
        read_json(text)
    assert str(caught.value)
