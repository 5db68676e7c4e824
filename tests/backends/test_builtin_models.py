"""What the built-in server offers; nothing is loaded here."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmtui.backends import builtin_models
from llmtui.backends.base import BackendFailed
from llmtui.backends.builtin_models import DEMO_FILE, listed_models, model_file, shown_model, synthetic_size
from llmtui.backends.synthetic import SHAPES, synthetic_path
from llmtui.words.problems import problem_remedy, unfit_words
from tests.backends.test_gguf_file import gguf, number, string, tensor

CHAT = (
    string("general.architecture", "qwen3"),
    number("qwen3.context_length", 40960),
    number("general.file_type", 15),
    string("tokenizer.chat_template", "{% if enable_thinking %}…"),
    string("general.license", "apache-2.0"),
)


@pytest.fixture
def chat_file(tmp_path: Path) -> Path:
    path = tmp_path / "models" / "qwen.gguf"
    path.parent.mkdir()
    path.write_bytes(gguf(CHAT, (tensor("a", (32, 40)),), data=32 * 40 * 4))
    return path


def test_the_demo_comes_first_and_its_rows_will_say_what_it_is(tmp_path: Path) -> None:
    demo = listed_models((), tmp_path)[0]
    assert demo.why_not is None
    assert demo.model.name == "demo"
    assert demo.model.note == "built-in demo"
    assert demo.model.backend == "builtin"
    assert demo.model.digest == "sha256:3d2a45d3e71583701c57ed2ff4c5384ca4ba98a7b01926f1a9d2996e22fd90c9"
    assert (demo.model.parameters, demo.model.quantisation, demo.model.context_limit) == ("2.0M", "Q8_0", 1024)
    assert demo.model.thinking is False


def test_speed_only_models_are_offered_before_they_are_made(tmp_path: Path) -> None:
    synthetic = [listed.model for listed in listed_models((), tmp_path)[1:]]
    assert [model.name for model in synthetic] == ["synthetic-24M", "synthetic-114M"]
    assert {model.note for model in synthetic} == {"speed only, text is noise"}
    assert {model.size_bytes for model in synthetic} == {None}
    assert {model.context_limit for model in synthetic} == {2048}
    assert list(tmp_path.iterdir()) == []


def test_a_speed_only_models_digest_does_not_change_when_it_is_made(tmp_path: Path) -> None:
    before = listed_models((), tmp_path)[1].model
    synthetic_path("24M", tmp_path).write_bytes(gguf(CHAT))
    after = listed_models((), tmp_path)[1].model
    assert after.size_bytes == len(gguf(CHAT))
    assert after.digest == before.digest


def test_another_recipe_is_another_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digests = {model.model.digest for model in listed_models((), tmp_path)}
    monkeypatch.setattr(builtin_models, "RECIPE", 99)
    digests |= {model.model.digest for model in listed_models((), tmp_path)[1:]}
    assert len(digests) == 5


def test_a_file_that_somebody_names_is_offered_by_its_path(chat_file: Path, tmp_path: Path) -> None:
    *_, listed = listed_models((chat_file,), tmp_path)
    model = listed.model
    assert listed.why_not is None
    assert model.name == str(chat_file)
    assert model.digest.startswith("sha256:")
    assert (model.family, model.quantisation, model.context_limit) == ("qwen3", "Q4_K_M", 40960)
    assert (model.parameters, model.size_bytes) == ("1.3K", chat_file.stat().st_size)
    assert model.thinking is True
    assert model.note is None


def test_a_folder_stands_for_the_files_in_it(chat_file: Path, tmp_path: Path) -> None:
    (chat_file.parent / "broken.gguf").write_bytes(b"GGUF")
    (chat_file.parent / "readme.txt").touch()
    listed = listed_models((chat_file.parent,), tmp_path)[1 + len(SHAPES) :]
    assert [Path(item.model.name).name for item in listed] == ["broken.gguf", "qwen.gguf"]
    assert listed[0].why_not is not None
    assert "is incomplete" in unfit_words(listed[0])
    assert str(chat_file.parent) not in unfit_words(listed[0]), "its name stands beside the reason"


def test_a_folder_without_files_says_so(tmp_path: Path) -> None:
    *_, listed = listed_models((tmp_path,), tmp_path)
    assert (listed.model.name, unfit_words(listed)) == (str(tmp_path), "is a folder")


def test_a_file_that_is_not_there_is_listed_with_the_reason(tmp_path: Path) -> None:
    *_, listed = listed_models((tmp_path / "nothing.gguf",), tmp_path)
    assert unfit_words(listed) == "does not exist"


def test_names_lead_to_files(tmp_path: Path) -> None:
    assert model_file("demo", tmp_path) == DEMO_FILE
    assert model_file("synthetic-24M", tmp_path) == synthetic_path("24M", tmp_path)
    assert model_file("~/some.gguf", tmp_path) == Path.home() / "some.gguf"
    assert synthetic_size("synthetic-114M") == "114M"
    assert synthetic_size("demo") is None


def test_details_hold_template_and_licence(chat_file: Path, tmp_path: Path) -> None:
    shown = shown_model(str(chat_file), tmp_path)
    assert shown.template == "{% if enable_thinking %}…"
    assert shown.license == "apache-2.0"
    assert "im_start" in str(shown_model("demo", tmp_path).template)
    assert shown_model("synthetic-24M", tmp_path).model.note == "speed only, text is noise"


def test_details_of_a_file_that_is_no_model_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"hello")
    with pytest.raises(BackendFailed) as caught:
        shown_model(str(tmp_path / "x.gguf"), tmp_path)
    assert caught.value.problem.code == "not_gguf"
    assert problem_remedy(caught.value.problem)


def test_the_card_names_the_file_that_ships() -> None:
    card = (DEMO_FILE.parent / "MODEL_CARD.md").read_text(encoding="utf-8")
    demo = listed_models((), Path("unused"))[0].model
    assert demo.digest.removeprefix("sha256:") in card
    assert f"{demo.size_bytes:,} bytes" in card
