"""A person's own prompt file: made from the prompts in force, so that there is something to change."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmtui.config import SettingsError, find_prompt_pack, shipped_pack
from llmtui.config.own_prompts import own_prompt_file, pack_text
from llmtui.config.prompt_files import parse_partial
from llmtui.core.prompts import Category, Prompt, PromptPack


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_new_file_asks_what_was_asked_before(tmp_path: Path, language: str) -> None:
    shipped = shipped_pack(language)
    path = own_prompt_file(shipped, tmp_path / "llmtui")
    read_again = find_prompt_pack(None, tmp_path, path.parent, language)
    assert read_again.categories == shipped.categories
    assert (read_again.cold, read_again.follow_up) == (shipped.cold, shipped.follow_up)
    assert own_prompt_file(read_again, path.parent) == path


def test_a_file_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "prompts.toml").write_text("mine")
    assert own_prompt_file(shipped_pack("en"), tmp_path).read_text() == "mine"


def test_odd_texts_come_back_as_they_were() -> None:
    text = 'A "quote", three """, a \\ backslash, \t a tab, \x07 a bell\nand a line'
    prompt = Prompt(id="x-1", category="x", title='A "title" \\', text=text)
    pack = PromptPack(
        name="n",
        language="en",
        categories=(Category(id="x", title="X", prompts=(prompt,)),),
        cold="c",
        follow_up="f",
        sources=(),
    )
    [category] = parse_partial(pack_text(pack), file="f", language="en").categories
    assert category.prompts == (prompt,)


def test_without_a_home_folder_there_is_no_place_for_it() -> None:
    with pytest.raises(SettingsError, match="no_home"):
        own_prompt_file(shipped_pack("en"), None)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot_write"):
        own_prompt_file(shipped_pack("en"), tmp_path / "file" / "below")
