"""The wheel has what the program needs, the sdist what building and testing need."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.packaging.documents import ROOT


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wheel and an sdist of this tree."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)],
        check=True, capture_output=True, timeout=110,
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def in_wheel(distributions: Path) -> set[str]:
    [wheel] = distributions.glob("*.whl")
    assert wheel.name.endswith("-py3-none-any.whl")
    assert wheel.stat().st_size < 5_000_000
    return set(zipfile.ZipFile(wheel).namelist())


@pytest.fixture(scope="module")
def in_sdist(distributions: Path) -> set[str]:
    [sdist] = distributions.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


def test_the_wheel_holds_code_prompts_styles_words_and_the_demo_model(in_wheel: set[str]) -> None:
    sources = {path.relative_to(ROOT).as_posix() for path in (ROOT / "llmtui").rglob("*") if path.is_file()}
    wanted = {name for name in sources if "__pycache__" not in name}
    assert wanted <= in_wheel
    assert {"llmtui/prompts.toml", "llmtui/py.typed", "llmtui/tui/styles/setup.tcss"} <= in_wheel
    assert "llmtui/backends/models/tiny-Q8_0.gguf" in in_wheel


def test_the_wheel_holds_nothing_else(in_wheel: set[str]) -> None:
    assert {name.split("/")[0].partition("-")[0] for name in in_wheel} == {"llmtui"}


def test_the_sdist_holds_what_its_tests_need(in_sdist: set[str]) -> None:
    needed = {"prompts.toml", "README.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE", ".ci/run", "tests/conftest.py",
              "tools/pictures.py", "docs/method.md", "docs/pictures/live.svg", "results/README.md"}  # fmt: skip
    assert needed <= in_sdist


def test_neither_holds_sessions_or_caches(in_wheel: set[str], in_sdist: set[str]) -> None:
    for name in in_wheel | in_sdist:
        assert "__pycache__" not in name
        assert not name.startswith(("results/2", ".venv", ".mypy_cache"))
