"""A fresh machine, no Ollama: one key from the first paint to the built-in server's tokens, and a file on disk."""

from __future__ import annotations

import csv
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmtui.core.events import SessionStarted, TrialFinished
from llmtui.link.event_file import EventFile
from tests.acceptance.program import Home, say, start
from tests.acceptance.stand_ins import needs_builtin, with_ollama_installed, without_xllamacpp
from tests.terminal import needs_tmux, wait_until

TOKENS_WITHIN_S = 10.0
NOBODY = "127.0.0.1:9"
QUICK = {"OLLAMA_HOST": NOBODY, "LLMTUI_PRESET": "quick"}


@pytest.fixture
def silent() -> Iterator[str]:
    """Yield the address of a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


def rows_of_summary(home: Home) -> list[dict[str, str]]:
    with (home.sessions()[-1] / "summary.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@needs_builtin
@needs_tmux
@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 36)])
@pytest.mark.timed
def test_enter_brings_tokens_of_the_built_in_server_and_a_file(home: Home, columns: int, rows: int) -> None:
    with home.screens(env=QUICK, columns=columns, rows=rows) as screen:
        screen.wait_for("llmtui")
        painted_s = time.monotonic()
        shown = screen.wait_for("▶ Start", timeout_s=30)
        assert "Built-in server" in shown
        assert f"no Ollama at {NOBODY}" in shown
        assert "[✓] built-in demo" in shown
        assert shown.count("[✓]") == 1, "the demo"
        for category in ("Creativity", "Reasoning", "Coding", "Summary"):
            assert re.search(rf"✓\s{category}", shown)
        screen.press("Enter")
        screen.wait_for(" tokens in ", timeout_s=TOKENS_WITHIN_S)
        wait_until(home.trials, timeout_s=TOKENS_WITHIN_S, what="a row is on disk")
        took_s = time.monotonic() - painted_s
        say(f"first text and first row {took_s:.1f} s after the first paint")
        assert took_s < TOKENS_WITHIN_S
        screen.wait_for("Finished", timeout_s=60)
        screen.press("r")
        screen.wait_for("built-in demo")
        screen.press("q")
        assert screen.wait_for_exit() == 0
        left = screen.screen()
    assert "built-in demo" in left
    assert {row["note"] for row in home.trials()} == {"built-in demo"}
    assert len(home.trials()) >= 6, "more where the machine was busy and a trial was repeated"
    assert {row["note"] for row in rows_of_summary(home)} == {"built-in demo"}
    assert {row["backend"] for row in rows_of_summary(home)} == {"builtin"}


@needs_builtin
@needs_tmux
@pytest.mark.timed
def test_only_the_screen_is_slow_and_the_machine_is_looked_at_ten_times_a_second(home: Home) -> None:
    with home.screens(env=QUICK | {"LLMTUI_CATEGORIES": "coding"}) as screen:
        start(screen)
        screen.wait_for("shown 20× slower", timeout_s=30)
        screen.wait_for("Finished", timeout_s=60)
    events = [event for batch in EventFile(home.sessions()[-1] / "events.jsonl").batches() for event in batch]
    [started] = [event for event in events if isinstance(event, SessionStarted)]
    assert started.fingerprint.sampling_hz == 10.0
    warm = next(event for event in events if isinstance(event, TrialFinished) and event.trial.kind == "warm")
    assert warm.counters is not None
    assert warm.counters.output_duration_ns is not None
    assert warm.counters.output_tokens == 128
    first_ns, last_ns = warm.timeline.t_ns[0], warm.timeline.t_ns[-1]
    assert last_ns - first_ns < 2 * warm.counters.output_duration_ns, "as fast as the server says, not a twentieth"


@needs_builtin
@needs_tmux
def test_a_silent_server_is_named_on_the_screen_and_on_stderr(home: Home, silent: str) -> None:
    with home.screens(env={"OLLAMA_HOST": silent}) as screen:
        screen.wait_for(f"no Ollama at {silent}", timeout_s=30)
        screen.press("q")
        assert screen.wait_for_exit() == 0
        said = screen.tmux("capture-pane", "-p", "-S", "-10", "-t", "0")  # tmux scrolls up for its own word
    assert f"{silent} accepts requests but does not answer in time. The built-in server was used instead." in said


@needs_builtin
def test_a_run_without_screens_says_so_too(home: Home, silent: str) -> None:
    done = home.run("run", "--preset", "quick", "-c", "coding", env={"OLLAMA_HOST": silent})
    assert done.returncode == 0, done.stderr
    assert silent in done.stderr
    assert "Using the built-in server instead." in done.stderr
    assert "built-in demo" in done.stdout
    assert {row["note"] for row in home.trials()} == {"built-in demo"}


@needs_builtin
def test_every_file_says_what_it_was(home: Home, tmp_path: Path) -> None:
    report = tmp_path / "report.md"
    done = home.run("run", "--preset", "quick", "-c", "coding", "--markdown", str(report), env=QUICK)
    assert done.returncode == 0, done.stderr
    assert "built-in demo" in report.read_text(encoding="utf-8")


@needs_builtin
def test_a_server_that_was_named_is_not_replaced(home: Home) -> None:
    done = home.run("run", "--host", NOBODY, "--preset", "quick")
    assert done.returncode == 4
    assert "ollama serve" in done.stderr
    done = home.run("run", "-m", "llama3.2:1b", env=QUICK)
    assert done.returncode == 4, "a model that only that server can have"
    assert home.sessions() == []


@needs_tmux
@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 36)])
def test_with_no_server_at_all_it_says_how_to_get_either(home: Home, tmp_path: Path, columns: int, rows: int) -> None:
    with home.screens(env=QUICK | without_xllamacpp(tmp_path), columns=columns, rows=rows) as screen:
        shown = screen.wait_for("ollama.com/download", timeout_s=30)
        assert "pip install" in shown
        assert "[builtin]" in shown
        assert "No server answers" in shown
        assert NOBODY in shown
        assert "▶ Start" not in shown, "Enter has nothing to start"


@needs_tmux
def test_an_ollama_that_is_installed_but_silent_is_to_be_started(home: Home, tmp_path: Path) -> None:
    env = QUICK | without_xllamacpp(tmp_path) | with_ollama_installed(tmp_path)
    with home.screens(env=env) as screen:
        shown = screen.wait_for("ollama serve", timeout_s=30)
        assert "Ollama is installed here but does not answer" in shown


def test_without_screens_too(home: Home, tmp_path: Path) -> None:
    done = home.run("run", env=QUICK | without_xllamacpp(tmp_path))
    assert done.returncode == 4
    assert NOBODY in done.stderr
    assert "ollama serve" in done.stderr
    assert re.search(r"pip install .*\[builtin\]", done.stderr), done.stderr
    assert done.stdout == ""
