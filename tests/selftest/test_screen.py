"""A terminal of its own: what is typed arrives, what is drawn is read, what goes wrong is told."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest

from llmtui.selftest.screen import Screen, ScreenFailed, ScreenRun, own_environment
from tests.terminal import wait_until


@contextmanager
def python(folder: Path, script: str, **settings: str) -> Iterator[Screen]:
    """A small program in a terminal."""
    command = [sys.executable, "-P", "-c", script]
    with closing(Screen(command, folder=folder, settings=settings)) as screen:
        yield screen


def test_the_terminal_is_one_of_140_by_40(tmp_path: Path) -> None:
    with python(tmp_path, "import os; print(os.isatty(0), os.get_terminal_size(), end='', flush=True)") as screen:
        wait_until(lambda: screen.exit_code is not None, timeout_s=10, what="it ends")
        wait_until(lambda: "columns=140, lines=40" in screen.last_words(), timeout_s=5, what="its words are read")
        assert screen.last_words().startswith("True")
        assert screen.output_bytes > 40


def test_keys_arrive(tmp_path: Path) -> None:
    with python(tmp_path, "print('hello', input())") as screen:
        screen.press("you\n")
        wait_until(lambda: screen.last_words() == "hello you", timeout_s=10, what="it answers")


def test_nothing_of_the_person_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMTUI_PRESET", "thorough")
    monkeypatch.setenv("LLMTUI_THEME", "mine")
    env = own_environment(tmp_path, {"preset": "quick"})
    assert env["LLMTUI_PRESET"] == "quick"
    assert "LLMTUI_THEME" not in env
    assert all(env[name].startswith(str(tmp_path)) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"))


def test_output_is_told_with_its_moment(tmp_path: Path) -> None:
    seen: list[tuple[int, bytes]] = []
    there = threading.Event()

    def note(at_ns: int, data: bytes) -> None:
        seen.append((at_ns, data))
        there.set()

    command = [sys.executable, "-P", "-c", "print('drawn')"]
    with closing(Screen(command, folder=tmp_path, settings={}, seen=note)) as screen:
        assert there.wait(10)
        assert b"drawn" in seen[0][1]
        assert seen[0][0] > screen.started_ns


WAITS = """
import os, signal, time
signal.signal(signal.SIGTSTP, {on_stop})
print('ready', flush=True)
time.sleep(60)
"""
STOPS = "lambda *_: os.kill(os.getpid(), signal.SIGSTOP)"


def test_it_stands_still_and_goes_on(tmp_path: Path) -> None:
    with python(tmp_path, WAITS.format(on_stop=STOPS)) as screen:
        wait_until(lambda: screen.last_words() == "ready", timeout_s=10, what="it runs")
        screen.freeze()
        assert psutil.Process(screen.pid).status() == psutil.STATUS_STOPPED
        screen.thaw()
        wait_until(lambda: psutil.Process(screen.pid).status() != psutil.STATUS_STOPPED, timeout_s=5, what="it goes on")


def test_a_program_that_cannot_be_stopped_is_told(tmp_path: Path) -> None:
    with python(tmp_path, WAITS.format(on_stop="signal.SIG_IGN")) as screen:
        wait_until(lambda: screen.last_words() == "ready", timeout_s=10, what="it runs")
        with pytest.raises(ScreenFailed, match="cannot be stopped"):
            screen.freeze()


def test_closing_leaves_nothing_behind(tmp_path: Path) -> None:
    with python(tmp_path, WAITS.format(on_stop=STOPS)) as screen:
        pid = screen.pid
        assert psutil.pid_exists(pid)
    assert not psutil.pid_exists(pid)


def test_a_program_that_ends_is_quoted(tmp_path: Path) -> None:
    with python(tmp_path, "raise SystemExit('no such thing as a model')") as screen:
        run = ScreenRun(screen, tmp_path)
        with pytest.raises(ScreenFailed, match="code 1: no such thing as a model"):
            run.begin()


def test_a_program_that_starts_nothing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmtui.selftest.screen.START_LIMIT_S", 0.5)
    with python(tmp_path, WAITS.format(on_stop=STOPS)) as screen, pytest.raises(ScreenFailed, match="no test began"):
        ScreenRun(screen, tmp_path).begin()
