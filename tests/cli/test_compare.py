"""``llmtui compare`` and ``llmtui baseline``: which sessions, what is printed, and the exit codes."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from llmtui.cli.baseline import list_command, remove_command, set_command
from llmtui.cli.compare import CompareOrder, run_compare
from llmtui.cli.exits import Exit
from llmtui.cli.sessions import journal_of
from llmtui.cli.startup import Refused, Startup, load_startup
from llmtui.core.events import Event, SessionFinished, encode
from tests.core.compared import compared_plan, warm
from tests.core.made import started

DAY_NS = 86_400 * 10**9
FIRST_DAY_NS = 1_790_000_000 * 10**9


def keep(results: Path, day: int, rates: Sequence[float], name: str = "a:7b", **seen: object) -> Path:
    """Write the session of a day, in which one model wrote at these rates."""
    of = compared_plan(name, "b:3b")
    begun = started(of)
    begun = msgspec.structs.replace(
        begun,
        session_id=f"day-{day}",
        wall_ns=FIRST_DAY_NS + day * DAY_NS,
        fingerprint=msgspec.structs.replace(begun.fingerprint, **seen),
    )
    trials = [
        warm(of, who, number, which, rate if who == 0 else 20.0)
        for number, rate in enumerate(rates, 1)
        for who in (0, 1)
        for which in range(3)
    ]
    end = SessionFinished(t_ns=10**14, wall_ns=begun.wall_ns + 1, how="complete")
    folder = results / f"day-{day}"
    folder.mkdir(parents=True)
    events: tuple[Event, ...] = (begun, *trials, end)
    (folder / "events.jsonl").write_bytes(b"".join(map(encode, events)))
    return folder


def validate(document: object, schema: str) -> None:
    """Check a document with a JSON Schema published in docs/."""
    validator = pytest.importorskip("jsonschema").Draft202012Validator
    published = json.loads((Path(__file__).parents[2] / "docs" / schema).read_text("utf-8"))
    validator.check_schema(published)
    validator(published).validate(document)


STEADY = (10.0, 10.1, 9.9, 10.0, 10.05)
SLOWER = (9.0, 9.05, 8.95, 9.0, 9.02)


@pytest.fixture
def of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Startup:
    """Two days, on the second of which a:7b wrote a tenth slower."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LANGUAGE", "en")
    keep(tmp_path / "results", 1, STEADY, server_version="1")
    keep(tmp_path / "results", 2, SLOWER, server_version="2")
    return load_startup({}, results=str(tmp_path / "results"))


def asked(*sessions: str, limits: Sequence[str] = (), **more: object) -> CompareOrder:
    return msgspec.convert(
        {"sessions": sessions or ("last~1", "last"), "limits": tuple(limits), **more}, CompareOrder, strict=False
    )


