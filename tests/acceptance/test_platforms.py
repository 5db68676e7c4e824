"""Modules that only some systems have are hidden: everything else is imported, and a session runs.

The modules are also imported with the names of other systems in ``sys.platform``.
"""

from __future__ import annotations

import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import llmtui
from llmtui.simulator.process import running_simulator
from llmtui.simulator.scenarios import fast
from tests.acceptance.program import Home

HIDDEN = ("fcntl", "termios", "resource", "pwd", "grp", "tty", "pty")
HIDE = "import sys\nimport psutil  # its part for Linux has resource\n" + "".join(
    f"sys.modules[{name!r}] = None\n" for name in HIDDEN
)
NEED_A_TERMINAL_OF_UNIX = ("llmtui.selftest.", "llmtui.cli.selftest")
"""The self-test draws in a pseudo-terminal; `llmtui selftest` says so on Windows."""


OTHERS = (
    "asyncio", "h11", "httpcore", "httpx", "msgspec", "multiprocessing", "pandas", "platformdirs", "plotext", "psutil",
    "rich.console", "subprocess", "textual.app", "textual.widgets", "tomlkit", "typer", "uuid", "webbrowser", "zipfile",
)  # fmt: skip
"""Modules of other packages; they are imported before the system is renamed, since they choose their parts by it."""


def hidden(folder: Path, platform: str = sys.platform) -> dict[str, str]:
    there = folder / "hidden"
    there.mkdir()
    (there / "sitecustomize.py").write_text(HIDE)
    (there / "renamed.py").write_text(
        "import importlib, sys\n"
        f"for name in {OTHERS!r}:\n"
        "    importlib.import_module(name)\n"
        f"sys.platform = {platform!r}\n"
    )
    return {"PYTHONPATH": str(there)}


@pytest.mark.parametrize("platform", [sys.platform, "win32", "darwin"])
def test_every_module_is_imported_without_them(tmp_path: Path, platform: str) -> None:
    names = {one.name for one in pkgutil.walk_packages(llmtui.__path__, "llmtui.")}
    names = {name for name in names if not name.startswith(NEED_A_TERMINAL_OF_UNIX) and "__main__" not in name}
    line = (
        f"import importlib, sys{', renamed' if platform != sys.platform else ''}\n"
        f"for name in {sorted(names)!r}:\n"
        "    try:\n"
        "        importlib.import_module(name)\n"
        "    except ImportError as error:\n"
        f"        if error.name in {HIDDEN!r} or 'None in sys.modules' in str(error):\n"
        "            print(name, error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", line], capture_output=True, text=True, check=False, timeout=120,
        env=dict(os.environ) | hidden(tmp_path, platform),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


def test_a_session_runs_and_is_reported_without_them(home: Home, tmp_path: Path) -> None:
    env = hidden(tmp_path)
    with running_simulator(fast()) as server:
        done = home.run("run", "--host", server.url, "-m", "quick:1b", "-c", "coding", "--rounds", "1", env=env)
    assert done.returncode == 0, done.stderr
    assert len(home.trials()) == 3
    assert home.run("report", "last", "--markdown", "-", env=env).returncode == 0
