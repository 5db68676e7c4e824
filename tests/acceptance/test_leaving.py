"""Every way out: the terminal as it was, nothing left behind, finished trials on disk, the request cancelled."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from typing import NamedTuple

import psutil
import pytest

from llmtui.core.events import TrialFinished
from llmtui.link.event_file import EventFile
from llmtui.simulator import RunningSimulator, Script, ScriptedAnswer, SimulatedModel
from llmtui.simulator.process import running_simulator
from tests.acceptance.program import PROGRAM, Home, alive, descendants, say, start
from tests.terminal import Terminal, needs_tmux, terminal, wait_until

pytestmark = needs_tmux

GONE_WITHIN_S = 2.0
NOTICE_S = 0.5
"""Beside the promise: this process has to notice it on a busy machine."""

TERMINAL_STATE = "#{alternate_on} #{cursor_flag} #{mouse_any_flag} #{keypad_flag} #{keypad_cursor_flag}"
PLAIN = "0 1 0 0 0"
"""Normal screen, a cursor, no mouse, ordinary keys."""


class Running(NamedTuple):
    """A test in the middle of its second trial."""

    screen: Terminal
    ui: psutil.Process
    children: list[psutil.Process]
    server: RunningSimulator


def endless() -> Script:
    """Return a model that starts quickly and then writes for half a minute."""
    model = SimulatedModel(name="writes:1b", load_s=0.1, decode_tps=40.0, answers=(ScriptedAnswer(tokens=2000),))
    return Script(models=(model,))


@contextmanager
def in_mid_run(home: Home, server: RunningSimulator) -> Iterator[Running]:
    """Start the screens from a shell, so that the terminal can be checked afterwards."""
    inner = shlex.join([*PROGRAM, "--host", server.url])
    shell = f'stty -a > before; {inner}; echo "ended with $?"; stty -a > after; read nothing'
    env = home.env | {"LLMTUI_NUM_PREDICT": "1500"}
    with terminal(["sh", "-c", shell], columns=140, rows=40, env=env, cwd=str(home.folder)) as screen:
        start(screen)
        wait_until(
            lambda: len(home.trials()) == 1 and len(server.answers()) == 2 and len(server.answers()[-1].texts) > 5,
            timeout_s=40, what="one trial is on disk, the next one writes",
        )  # fmt: skip
        (ui,) = psutil.Process(screen.pid).children()
        yield Running(screen, ui, descendants(ui.pid), server)


def check_what_is_left(home: Home, running: Running, left_at: float) -> None:
    """Nothing runs, the server was told, and the session says what was finished and what was not."""
    everything = [running.ui, *running.children]
    assert running.children, "there was an engine"
    wait_until(lambda: not alive(everything), timeout_s=GONE_WITHIN_S + NOTICE_S, what="every process is gone")
    say(f"gone {time.monotonic() - left_at:.2f} s after leaving")
    wait_until(
        lambda: running.server.answers()[-1].disconnected_ns is not None,
        timeout_s=1, what="the server noticed that its client had gone",
    )  # fmt: skip
    assert len(running.server.answers()) == 2, "nothing else was asked"
    wait_until(lambda: not running.server.state()["loaded"], timeout_s=1, what="the model is unloaded")
    rows = home.trials()
    assert [row["outcome"] for row in rows] == ["ok", "cancelled"]
    assert rows[0]["ttft_ms"]
    journal = EventFile(home.sessions()[-1] / "events.jsonl")
    outcomes = [event.outcome for batch in journal.batches() for event in batch if isinstance(event, TrialFinished)]
    assert outcomes == ["ok", "cancelled"]


def check_terminal(home: Home, screen: Terminal) -> str:
    """Check that the shell continues in an unchanged terminal; return the screen."""
    shown = screen.wait_for("ended with")
    wait_until((home.folder / "after").exists, timeout_s=5, what="the shell goes on")
    assert screen.tmux("display-message", "-p", "-t", "0", TERMINAL_STATE).strip() == PLAIN
    wait_until(lambda: (home.folder / "after").read_text(), timeout_s=5, what="stty has said how the terminal is")
    assert (home.folder / "after").read_text() == (home.folder / "before").read_text()
    return shown


@pytest.fixture
def server() -> Iterator[RunningSimulator]:
    with running_simulator(endless()) as running:
        yield running


@pytest.mark.timed
def test_q_asks_in_mid_run_and_then_leaves(home: Home, server: RunningSimulator) -> None:
    with in_mid_run(home, server) as running:
        running.screen.press("q")
        running.screen.wait_for("Quit now?")
        running.screen.press("n")
        wait_until(lambda: "Quit now?" not in running.screen.screen(), timeout_s=5, what="the question is gone")
        assert server.answers()[-1].disconnected_ns is None, "the run goes on"
        running.screen.press("q")
        running.screen.wait_for("Quit now?")
        left_at = time.monotonic()
        running.screen.press("y")
        check_what_is_left(home, running, left_at)
        shown = check_terminal(home, running.screen)
    assert "ended with 0" in shown
    assert "writes:1b" in shown, "the summary"
    assert str(home.sessions()[-1] / "trials.csv") in shown.replace("\n", "")


@pytest.mark.parametrize(
    ("leave", "code"),
    [
        (lambda running: running.screen.press("C-c"), 0),
        (lambda running: running.ui.send_signal(signal.SIGTERM), 130),
    ],
    ids=["ctrl+c", "SIGTERM"],
)
@pytest.mark.timed
def test_the_terminal_comes_back(
    home: Home, server: RunningSimulator, leave: Callable[[Running], None], code: int
) -> None:
    with in_mid_run(home, server) as running:
        left_at = time.monotonic()
        leave(running)
        check_what_is_left(home, running, left_at)
        shown = check_terminal(home, running.screen)
    assert f"ended with {code}" in shown
    assert "writes:1b" in shown, "the summary"


@pytest.mark.timed
def test_a_closed_terminal_ends_everything(home: Home, server: RunningSimulator) -> None:
    with in_mid_run(home, server) as running:
        left_at = time.monotonic()
        running.screen.tmux("kill-session")
        check_what_is_left(home, running, left_at)


@pytest.mark.timed
def test_killed_screens_leave_no_engine(home: Home, server: RunningSimulator) -> None:
    """A killed program cannot restore the terminal; everything else holds."""
    with in_mid_run(home, server) as running:
        left_at = time.monotonic()
        running.ui.kill()
        check_what_is_left(home, running, left_at)


def test_a_killed_engine_is_told_and_the_screens_stay(home: Home, server: RunningSimulator) -> None:
    with in_mid_run(home, server) as running:
        running.children[0].kill()
        running.screen.wait_for("was killed by SIGKILL")
        running.screen.press("q")
        shown = check_terminal(home, running.screen)
    assert "ended with 0" in shown
    assert [row["outcome"] for row in home.trials()] == ["ok"]


@pytest.mark.skipif(find_spec("xllamacpp") is None, reason="the built-in server is not installed")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
@pytest.mark.timed
def test_the_built_in_server_goes_too(home: Home, number: signal.Signals) -> None:
    with home.screens("--host", "builtin") as screen:
        start(screen)
        ui = psutil.Process(screen.pid)
        wait_until(
            lambda: any("builtin_server" in " ".join(one.cmdline()) for one in alive(descendants(ui.pid))),
            timeout_s=60, what="the built-in server runs",
        )  # fmt: skip
        everything = [ui, *descendants(ui.pid)]
        os.kill(ui.pid, number)
        wait_until(lambda: not alive(everything), timeout_s=GONE_WITHIN_S + NOTICE_S, what="every process is gone")


def test_a_terminal_that_closes_without_a_signal_ends_everything(home: Home) -> None:
    """As under ``nohup``, and in a terminal that is not the controlling one."""
    import pty

    ours, theirs = pty.openpty()
    line = f"import os, signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); os.execv({PROGRAM[0]!r}, {PROGRAM!r})"
    started = subprocess.Popen(
        [PROGRAM[0], "-c", line], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, cwd=home.folder,
        env=dict(os.environ) | home.env | {"TERM": "xterm-256color"},
    )  # fmt: skip
    os.close(theirs)
    os.set_blocking(ours, False)
    shown = bytearray()

    def has_engine() -> bool:
        with suppress(BlockingIOError):
            shown.extend(os.read(ours, 1 << 16))
        return len(shown) > 2000 and bool(descendants(started.pid))

    wait_until(has_engine, timeout_s=60, what="the screens are shown")
    everything = [psutil.Process(started.pid), *descendants(started.pid)]
    os.close(ours)
    wait_until(lambda: started.poll() is not None, timeout_s=20, what="the screens end")
    wait_until(lambda: not alive(everything), timeout_s=10, what="every process is gone")
