"""Killed with -9, engine, command or both: after ``--resume`` every trial is there once.

``pytest tests/acceptance/test_killed.py`` kills at every eleventh write of the journal, which has each way but two, and
at 3 random moments; with ``HYPOTHESIS_PROFILE=long`` it kills at each of the writes 1 to 100 and at 100 moments. The
plain suite cuts journals instead, at any line and inside it (tests/engine/test_resuming.py).
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Literal, get_args

import psutil
import pytest

from llmtui.core.events import TrialFinished
from llmtui.simulator.model import ScriptedAnswer, SimulatedModel
from llmtui.simulator.process import running_simulator
from llmtui.simulator.script import Script
from llmtui.store.journal import read_events
from llmtui.store.lock import writer_pid
from llmtui.store.session_folder import LOCK
from tests.acceptance.program import Home, alive
from tests.terminal import wait_until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")

When = Literal["before", "inside", "after", "synced"]
Who = Literal["engine", "command", "both"]
KILLER = """
import os, signal, sys
_at, _when, _who = int(os.environ["KILL_AT"]), os.environ["KILL_WHEN"], os.environ["KILL_WHO"]
_write, _fsync, _n = os.write, os.fsync, 0
def _is_journal(fd):
    try:
        return os.readlink(f"/proc/self/fd/{fd}").endswith("/events.jsonl")
    except OSError:
        return False
def _kill():
    if _who in ("command", "both"):
        os.kill(os.getppid(), signal.SIGKILL)
    if _who in ("engine", "both"):
        os.kill(os.getpid(), signal.SIGKILL)
def write(fd, data):
    global _n
    if not _is_journal(fd):
        return _write(fd, data)
    _n += 1
    if _n != _at or _when == "synced":
        return _write(fd, data)
    if _when == "before":
        _kill()
    if _when == "inside":
        _write(fd, bytes(data)[: len(data) // 2])
        _kill()
        return _write(fd, bytes(data)[len(data) // 2 :]) + len(data) // 2
    written = _write(fd, data)
    _kill()
    return written
def fsync(fd):
    _fsync(fd)
    if _when == "synced" and _is_journal(fd) and _n >= _at:
        _kill()
os.write, os.fsync = write, fsync
"""
MODEL = SimulatedModel(
    name="swift:1b", parameter_size="1.2B", size_bytes=10**9, load_s=0.01, prefill_tps=20_000.0, decode_tps=2000.0,
    answers=(ScriptedAnswer(tokens=20),),
)  # fmt: skip
PLAN = ("-m", "swift:1b", "-c", "coding", "-c", "summary", "--rounds", "3")
TRIALS = 12
WRITES = range(1, 101, 1 if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 11)
PATTERN = [(who, when) for who in get_args(Who) for when in get_args(When)]


def killed_and_resumed(home: Home, at: int, when: When, who: Who) -> None:
    folder = home.folder / "killer"
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(KILLER)
    env = {"PYTHONPATH": str(folder), "KILL_AT": str(at), "KILL_WHEN": when, "KILL_WHO": who}
    with running_simulator(Script(models=(MODEL,))) as server:
        done = home.run("run", "--host", server.url, *PLAN, env=env)
        if who == "engine":
            assert done.returncode != -signal.SIGKILL
        if done.returncode == 0:
            return  # it ended before that write
        check_resumed(home)


def killed_at_a_moment(home: Home, after_s: float, who: Who) -> None:
    with running_simulator(Script(models=(MODEL,))) as server:
        run = home.start("run", "--host", server.url, *PLAN)
        wait_until(lambda: home.sessions(), timeout_s=60, what="the session has begun")
        time.sleep(after_s)
        command = psutil.Process(run.pid)
        victims = [*(command.children() if who != "command" else ()), *((command,) if who != "engine" else ())]
        for victim in victims:
            with suppress(psutil.NoSuchProcess):
                victim.kill()
        run.communicate(timeout=60)
        wait_until(lambda: not alive(victims), timeout_s=20, what="they are gone")
        if run.returncode == 0:
            return  # it ended before that moment
        (session,) = home.sessions()
        wait_until(lambda: writer_pid(session / LOCK) is None, timeout_s=20, what="the engine is gone")
        check_resumed(home)


def check_resumed(home: Home) -> None:
    """Resume the only session; every trial is then there once, and what was finished before is unchanged."""
    (session,) = home.sessions()
    before = finished(session)
    resumed = home.run("run", "--resume")
    if b"\n" not in (session / "events.jsonl").read_bytes():
        assert resumed.returncode == 2, "it was killed before its first line: there is no plan to go on with"
        return
    if "nothing" in resumed.stderr.lower() or "no interrupted session" in resumed.stderr:
        assert len(before) == TRIALS
    else:
        assert resumed.returncode == 0, resumed.stderr
    assert home.sessions() == [session]
    after = finished(session)
    assert after[: len(before)] == before
    assert Counter(after) == Counter(set(after)), "none twice"
    assert len(after) == TRIALS
    assert len(home.trials()) == TRIALS


def finished(session: Path) -> list[str]:
    """The trials with a result; one that the end of the command cut short is run again."""
    events = read_events(session / "events.jsonl")
    return [one.trial.id for one in events if isinstance(one, TrialFinished) and one.outcome != "cancelled"]


@pytest.mark.slow
@pytest.mark.parametrize("at", WRITES)
def test_at_the_kth_write(tmp_path: Path, at: int) -> None:
    who, when = PATTERN[at % len(PATTERN)]
    killed_and_resumed(Home(tmp_path), at, when, who)


@pytest.mark.slow
@pytest.mark.parametrize(("who", "when"), PATTERN)
def test_in_every_way(tmp_path: Path, who: Who, when: When) -> None:
    killed_and_resumed(Home(tmp_path), 23, when, who)


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(100 if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 3))
def test_at_a_random_moment(tmp_path: Path, moment: int) -> None:
    chance = random.Random(moment)
    killed_at_a_moment(Home(tmp_path), chance.uniform(0, 4), chance.choice(get_args(Who)))
