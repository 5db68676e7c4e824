"""A number that no machine can have measured costs its row and nothing else, in any column."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llmtui.core.events import decode_event, encode
from llmtui.legacy.keeping import keep, read_file

COLUMNS = ("total_time_s", "tokens", "time_to_first_token_s", "load_time_s", "prompt_tokens", "ram_change_mb")
HUGE = ("1e400", "1e308", "-1e308", "1e30", "9" * 400, "inf", "nan", "-5")


@pytest.mark.parametrize("number", HUGE)
@pytest.mark.parametrize("column", COLUMNS)
def test_in_a_table(tmp_path: Path, column: str, number: str) -> None:
    good = {"total_time_s": "10", "tokens": "100", "time_to_first_token_s": "0.5", "load_time_s": "0.1",
            "prompt_tokens": "30", "ram_change_mb": "4"}  # fmt: skip
    rows = [good, good | {column: number}, good]
    text = "\n".join([",".join(["model", *COLUMNS]), *(",".join(["m", *row.values()]) for row in rows)])
    file = tmp_path / "figures.csv"
    file.write_text(text, "utf-8")
    _, session = keep(read_file(file), file, tmp_path / "results")
    assert [row.outcome for row in session.rows][::2] == ["ok", "ok"]
    journal = next((tmp_path / "results").glob("*/events.jsonl"))
    for line in journal.read_bytes().splitlines():
        encode(decode_event(line))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Exception, match="not_a_file"):
        read_file(tmp_path / "pipe")
