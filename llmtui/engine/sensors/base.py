"""Reading of the small files in which Linux tells about itself.

Every sensor has ``read``, which returns None where there is nothing to read. Counters in a reading only ever grow
(seconds of CPU, bytes, joules), so that any two readings give a difference and two readers do not disturb each other.
"""

from __future__ import annotations

import sys
from pathlib import Path

PROC = Path("/proc")
SYS = Path("/sys")


def has_proc(proc_root: Path) -> bool:
    """Whether the machine tells about itself in files, as Linux does; a test's tree of such files counts too."""
    return sys.platform == "linux" or proc_root != PROC


def text_of_file(path: Path) -> str | None:
    """Gives a small file's text without the white space around it; None where it is absent or may not be read."""
    try:
        return path.read_bytes().decode(errors="replace").strip()
    except OSError:
        return None


def read_int(path: Path) -> int | None:
    """Gives the number in a small file; None where there is none."""
    text = text_of_file(path)
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        return None


def read_fields(path: Path, *names: str) -> dict[str, int]:
    """Gives those of the lines ``name value`` or ``name: value [kB]`` of a file that are there; kB become bytes.

    Looks for the names instead of parsing all lines: some of these files have two hundred.
    """
    text = f"\n{text_of_file(path) or ''}\n"
    fields = {}
    for name in names:
        for separator in (":", " "):
            start = text.find(f"\n{name}{separator}")
            if start >= 0:
                words = text[start + len(name) + 2 : text.index("\n", start + 1)].split()
                fields[name] = int(words[0]) * (1024 if words[1:] == ["kB"] else 1)
    return fields
