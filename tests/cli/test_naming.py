"""What the names on a command line mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmtui.backends.builtin_models import DEMO_FILE
from llmtui.cli.naming import named_models, only_builtin, refuse_place_without_models, spelled_models
from llmtui.cli.startup import Refused
from llmtui.core.events import ListedModel
from llmtui.core.plan import Model
from llmtui.core.records import Problem

NOT_THERE = Problem(code="no_file", args={"name": "x.gguf"})
LISTED = (
    ListedModel(model=Model(name="llama3.2:1b", digest="a")),
    ListedModel(model=Model(name="tiny:latest", digest="b")),
    ListedModel(
        model=Model(name="embeds:1b", digest="c"), why_not=Problem(code="makes_embeddings", args={"name": "embeds:1b"})
    ),
    ListedModel(model=Model(name="synthetic-24M", digest="d", backend="builtin")),
)


def meant(
    *names: str, server: str = "ollama", named: bool = False, listed: tuple[ListedModel, ...] = LISTED
) -> list[tuple[str, str, str]]:
    found = named_models(names, listed, server=server, named=named, say=lambda _: None)
    return [(model.backend, model.name, model.digest) for model in found]


@pytest.fixture
def own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("own.gguf").symlink_to(DEMO_FILE)
    return tmp_path / "own.gguf"


def test_a_name_is_the_servers_model_with_or_without_its_tag() -> None:
    assert meant("llama3.2:1b", "tiny") == [("ollama", "llama3.2:1b", "a"), ("ollama", "tiny:latest", "b")]


def test_a_prefix_means_the_server_inside() -> None:
    assert meant("builtin:synthetic-24M") == [("builtin", "synthetic-24M", "d")]
    assert meant("synthetic-24M", server="builtin") == [("builtin", "synthetic-24M", "d")]


@pytest.mark.parametrize("name", ["own.gguf", "builtin:own.gguf", "file:own.gguf", "./own.gguf"])
def test_a_file_is_read_where_it_lies(own_file: Path, name: str) -> None:
    [(backend, path, digest)] = meant(name)
    assert (backend, path) == ("builtin", str(own_file))
    assert digest.startswith("sha256:")


class TestAServerThatCallsItsModelByAFilesPath:
    @pytest.fixture(params=["own.gguf", "absolute"])
    def listed(self, own_file: Path, request: pytest.FixtureRequest) -> tuple[ListedModel, ...]:
        name = str(own_file) if request.param == "absolute" else request.param
        return (ListedModel(model=Model(name=name, digest="served", backend="openai")), LISTED[3])

    def test_is_asked_for_it(self, listed: tuple[ListedModel, ...]) -> None:
        name = listed[0].model.name
        for named in (True, False):
            assert meant(name, server="openai", named=named, listed=listed) == [("openai", name, "served")]

    def test_and_not_asked_for_the_file(self, own_file: Path, listed: tuple[ListedModel, ...]) -> None:
        [(backend, name, digest)] = meant("file:own.gguf", server="openai", named=True, listed=listed)
        assert (backend, name) == ("builtin", str(own_file))
        assert digest.startswith("sha256:")

    def test_is_picked_by_its_spelling_in_the_list(self, listed: tuple[ListedModel, ...]) -> None:
        assert spelled_models([listed[0].model.spelling], listed) == [listed[0].model]


class TestAServerThatWasNamed:
    def test_is_not_passed_over_for_a_file(self, own_file: Path) -> None:
        with pytest.raises(Refused, match=r"no model own\.gguf\. It has: llama3\.2:1b.*-m file:own\.gguf"):
            meant("own.gguf", named=True)

    def test_has_a_file_beside_it_where_it_is_asked_too(self, own_file: Path) -> None:
        said: list[str] = []
        found = named_models(["tiny", "own.gguf"], LISTED, server="ollama", named=True, say=said.append)
        assert [(model.backend, model.name) for model in found] == [
            ("ollama", "tiny:latest"),
            ("builtin", str(own_file)),
        ]
        assert said == ["The server has no model own.gguf; llmtui runs the file of that name itself."]

    def test_keeps_every_name_where_it_lists_nothing(self, own_file: Path) -> None:
        ((backend, name, _),) = meant("own.gguf", server="openai", named=True, listed=LISTED[3:])
        assert (backend, name) == ("openai", "own.gguf")


@pytest.mark.parametrize("name", ["file:gone.gguf", "builtin:gone.gguf", "builtin:nosuch"])
def test_a_file_that_is_not_there_is_refused_before_the_run(tmp_path: Path, name: str) -> None:
    with pytest.raises(Refused, match=r"does not exist\. Check the path\."):
        meant(name, server="builtin")


def test_a_name_that_the_built_in_server_lacks_is_refused_with_those_that_it_has() -> None:
    with pytest.raises(Refused, match=r"has no model nosuch\. It has: synthetic-24M\."):
        meant("nosuch", server="builtin")


@pytest.mark.parametrize("place", ["{there}", "builtin:{there}", "file:{there}"])
def test_a_file_or_folder_named_as_the_server_is_refused_where_none_of_its_models_can_be_used(
    tmp_path: Path, place: str
) -> None:
    there = tmp_path / "gone.gguf"
    broken = ListedModel(model=Model(name=str(there), digest="", backend="builtin"), why_not=NOT_THERE)
    with pytest.raises(Refused, match=r"x\.gguf does not exist"):
        refuse_place_without_models(place.format(there=there), (*LISTED, broken))


@pytest.mark.parametrize("place", ["", "builtin", "127.0.0.1:11434", "http://box/v1"])
def test_other_servers_are_not_judged_by_the_built_in_ones_files(tmp_path: Path, place: str) -> None:
    broken = ListedModel(model=Model(name=str(tmp_path / "x.gguf"), digest="", backend="builtin"), why_not=NOT_THERE)
    refuse_place_without_models(place, (broken,))


@pytest.mark.parametrize(
    ("name", "near"), [("llama3.2:1", "llama3.2:1b"), ("tinny", "tiny:latest"), ("3.2", "llama3.2:1b")]
)
def test_a_model_that_the_list_lacks_is_refused_with_the_nearest_names(name: str, near: str) -> None:
    with pytest.raises(Refused, match=rf"no model {name}.* Similar names: {near}"):
        meant(name)


def test_where_no_name_is_near_those_of_the_list_are_told() -> None:
    with pytest.raises(Refused, match=r"no model qwq.* It has: .*tiny:latest.*ollama pull qwq"):
        meant("qwq")


@pytest.mark.parametrize(
    "spelled", ["tiny", "TINY", "library/tiny", "registry.ollama.ai/library/Tiny:latest", "Tiny:Latest"]
)
def test_ollamas_names_are_those_that_ollama_takes_for_the_same(spelled: str) -> None:
    assert [name for _, name, _ in meant(spelled)] == ["tiny:latest"]


def test_other_servers_names_are_taken_letter_by_letter_and_their_aliases_are_names() -> None:
    served = ListedModel(model=Model(name="my-alias", digest="d", backend="openai"), aliases=("second",))
    assert meant("second", server="openai", listed=(served,)) == [("openai", "my-alias", "d")]
    with pytest.raises(Refused):
        meant("Second", server="openai", listed=(served,))


def test_one_that_cannot_be_measured_is_told() -> None:
    told: list[str] = []
    named_models(["embeds:1b"], LISTED, server="ollama", named=False, say=told.append)
    assert told == ["embeds:1b: makes embeddings, not text. Pick a chat model."]


def test_only_models_of_the_server_inside_need_no_other(own_file: Path) -> None:
    assert only_builtin(["builtin:demo", "file:own.gguf"], files_count=False)
    assert only_builtin(["builtin:demo", "own.gguf"], files_count=True)
    assert not only_builtin(["own.gguf"], files_count=False)
    assert not only_builtin(["builtin:demo", "llama3.2:1b"], files_count=True)
    assert not only_builtin([], files_count=True)
