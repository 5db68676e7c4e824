"""The real program, started as a person starts it, with a home of its own."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from llmtui.core.session import fold
from llmtui.store.journal import read_events
from llmtui.words.problems import whole_problem
from tests.terminal import Terminal, terminal

PROGRAM = (sys.executable, "-P", "-m", "llmtui")


class Home:
    """A user with an empty home folder: no settings, no sessions, nothing in the environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.results = folder / "results"
        self.results.mkdir()

    @property
    def env(self) -> dict[str, str]:
        """The environment that differs from ours."""
        return {
            "HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "XDG_DATA_HOME": str(self.folder / "data"),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "OLLAMA_HOST": "",
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            "LANGUAGE": "",
            # other programs run beside tests; tests of the idle wait override this
            "LLMTUI_QUIET_WAIT_S": "0",
            "LLMTUI_SERVER_WAIT_S": "0",
        }

    def run(
        self, *words: str, env: Mapping[str, str] | None = None, timeout_s: float = 100, before: Sequence[str] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, with no terminal; ``before`` starts it, such as ``setpriv --reuid 65534``."""
        return subprocess.run(
            [*before, *PROGRAM, *words], capture_output=True, text=True, check=False, cwd=self.folder,
            env=dict(os.environ) | self.env | dict(env or {}), timeout=timeout_s, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def start(self, *words: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Start a command, with no terminal."""
        return subprocess.Popen(
            [*PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
            cwd=self.folder, env=dict(os.environ) | self.env | dict(env or {}),
        )  # fmt: skip

    @contextmanager
    def screens(
        self, *words: str, columns: int = 140, rows: int = 40, env: Mapping[str, str] | None = None
    ) -> Iterator[Terminal]:
        """Start the program in a separate terminal."""
        with terminal(
            [*PROGRAM, *words], columns=columns, rows=rows, env=self.env | dict(env or {}), cwd=str(self.folder)
        ) as shown:
            yield shown

    def sessions(self) -> list[Path]:
        """The sessions on disk, oldest first."""
        return sorted(path for path in self.results.iterdir() if path.is_dir())

    def problems(self) -> list[str]:
        """What went wrong in the newest session, in the sentences that a person reads, a row after the other."""
        session = fold(read_events(self.sessions()[-1] / "events.jsonl"))
        assert session is not None
        return [
            whole_problem(row.problem) for row in session.rows if row.problem is not None and row.outcome != "skipped"
        ]

    def trials(self) -> list[dict[str, str]]:
        """The rows of the newest session's trials.csv; none as long as there is no such file."""
        table = self.sessions()[-1] / "trials.csv" if self.sessions() else None
        return rows_of(table) if table is not None and table.exists() else []


def say(words: str) -> None:
    """Write a measured figure into the test's output: `pytest -rA` and failures show it."""
    sys.stdout.write(words + "\n")


def start(screen: Terminal) -> None:
    """Press Enter as soon as there is a run to start."""
    screen.wait_for("▶ Start", timeout_s=30)
    screen.press("Enter")


def descendants(pid: int) -> list[psutil.Process]:
    """The processes that a process has started, theirs included."""
    return psutil.Process(pid).children(recursive=True)


def alive(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Those that still run; a zombie does not."""
    return [one for one in processes if one.is_running() and _status(one) != psutil.STATUS_ZOMBIE]


def _status(process: psutil.Process) -> str:
    try:
        return process.status()
    except psutil.NoSuchProcess:
        return psutil.STATUS_ZOMBIE


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A fresh user."""
    return Home(tmp_path)
