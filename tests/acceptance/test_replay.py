"""One mechanism, three sources: what was watched live, read from the journal and sent through a pipe is the same."""

from __future__ import annotations

import os
import re
import shlex
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

import psutil
import pytest

from llmtui.core.events import Event, decode_event
from llmtui.core.session import Session, fold
from llmtui.core.summary import summarise
from llmtui.link import Link
from llmtui.link.event_file import EventFile
from llmtui.link.stdin_pipe import StdinPipe
from llmtui.report.rows import by_category, by_model
from llmtui.simulator import Ending, RunningSimulator, Script, ScriptedAnswer, SimulatedModel
from llmtui.simulator.process import running_simulator
from llmtui.words.conclusions import headed
from tests.acceptance.program import PROGRAM, Home, alive, descendants, start
from tests.terminal import Terminal, needs_tmux, terminal, wait_until

SESSION = ("--preset", "quick", "--num-predict", "70", "--think", "on")


def varied() -> Script:
    """Return models that fill every kind of cell: fast, thinking, failing, short; one with a wrong server clock."""
    thinks = ScriptedAnswer(thinking_tokens=20, tokens=80)
    breaks = ScriptedAnswer(ending=Ending(kind="cut", after_chunks=12))
    speeds = {"load_s": 0.05, "decode_tps": 400.0}
    return Script(
        models=(
            SimulatedModel(name="quick:1b", counter_scale=1.1, **speeds),  # type: ignore[arg-type]
            SimulatedModel(name="thinks:3b", capabilities=("completion", "thinking"), answers=(thinks,), **speeds),  # type: ignore[arg-type]
            SimulatedModel(name="fails:2b", answers=(ScriptedAnswer(), ScriptedAnswer(), breaks), **speeds),  # type: ignore[arg-type]
            SimulatedModel(name="short:1b", answers=(ScriptedAnswer(tokens=12),), **speeds),  # type: ignore[arg-type]
        ),
    )


def events_of(link: Link) -> list[Event]:
    return [event for batch in link.batches() for event in batch]


@contextmanager
def piped(data: bytes) -> Iterator[int]:
    """Yield the read end of a pipe with all of this data, cut anywhere. The reader closes it."""
    read_end, write_end = os.pipe()

    def write() -> None:
        for at in range(0, len(data), 777):
            os.write(write_end, data[at : at + 777])
        os.close(write_end)

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    yield read_end
    writer.join()


@pytest.mark.slow
def test_the_journal_and_a_pipe_give_the_live_figures(home: Home) -> None:
    named = [word for model in varied().models for word in ("-m", model.name)]
    with running_simulator(varied()) as server:
        done = home.run("run", "--host", server.url, *SESSION, *named, "--events", "-")
    assert done.returncode == 3, done.stderr
    lines = done.stdout.encode()

    journal = EventFile(home.sessions()[-1] / "events.jsonl")
    live = _folded(decode_event(line) for line in lines.splitlines())
    replayed = _folded(events_of(journal))
    with piped(lines) as read_end:
        pipe = StdinPipe(read_end)
        received = _folded(events_of(pipe))

    assert len(live.rows) >= 24
    assert {row.outcome for row in live.rows} >= {"ok", "error"}
    assert {flag for row in live.rows for flag in row.flags} >= {"clock_disagreement", "short_output"}
    for other in (replayed, received):
        assert by_model(other) == by_model(live)
        assert by_category(other) == by_category(live)
        assert summarise(other) == summarise(live)
        assert list(headed(other)) == list(headed(live))
        assert other.rows == live.rows
        assert (other.phases, other.notes, other.finished) == (live.phases, live.notes, live.finished)
    for row in live.rows:
        from_journal, from_pipe = journal.trial(row.trial.id), pipe.trial(row.trial.id)
        assert from_journal is not None
        assert from_journal == from_pipe
        assert sum(from_journal.timeline.chars) == len(from_journal.text)
    pipe.close()


def _folded(events: Iterable[Event]) -> Session:
    session = fold(events)
    assert session is not None
    return session


# --- on the screen ------------------------------------------------------------------------------------------------


STILL_S = 0.5


def still(screen: Terminal) -> list[str]:
    """Return the screen below its first line, which lists the places, once it no longer changes."""
    seen: list[str] = []
    since = time.monotonic()

    def stands() -> bool:
        nonlocal since
        shown = screen.screen().splitlines()[1:]
        if shown != seen:
            seen[:], since = shown, time.monotonic()
        return time.monotonic() - since > STILL_S

    wait_until(stands, timeout_s=15, what="the screen stands still")
    return seen


