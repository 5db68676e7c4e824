"""README's first command, on a machine without Ollama: installed, started, Enter pressed, tokens seen, a table kept."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.acceptance.program import Home, rows_of
from tests.packaging.documents import commands
from tests.terminal import Terminal, needs_tmux, terminal, wait_until

VARIABLE = "LLMTUI_FIRST_COMMAND_IN"
ENDED = "ended with"
FIRST_TOKEN_S = 10.0

pytestmark = [
    needs_tmux,
    pytest.mark.slow,
    pytest.mark.timeout(500),
    pytest.mark.skipif(
        VARIABLE not in os.environ, reason=f"installs from the network: {VARIABLE} must name a clean copy of the tree"
    ),
]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_from_the_first_command_to_a_table_on_disk(home: Home) -> None:
    tree = Path(os.environ[VARIABLE])
    with _typed(commands("Start")[0], tree, home) as screen:
        wait_until(lambda: {"▶ Start", ENDED} & _seen(screen), timeout_s=400, what="it is installed and started")
        assert "▶ Start" in screen.screen(), screen.screen()
        painted = time.monotonic()
        screen.press("Enter")
        screen.wait_for("Writing", timeout_s=FIRST_TOKEN_S)
        assert time.monotonic() - painted < FIRST_TOKEN_S
        screen.wait_for("Finished", timeout_s=120)
        screen.press("q")
        screen.wait_for(f"{ENDED} 0")
    [table] = (tree / "results").glob("*/trials.csv")
    rows = rows_of(table)
    assert {row["outcome"] for row in rows} == {"ok"}
    assert {row["kind"] for row in rows} == {"cold", "warm", "follow_up"}
    assert {row["backend"] for row in rows} == {"builtin"}


@contextmanager
def _typed(command: str, tree: Path, home: Home) -> Iterator[Terminal]:
    """Type a command where no Ollama answers and none is installed."""
    nobody = {"OLLAMA_HOST": "127.0.0.1:9", "PATH": _path_without_ollama()}
    line = f'{command}; echo "{ENDED} $?"; read nothing'
    with terminal(["sh", "-c", line], columns=120, rows=36, env=home.env | nobody, cwd=str(tree)) as screen:
        yield screen


def _seen(screen: Terminal) -> set[str]:
    shown = screen.screen()
    return {words for words in ("▶ Start", ENDED) if words in shown}


def _path_without_ollama() -> str:
    folders = os.environ["PATH"].split(os.pathsep)
    return os.pathsep.join(folder for folder in folders if shutil.which("ollama", path=folder) is None)
