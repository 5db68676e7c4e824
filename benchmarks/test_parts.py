"""Cost of single parts of the program: ``pytest benchmarks/test_parts.py`` (needs pytest-benchmark)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path

import pytest
from msgspec.structs import replace
from pytest_benchmark.fixture import BenchmarkFixture
from textual.app import App, ComposeResult
from textual.widget import Widget

from benchmarks.made_session import WALL_NS, made_plan, made_session, sampled
from llmtui.core.events import Event, encode
from llmtui.core.session import Session, SessionBuilder, fold
from llmtui.store.journal import JournalWriter
from llmtui.store.samples_csv import SamplesCsv
from llmtui.store.trials_csv import trials_csv
from llmtui.tui.widgets.machine_plots import MachinePlots
from llmtui.tui.widgets.trial_table import TrialTable

EVENTS = 1_000_000
AT_ONCE = 10_000
TESTS = 1000
SIZE = (140, 40)


@pytest.fixture(scope="module")
def session() -> Session:
    """Return a session of a thousand trials of a thousand tokens each."""
    made = fold(chain.from_iterable(made_session(made_plan(), TESTS * 1000)))
    assert made is not None
    assert len(made.rows) == TESTS
    return made


def test_fold(benchmark: BenchmarkFixture) -> None:
    builder = SessionBuilder()
    events = chain.from_iterable(made_session(made_plan(rounds=200), EVENTS * 10))

    def some() -> tuple[tuple[list[Event]], dict[str, object]]:
        return (list(islice(events, AT_ONCE)),), {}

    def apply(them: list[Event]) -> None:
        for event in them:
            builder.apply(event)
        builder.snapshot()

    benchmark.extra_info.update(what=f"folding one event into a session, with {EVENTS:,} events", parts=AT_ONCE)
    benchmark.pedantic(apply, setup=some, rounds=EVENTS // AT_ONCE, iterations=1)
    folded = builder.snapshot()
    assert folded is not None
    assert len(folded.rows) > TESTS


def test_encoding_and_journal(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    journal = JournalWriter(tmp_path)
    looks = [sampled(number * 10**9) for number in range(AT_ONCE)]

    def write() -> None:
        for look in looks:
            journal.append(encode(look))

    benchmark.extra_info.update(what="a sensor reading, encoded and written to the journal", parts=AT_ONCE)
    benchmark.pedantic(write, rounds=20, warmup_rounds=1)
    journal.close()


def test_samples_csv(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    file = SamplesCsv(tmp_path, start_t_ns=0, start_wall_ns=WALL_NS)
    looks = [sampled(number * 10**9) for number in range(TESTS)]

    def write() -> None:
        for look in looks:
            file.append(look, "t1")

    benchmark.extra_info.update(what="a sensor reading, written to samples.csv", parts=TESTS)
    benchmark.pedantic(write, rounds=20, warmup_rounds=1)
    file.close()


def test_trials_csv(benchmark: BenchmarkFixture, session: Session) -> None:
    benchmark.extra_info.update(what="a row of trials.csv", parts=TESTS)
    content = benchmark.pedantic(trials_csv, (session,), rounds=10, warmup_rounds=1)
    assert content.count(b"\n") == TESTS + 1


@pytest.mark.benchmark(timer=time.process_time)  # CPU time, since waiting for a frame costs nothing
def test_plots(benchmark: BenchmarkFixture, session: Session) -> None:
    plots = MachinePlots()

    frames = [replace(session, latest_sample_t_ns=number) for number in range(50)]
    with _shown(plots) as step:

        def draw() -> None:
            for frame in frames:
                plots._drawn_at = float("-inf")  # noqa: SLF001 - draw at every call instead of once per second
                plots.show_session(frame)

        before = plots.canvas.drawings
        benchmark.extra_info.update(what="both plots, drawn again at 140×40", parts=len(frames))
        benchmark.pedantic(lambda: step(draw), rounds=10, warmup_rounds=1)
        assert plots.canvas.drawings - before == 2 * 11 * len(frames)


@pytest.mark.benchmark(timer=time.process_time)
def test_table(benchmark: BenchmarkFixture, session: Session) -> None:
    table = TrialTable(follows=True)
    shown = replace(session, rows=session.rows[: TESTS // 2])
    lengths = iter(range(TESTS // 2 + 1, TESTS))
    with _shown(table) as step:
        step(lambda: table.show_session(shown))

        def more() -> tuple[tuple[Session], dict[str, object]]:
            return (replace(session, rows=session.rows[: next(lengths)]),), {}

        benchmark.extra_info.update(what=f"one more row in a table of {TESTS // 2}, drawn", parts=1)
        benchmark.pedantic(lambda longer: step(lambda: table.show_session(longer)), setup=more, rounds=200)
        assert table.row_count > TESTS // 2 + 199


@contextmanager
def _shown(widget: Widget) -> Iterator[Callable[[Callable[[], None]], None]]:
    """Show a widget alone; yield a function that runs an action in the app's loop and returns when it is drawn."""

    class Alone(App[None]):
        def compose(self) -> ComposeResult:
            yield widget

    async def step(act: Callable[[], None]) -> None:
        act()
        await pilot.pause()

    with asyncio.Runner() as runner:
        running = Alone().run_test(size=SIZE)
        pilot = runner.run(running.__aenter__())
        runner.run(pilot.pause(0.5))  # until the plotting library is imported
        yield lambda act: runner.run(step(act))
        runner.run(running.__aexit__(None, None, None))
