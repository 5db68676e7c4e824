"""A user's TOML file is read whole, or refused in one sentence and at once, whatever is in its place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llmtui.config import SettingsError, find_prompt_pack, load_settings, save_choices
from llmtui.config.toml_text import DEEPEST, LARGEST_BYTES, dotted, kind_of, read_text, read_toml
from llmtui.words.settings import settings_words


def in_place(path: Path, what: str) -> Path:
    match what:
        case "a pipe":
            os.mkfifo(path)
        case "a folder":
            path.mkdir()
        case "an endless device":
            path.symlink_to("/dev/zero")
        case "a huge file":
            with path.open("wb") as file:
                file.truncate(LARGEST_BYTES + 1)
        case "deep nesting":
            path.write_text("num_ctx" + ".a" * 100_000 + " = 1\n")
        case "a huge number":
            path.write_text("num_ctx = 0x" + "f" * 10_000 + "\n")
    return path


REFUSED = [
    ("a pipe", "is not a regular file"),
    ("a folder", "is not a regular file"),
    ("an endless device", "is not a regular file"),
    ("a huge file", "is larger than 1 MiB"),
    ("deep nesting", "is nested too deeply"),
]


@pytest.mark.skipif(os.name == "nt", reason="needs pipes and devices that have names")
@pytest.mark.timeout(20)
@pytest.mark.parametrize(("what", "words"), [*REFUSED, ("a huge number", "must be a whole number")])
class TestInPlaceOfAFile:
    def test_settings_are_not_used(self, tmp_path: Path, what: str, words: str) -> None:
        path = in_place(tmp_path / "config.toml", what)
        (problem,) = load_settings({}, path).problems
        assert settings_words(problem).startswith(f"{path}")
        assert words in settings_words(problem)

    def test_nothing_is_saved_over_it(self, tmp_path: Path, what: str, words: str) -> None:
        path = in_place(tmp_path / "config.toml", what)
        before = path.lstat()
        if what == "a huge number":
            save_choices(path, {"bell": False})
            assert "bell = false" in path.read_text()
            return
        with pytest.raises(SettingsError):
            save_choices(path, {"bell": False})
        assert path.lstat() == before

    def test_prompts_are_refused(self, tmp_path: Path, what: str, words: str) -> None:
        path = in_place(tmp_path / "mine.toml", what)
        with pytest.raises(SettingsError) as refusal:
            find_prompt_pack(str(path), tmp_path, tmp_path, "en")
        assert settings_words(refusal.value).startswith(f"{path}")


def test_the_largest_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"#" * LARGEST_BYTES)
    assert len(read_text(path)) == LARGEST_BYTES


def test_a_syntax_error_has_its_line() -> None:
    with pytest.raises(SettingsError) as refusal:
        read_toml("a = 1\nb = \n", "x.toml")
    assert (refusal.value.reason, refusal.value.line) == ("not_toml", 2)
    with pytest.raises(SettingsError) as refusal:
        read_toml("a = 1\nb = [\n", "x.toml")
    assert refusal.value.line == 3


def test_nesting_has_a_bound() -> None:
    def nested(levels: int) -> str:
        return "a = " + "[" * (levels - 1) + "]" * (levels - 1)

    assert read_toml(nested(DEEPEST), "x.toml")
    for levels in (DEEPEST + 2, 100_000):
        with pytest.raises(SettingsError, match="too_deep"):
            read_toml(nested(levels), "x.toml")


def test_a_path_is_written_with_dots_and_positions_from_one() -> None:
    assert dotted(("categories", "coding", "prompts", 1, "text")) == "categories.coding.prompts[2].text"
    assert dotted(()) == ""


def test_kinds() -> None:
    values = read_toml("a = [true, 's', 1, 1.5, [], {}, 1979-05-27]", "x.toml")["a"]
    assert [kind_of(value) for value in values] == ["flag", "text", "whole", "number", "list", "table", "time"]
