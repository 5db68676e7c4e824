"""``llmtui trend``: the sessions of one plan in order, with intervals and what changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmtui.cli.services import Services
from llmtui.cli.startup import Refused, Startup, load_startup
from llmtui.cli.trend import run_trend
from llmtui.link import LinkLost
from tests.cli.test_compare import SLOWER, STEADY, keep, validate


@pytest.fixture
def of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Startup:
    """Three days of one plan, an update after the second, and a session of another plan."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LANGUAGE", "en")
    results = tmp_path / "results"
    keep(results, 1, STEADY, server_version="1")
    keep(results, 2, STEADY, server_version="1")
    keep(results, 3, SLOWER, server_version="2")
    keep(results, 4, STEADY, name="other:1b")
    return load_startup({}, results=str(results))


def test_a_session_stands_for_all_that_ran_its_plan_until_then(of: Startup, capsys: pytest.CaptureFixture[str]) -> None:
    run_trend(of, ["day-3"], "decode_tps")
    rows = capsys.readouterr().out.split("\n\n")[0].splitlines()
    assert rows[0] == "a:7b · Speed tok/s"
    assert [row.split()[2] for row in rows if row.startswith("2026")] == ["10.0", "10.0", "9.00"]
    assert "1 → 2" in rows[-2], "the update stands before the session that had it first"
    assert all(mark in rows[-1] for mark in "├●┤")
    assert max(map(len, rows)) <= 80


def test_several_sessions_are_those_that_were_named(of: Startup, capsys: pytest.CaptureFixture[str]) -> None:
    run_trend(of, ["day-3", "day-1"], "decode_tps", json=True)
    made = json.loads(capsys.readouterr().out)
    validate(made, "trend.schema.json")
    assert [one["session_id"] for one in made["trend"]["sessions"]] == ["day-1", "day-3"]
    assert made["unit"] == "tok/s"


def test_what_has_no_trend_is_refused(of: Startup) -> None:
    with pytest.raises(Refused, match="There is no figure speed"):
        run_trend(of, ["last"], "speed")
    with pytest.raises(Refused, match="No session of this plan has the figure joules_per_token"):
        run_trend(of, ["last"], "joules_per_token")


def test_the_screens_get_the_trend_of_those_marked_or_of_the_plan(of: Startup) -> None:
    [speed, *_others] = Services(of).trends(["day-3", "day-1"])
    assert [one.session_id for one in speed.sessions] == ["day-1", "day-3"]
    [speed, *_others] = Services(of).trends(["day-3"])
    assert [one.session_id for one in speed.sessions] == ["day-1", "day-2", "day-3"]
    with pytest.raises(LinkLost):
        Services(of).trends(["day-9"])


def test_the_screens_get_each_later_session_against_the_oldest(of: Startup) -> None:
    found = Services(of).compare(["day-3", "day-1", "day-2"])
    assert [(one.before.session_id, one.after.session_id) for one in found] == [("day-1", "day-2"), ("day-1", "day-3")]
    assert found[1].comparison.changes[0].ratio == pytest.approx(0.9, rel=0.01)
    with pytest.raises(LinkLost):
        Services(of).compare(["day-3", "day-9"])
