"""``llmtui report``: which session, which files, and what is refused before anything is written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from llmtui.cli.report import Asked, has_decimal_comma, report
from llmtui.cli.sessions import journal_of
from llmtui.cli.startup import Refused, Startup, load_startup
from tests.report.recorded import recorded_events, write_recorded


def llmtui(tmp_path: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """The program with a home of its own."""
    home = {name: str(tmp_path / "home") for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
    return subprocess.run(
        [sys.executable, "-m", "llmtui", "report", *words, "--results", str(tmp_path / "results")],
        env={**os.environ, **home, "LANGUAGE": "en", "PYTHONUTF8": "1", **env},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Startup:
    """Return settings of a fresh home, and two sessions in its results folder."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    for name, wall_s in (("older", 1_700_000_000), ("newer", 1_800_000_000)):
        events = recorded_events()
        write_recorded(tmp_path / "results" / name, events)
        journal = tmp_path / "results" / name / "events.jsonl"
        first, rest = journal.read_text("utf-8").split("\n", 1)
        begun = json.loads(first) | {"wall_ns": wall_s * 10**9, "session_id": f"id-of-{name}"}
        journal.write_text(json.dumps(begun) + "\n" + rest, "utf-8")
    return load_startup({}, results=str(tmp_path / "results"))


def asked(tmp_path: Path, *sessions: str, force: bool = False, **targets: str) -> Asked:
    files = {name: target if target == "-" else str(tmp_path / target) for name, target in targets.items()}
    return Asked(sessions=sessions or ("last",), targets=files, force=force)


@pytest.mark.parametrize(
    ("word", "folder"),
    [("last", "newer"), ("last~0", "newer"), ("last~1", "older"), ("older", "older"), ("id-of-newer", "newer")],
)
def test_a_session_is_found_by_its_place_its_folder_and_its_id(of: Startup, word: str, folder: str) -> None:
    assert journal_of(of, word).parent.name == folder


def test_a_session_is_found_by_a_path(of: Startup, tmp_path: Path) -> None:
    folder = tmp_path / "results" / "older"
    assert journal_of(of, str(folder)) == journal_of(of, str(folder / "events.jsonl")) == folder / "events.jsonl"


@pytest.mark.parametrize("word", ["last~2", "last~99999999", "nothing", "last~x", "~nobody-has-this-name/x"])
def test_a_session_that_is_not_there_is_refused(of: Startup, word: str) -> None:
    with pytest.raises(Refused):
        journal_of(of, word)


def test_several_forms_are_written_in_one_call(of: Startup, tmp_path: Path) -> None:
    assert report(of, asked(tmp_path, csv="new/a.csv", jsonl="a.jsonl", markdown="a.md")) == 0
    assert (tmp_path / "new" / "a.csv").read_text("utf-8").startswith("round,model,")
    assert json.loads((tmp_path / "a.jsonl").read_text("utf-8").splitlines()[0])["session_id"] == "id-of-newer"
    assert (tmp_path / "a.md").read_text("utf-8").startswith("# ")
    assert not [one for one in tmp_path.iterdir() if one.name.endswith(".part")]


def test_a_file_that_is_there_is_left_alone_without_force_and_nothing_else_is_written(
    of: Startup, tmp_path: Path
) -> None:
    (tmp_path / "b.csv").write_text("mine")
    with pytest.raises(Refused, match=r"b\.csv already exists\..* --force"):
        report(of, asked(tmp_path, jsonl="b.jsonl", csv="b.csv"))
    assert (tmp_path / "b.csv").read_text() == "mine"
    assert not (tmp_path / "b.jsonl").exists()
    assert report(of, asked(tmp_path, csv="b.csv", force=True)) == 0
    assert (tmp_path / "b.csv").read_text("utf-8").startswith("round,model,")


def test_a_link_stays_a_link_and_a_device_a_device(of: Startup, tmp_path: Path) -> None:
    (tmp_path / "target.csv").write_text("")
    (tmp_path / "link.csv").symlink_to(tmp_path / "target.csv")
    report(of, asked(tmp_path, csv="link.csv", jsonl=os.devnull, force=True))
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "target.csv").stat().st_size > 0
    assert Path(os.devnull).is_char_device()


@pytest.mark.parametrize(
    "targets",
    [
        {"csv": "-", "jsonl": "-"},
        {"csv": "a", "jsonl": "a"},
        {"csv": "results"},
        {"csv": "results/older/events.jsonl/x"},
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is(
    of: Startup, tmp_path: Path, targets: dict[str, str]
) -> None:
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(Refused):
        report(of, asked(tmp_path, force=True, markdown="c.md", **targets))
    assert sorted(tmp_path.rglob("*")) == before


def test_an_interrupted_session_is_reported_up_to_its_last_whole_line(
    of: Startup, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    journal = write_recorded(tmp_path / "cut", recorded_events(finish=False)[:8])
    with journal.open("ab") as file:
        file.write(b'{"type":"TrialFini')
    assert report(of, asked(tmp_path, str(journal), jsonl="-")) == 0
    out, err = capsysbinary.readouterr()
    assert out.count(b"\n") == 7
    assert b"events.jsonl" in err


def test_the_command_prints_tables_and_forms(tmp_path: Path) -> None:
    write_recorded(tmp_path / "results" / "one")
    ran = llmtui(tmp_path, "last")
    assert (ran.returncode, "phi-3" in ran.stdout, "\x1b" in ran.stdout) == (0, True, False), ran.stderr
    ran = llmtui(tmp_path, "last", "one", "--csv", "-", "--summary", "--markdown", "r.md", "--anonymous")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("model,variant,category")
    assert (tmp_path / "r.md").is_file()


def test_the_pasted_table_goes_to_stdout_or_to_a_file(tmp_path: Path) -> None:
    write_recorded(tmp_path / "results" / "one")
    ran = llmtui(tmp_path, "last", "--table", "llama-bench")
    assert ran.stdout.startswith("| model | size | params | backend | test | t/s |"), ran.stderr
    ran = llmtui(tmp_path, "last", "--table", "llama-bench=t.md", "--json", "-", "--benchstat", "b.txt")
    assert json.loads(ran.stdout)["format"] == "llmtui-report", ran.stderr
    assert (tmp_path / "t.md").read_text("utf-8").startswith("| model |")
    assert "Unit token/s better=higher" in (tmp_path / "b.txt").read_text("utf-8")


@pytest.mark.parametrize(
    "words",
    [("nothing",), (), ("last",), ("last", "--csv"), ("last", "--table", "sheet"), ("last", "--json=-", "--csv=-")],
)
def test_a_mistake_is_one_sentence_and_code_2(tmp_path: Path, words: tuple[str, ...]) -> None:
    ran = llmtui(tmp_path, *words)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("locale", "language", "comma"), [("C", "es", False), ("nowhere_XX", "es", True), ("nowhere_XX", "en", False)]
)
def test_the_decimal_sign_is_that_of_the_locale_else_of_the_language(
    monkeypatch: pytest.MonkeyPatch, locale: str, language: str, comma: bool
) -> None:
    monkeypatch.setenv("LC_ALL", locale)
    assert has_decimal_comma(language) is comma
