from __future__ import annotations

from pathlib import Path

import pytest

from llmtui.cli.exits import Exit
from llmtui.cli.output_files import can_be_written
from llmtui.cli.startup import Refused


@pytest.mark.parametrize(("below", "may_be_folder"), [("a file/table.csv", True), ("a folder", False)])
def test_what_could_only_fail_at_the_end_is_refused_before_the_run(
    tmp_path: Path, below: str, *, may_be_folder: bool
) -> None:
    (tmp_path / "a file").write_text("x")
    (tmp_path / "a folder").mkdir()
    with pytest.raises(Refused, match="cannot be written") as refused:
        can_be_written(tmp_path / below, may_be_folder=may_be_folder)
    assert refused.value.code == Exit.USAGE


@pytest.mark.parametrize("below", ["new/folders/table.csv", "a folder", "a file"])
def test_new_folders_and_files_that_are_there_are_no_hindrance(tmp_path: Path, below: str) -> None:
    (tmp_path / "a file").write_text("x")
    (tmp_path / "a folder").mkdir()
    can_be_written(tmp_path / below, may_be_folder=True)
