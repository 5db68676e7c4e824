"""What the names on a command line mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmtui.backends.builtin_models import DEMO_FILE
from llmtui.cli.naming import named_models, only_builtin
from llmtui.core.events import ListedModel
from llmtui.core.plan import Model

LISTED = (
    ListedModel(model=Model(name="llama3.2:1b", digest="a")),
    ListedModel(model=Model(name="tiny:latest", digest="b")),
    ListedModel(model=Model(name="embeds:1b", digest="c"), why_not="makes embeddings, not text"),
    ListedModel(model=Model(name="synthetic-24M", digest="d", backend="builtin")),
)


def meant(*names: str, server: str = "ollama") -> list[tuple[str, str, str]]:
    found = named_models(names, LISTED, server=server, say=lambda _: None)
    return [(model.backend, model.name, model.digest) for model in found]


def test_a_name_is_the_servers_model_with_or_without_its_tag() -> None:
    assert meant("llama3.2:1b", "tiny") == [("ollama", "llama3.2:1b", "a"), ("ollama", "tiny:latest", "b")]


def test_a_prefix_means_the_server_inside() -> None:
    assert meant("builtin:synthetic-24M") == [("builtin", "synthetic-24M", "d")]
    assert meant("synthetic-24M", server="builtin") == [("builtin", "synthetic-24M", "d")]


def test_a_file_is_read_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own.gguf").symlink_to(DEMO_FILE)
    for name in ("own.gguf", "builtin:own.gguf", "./own.gguf"):
        [(backend, path, digest)] = meant(name)
        assert (backend, path) == ("builtin", str(tmp_path / "own.gguf"))
        assert digest.startswith("sha256:")


def test_what_is_not_there_stays_so_that_it_fails_as_a_row(tmp_path: Path) -> None:
    gone = str(tmp_path / "gone.gguf")
    assert meant("no-such:7b", f"builtin:{gone}") == [("ollama", "no-such:7b", ""), ("builtin", gone, "")]


def test_one_that_cannot_be_measured_is_told() -> None:
    told: list[str] = []
    named_models(["embeds:1b"], LISTED, server="ollama", say=told.append)
    assert told == ["embeds:1b: makes embeddings, not text"]


def test_only_models_of_the_server_inside_need_no_other() -> None:
    assert only_builtin(["builtin:demo", "builtin:synthetic-24M"])
    assert not only_builtin(["builtin:demo", "llama3.2:1b"])
    assert not only_builtin([])
