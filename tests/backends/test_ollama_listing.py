from __future__ import annotations

import json
from typing import Any

import pytest

from llmtui.backends.ollama_listing import (
    NotSuchAnswer,
    ShowAnswer,
    blob_of,
    license_text,
    listed,
    model_of,
    needs_show,
    read_resident,
    read_show,
    read_tags,
)
from llmtui.core.events import ListedModel
from llmtui.core.names import ollama_name
from llmtui.core.plan import Model
from llmtui.core.records import ResidentModel

DETAILS = {
    "parent_model": "",
    "format": "gguf",
    "family": "llama",
    "families": ["llama"],
    "parameter_size": "8.0B",
    "quantization_level": "Q4_0",
}
OLD = {
    "name": "llama3:latest",
    "model": "llama3:latest",
    "size": 4661224676,
    "digest": "365c0bd3c000",
    "details": DETAILS,
}
NEW = OLD | {"details": DETAILS | {"context_length": 8192}, "capabilities": ["completion", "tools"]}


def tags(*entries: object) -> bytes:
    return json.dumps({"models": entries}).encode()


def listing(entry: dict[str, Any], shown: ShowAnswer | None = None, *residents: ResidentModel) -> ListedModel:
    (read,) = read_tags(tags(entry))
    return listed(read, shown, residents)


def test_a_model_of_a_new_server_needs_no_further_question() -> None:
    (entry,) = read_tags(tags(NEW))

    assert not needs_show(entry)
    assert model_of(entry, None) == Model(
        name="llama3:latest",
        digest="365c0bd3c000",
        size_bytes=4661224676,
        parameters="8.0B",
        quantisation="Q4_0",
        family="llama",
        format="gguf",
        context_limit=8192,
        thinking=False,
    )


def test_a_model_of_an_old_server_is_completed_by_show() -> None:
    (entry,) = read_tags(tags(OLD))
    shown = ShowAnswer(
        capabilities=["completion", "thinking"],
        model_info={"general.architecture": "llama", "llama.context_length": 4096},
    )

    assert needs_show(entry)
    assert (model_of(entry, None).context_limit, model_of(entry, None).thinking) == (None, None)
    assert (model_of(entry, shown).context_limit, model_of(entry, shown).thinking) == (4096, True)


def test_words_that_say_nothing_are_missing() -> None:
    entry = NEW | {"digest": "sha256:abc", "details": DETAILS | {"quantization_level": "unknown", "parameter_size": ""}}
    model = listing(entry).model

    assert (model.digest, model.quantisation, model.parameters, model.context_limit) == ("abc", None, None, None)


def code_of(listed: ListedModel) -> str | None:
    return None if listed.why_not is None else listed.why_not.code


@pytest.mark.parametrize(
    ("changes", "why_not"),
    [
        ({}, None),
        ({"capabilities": ["embedding"]}, "makes_embeddings"),
        ({"capabilities": ["image"]}, "makes_pictures"),
        ({"capabilities": []}, "answers_no_chats"),
        ({"remote_host": "https://ollama.com:443", "remote_model": "gpt-oss:120b"}, "cloud_speed"),
        ({"name": "gpt-oss:120b-cloud"}, "cloud_speed"),
        ({"name": "deepseek-v3.1:cloud"}, "cloud_speed"),
        ({"name": "cloud:7b"}, None),
        ({"capabilities": None, "details": DETAILS | {"family": "nomic-bert", "families": None}}, "makes_embeddings"),
        ({"capabilities": None, "details": None}, None),
    ],
)
def test_models_that_cannot_be_benchmarked_say_why(changes: dict[str, Any], why_not: str | None) -> None:
    assert code_of(listing(NEW | changes)) == why_not


def test_show_tells_of_old_servers_embedding_and_remote_models() -> None:
    assert code_of(listing(OLD, ShowAnswer(capabilities=["embedding"]))) == "makes_embeddings"
    assert code_of(listing(OLD, ShowAnswer(remote_host="https://ollama.com"))) == "cloud_speed"


