"""Prompts are found in a checkout and in a wheel, and a user's files are merged over them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import llmtui
from llmtui.config import SettingsError, find_prompt_pack, shipped_pack
from llmtui.config.packs import unused_pack_here
from llmtui.words.settings import settings_words

CHECKOUT = Path(llmtui.__file__).resolve().parent.parent
HEAD = "[llmtui]\nformat = 1\n"


@pytest.fixture
def cwd(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    folder.mkdir()
    return folder


def pack_file(folder: Path, follow_up: str, name: str = "prompts.toml") -> Path:
    path = folder / name
    path.write_text(f'{HEAD}[follow_up]\ntext = "{follow_up}"\n', encoding="utf-8")
    return path


def test_without_own_files_it_is_the_shipped_pack(cwd: Path, config: Path) -> None:
    assert find_prompt_pack(None, cwd, config, "en") == shipped_pack("en")
    assert find_prompt_pack(None, cwd, config / "not there", "es") == shipped_pack("es")


def test_the_settings_folder_lies_over_it_and_the_current_folder_over_both(cwd: Path, config: Path) -> None:
    own = pack_file(config, "own")
    assert find_prompt_pack(None, cwd, config, "en").follow_up == "own"
    here = pack_file(cwd, "here")
    pack = find_prompt_pack(None, cwd, config, "en")
    assert pack.follow_up == "here"
    assert pack.sources[1:] == (str(own), str(here))
    assert pack.categories == shipped_pack("en").categories


def test_a_named_file_lies_over_the_shipped_pack_alone(cwd: Path, config: Path) -> None:
    pack_file(config, "own")
    pack_file(cwd, "here")
    named = pack_file(cwd, "named", "other.toml")
    pack = find_prompt_pack("other.toml", cwd, config, "en")
    assert pack.follow_up == "named"
    assert pack.sources[1:] == (str(named),)


@pytest.mark.parametrize("content", [b"[prompts]\nx = 1\n", b"broken = \n", b"\xff\xfe\x00", b""])
def test_another_programs_file_in_the_current_folder_is_left_alone(cwd: Path, config: Path, content: bytes) -> None:
    (cwd / "prompts.toml").write_bytes(content)
    assert find_prompt_pack(None, cwd, config, "en") == shipped_pack("en")


def test_the_shipped_file_in_the_current_folder_changes_nothing(cwd: Path, config: Path) -> None:
    assert find_prompt_pack(None, CHECKOUT, config, "en") == shipped_pack("en")
    (cwd / "prompts.toml").write_bytes((CHECKOUT / "prompts.toml").read_bytes())
    assert find_prompt_pack(None, cwd, config, "en") == shipped_pack("en")


def test_a_file_is_not_laid_over_itself(config: Path) -> None:
    own = pack_file(config, "own")
    assert find_prompt_pack(None, config, config, "en").sources[1:] == (str(own),)


def test_a_typo_in_an_own_file_is_named(cwd: Path, config: Path) -> None:
    path = cwd / "prompts.toml"
    path.write_text(f"{HEAD}[colt]\ntext = 'x'\n", encoding="utf-8")
    with pytest.raises(SettingsError) as refusal:
        find_prompt_pack(None, cwd, config, "en")
    assert settings_words(refusal.value) == f"{path}, colt: unknown key 'colt'; did you mean 'cold'?"


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "cannot be read: No such file"), (b"\xff", "is not UTF-8 text"), (b"x = 1\n", "this table is missing")],
)
def test_a_named_file_must_be_a_pack(cwd: Path, config: Path, content: bytes | None, words: str) -> None:
    if content is not None:
        (cwd / "mine.toml").write_bytes(content)
    with pytest.raises(SettingsError) as refusal:
        find_prompt_pack("mine.toml", cwd, config, "en")
    assert str(cwd / "mine.toml") in settings_words(refusal.value)
    assert words in settings_words(refusal.value)


def test_a_pack_in_the_settings_folder_must_be_one(cwd: Path, config: Path) -> None:
    (config / "prompts.toml").write_text("x = 1\n", encoding="utf-8")
    with pytest.raises(SettingsError) as refusal:
        find_prompt_pack(None, cwd, config, "en")
    assert "put [llmtui] with format = 1 at the top" in settings_words(refusal.value)


@pytest.mark.skipif(not (CHECKOUT / "docs").is_dir(), reason="the documentation is not part of the source archive")
def test_the_examples_of_the_documentation_are_packs(cwd: Path, config: Path) -> None:
    examples = re.findall(
        r"```toml\n(.*?)```", (CHECKOUT / "docs" / "prompts.md").read_text(encoding="utf-8"), re.DOTALL
    )
    assert len(examples) == 2
    for example in examples:
        (cwd / "prompts.toml").write_text(example, encoding="utf-8")
        assert find_prompt_pack(None, cwd, config, "en").categories != shipped_pack("en").categories


REPORT = (
    "import json, pathlib, llmtui; from llmtui.config import shipped_pack; pack = shipped_pack('es'); "
    "print(json.dumps([llmtui.__file__, pack.sources[0], [c.id for c in pack.categories]]))"
)


def report(cwd: Path, env: dict[str, str]) -> list[object]:
    command = [sys.executable, "-P", "-c", REPORT]
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=True, timeout=60)
    answer: list[object] = json.loads(done.stdout)
    return answer


def test_a_checkout_has_its_prompts_at_the_top(cwd: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    package, source, categories = report(cwd, env)
    assert package == str(CHECKOUT / "llmtui" / "__init__.py")
    assert source == str(CHECKOUT / "prompts.toml")
    assert categories == ["creativity", "reasoning", "coding", "summary"]


@pytest.mark.slow
@pytest.mark.skipif(find_spec("pip") is None, reason="pip is not in this environment")
def test_a_wheel_carries_its_prompts_inside(cwd: Path, tmp_path: Path) -> None:
    wheels, target = tmp_path / "wheels", tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    built = subprocess.run(
        [*pip, "wheel", "--no-deps", "-w", str(wheels), str(CHECKOUT)], capture_output=True, text=True, check=False
    )
    if built.returncode and "hatchling" in built.stderr and "No matching distribution" in built.stderr:
        pytest.skip("the build backend cannot be had: no package index in reach")
    assert built.returncode == 0, built.stderr
    (wheel,) = wheels.glob("llmtui-*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", str(target), str(wheel)], check=True)
    env = {**os.environ, "PYTHONPATH": str(target)}
    package, source, categories = report(cwd, env)
    assert package == str(target / "llmtui" / "__init__.py")
    assert source == str(target / "llmtui" / "prompts.toml")
    assert categories == ["creativity", "reasoning", "coding", "summary"]
    assert (target / "llmtui" / "prompts.toml").read_bytes() == (CHECKOUT / "prompts.toml").read_bytes()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'[llmtui]\nname = "caf\xe9"\n', "not_utf8"),
        ("[llmtui]\nformat = 1\n".encode("utf-16"), "not_utf8"),
        (b"[llmtu\nformat = 1\n", "not_toml"),
        (b"[llmtu]\nformat = 1\n[cold]\ntext = 'Why?'\n", "no_header"),
        (b"x = 1\n" * 200_000, "too_large"),
    ],
)
def test_a_file_that_seems_meant_and_is_not_used_is_told(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "prompts.toml").write_bytes(content)
    told = unused_pack_here(tmp_path)
    assert told is not None
    assert told.reason == reason
    assert find_prompt_pack(None, tmp_path, None, "en") == shipped_pack("en")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_in_the_place_of_prompts_is_told_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "prompts.toml")
    told = unused_pack_here(tmp_path)
    assert told is not None
    assert told.reason == "not_a_file"
    with pytest.raises(SettingsError, match="not_a_file"):
        find_prompt_pack(None, tmp_path / "elsewhere", tmp_path, "en")


def test_another_programs_file_of_that_name_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "prompts.toml").write_text("[prompt]\nsystem = 'You are a pirate.'\n")
    assert unused_pack_here(tmp_path) is None
