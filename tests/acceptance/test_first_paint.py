"""Nothing slow precedes the first paint: no library, no server."""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmtui.simulator.process import running_simulator
from llmtui.simulator.scenarios import never_answers
from tests.acceptance.program import PROGRAM, Home, say
from tests.acceptance.pty_watch import Painted, painted

PAINTED = "Prompts"
"""On the first screen, whatever the server answers."""
HEAVY = ("ollama", "pandas", "httpx", "psutil", "plotext", "typer", "numpy", "xllamacpp")
SLEEP_S = 5.0
RUNS = 5
SAME_FACTOR = 1.3
FACTOR = 1.5
SLACK_S = 0.2
"""Two medians of five differ by so much on cores that others use. What is imported is counted exactly."""

EMPTY_APP = f"""
from textual.app import App
from textual.widgets import Static
class Empty(App):
    def compose(self):
        yield Static("{PAINTED}")
Empty().run()
"""

IMPORTS_TOLD = """
import os, sys
if os.environ.get("IMPORTS_OF") and sys.argv[0] in ("-m", "-c"):
    told = os.open(os.path.join(os.environ["IMPORTS_OF"], str(os.getpid())), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    sys.addaudithook(lambda event, args: os.write(told, (args[0] + chr(10)).encode()) if event == "import" else None)
"""
"""Writes the name of every module that a process imports into a file named after the process."""


@pytest.fixture
def slow_libraries(tmp_path: Path) -> Path:
    """A folder with an ``ollama`` and a ``pandas`` that take five seconds to import."""
    folder = tmp_path / "slow"
    for name in ("ollama", "pandas"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(f"import time\ntime.sleep({SLEEP_S})\n")
    return folder


@pytest.fixture
def silent_server() -> Iterator[str]:
    with running_simulator(never_answers()) as server:
        yield server.url


def _python_path(*folders: Path) -> dict[str, str]:
    return {"PYTHONPATH": os.pathsep.join([*map(str, folders), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)}


def test_nothing_heavy_is_imported_before_the_first_paint(home: Home, tmp_path: Path, silent_server: str) -> None:
    told, site = tmp_path / "told", tmp_path / "site"
    told.mkdir()
    site.mkdir()
    (site / "sitecustomize.py").write_text(IMPORTS_TOLD)
    env = home.env | _python_path(site) | {"IMPORTS_OF": str(told), "OLLAMA_HOST": silent_server}
    with painted(PROGRAM, PAINTED, env=env, cwd=str(home.folder)) as seen:
        imported = (told / str(seen.pid)).read_text().split()
    say(f"{len(set(imported))} modules before the first paint")
    assert "textual.app" in imported, "the hook sees what is imported"
    assert "llmtui.tui.app" in imported
    early = {name.partition(".")[0] for name in imported}.intersection(HEAVY)
    assert not early, sorted(early)
    assert not [name for name in imported if name.startswith(("llmtui.engine", "llmtui.backends", "llmtui.report"))]


@pytest.mark.slow
@pytest.mark.timed
def test_neither_slow_libraries_nor_a_silent_server_delay_it(
    home: Home, slow_libraries: Path, silent_server: str
) -> None:
    """Measured in turns: an empty app, ours, and ours with libraries and a server that keep it waiting."""
    quiet = home.env | _python_path()
    hindered = home.env | _python_path(slow_libraries) | {"OLLAMA_HOST": silent_server}
    runs: dict[str, list[Painted]] = {"empty": [], "ours": [], "hindered": []}
    for _ in range(RUNS):
        for name, command, env in (
            ("empty", (sys.executable, "-P", "-c", EMPTY_APP), quiet),
            ("ours", PROGRAM, quiet),
            ("hindered", PROGRAM, hindered),
        ):
            with painted(command, PAINTED, env=env, cwd=str(home.folder)) as seen:
                runs[name].append(seen)
    after_s = {name: statistics.median(one.after_s for one in ones) for name, ones in runs.items()}
    cpu_s = {name: statistics.median(one.cpu_s for one in ones) for name, ones in runs.items()}
    for name in runs:
        say(f"{name}: painted after {after_s[name]:.3f} s, {after_s[name] / after_s['empty']:.2f} times an empty one; "
            f"computed {cpu_s[name]:.3f} s")  # fmt: skip
    assert after_s["hindered"] < SAME_FACTOR * after_s["ours"] + SLACK_S
    assert after_s["hindered"] < FACTOR * after_s["empty"] + SLACK_S
