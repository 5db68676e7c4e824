from __future__ import annotations

from pathlib import Path

import pytest

from llmtui.cli.exits import Exit
from llmtui.cli.frame import Refused
from llmtui.cli.run import can_be_written, rounds_wanted, wishes_of
from llmtui.config import Settings
from llmtui.core.planning import Rounds, rounds_within


@pytest.mark.parametrize(
    ("budget", "seconds"), [("90s", 90), ("20m", 1200), ("20min", 1200), ("1h30m", 5400), (" 2H ", 7200), ("1m5s", 65)]
)
def test_a_budget_is_a_time_with_its_unit(budget: str, seconds: int) -> None:
    assert rounds_wanted(None, budget) == rounds_within(seconds)


@pytest.mark.parametrize("budget", ["20", "", "m", "-5m", "1.5h", "0s", "5m1h", "soon"])
def test_anything_else_is_refused_with_examples(budget: str) -> None:
    with pytest.raises(Refused, match="20m"):
        rounds_wanted(None, budget)


def test_rounds_are_exactly_so_many_and_without_either_the_preset_decides() -> None:
    assert rounds_wanted(3, None) == Rounds(3, 3)
    assert rounds_wanted(None, None) is None


def test_what_settings_and_flags_say_reaches_the_plan() -> None:
    settings = Settings(quiet_wait_s=3.0, stall_s=4.0, num_predict=5)
    wishes = wishes_of(settings, rounds=None, all_prompts=True, unload_others=False, twice=True)
    assert (wishes.twice, wishes.all_prompts, wishes.others) == (True, True, "keep")
    assert (wishes.options.quiet_wait_s, wishes.options.stall_s, wishes.options.num_predict) == (3.0, 4.0, 5)


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
