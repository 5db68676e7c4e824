"""Earlier figures come from the newest session that has them, and never from a broken one."""

from __future__ import annotations

from pathlib import Path

from llmtui.core.events import encode
from llmtui.store.past_speeds import past_speeds
from tests.core.made import plan, started

HEADER = "kind,digest,decode_tps,tokens,load_ms\n"


def session(results: Path, name: str, *rows: str) -> None:
    folder = results / name
    folder.mkdir()
    (folder / "events.jsonl").write_bytes(encode(started(plan())))
    (folder / "trials.csv").write_text(HEADER + "".join(f"{row}\n" for row in rows), "utf-8")


def test_medians_of_long_warm_rows(tmp_path: Path) -> None:
    session(
        tmp_path, "one", "cold,d1,9,16,2000", "warm,d1,10,128,5", "warm,d1,12,128,5", "warm,d1,99,20,5", "warm,d2,,,"
    )
    (only,) = past_speeds(tmp_path).items()
    assert only[0] == "d1"
    assert (only[1].decode_tps, only[1].load_s) == (11, 2)


def test_broken_sessions_are_passed_over(tmp_path: Path) -> None:
    session(tmp_path, "good", "warm,d1,10,128,5")
    session(tmp_path, "bad", "warm,d1,not a number,128,5")
    (tmp_path / "bad2").mkdir()
    assert past_speeds(tmp_path)["d1"].decode_tps == 10
    assert past_speeds(tmp_path / "nowhere") == {}
