from __future__ import annotations

from pathlib import Path

import pytest

from llmtui.store.journal import JournalWriter
from llmtui.store.listing import list_sessions
from llmtui.store.trash import TRASH, StillRunning, take_back, throw_away, thrown
from tests.store.test_listing import save


def test_a_session_in_the_trash_is_not_listed_and_comes_back_as_it_was(tmp_path: Path) -> None:
    folder = save(tmp_path, "a")
    gone = throw_away(folder)
    assert gone == tmp_path / TRASH / "a"
    assert list_sessions(tmp_path) == ()
    assert thrown(tmp_path) == [gone]
    assert take_back(gone) == folder
    assert [one.path for one in list_sessions(tmp_path)] == [folder]
    assert thrown(tmp_path) == []


def test_a_name_that_is_taken_meanwhile_is_left_alone(tmp_path: Path) -> None:
    first = throw_away(save(tmp_path, "a"))
    assert throw_away(save(tmp_path, "a")).name == "a-2"
    save(tmp_path, "a")
    assert take_back(first) == tmp_path / "a-2"


def test_a_session_that_is_being_written_stays(tmp_path: Path) -> None:
    folder = save(tmp_path, "a")
    writer = JournalWriter(folder)
    with pytest.raises(StillRunning, match="a"):
        throw_away(folder)
    writer.close()
    assert folder.is_dir()
