"""Make every picture of the documents: ``python tools/pictures.py [--out FOLDER] [NAME ...]``.

The real app runs without a terminal and gets its events from ``docs/pictures/session.jsonl.gz``, which
``tools/picture_session.py`` recorded. The pictures are SVG without fonts and links to other sites. Repeated runs make
the same bytes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "pictures"
JOURNAL = FOLDER / "session.jsonl.gz"
MAX_BYTES = 150_000
MAX_ANIMATED_BYTES = 450_000
FONTS = "ui-monospace, 'Cascadia Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace"

_FONT_FACE = re.compile(r"\s*@font-face \{.*?\}(?=\s)", re.DOTALL)
_UNIQUE_ID = re.compile(r"terminal-\d+-")
_LINE_CLIPS = re.compile(r'\s*<clipPath id="t-line-\d+">.*?</clipPath>', re.DOTALL)
_LINE_CLIP = re.compile(r' clip-path="url\(#t-line-\d+\)"')


def tidy(svg: str) -> str:
    """Return a screenshot without external fonts, with short names, and without a clip path around every line."""
    svg = _UNIQUE_ID.sub("t-", _FONT_FACE.sub("", svg))
    svg = _LINE_CLIP.sub("", _LINE_CLIPS.sub("", svg))
    svg = svg.replace("Fira Code, monospace", FONTS).replace("font-family: arial", "font-family: sans-serif")
    svg = svg.replace("<!-- Generated with Rich https://www.textualize.io -->", "")
    return "\n".join(line.strip() for line in svg.splitlines() if line.strip()) + "\n"


def make(folder: Path, names: Sequence[str] = ()) -> list[Path]:
    """Make pictures in a folder, all of them by default; return their files.

    Raises:
        ValueError: there is no picture of that name, or a picture is too large.
    """
    _same_everywhere()  # first of all, since later imports read the language
    from tools.picture_animation import ANIMATIONS
    from tools.picture_scenes import SCENES, unpack

    scenes = {**SCENES, **ANIMATIONS}
    if unknown := sorted(set(names) - set(scenes)):
        raise ValueError(f"no picture {', '.join(unknown)}: there are {', '.join(scenes)}")
    folder.mkdir(parents=True, exist_ok=True)
    made: list[Path] = []
    with tempfile.TemporaryDirectory() as unpacked:
        stage = unpack(JOURNAL, Path(unpacked))
        for name in names or scenes:
            svg = tidy(asyncio.run(scenes[name](stage))).encode()
            most = MAX_ANIMATED_BYTES if name in ANIMATIONS else MAX_BYTES
            if len(svg) > most:
                raise ValueError(f"{name} has {len(svg)} bytes, more than {most}")
            made.append(folder / f"{name}.svg")
            made[-1].write_bytes(svg)
    return made


def _same_everywhere() -> None:
    """Set time zone, language and colours, so that the user's own do not change the pictures."""
    os.environ.update(TZ="UTC", LANGUAGE="en", LC_ALL="C.UTF-8", COLORTERM="truecolor")
    for name in ("NO_COLOR", "TEXTUAL_THEME", "TEXTUAL_ANIMATIONS", "OLLAMA_HOST"):
        os.environ.pop(name, None)
    if hasattr(time, "tzset"):
        time.tzset()


def main() -> int:
    """Make the pictures given on the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="pictures.py", description="Make the pictures of the documents.")
    parser.add_argument("name", nargs="*", help="pictures to make (default: all)")
    parser.add_argument("--out", type=Path, default=FOLDER, metavar="FOLDER", help="default: docs/pictures")
    options = parser.parse_args()
    try:
        for path in make(options.out, options.name):
            print(f"{path}: {path.stat().st_size / 1000:.0f} kB")
    except ValueError as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    # If this file is run as a script, Python looks for modules in its folder, not in the root.
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
