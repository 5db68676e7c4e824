"""Saving choices changes what was chosen and nothing else in the file."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmtui.config import Settings, SettingsError, load_settings, save_choices
from llmtui.words.settings import settings_words

MINE = """\
# my settings
num_ctx = 512   # small machine
future_setting = 1979-05-27T07:32:00Z

models = [
  "llama3", # the usual one
  "mistral",
]

[keymap] # my keys
pause = "f6"
"quit" = "ctrl+x"

[plugin.thing]
deep = { a = [1, 2] }
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "llmtui" / "config.toml"


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_missing_file_is_made_with_its_folder(path: Path) -> None:
    save_choices(path, {"models": ("llama3", "gemma:7b"), "bell": False, "temperature": 0.5, "theme": 'a"b\\c'})
    loaded = load_settings({}, path)
    assert loaded.problems == ()
    assert loaded.settings == Settings(models=("llama3", "gemma:7b"), bell=False, temperature=0.5, theme='a"b\\c')
    assert path.read_text(encoding="utf-8").startswith("# Settings of llmtui")


def test_a_value_is_replaced_in_its_place_and_comments_stay(path: Path) -> None:
    written(path, MINE)
    save_choices(path, {"num_ctx": 2048, "models": ("gemma:7b",)})
    assert path.read_text(encoding="utf-8") == MINE.replace("= 512 ", "= 2048 ").replace(
        '[\n  "llama3", # the usual one\n  "mistral",\n]', '["gemma:7b"]'
    )


def test_a_new_value_comes_before_the_tables(path: Path) -> None:
    written(path, MINE)
    save_choices(path, {"theme": "nord"})
    assert path.read_text(encoding="utf-8") == MINE.replace("]\n\n[keymap]", ']\ntheme = "nord"\n\n[keymap]')
    written(path, "[keymap]\npause = 'f6'\n")
    save_choices(path, {"theme": "nord"})
    assert path.read_text(encoding="utf-8") == "theme = \"nord\"\n\n[keymap]\npause = 'f6'\n"


def test_a_table_is_replaced_as_a_whole(path: Path) -> None:
    written(path, MINE)
    save_choices(path, {"keymap": {"pause": "f7", "find it": "ctrl+f"}})
    tree = tomllib.loads(path.read_text(encoding="utf-8"))
    assert tree == tomllib.loads(MINE) | {"keymap": {"pause": "f7", "find it": "ctrl+f"}}


def test_none_takes_a_setting_out(path: Path) -> None:
    written(path, MINE)
    save_choices(path, {"models": None, "keymap": None, "theme": None})
    assert tomllib.loads(path.read_text(encoding="utf-8")) == {
        name: value for name, value in tomllib.loads(MINE).items() if name not in {"models", "keymap"}
    }


def test_nothing_new_writes_nothing(path: Path) -> None:
    written(path, MINE)
    before = path.stat().st_mtime_ns, path.stat().st_ino
    save_choices(path, {"num_ctx": 512, "theme": None})
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before


def test_the_file_is_replaced_in_one_step_and_keeps_its_mode(path: Path) -> None:
    written(path, MINE)
    path.chmod(0o600)
    with path.open(encoding="utf-8") as reader:
        save_choices(path, {"num_ctx": 2048})
        assert reader.read() == MINE
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["config.toml"]


def test_a_symbolic_link_stays_one(path: Path, tmp_path: Path) -> None:
    real = written(tmp_path / "dotfiles" / "llmtui.toml", MINE)
    path.parent.mkdir()
    path.symlink_to(real)
    save_choices(path, {"num_ctx": 2048})
    assert path.is_symlink()
    assert tomllib.loads(real.read_text(encoding="utf-8"))["num_ctx"] == 2048


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"num_ctx": 0}, "num_ctx: must be a whole number"),
        ({"num_ctx": "4096"}, "num_ctx: must be a whole number"),
        ({"modells": ("a",)}, "did you mean 'models'?"),
        ({"theme": "a\nb"}, "theme: must be the name of a theme"),
        ({"theme": "\ud800"}, "theme: must be the name of a theme"),
    ],
)
def test_a_value_that_could_not_be_read_back_is_refused(path: Path, changes: Mapping[str, object], words: str) -> None:
    written(path, MINE)
    with pytest.raises(SettingsError) as refusal:
        save_choices(path, changes)
    assert words in settings_words(refusal.value)
    assert path.read_text(encoding="utf-8") == MINE


def test_a_broken_file_is_left_alone_and_named(path: Path) -> None:
    written(path, "a = 1\nb = \n")
    with pytest.raises(SettingsError) as refusal:
        save_choices(path, {"num_ctx": 512})
    assert settings_words(refusal.value).startswith(f"{path}, line 2: is not valid TOML")
    assert path.read_text(encoding="utf-8") == "a = 1\nb = \n"


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "llmtui").write_text("in the way", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"config\.toml: cannot_(read|write): "):
        save_choices(tmp_path / "llmtui" / "config.toml", {"num_ctx": 512})


def test_a_failed_write_is_a_sentence_and_leaves_nothing_behind(tmp_path: Path) -> None:
    longest_name = tmp_path / f"{'c' * 250}.toml"
    with pytest.raises(SettingsError, match="cannot_write: "):
        save_choices(longest_name, {"num_ctx": 512})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user whom permissions bind")
def test_a_folder_without_permission_is_a_sentence(path: Path) -> None:
    written(path, MINE)
    path.parent.chmod(0o500)
    try:
        with pytest.raises(SettingsError, match="cannot_write: Permission denied"):
            save_choices(path, {"num_ctx": 2048})
    finally:
        path.parent.chmod(0o700)
    assert path.read_text(encoding="utf-8") == MINE


WORDS = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp", "Co", "Cn")), min_size=1, max_size=12
).filter(lambda text: bool(text.strip()) and text.isprintable())
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "theme": st.none() | WORDS,
        "models": st.none() | st.lists(WORDS, max_size=3).map(tuple),
        "num_ctx": st.none() | st.integers(128, 4_194_304),
        "temperature": st.none() | st.floats(0, 2),
        "bell": st.none() | st.booleans(),
        "keymap": st.none() | st.dictionaries(WORDS, WORDS, max_size=3),
        "think": st.none() | st.sampled_from(("off", "on")),
    },
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    st.sampled_from((MINE, "", "# only a comment", MINE.replace("\n", "\r\n"), "keymap.pause = 'f6' # my\n[other]\n")),
    st.lists(CHANGES, max_size=4),
)
def test_whatever_is_saved_is_read_back_and_all_else_stays(
    tmp_path: Path, text: str, rounds: list[dict[str, Any]]
) -> None:
    path = written(tmp_path / "config.toml", "")
    path.write_bytes(text.encode("utf-8"))
    expected: dict[str, Any] = tomllib.loads(text)
    for changes in rounds:
        save_choices(path, changes)
        for name, value in changes.items():
            expected.pop(name, None)
            if value is not None:
                expected[name] = list(value) if isinstance(value, tuple) else value
        assert tomllib.loads(path.read_bytes().decode("utf-8")) == expected
