"""One odd value of foreign JSON costs that value and nothing beside it."""

from __future__ import annotations

import json
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtui.backends.lenient import NotJson, StructReader, count, document, entries, fitted, number, text
from llmtui.backends.ollama_listing import listed, read_resident, read_show, read_tags
from llmtui.backends.openai_listing import read_entries, served_model


class Inner(msgspec.Struct, frozen=True):
    size: Annotated[int, msgspec.Meta(ge=0)] | None = None


class Entry(msgspec.Struct, frozen=True):
    id: str
    size: Annotated[int, msgspec.Meta(ge=0)] | None = None
    share: float | None = None
    inner: Inner | None = None
    tags: list[str] | None = None
    parts: tuple[Inner, ...] = ()


FULL: dict[str, Any] = {"id": "a", "size": 3, "share": 0.5, "inner": {"size": 1}, "tags": ["x"], "parts": [{"size": 2}]}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def test_what_fits_is_read_as_it_is() -> None:
    assert fitted(FULL, Entry) == Entry("a", 3, 0.5, Inner(1), ["x"], (Inner(2),))


@pytest.mark.parametrize("odd", [None, "3", -1, 2.5, True, [3], {"n": 3}, float("nan")])
def test_a_value_that_does_not_fit_is_missing(odd: object) -> None:
    assert fitted({**FULL, "size": odd}, Entry) == Entry("a", None, 0.5, Inner(1), ["x"], (Inner(2),))


def test_a_whole_number_may_be_written_as_a_float() -> None:
    assert fitted({"id": "a", "size": 2.0e9}, Entry) == Entry("a", 2_000_000_000)


def test_nested_values_and_lists_keep_what_fits() -> None:
    found = fitted(
        {"id": "a", "inner": {"size": "1", "x": 1}, "tags": ["x", 1], "parts": [{"size": 1}, 5, None]}, Entry
    )
    assert found == Entry("a", inner=Inner(None), tags=["x"], parts=(Inner(1),))


def test_entries_without_what_they_need_are_left_out() -> None:
    assert entries([{"id": "a"}, {"id": None}, {}, 5, {"id": "b", "size": "x"}], Entry) == (Entry("a"), Entry("b"))
    assert entries({"id": "a"}, Entry) == ()


@given(name=st.sampled_from(sorted(FULL)), odd=JSON)
def test_any_value_leaves_the_others_as_they_are(name: str, odd: object) -> None:
    found = fitted({**FULL, name: odd}, Entry)
    if found is None:
        assert name == "id"
        return
    usual = fitted(FULL, Entry)
    assert all(getattr(found, other) == getattr(usual, other) for other in FULL if other != name)


@given(JSON)
def test_counts_and_numbers_are_told_from_everything_else(value: Any) -> None:
    assert count(value) is None or (count(value) == value and value >= 0)
    assert number(value) is None or (number(value) == value and value >= 0)
    assert text(value) is None or (text(value) == value and value)


def test_bytes_that_are_no_text_and_half_characters_are_kept() -> None:
    assert document(b'\xef\xbb\xbf{"a": "\xff\\ud800"}') == {"a": "\ufffd\ud800"}


@pytest.mark.parametrize("data", [b"", b"{", b"<html>", b"[" * 100_000])
def test_what_is_no_json_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(NotJson):
        document(data)


@given(JSON)
def test_a_reader_takes_any_document(value: object) -> None:
    StructReader(Entry).read(json.dumps(value).encode())


@pytest.mark.parametrize("odd", ["1e308", "1" * 310, "-5", "9223372036854775808", "1e19", "NaN", "-Infinity", "true"])
def test_no_number_of_a_list_of_models_is_beyond_what_can_be_shown(odd: str) -> None:
    numbers = ",".join(f'"{name}":{odd}' for name in ("size", "size_vram", "context_length", "n_ctx", "n_params"))
    body = f'{{"models":[{{"name":"a:1b",{numbers},"details":{{{numbers}}}}}]}}'.encode()
    entry, resident = read_tags(body)[0], read_resident(body)[0]
    shown = read_show(f'{{"model_info":{{"general.architecture":"x","x.context_length":{odd}}}}}'.encode())
    model = listed(entry, shown, (resident,)).model
    assert (model.size_bytes, model.context_limit) == (None, None)
    assert (resident.size_bytes, resident.vram_bytes, resident.context_length) == (None, None, None)
    served = read_entries(f'{{"data":[{{"id":"a","max_model_len":{odd},"meta":{{{numbers}}}}}]}}'.encode())[0]
    assert (served_model(served).size_bytes, served_model(served).parameters) == (None, None)
