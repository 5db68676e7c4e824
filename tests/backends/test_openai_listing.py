"""Models of servers with OpenAI's protocol, and which of their fields are used."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llmtui.backends.openai_listing import dialect_of, listed_entry, read_entries, residents, served_model

ONE: dict[str, Any] = {"id": "plain-7b", "object": "model", "owned_by": "me"}
META = {"n_ctx": 4096, "n_params": 7_000_000_000, "size": 4_000_000_000, "ftype": "Q4_K_M"}


def read(*entries: object) -> list[str]:
    return [entry.id for entry in read_entries(json.dumps({"data": entries}).encode())]


class TestGoodEntriesAreKept:
    def test_with_and_without_an_envelope(self) -> None:
        assert [entry.id for entry in read_entries(json.dumps([ONE]).encode())] == ["plain-7b"]
        assert read(ONE) == ["plain-7b"]

    @pytest.mark.parametrize(
        "bad", [{"id": None}, {"object": "model"}, {"id": 5}, {"id": " "}, "text", None, 7, [], ONE]
    )
    def test_beside_one_that_is_none(self, bad: object) -> None:
        assert read(bad, ONE) == ["plain-7b"]

    @pytest.mark.parametrize("odd", [None, "loaded", "8192", -1, 2.5, [], {}, {"value": 5}, True])
    @pytest.mark.parametrize("field", ["status", "meta", "max_model_len", "owned_by", "root", "parent", "aliases"])
    def test_whatever_stands_in_another_field(self, field: str, odd: object) -> None:
        (entry,) = read_entries(json.dumps({"data": [ONE | {field: odd}]}).encode())
        assert listed_entry(entry, None).model.name == "plain-7b"
        assert residents([entry]) != () or field == "status"

    @pytest.mark.parametrize("odd", [None, "40", -1, [], {}])
    @pytest.mark.parametrize("field", ["n_ctx", "n_params", "size", "ftype"])
    def test_an_odd_figure_is_missing_and_the_others_count(self, field: str, odd: object) -> None:
        (entry,) = read_entries(json.dumps({"data": [ONE | {"meta": META | {field: odd}}]}).encode())
        model = served_model(entry)
        told = {
            "n_ctx": model.context_limit,
            "n_params": model.parameters,
            "size": model.size_bytes,
            "ftype": model.quantisation,
        }
        missing = told.pop(field)
        assert missing is None or (field, odd) == ("ftype", "40")
        assert None not in told.values()

    @pytest.mark.parametrize(
        "body", [b"", b"<html>", b'{"models":[]}', b'{"data":{}}', b"5", b'{"error":"x"}', b"\xff"]
    )
    def test_what_is_no_list_is_refused(self, body: bytes) -> None:
        with pytest.raises(ValueError, match=r"."):
            read_entries(body)

    @pytest.mark.parametrize(
        "body",
        [
            ["a", "b"],
            {"data": ["a", "b"]},
            {"models": [{"name": "a"}, {"model": "b"}]},
            [{"id": 3, "name": "a"}, {"id": "b"}],
        ],
    )
    def test_names_in_other_places_are_found(self, body: object) -> None:
        assert [entry.id for entry in read_entries(json.dumps(body).encode())] == ["a", "b"]

    def test_a_byte_order_mark_does_not_matter(self) -> None:
        assert read_entries(b"\xef\xbb\xbf" + json.dumps([ONE]).encode())


def vllm(name: str, parent: str | None = None) -> dict[str, Any]:
    return {"id": name, "owned_by": "vllm", "max_model_len": 8192, "root": "org/base", "parent": parent}


class TestNamesOfOneModel:
    def test_several_served_names_of_the_same_weights_are_one_model_in_memory(self) -> None:
        entries = read_entries(json.dumps([vllm("base"), vllm("chat")]).encode())
        (resident,) = residents(entries)
        assert {resident.digest} == {served_model(entry).digest for entry in entries}

    def test_an_adapter_is_another_model_in_the_same_memory(self) -> None:
        base, adapter = read_entries(
            json.dumps([vllm("base"), vllm("sql-lora", "base") | {"root": "org/sql"}]).encode()
        )
        (resident,) = residents([base, adapter])
        assert served_model(base).digest != served_model(adapter).digest
        assert resident.serves(served_model(base).digest)
        assert resident.serves(served_model(adapter).digest)

    def test_two_models_are_two(self) -> None:
        entries = read_entries(json.dumps([vllm("a") | {"root": "org/a"}, vllm("b") | {"root": "org/b"}]).encode())
        assert len(residents(entries)) == 2

    def test_llamacpps_other_names_are_told(self) -> None:
        (entry,) = read_entries(json.dumps([ONE | {"aliases": ["plain-7b", "second", 3]}]).encode())
        assert listed_entry(entry, None).aliases == ("second",)


class TestModelsThatWriteNoText:
    @pytest.mark.parametrize(
        ("more", "why"),
        [
            ({"type": "embeddings"}, "makes_embeddings"),
            ({"capabilities": ["embedding"]}, "makes_embeddings"),
            ({"capabilities": {"embeddings": True, "completion": False}}, "makes_embeddings"),
            ({"task": "feature-extraction"}, "makes_embeddings"),
            ({"task": "text-ranking"}, "ranks_texts"),
            ({"task": "automatic-speech-recognition"}, "is_speech"),
            ({"id": "text-embedding-nomic-embed-text-v1.5"}, "makes_embeddings"),
            ({"id": "BAAI/bge-m3"}, "makes_embeddings"),
            ({"id": "bge-reranker-v2-m3"}, "ranks_texts"),
            ({"id": "whisper-large-v3"}, "is_speech"),
            ({"id": "my-embed-chat", "type": "llm"}, None),
            ({"id": "llama-3.2-embedded", "capabilities": ["completion", "embedding"]}, None),
            ({"id": "qwen2.5-7b-instruct"}, None),
            ({"id": "modernbertha-7b-chat"}, None),
            ({"architecture": {"output_modalities": ["text", "audio"]}}, None),
            ({"type": 5, "capabilities": 7, "task": None, "architecture": "x"}, None),
        ],
    )
    def test_any_sign_tells(self, more: dict[str, object], why: str | None) -> None:
        (entry,) = read_entries(json.dumps([ONE | more]).encode())
        why_not = listed_entry(entry, None).why_not
        assert (None if why_not is None else why_not.code) == why


def test_the_owner_tells_the_dialect() -> None:
    (mine,) = read_entries(json.dumps([ONE]).encode())
    (theirs,) = read_entries(json.dumps([vllm("a")]).encode())
    assert (dialect_of([mine]), dialect_of([theirs])) == ("plain", "vllm")
