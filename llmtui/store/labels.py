"""The user's name and note for a session: a small file beside the journal, which stays unchanged."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from llmtui.store.session_folder import LABEL
from llmtui.store.writing import replace_file

NAME_CHARS: Final = 80
NOTE_CHARS: Final = 2000
_MOST_BYTES: Final = 64 * 1024
"""Largest size of a label file in bytes; the program never writes a larger one."""


class Label(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The user's name and note for a session; empty if not given."""

    name: str = ""
    note: str = ""


def read_label(folder: Path) -> Label:
    """Return the label of a session; an empty one if the file is missing or unreadable."""
    try:
        with (folder / LABEL).open("rb") as file:
            return msgspec.json.decode(file.read(_MOST_BYTES), type=Label)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return Label()


def write_label(folder: Path, label: Label) -> None:
    """Write the label of a session. For an empty label, remove the file instead.

    Raises:
        OSError: the file cannot be written.
    """
    kept = Label(name=_one_line(label.name)[:NAME_CHARS], note=label.note.strip()[:NOTE_CHARS])
    if kept == Label():
        (folder / LABEL).unlink(missing_ok=True)
    else:
        replace_file(folder / LABEL, msgspec.json.encode(kept), private=True)


def _one_line(text: str) -> str:
    return " ".join(text.split())