def test_an_entry_needs_a_name_and_every_other_field_that_cannot_be_read_is_missing() -> None:
    entries = read_tags(tags({"name": 5}, {"size": 1}, "text", {"name": "x", "size": [[]]}, NEW, NEW | {"size": "big"}))

    assert [(entry.name, entry.size) for entry in entries] == [
        ("x", None),
        ("llama3:latest", NEW["size"]),
        ("llama3:latest", None),
    ]


def test_a_name_under_another_key_and_a_list_without_an_envelope_are_read() -> None:
    assert [entry.name for entry in read_tags(b'[{"model":"a:1b","digest":""}]')] == ["a:1b"]


def test_models_without_a_digest_are_told_apart_by_their_names() -> None:
    first, second = read_tags(tags({"name": "a:1b", "digest": ""}, {"name": "b:1b", "digest": None, "size": -1}))

    assert model_of(first, None).digest != model_of(second, None).digest
    assert model_of(second, None).size_bytes is None


@pytest.mark.parametrize("body", [b'{"models":null}', b'{"models":[]}'])
def test_a_server_without_models_has_none(body: bytes) -> None:
    assert read_tags(body) == ()


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"5", b'{"data":[]}', b'{"models":{}}', b"\xff", b'{"x":' + b"[" * 10_000]
)
def test_what_is_no_listing_is_refused(body: bytes) -> None:
    with pytest.raises(NotSuchAnswer):
        read_tags(body)


PS = {
    "name": "tiny:latest",
    "size": 237,
    "size_vram": 0,
    "digest": "aa",
    "context_length": 2048,
    "expires_at": "2318-…",
}


def test_a_name_can_be_in_memory_twice_with_two_digests() -> None:
    body = json.dumps({"models": [PS, PS | {"digest": "bb", "context_length": 0}]}).encode()

    assert read_resident(body) == (
        ResidentModel(name="tiny:latest", digest="aa", size_bytes=237, vram_bytes=0, context_length=2048),
        ResidentModel(name="tiny:latest", digest="bb", size_bytes=237, vram_bytes=0, context_length=None),
    )


def test_models_in_memory_are_joined_by_digest() -> None:
    old = ResidentModel(name="llama3:latest", digest="older build")
    other_tag = ResidentModel(name="mine:latest", digest="365c0bd3c000")
    same = ResidentModel(name="llama3:latest", digest="365c0bd3c000")

    assert listing(NEW, None, old).resident is None
    assert listing(NEW, None, old, other_tag).resident == other_tag
    assert listing(NEW, None, other_tag, same).resident == same


BLOB = "sha256-" + "6a0746a1ec1a" + "0" * 52


@pytest.mark.parametrize(
    "path",
    [
        f"/usr/share/ollama/.ollama/models/blobs/{BLOB}",
        rf"C:\Users\me\.ollama\models\blobs\{BLOB}",
        f"/with a space/{BLOB} ",
    ],
)
def test_the_weights_file_is_the_first_one_that_the_model_file_names(path: str) -> None:
    modelfile = (
        '# Modelfile generated by "ollama show"\n# To build a new Modelfile based on this, replace FROM with:\n'
        f"# FROM llama3:latest\n\nFROM {path}\nFROM /blobs/sha256-{'f' * 64}\nTEMPLATE hi\n"
    )

    assert blob_of(modelfile) == BLOB
    assert blob_of(modelfile.replace("\n", "\r\n")) == BLOB


@pytest.mark.parametrize("modelfile", ["", "FROM llama3:latest\n", f"# FROM /blobs/{BLOB}\n"])
def test_a_model_file_may_name_no_file(modelfile: str) -> None:
    assert blob_of(modelfile) is None


def test_show_is_read_without_its_tensors() -> None:
    shown = read_show(b'{"license":["A","B"],"template":"t","tensors":[{"name":"x"}],"model_info":null}')

    assert (shown.template, license_text(shown), shown.model_info) == ("t", "A\n\nB", None)


@pytest.mark.parametrize(
    ("name", "full"),
    [("llama3", "llama3:latest"), ("llama3:8b", "llama3:8b"), ("host:5000/x/llama3", "host:5000/x/llama3:latest")],
)
def test_a_name_without_a_tag_means_latest(name: str, full: str) -> None:
    assert ollama_name(name) == full
