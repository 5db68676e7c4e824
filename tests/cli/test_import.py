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
    assert ran.stdout.startswith("Writing speed: beta writes fastest. ")
    assert "“beta is the fastest: 5.13 tok/s”" in ran.stdout
    assert "By category" in ran.stdout
    assert "Imported from legacy.csv" in ran.stderr
    (folder,) = (tmp_path / "results").iterdir()
    assert f"Saved: {folder}" in ran.stderr
    assert {"events.jsonl", "trials.csv", "summary.csv"} <= {one.name for one in folder.iterdir()}


def test_it_is_written_back_in_the_old_form(tmp_path: Path) -> None:
    assert llmtui(tmp_path, "import", str(FIXTURE), "--legacy", str(tmp_path / "back.csv")).returncode == 0
    assert (tmp_path / "back.csv").read_bytes() == FIXTURE.read_bytes()


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot be read: No such file"), ("a,b\n1,2\n", "The header has no column Modelo")],
)
def test_what_cannot_be_imported_is_one_sentence_and_code_2(tmp_path: Path, content: str | None, said: str) -> None:
    source = tmp_path / "other.csv"
    if content is not None:
        source.write_text(content)
    ran = llmtui(tmp_path, "import", str(source))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.stderr.count("\n") == 1
