"""Memory and CPU time are those of the used server, and of nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from llmtui.backends.builtin_models import DEMO_FILE
from llmtui.backends.synthetic import make_synthetic
from tests.acceptance.program import Home
from tests.engine.sensors.trees import stand_in_runner
from tests.real_openai.llamacpp import Served, llamacpp_served, needs_llamacpp

pytestmark = needs_llamacpp
ONE_TRIAL = ("--rounds", "1", "-c", "coding", "--num-predict", "64")
LONG_TRIAL = ("--rounds", "1", "-c", "coding", "--num-predict", "900")


@pytest.fixture
def own_file(home: Home) -> Path:
    path = home.folder / "own.gguf"
    shutil.copy(DEMO_FILE, path)
    return path


def measured(home: Home, server: Served, *words: str) -> list[dict[str, str]]:
    """The warm rows of a run."""
    done = home.run("run", "--host", f"{server.url}/v1", *ONE_TRIAL, *words)
    assert done.returncode == 0, done.stderr
    return [row for row in home.trials() if row["kind"] == "warm"]


def held_bytes(pid: int) -> int:
    return int(psutil.Process(pid).memory_info().rss)


def test_each_of_two_servers_on_one_file_has_its_own_memory(home: Home, own_file: Path) -> None:
    """One is asked by the file's name, so that llmtui's own command line has the name."""
    small = ("-m", "own.gguf", "-c", "256")
    large = ("-m", "own.gguf", "-c", "32768")
    with llamacpp_served(*small, cwd=home.folder) as one, llamacpp_served(*large, cwd=home.folder) as other:
        assert held_bytes(other.pid) > 1.2 * held_bytes(one.pid)
        for server in (one, other):
            [row] = measured(home, server, "-m", "own.gguf")
            peak = int(row["runner_peak_bytes"])
            assert peak == pytest.approx(held_bytes(server.pid), rel=0.1)
            assert float(row["runner_cpu_s"]) > 0
            assert (row["server"], row["server_address"]) == ("llama.cpp", f"{server.url}/v1")


OTHER_USER = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
WITHOUT_RIGHTS = ("setpriv", "--bounding-set", "-sys_ptrace,-dac_override,-dac_read_search")
"""As an ordinary user: root's rights over others' processes are gone."""


@pytest.mark.skipif(
    sys.platform != "linux" or os.getuid() != 0 or not shutil.which("setpriv"), reason="takes two users"
)
def test_a_server_of_another_user_is_given_no_other_process_and_its_machine_is_not_called_busy(
    home: Home, own_file: Path
) -> None:
    """A server on the same file, which can be seen, and a busy program are beside it."""
    for folder in (home.folder, *home.folder.parents[:-2]):
        folder.chmod(0o755)
    if subprocess.run([*OTHER_USER, "test", "-r", __file__], check=False).returncode != 0:
        pytest.skip("the other user may not read the folder of these tests")
    one, other = ("-m", str(own_file), "-a", "served", "-c", "1024"), ("-m", str(own_file), "-a", "beside")
    with llamacpp_served(*one, before=OTHER_USER) as server, llamacpp_served(*other), stand_in_runner(busy_s=100):
        done = home.run("run", "--host", f"{server.url}/v1", "--words", *LONG_TRIAL, before=WITHOUT_RIGHTS)
    assert done.returncode == 0, done.stderr
    rows = [row for row in home.trials() if row["kind"] == "warm"]
    assert {(row["runner_peak_bytes"], row["runner_cpu_s"], row["others_cores"]) for row in rows} == {("", "", "")}
    assert "busy" not in "".join(row["flags"] for row in home.trials())
    assert "cannot be seen from here" in done.stdout


def test_others_are_seen_during_trials_and_how_long_that_lasts(home: Home) -> None:
    slow_file = make_synthetic("24M", home.folder)  # its trials are long enough for the sampler to look twice
    with llamacpp_served("-m", str(slow_file), "-a", "served", "-c", "1024") as server, stand_in_runner(busy_s=100):
        rows = measured(home, server, "-c", "creativity", "-c", "reasoning", "--all-prompts", "--num-predict", "200")
    told = [row for row in rows if row["others_cores"]]
    assert len(told) >= 3, "all but a first one that is too short"
    assert all(float(row["others_cores"]) > 0.5 and "busy_machine" in row["flags"] for row in told)
    assert len([row for row in rows if row["repeats"]]) < len(told), "then it is how the machine is"
