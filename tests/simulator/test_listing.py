from __future__ import annotations

import math
import re

import pytest

from llmtui.simulator.identity import blob_hash
from llmtui.simulator.listing import Resident, modelfile, parameter_count, ps_body, show_body, tags_body
from llmtui.simulator.model import SimulatedModel

MODEL = SimulatedModel(name="m", size_bytes=1000, kv_bytes_per_token=10, vram_fraction=0.25)
REMOTE = SimulatedModel(name="big-cloud", remote_host="https://ollama.com:443", remote_model="big", size_bytes=380)


def test_only_the_new_dialect_lists_capabilities_and_context() -> None:
    (new,) = tags_body([MODEL], "0.34.4")["models"]
    (old,) = tags_body([MODEL], "0.11.4")["models"]
    assert new["capabilities"] == ["completion"]
    assert new["details"]["context_length"] == 8192
    assert "capabilities" not in old
    assert "context_length" not in old["details"]
    assert re.fullmatch("[0-9a-f]{64}", new["digest"])
    assert new["digest"] == old["digest"]


def test_the_newest_model_is_listed_first() -> None:
    models = [SimulatedModel(name=name, modified_s=modified) for name, modified in (("old", 1), ("new", 9), ("mid", 5))]
    listed = tags_body(models, "0.34.4")["models"]
    assert [model["name"] for model in listed] == ["new:latest", "mid:latest", "old:latest"]


def test_a_remote_model_names_its_host_in_the_new_dialect_only() -> None:
    assert tags_body([REMOTE], "0.34.4")["models"][0]["remote_host"] == "https://ollama.com:443"
    assert "remote_host" not in tags_body([REMOTE], "0.11.4")["models"][0]


@pytest.mark.parametrize(
    ("dialect", "verbose", "listed"), [("0.11.4", False, True), ("0.34.4", False, False), ("0.34.4", True, True)]
)
def test_tensors_are_shown_always_by_the_old_dialect_and_on_demand_by_the_new(
    dialect: str, verbose: bool, listed: bool
) -> None:
    assert ("tensors" in show_body(MODEL, dialect, verbose=verbose)) is listed  # type: ignore[arg-type]


def test_the_modelfile_names_the_blob() -> None:
    found = re.search(r"^FROM .*/blobs/sha256-([0-9a-f]{64})$", modelfile(MODEL), re.MULTILINE)
    assert found is not None
    assert found[1] == blob_hash(MODEL)


def test_an_embedding_model_is_known_by_its_pooling() -> None:
    body = show_body(SimulatedModel(name="e", family="bert", capabilities=("embedding",)), "0.34.4", verbose=False)
    assert body["model_info"]["bert.pooling_type"] == 1
    assert body["capabilities"] == ["embedding"]


def test_memory_is_weights_and_context_and_part_of_it_may_be_on_the_gpu() -> None:
    (process,) = ps_body([Resident(model=MODEL, num_ctx=100, expires_in_s=60)])["models"]
    assert (process["size"], process["size_vram"], process["context_length"]) == (2000, 500, 100)


def test_the_model_kept_longest_is_listed_first() -> None:
    residents = [Resident(model=MODEL, num_ctx=100, expires_in_s=seconds) for seconds in (5, math.inf, 60)]
    years = [process["expires_at"][:4] for process in ps_body(residents)["models"]]
    assert int(years[0]) > 2300
    assert years == sorted(years, reverse=True)


@pytest.mark.parametrize(("text", "count"), [("8.0B", 8_000_000_000), ("114M", 114_000_000), ("", 0), ("big", 0)])
def test_parameter_counts_are_read_from_their_short_form(text: str, count: int) -> None:
    assert parameter_count(text) == count
