from __future__ import annotations

from pathlib import Path

import pytest

from llmtui.store.labels import Label, read_label, write_label
from llmtui.store.session_folder import LABEL


def test_name_and_note_are_kept_on_one_line_each_and_within_bounds(tmp_path: Path) -> None:
    write_label(tmp_path, Label(name="before\nthe  driver " + "x" * 99, note=" on battery\n"))
    kept = read_label(tmp_path)
    assert kept.name.startswith("before the driver x")
    assert len(kept.name) == 80
    assert kept.note == "on battery"


def test_an_empty_label_is_no_file(tmp_path: Path) -> None:
    write_label(tmp_path, Label(name="a"))
    write_label(tmp_path, Label())
    assert not (tmp_path / LABEL).exists()
    assert read_label(tmp_path) == Label()


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"name": 3}', b"[1]"])
def test_a_damaged_label_is_an_empty_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / LABEL).write_bytes(content)
    assert read_label(tmp_path) == Label()
