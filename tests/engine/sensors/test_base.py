from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from llmtui.engine.sensors.base import read_fields, read_int, text_of_file
from tests.engine.sensors.trees import lay

names = st.text("abcXYZ_0", min_size=1, max_size=6)


def test_absent_and_forbidden_files_read_as_none(tmp_path: Path) -> None:
    assert text_of_file(tmp_path / "nothing") is None
    assert text_of_file(tmp_path) is None  # a folder
    assert read_int(tmp_path / "nothing") is None


def test_a_file_without_a_number_has_no_number(tmp_path: Path) -> None:
    lay(tmp_path, {"word": "unknown\n", "number": " -17\n"})
    assert read_int(tmp_path / "word") is None
    assert read_int(tmp_path / "number") == -17


def test_fields_are_found_at_both_ends_of_a_file_and_kilobytes_become_bytes(tmp_path: Path) -> None:
    lay(tmp_path, {"f": "First:\t 12 kB\nmiddle 7\nLast: 3"})
    assert read_fields(tmp_path / "f", "First", "middle", "Last", "Absent") == {"First": 12288, "middle": 7, "Last": 3}


def test_a_name_that_is_part_of_another_is_not_taken_for_it(tmp_path: Path) -> None:
    lay(tmp_path, {"f": "SwapTotalX: 1\nXSwapTotal: 2\nSwapTotal: 3\n"})
    assert read_fields(tmp_path / "f", "SwapTotal") == {"SwapTotal": 3}


@settings(deadline=None)
@given(st.dictionaries(names, st.integers(min_value=0, max_value=2**63), min_size=1, max_size=8), st.data())
def test_every_line_that_was_written_is_read_back(fields: dict[str, int], data: st.DataObject) -> None:
    separator = data.draw(st.sampled_from([": ", ":\t", " ", ":   "]))
    with tempfile.TemporaryDirectory() as folder:  # tmp_path would be shared by all examples
        path = Path(folder) / "f"
        path.write_text("\n".join(f"{name}{separator}{value}" for name, value in fields.items()))
        assert read_fields(path, *fields) == fields
