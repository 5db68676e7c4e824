"""Standard streams that are closed, full or without a reader cost only their own output."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time

import pytest

from llmtui.simulator.process import running_simulator
from llmtui.simulator.scenarios import fast
from tests.acceptance.program import PROGRAM, Home, rows_of
from tests.terminal import wait_until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="redirects as a shell of Unix does")


def through_shell(home: Home, words: str, redirect: str) -> subprocess.CompletedProcess[str]:
    line = f"{shlex.join(PROGRAM)} {words} {redirect}"
    return subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, check=False, cwd=home.folder, timeout=100,
        env=dict(os.environ) | home.env,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("redirect", "code", "said"),
    [
        (">&-", 0, ""),
        (">/dev/full", 3, "stdout cannot be written: No space left on device"),
        ("2>&-", 0, ""),
        ("2>/dev/full", 0, ""),
        ("<&-", 0, ""),
        ("<&- >&- 2>&-", 0, ""),
        ("| head -1", 0, ""),
        ("--events - | head -1", 0, ""),
    ],
)
def test_a_run_keeps_its_session_and_its_files(home: Home, redirect: str, code: int, said: str) -> None:
    with running_simulator(fast()) as server:
        done = through_shell(
            home,
            f"run --host {server.url} -m quick:1b -c coding --rounds 1 --csv copy.csv --markdown copy.md",
            redirect,
        )
    assert "Traceback" not in done.stderr
    assert said in done.stderr
    assert done.returncode == code
    if "--events" not in redirect:
        assert len(rows_of(home.folder / "copy.csv")) == 3
        assert (home.folder / "copy.md").stat().st_size > 500
        assert len(home.trials()) == 3


def test_events_that_nobody_can_take_end_the_run(home: Home) -> None:
    with running_simulator(fast()) as server:
        done = through_shell(home, f"run --host {server.url} -c coding --rounds 9 --events -", ">/dev/full")
    assert "Traceback" not in done.stderr
    assert done.returncode == 130


@pytest.mark.parametrize("words", ["--version", "--help", "report last", "run --help"])
def test_every_command_says_that_its_output_is_lost(home: Home, words: str) -> None:
    done = through_shell(home, words, ">/dev/full")
    assert "Traceback" not in done.stderr
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def test_a_form_on_stdout_takes_the_tables_place(home: Home) -> None:
    with running_simulator(fast()) as server:
        done = home.run("run", "--host", server.url, "-m", "quick:1b", "-c", "coding", "--rounds", "1", "--csv", "-")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0].startswith("round,model,")
    assert len(done.stdout.splitlines()) == 4
    assert not (home.folder / "-").exists()


@pytest.mark.parametrize("name", ["SIGHUP", "SIGTERM", "SIGINT"])
def test_a_signal_ends_a_run_in_order_and_says_where_it_is_saved(home: Home, name: str) -> None:
    with running_simulator(fast()) as server:
        running = home.start(
            "run", "--host", server.url, "-c", "coding", "--rounds", "9", "--results", str(home.results)
        )
        wait_until(lambda: len(home.trials()) >= 1, what="finished trials", timeout_s=60)
        running.send_signal(getattr(signal, name))
        out, err = running.communicate(timeout=30)
    assert running.returncode == 130, err
    assert f"Saved: {home.sessions()[0]}" in out


@pytest.mark.parametrize("delay_ms", [0, 20, 50, 100, 200, 400, 800])
def test_ctrl_c_while_it_starts_is_130_and_no_traceback(home: Home, delay_ms: int) -> None:
    with running_simulator(fast()) as server:
        running = home.start("run", "--host", server.url, "-c", "coding", "--rounds", "9")
        time.sleep(delay_ms / 1000)  # a start is interrupted, of which there is no report yet
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=30)
    if running.returncode not in (130, -signal.SIGINT):  # the interpreter was not done with its own start
        assert "llmtui/" not in err
        assert "KeyboardInterrupt" in err
    else:
        assert "Traceback" not in err
