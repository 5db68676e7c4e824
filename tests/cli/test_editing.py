"""A person's editor: which one it is, and what happens where there is none."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from llmtui.cli.editing import NoEditor, edit, editor_command


def test_visual_comes_before_editor_and_may_have_arguments() -> None:
    assert editor_command({"VISUAL": "code --wait", "EDITOR": "vi"}) == ["code", "--wait"]
    assert editor_command({"VISUAL": " ", "EDITOR": "vi"}) == ["vi"]


def test_a_command_that_cannot_be_read_is_said_with_its_name() -> None:
    with pytest.raises(NoEditor, match="EDITOR cannot be read"):
        editor_command({"EDITOR": "vi 'half"})


def test_where_none_is_named_and_none_is_there_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: None)
    with pytest.raises(NoEditor, match="Set EDITOR"):
        editor_command({})


def test_it_is_run_on_the_file_and_waited_for(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    path = tmp_path / "prompts.toml"
    writes = "import sys; open(sys.argv[1], 'w').write('edited')"
    edit(path, {"EDITOR": f'"{sys.executable}" -c "{writes}"'})
    assert path.read_text() == "edited"
    assert signal.getsignal(signal.SIGINT) is before


def test_a_program_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NoEditor, match="no-such-editor cannot be started"):
        edit(tmp_path / "x", {"EDITOR": "no-such-editor"})