def test_the_table_has_before_after_ratio_and_interval(of: Startup, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_compare(of, asked()) == Exit.OK
    said = capsys.readouterr().out
    row = next(line.split() for line in said.splitlines() if line.startswith("a:7b"))
    assert row[row.index("tok/s") + 1 : row.index("tok/s") + 4] == ["10.0", "9.00", "0.900"]
    assert "day-1" in said
    assert "the day-to-day variation of this machine is not known yet" in said
    assert max(map(len, said.split("\n\n")[1].splitlines())) <= 80


def test_a_broken_limit_is_exit_code_5_and_says_what_is_not_included(
    of: Startup, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_compare(of, asked(limits=["decode_tps < -5%"])) == 5
    said = capsys.readouterr().out
    assert "decode_tps < -5%: a:7b is beyond the limit, × 0.900 (" in said
    assert "day-to-day variation not included" in said
    assert "decode_tps < -5%: b:3b is within the limit" in said


def test_an_open_limit_is_0_and_with_strict_6(of: Startup, capsys: pytest.CaptureFixture[str]) -> None:
    limits = ["decode_tps < -10%"]
    assert run_compare(of, asked(limits=limits)) == Exit.OK
    assert "cannot tell for a:7b, × 0.900" in capsys.readouterr().out
    assert run_compare(of, asked(limits=limits, strict=True)) == 6
    assert run_compare(of, asked(limits=["memory_peak_bytes > 3%"], strict=True)) == Exit.OPEN


def test_a_limit_on_the_value_itself(of: Startup) -> None:
    assert run_compare(of, asked(limits=["decode_tps < 8"])) == Exit.OK
    assert run_compare(of, asked(limits=["decode_tps < 9.5 tok/s"])) == Exit.LIMIT


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("decode < -5%", "there is no figure decode. .*decode_tps"),
        ("decode_tps < -5", "use % for a change"),
        ("decode_tps <", "needs a figure, < or >, and a number"),
        ("decode_tps < 5 ms", "the unit of decode_tps is tok/s"),
    ],
)
def test_what_is_no_limit_is_refused(of: Startup, limit: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        run_compare(of, asked(limits=[limit]))


def test_the_document_has_the_same_figures(of: Startup, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_compare(of, asked(limits=["decode_tps < -5%"], json=True)) == Exit.LIMIT
    told = capsys.readouterr()
    made = json.loads(told.out)
    validate(made, "compare.schema.json")
    change = made["comparisons"][0]["changes"][0]
    assert (change["model"], change["figure"], change["why"]) == ("a:7b", "decode_tps", "day_noise_unknown")
    assert change["ratio"] == pytest.approx(0.9, rel=0.01)
    assert change["low"] < change["ratio"] < change["high"]
    assert made["comparisons"][0]["differences"] == [{"aspect": "server_version", "before": "1", "after": "2"}]
    assert [one["held"] for one in made["limits"]] == ["beyond", "within"]
    assert "a:7b is beyond the limit" in told.err


def test_from_four_earlier_sessions_on_there_is_a_word(
    tmp_path: Path, of: Startup, capsys: pytest.CaptureFixture[str]
) -> None:
    for day in (3, 4, 5, 6):  # day 2 had another server
        keep(tmp_path / "results", day, [rate * (1 + day / 2000) for rate in STEADY], server_version="3")
    keep(tmp_path / "results", 7, SLOWER, server_version="3")
    assert run_compare(of, asked("day-6", "day-7")) == Exit.OK
    said = capsys.readouterr().out
    row = next(line.split() for line in said.splitlines() if line.startswith("a:7b"))
    assert row[-1] == "▼"
    assert "▲ better" in said
    assert "The intervals include this machine's day-to-day variation" in said


def test_several_later_sessions_are_each_held_against_the_first(
    of: Startup, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_compare(of, asked("day-1", "day-2", "day-1")) == Exit.OK
    said = capsys.readouterr().out
    assert "B ÷ A" in said
    assert "C ÷ A" in said


def test_a_pair_within_one_session(of: Startup, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_compare(of, asked("last", first="a", second="b:3b")) == Exit.OK
    said = capsys.readouterr().out
    assert re.search(r"b:3b [a-z ]*faster than a:7b", said)
    assert len([line for line in said.splitlines() if line[:1].isdigit()]) == 5


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"sessions": ("last",)}, "takes two sessions"),
        ({"sessions": ("last", "nowhere")}, "neither a file nor a session"),
        ({"sessions": ("last",), "first": "a"}, "go together"),
        ({"sessions": ("last",), "first": "a", "second": "x"}, "no model x. It has: a:7b, b:3b"),
        ({"sessions": ("last",), "first": "a", "second": "a:7b"}, "the same model"),
        ({"sessions": ("last",), "first": "a", "second": "b", "json": True}, "not the models of one"),
    ],
)
def test_what_cannot_be_compared_is_refused(of: Startup, words: dict[str, object], said: str) -> None:
    with pytest.raises(Refused, match=said):
        run_compare(of, msgspec.convert(words, CompareOrder))


# --- names of sessions --------------------------------------------------------------------------------------------


def test_a_day_and_a_model_name_a_session(of: Startup) -> None:
    day = "2026-09-22"
    assert {journal_of(of, f"{name}@{day}").parent.name for name in ("a:7b", "a", "last")} == {"day-1"}
    with pytest.raises(Refused, match="neither a file nor a session"):
        journal_of(of, f"c@{day}")


def test_a_baseline_names_a_session(of: Startup, capsys: pytest.CaptureFixture[str]) -> None:
    results = str(of.results)
    set_command("main", "last~1", results)
    set_command("v1.2", "last", results)
    set_command("main", "last", results)
    capsys.readouterr()
    list_command(results)
    assert capsys.readouterr().out == "main\tday-2\nv1.2\tday-2\n"
    assert journal_of(of, "main").parent.name == "day-2"
    remove_command("main", results)
    with pytest.raises(Refused, match="neither a file"):
        journal_of(of, "main")
    with pytest.raises(Refused, match="no baseline main"):
        remove_command("main", results)


def test_what_cannot_be_a_baseline_is_refused(of: Startup, tmp_path: Path) -> None:
    for name in ("last", "last~3", "a b", ""):
        with pytest.raises(Refused, match="is not a baseline name"):
            set_command(name, "last", str(of.results))
    elsewhere = keep(tmp_path / "other", 1, STEADY)
    with pytest.raises(Refused, match="copy it there first"):
        set_command("main", str(elsewhere), str(of.results))


def test_a_baseline_whose_session_is_gone_says_so(of: Startup) -> None:
    (of.results / "baselines.json").write_text('{"main": "day-99"}')
    with pytest.raises(Refused, match="The baseline main is the session day-99, which is not in"):
        journal_of(of, "main")
    (of.results / "baselines.json").write_text("[")
    with pytest.raises(Refused, match="cannot be read"):
        journal_of(of, "main")
