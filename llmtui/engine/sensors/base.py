"""Access to the small files in which Linux describes the machine and its processes.

Every sensor has a method ``read``, which returns None if there is nothing to read. Counters (CPU seconds, bytes,
joules) only grow. So the difference of any two readings is meaningful, and two readers do not disturb each other.
"""

from __future__ import annotations

import sys
from pathlib import Path

PROC = Path("/proc")
SYS = Path("/sys")


def has_proc(proc_root: Path) -> bool:
    """Return whether the machine has ``/proc`` as Linux does, or the path is a test's copy of it."""
    return sys.platform == "linux" or proc_root != PROC


def text_of_file(path: Path) -> str | None:
    """Return a small file's text without surrounding white space; None if it is missing or not readable."""
    try:
        return path.read_bytes().decode(errors="replace").strip()
    except OSError:
        return None


def read_int(path: Path) -> int | None:
    """Return the number in a small file; None if there is none."""
    text = text_of_file(path)
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        return None


def read_fields(path: Path, *names: str) -> dict[str, int]:
    """Return the named fields of a file with lines ``name value`` or ``name: value [kB]``; kB are converted to bytes.

    Missing fields are left out. The function searches for the names instead of parsing all lines, since some of these
    files have two hundred.
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
