"""The pictures: small, without anything from elsewhere, and the same bytes whoever makes them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.documents import ROOT
from tools.picture_animation import Frame, animated
from tools.pictures import FOLDER, JOURNAL, MAX_ANIMATED_BYTES, MAX_BYTES, tidy

PICTURES = sorted(FOLDER.glob("*.svg"))


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.stem)
def test_a_picture_is_small_and_needs_nothing_from_elsewhere(picture: Path) -> None:
    svg = picture.read_text("utf-8")
    assert len(svg.encode()) < (MAX_ANIMATED_BYTES if picture.stem == "run" else MAX_BYTES)
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


def test_an_animation_keeps_once_what_stays_and_ends_with_the_last_frame() -> None:
    def shot(word: str) -> str:
        return (
            '<svg class="rich-terminal" xmlns="http://www.w3.org/2000/svg">\n<style>\n.terminal-9-r1 { fill: #fff }\n'
            '</style>\n<defs><clipPath id="terminal-9-clip-terminal">\n<rect x="0" y="0" width="90" height="50" />\n'
            '</clipPath></defs>\n<g clip-path="url(#terminal-9-clip-terminal)">\n'
            '<rect fill="#000000" x="0" y="0" width="9" height="9" shape-rendering="crispEdges"/>'
            '<g class="terminal-9-matrix"><text class="terminal-9-r1" x="0" y="1" textLength="9">stays</text>'
            f'<text class="terminal-9-r1" x="0" y="2" textLength="9">{word}</text></g></g></svg>\n'
        )

    svg = animated([Frame(shot("first"), 1.0), Frame(shot("second"), 1.0), Frame(shot("second"), 2.0)])
    assert svg.count("stays") == 1
    assert svg.count("second") == 1
    assert "@keyframes f0{0.00%{visibility:visible}25.00%{visibility:hidden}}" in svg
    assert "@keyframes f1{0.00%{visibility:hidden}25.00%{visibility:visible}}" in svg
    assert ".f0{visibility:hidden}" in svg, "without motion the last frame is shown"
    assert svg.count('<rect fill="#000000"') == 1, "the ground is painted once"


@pytest.mark.slow
def test_the_script_makes_the_same_bytes_for_anybody(tmp_path: Path) -> None:
    """All of them are made once; the one with the most clocks again, in a distant time zone and in Spanish."""
    everywhere = {"HOME": str(tmp_path), "TZ": "Asia/Tokyo", "LANGUAGE": "es", "LANG": "es_ES.UTF-8", "NO_COLOR": "1"}
    here, there = tmp_path / "here", tmp_path / "there"
    made = _make(here, {})
    assert made == {path.name for path in PICTURES}
    assert _make(there, everywhere, "run", "history") == {"run.svg", "history.svg"}
    for picture in there.iterdir():
        assert picture.read_bytes() == (here / picture.name).read_bytes()


def _make(folder: Path, env: dict[str, str], *names: str) -> set[str]:
    script = ROOT / "tools" / "pictures.py"
    subprocess.run(
        [sys.executable, str(script), "--out", str(folder), *names],
        check=True, capture_output=True, env=dict(os.environ) | env, cwd=folder.parent, timeout=300,
    )  # fmt: skip
    return {path.name for path in folder.iterdir()}
