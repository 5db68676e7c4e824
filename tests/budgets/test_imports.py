"""What each way to start the program imports: modules are counted, since they are most of what a start costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"httpx", "numpy", "ollama", "pandas", "plotext", "psutil", "rich", "textual", "typer", "xllamacpp"}


def imported(code: str, *arguments: str) -> set[str]:
    """Return the modules imported by some code, without those of a bare interpreter."""
    end = "\nimport sys; print('\\n', *sys.modules)"
    lists = []
    for text in (code, ""):
        command = [sys.executable, "-P", "-c", text + end, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        lists.append(set(done.stdout.rpartition("\n")[0].rpartition("\n")[2].split() or done.stdout.split()))
    return lists[0] - lists[1]


def packages(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def test_the_version_needs_next_to_nothing() -> None:
    modules = imported("from llmtui.__main__ import main; main()", "--version")
    assert len(modules) <= 6, sorted(modules)
    assert not HEAVY & packages(modules)


@pytest.mark.parametrize(
    ("way", "without"),
    [
        ("llmtui.engine.process", {"textual", "rich", "pandas", "plotext", "typer", "llmtui.tui", "llmtui.report"}),
        (
            "llmtui.cli.app",
            {"textual", "pandas", "plotext", "httpx", "ollama", "psutil", "llmtui.tui", "llmtui.engine"},
        ),
        ("llmtui.cli.run", {"textual", "plotext", "httpx", "ollama", "llmtui.tui", "llmtui.engine", "llmtui.backends"}),
        ("llmtui.core.session", {"textual", "pandas", "numpy", "llmtui.report"}),
        ("llmtui.tui.screens.results", {"pandas", "numpy", "httpx", "ollama", "llmtui.engine", "llmtui.report.frames"}),
        ("llmtui.cli.screen", {"pandas", "numpy", "httpx", "ollama", "llmtui.engine", "llmtui.report.frames"}),
        # before the first paint: what takes long to import, and is needed only for an install command or a table
        ("llmtui.tui.app", {"importlib.metadata", "urllib.request", "textual.widgets._data_table"}),
        ("llmtui.simulator", {"textual", "rich", "pandas", "httpx", "ollama", "llmtui.tui", "llmtui.engine"}),
    ],
)
def test_each_process_imports_only_what_it_works_with(way: str, without: set[str]) -> None:
    modules = imported(f"import {way}")
    assert way in modules
    assert not {name for name in without if name in modules}
