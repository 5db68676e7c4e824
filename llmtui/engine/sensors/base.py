"""Small files in which Linux describes the machine and its processes.

Every sensor has ``read``, which returns None where there is nothing to read. Counters only grow (CPU seconds, bytes,
joules), so any two readings have a difference and two readers do not disturb each other.
"""

from __future__ import annotations

import sys
from pathlib import Path

PROC = Path("/proc")
SYS = Path("/sys")


def has_proc(proc_root: Path) -> bool:
    """Return whether the machine has ``/proc`` as Linux does; a test's tree of such files counts too."""
    return sys.platform == "linux" or proc_root != PROC


def text_of_file(path: Path) -> str | None:
    """Return a small file's text without surrounding white space; None where it is absent or not readable."""
    try:
        return path.read_bytes().decode(errors="replace").strip()
    except OSError:
        return None


def read_int(path: Path) -> int | None:
    """Return the number in a small file; None where there is none."""
    text = text_of_file(path)
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        return None


def read_fields(path: Path, *names: str) -> dict[str, int]:
    """Return the fields ``name value`` or ``name: value [kB]`` of a file that are present; kB become bytes.

    It looks for the names instead of parsing all lines: some of these files have two hundred.
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
