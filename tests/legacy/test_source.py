"""Any named file is read within bounds, or refused with a reason."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from llmtui.legacy import source
from llmtui.legacy.rows import CannotImport
from llmtui.legacy.source import file_text

TEXT = "Modelo;Categoría\nalfa;Español\n"


def refused(path: Path) -> str:
    with pytest.raises(CannotImport) as caught:
        file_text(path)
    return caught.value.code


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.csv").write_bytes(TEXT.encode(encoding))
    assert file_text(tmp_path / "a.csv") == TEXT


def test_a_packed_file_is_unpacked(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(TEXT.encode("utf-16")))
    assert file_text(tmp_path / "a.csv.gz") == TEXT


def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert refused(tmp_path / "pipe") == "not_a_file"
    assert refused(tmp_path) == "not_a_file"
    assert refused(Path("/dev/zero")) == "not_a_file"


def test_what_cannot_be_read(tmp_path: Path) -> None:
    assert refused(tmp_path / "missing.csv") == "cannot_read"
    assert refused(tmp_path / "nul\x00.csv") == "cannot_read"
    (tmp_path / "cut.gz").write_bytes(gzip.compress(TEXT.encode() * 99)[:40])
    assert refused(tmp_path / "cut.gz") == "cannot_read"


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf\n", gzip.compress(b"", mtime=0)])
def test_an_empty_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    assert refused(tmp_path / "a.csv") == "empty"


@pytest.mark.parametrize(
    "content", [b"model,tokens\x00\x00\x00\n", bytes(range(256)) * 40, b"\x7fELF\x02\x01\x01" + bytes(99)]
)
def test_what_is_not_text(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    assert refused(tmp_path / "a.csv") == "not_text"


def test_a_large_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "large.csv").open("wb") as file:
        file.truncate(200 * 10**6)
    assert refused(tmp_path / "large.csv") == "too_large"


def test_a_small_file_that_unpacks_to_a_large_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MOST_BYTES", 2**20)
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(b"a" * 2**22))
    assert refused(tmp_path / "bomb.gz") == "too_large"
