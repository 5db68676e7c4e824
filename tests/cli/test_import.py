"""``llmtui import``: an old file in, a session, its conclusions and its audit out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FIXTURE = Path(__file__).parents[1] / "legacy" / "legacy.csv"


def llmtui(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The program with a home of its own."""
    home = {name: str(tmp_path / "home") for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
    return subprocess.run(
        [sys.executable, "-m", "llmtui", *words, "--results", str(tmp_path / "results")],
        env={**os.environ, **home, "LANGUAGE": "en", "PYTHONUTF8": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_audit_is_printed_and_the_session_kept(tmp_path: Path) -> None:
    ran = llmtui(tmp_path, "import", str(FIXTURE))
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("What this file can show: 8 rows. One run, 4 categories")
    lines = ran.stdout.splitlines()
    heads = next(line for line in lines if line.startswith("claim"))
    assert heads.split() == ["claim", "verdict", "why"]
    claims = "\n".join(lines[lines.index(heads) : lines.index("", lines.index(heads))])
    assert "beta is the fastest:" in claims
    assert "not shown" in claims
    assert max(map(len, claims.splitlines())) <= 80
    assert ran.stdout.index("claim") < ran.stdout.index("Decode speed:") < ran.stdout.index("By category")
    assert "By category" in ran.stdout
    assert "Imported from legacy.csv" in ran.stderr
    (folder,) = (tmp_path / "results").iterdir()
    assert f"Saved: {folder}" in ran.stderr
    assert {"events.jsonl", "trials.csv", "summary.csv"} <= {one.name for one in folder.iterdir()}


def test_it_is_written_back_in_the_old_form(tmp_path: Path) -> None:
    assert llmtui(tmp_path, "import", str(FIXTURE), "--legacy", str(tmp_path / "back.csv")).returncode == 0
    assert (tmp_path / "back.csv").read_bytes() == FIXTURE.read_bytes()


def test_units_and_columns_can_be_stated(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("setup,gen,wall\na,102,11500\nb,102,21500\n")
    asked = ("import", "own.csv", "--map", "model=setup,tokens=gen,seconds=wall")
    assert "Import again with --unit ms" in llmtui(tmp_path, *asked).stderr
    ran = llmtui(tmp_path, *asked, "--unit", "ms")
    assert (ran.returncode, "a 8.87, b 4.74 tok/s" in ran.stdout) == (0, True)


WRONG = {
    "missing": (None, "cannot be imported. It cannot be read: No such file"),
    "no columns": (b"a,b\n1,2\n", "No column was recognized for: the model (known titles: model,"),
    "empty": (b"", "It is empty."),
    "nothing measured": (b"model,tokens,total_s\na,?,1\n", "None of its rows can be used (1)."),
    "not text": (b"model,tokens\x00\x00\n", "It is not text"),
    "milliseconds": (b"model,tokens,total\na,100,9000\n", "does not state its unit"),
}


@pytest.mark.parametrize(("content", "said"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_imported_is_one_line_and_code_2_and_leaves_no_session(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    source = tmp_path / "other.csv"
    if content is not None:
        source.write_bytes(content)
    ran = llmtui(tmp_path, "import", str(source))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.stderr.count("\n") == 1
    assert not (tmp_path / "results").exists()


def test_a_folder_and_a_pipe_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in (".", "pipe", "/dev/zero"):
        ran = llmtui(tmp_path, "import", name)
        assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)


def test_several_files_are_imported_and_those_that_cannot_be_are_named(tmp_path: Path) -> None:
    (tmp_path / "cut.json").write_text('{"benchmarks": [{')
    (tmp_path / "empty.csv").write_text("")
    ran = llmtui(tmp_path, "import", str(FIXTURE), "cut.json", "empty.csv", str(FIXTURE))
    assert ran.returncode == 2
    refused = [line for line in ran.stderr.splitlines() if line.startswith("llmtui: ")]
    assert [line.split()[1] for line in refused] == ["cut.json", "empty.csv"]
    assert len(list((tmp_path / "results").iterdir())) == 2
    assert "--legacy" in llmtui(tmp_path, "import", "a", "b", "--legacy", "c").stderr


def test_a_file_of_200_mb_is_refused_unread(tmp_path: Path) -> None:
    for name in ("huge.json", "huge.csv"):
        (tmp_path / name).touch()
        os.truncate(tmp_path / name, 200 * 10**6)
    ran = llmtui(tmp_path, "import", "huge.json", "huge.csv")
    assert (ran.returncode, ran.stdout.strip()) == (2, "")
    assert len(ran.stderr.splitlines()) == 2
    assert all("larger than 64 MB" in line for line in ran.stderr.splitlines())