def all_tables(screen: Terminal) -> dict[str, list[str]]:
    """Return the texts of Live's table and of each part of Results."""
    screen.wait_for("Finished", timeout_s=60)
    tables: dict[str, list[str]] = {}
    for key, part, comes, goes in (
        ("3", "live trials", "TTFT s", "Machine"), ("F4", "models", "Conditions", "TTFT s"),
        ("2", "categories", "Category", "Conditions"), ("3", "trials", "TTFT s", "Category "),
        ("5", "words", "Decode speed", "TTFT s"),
    ):  # fmt: skip
        screen.press(key)
        screen.wait_for(comes, without=goes)
        tables[part] = [without_offers(line) for line in still(screen)[:-1]]
    return tables


def without_offers(line: str) -> str:
    """Return a line without offers of more rounds, which depend on whether a run can continue, and without sparklines.

    Live's sparklines have what arrived by the time; a saved session has whole trials.
    """
    line = re.sub(r"\s+\+ \d+ more rounds?, .*$", "", re.sub("─+", "─", line))
    return re.sub("[▁-█]{2,} *", "", line).rstrip()


@needs_tmux
@pytest.mark.slow
def test_a_watched_session_shows_the_live_tables_cell_for_cell(home: Home) -> None:
    env = {"LLMTUI_PRESET": "quick", "LLMTUI_NUM_PREDICT": "70", "LLMTUI_THINK": "on",
           "LLMTUI_MODELS": "quick:1b,thinks:3b,fails:2b,short:1b"}  # fmt: skip
    with running_simulator(varied()) as server, home.screens("--host", server.url, rows=60, env=env) as screen:
        start(screen)
        live = all_tables(screen)
        screen.press("q")
        assert screen.wait_for_exit() == 0
    rows = home.trials()
    assert len(rows) >= 24
    for row in rows:
        assert any(row["model"] in line for line in live["live trials"])
    with home.screens("watch", home.sessions()[-1].name, rows=60) as screen:
        assert all_tables(screen) == live
        screen.press("q")
        assert screen.wait_for_exit() == 0


@needs_tmux
@pytest.mark.slow
def test_a_pipe_is_watched_with_keys(home: Home) -> None:
    """``llmtui run --events - | llmtui watch -``: the keyboard is the terminal's, and leaving ends the other side."""
    with running_simulator(varied()) as server, _pipeline(home, server, "--rounds", "50") as screen:
        screen.wait_for("Live")
        screen.wait_for("Creativity", timeout_s=30)
        screen.press("F4")
        screen.wait_for("1 Models", timeout_s=10)
        screen.wait_for("quick:1b")
        screen.press("F3")
        screen.wait_for("TTFT s")
        screen.press("p")
        screen.press("s")
        everything = descendants(screen.pid)
        assert len(everything) >= 3, "run, its engine, watch"
        screen.press("q")
        screen.wait_for("ended with 0")
        wait_until(lambda: not alive(everything), timeout_s=8, what="the other side ends with its next line")
        wait_until(lambda: not server.state()["loaded"], timeout_s=3, what="what the run loaded is unloaded")
    assert home.trials()[-1]["outcome"] in ("cancelled", "ok", "error")


@needs_tmux
@pytest.mark.slow
def test_a_piped_run_that_ends_stays_on_the_screen(home: Home) -> None:
    with running_simulator(varied()) as server, _pipeline(home, server, "--rounds", "1") as screen:
        screen.wait_for("Finished", timeout_s=40)
        screen.press("F4")
        shown = "\n".join(still(screen))
        assert "quick:1b" in shown
        assert psutil.Process(screen.pid).children(), "watch stays until it is left"
        screen.press("q")
        screen.wait_for("ended with 0")


def _pipeline(home: Home, server: RunningSimulator, *words: str) -> AbstractContextManager[Terminal]:
    run = shlex.join([*PROGRAM, "run", "--host", server.url, "--num-predict", "40", "-m", "quick:1b", "-m", "fails:2b",
                      *words, "--events", "-"])  # fmt: skip
    watch = shlex.join([*PROGRAM, "watch", "-"])
    shell = f'{run} | {watch}; echo "ended with $?"; read nothing'
    return terminal(["sh", "-c", shell], columns=140, rows=40, env=home.env, cwd=str(home.folder))
