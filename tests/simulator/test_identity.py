from __future__ import annotations

import hashlib
import json
import re

import msgspec
import pytest

from llmtui.simulator.identity import blob_hash, is_valid_name, layers, manifest, manifest_digest, tagged_name
from llmtui.simulator.model import SimulatedModel

MODEL = SimulatedModel(name="m:1b")


def test_the_digest_is_the_hash_of_the_manifest_and_the_manifest_names_the_blob() -> None:
    assert manifest_digest(MODEL) == hashlib.sha256(manifest(MODEL)).hexdigest()
    assert json.loads(manifest(MODEL))["layers"][0]["digest"] == f"sha256:{blob_hash(MODEL)}"


@pytest.mark.parametrize("change", [{"quantization_level": "Q8_0"}, {"size_bytes": 1}, {"template": "other"}])
def test_a_model_that_differs_has_another_digest(change: dict[str, object]) -> None:
    assert manifest_digest(msgspec.structs.replace(MODEL, **change)) != manifest_digest(MODEL)


def test_speed_is_no_part_of_a_models_identity() -> None:
    assert manifest_digest(msgspec.structs.replace(MODEL, decode_tps=1.0)) == manifest_digest(MODEL)


def test_two_names_can_share_one_weight_file() -> None:
    one, other = (SimulatedModel(name=name, weights="same") for name in ("a", "b"))
    assert blob_hash(one) == blob_hash(other)
    assert re.fullmatch(r"[0-9a-f]{64}", blob_hash(one))


def test_the_weights_are_the_first_layer() -> None:
    assert layers(MODEL)[0] == (blob_hash(MODEL), MODEL.size_bytes)


@pytest.mark.parametrize(
    ("name", "full"),
    [("llama3", "llama3:latest"), ("llama3:8b", "llama3:8b"), ("host:5000/a/b", "host:5000/a/b:latest")],
)
def test_a_name_without_a_tag_is_the_latest(name: str, full: str) -> None:
    assert tagged_name(name) == full


@pytest.mark.parametrize(
    ("name", "valid"), [("a", True), ("a/b:c-d_1.0", True), ("", False), ("a b", False), ("a:", False)]
)
def test_names_have_a_form(name: str, valid: bool) -> None:
    assert is_valid_name(name) is valid
