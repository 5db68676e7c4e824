"""The pictures: small, without anything from elsewhere, and the same bytes whoever makes them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.documents import ROOT
from tools.pictures import FOLDER, JOURNAL, MAX_BYTES, tidy

PICTURES = sorted(FOLDER.glob("*.svg"))


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.stem)
def test_a_picture_is_small_and_needs_nothing_from_elsewhere(picture: Path) -> None:
    svg = picture.read_text("utf-8")
    assert len(svg.encode()) < MAX_BYTES
    assert set(re.findall(r"https?://[^\s\"')<]+", svg)) == {"http://www.w3.org/2000/svg"}
    assert "@font-face" not in svg
    assert "<script" not in svg
    assert re.search(r"font-family: [^;]*monospace;", svg)


def test_the_recorded_session_is_small() -> None:
    assert JOURNAL.stat().st_size < 120_000


def test_tidying_keeps_what_is_drawn() -> None:
    raw = (
        '<svg class="rich-terminal" xmlns="http://www.w3.org/2000/svg">\n'
        "    <!-- Generated with Rich https://www.textualize.io -->\n    <style>\n\n"
        '    @font-face {\n        font-family: "Fira Code";\n        src: url("https://example.org/a.woff");\n'
        "    }\n    .terminal-123-matrix { font-family: Fira Code, monospace; }\n    </style>\n"
        '<clipPath id="terminal-123-line-0">\n    <rect x="0"/>\n            </clipPath>\n'
        '<text class="terminal-123-r1" clip-path="url(#terminal-123-line-0)">a  b</text>\n</svg>\n'
    )
    svg = tidy(raw)
    assert '<text class="t-r1">a  b</text>' in svg
    assert ".t-matrix { font-family: ui-monospace" in svg
    assert "example.org" not in svg
    assert "textualize" not in svg
    assert "line-0" not in svg


@pytest.mark.slow
def test_the_script_makes_the_same_bytes_for_anybody(tmp_path: Path) -> None:
    """All of them are made once; the one with the most clocks again, in a distant time zone and in Spanish."""
    everywhere = {"HOME": str(tmp_path), "TZ": "Asia/Tokyo", "LANGUAGE": "es", "LANG": "es_ES.UTF-8", "NO_COLOR": "1"}
    here, there = tmp_path / "here", tmp_path / "there"
    made = _make(here, {})
    assert made == {path.name for path in PICTURES}
    assert _make(there, everywhere, "live", "history") == {"live.svg", "history.svg"}
    for picture in there.iterdir():
        assert picture.read_bytes() == (here / picture.name).read_bytes()


def _make(folder: Path, env: dict[str, str], *names: str) -> set[str]:
    script = ROOT / "tools" / "pictures.py"
    subprocess.run(
        [sys.executable, str(script), "--out", str(folder), *names],
        check=True, capture_output=True, env=dict(os.environ) | env, cwd=folder.parent, timeout=110,
    )  # fmt: skip
    return {path.name for path in folder.iterdir()}
