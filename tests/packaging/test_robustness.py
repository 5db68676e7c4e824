"""docs/robustness.md: every fault's row names a test that exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| (?P<fault>[^|]+) \| [^|]+ \| [^|]+ \| (?P<tests>[^|]+) \|$")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def rows() -> list[tuple[str, str]]:
    text = (ROOT / "docs" / "robustness.md").read_text("utf-8")
    found = [ROW.match(line) for line in text.splitlines()]
    return [
        (row["fault"].strip(), row["tests"]) for row in found if row and not row["fault"].startswith(("Fault", "-"))
    ]


@pytest.mark.parametrize(("fault", "tests"), rows(), ids=[fault for fault, _ in rows()])
def test_every_named_test_exists(fault: str, tests: str) -> None:
    named = TEST.findall(tests)
    assert named, fault
    for path, name in named:
        assert re.search(rf"def {name}\(", (ROOT / path).read_text("utf-8")), f"{fault}: {path}::{name}"


def test_the_table_says_how_many_faults_it_has() -> None:
    text = (ROOT / "docs" / "robustness.md").read_text("utf-8")
    told = re.search(r"\*\*(\d+) kinds of faults\*\*", text)
    assert told is not None
    assert int(told[1]) == len(rows())
