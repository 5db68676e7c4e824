"""Cost of History with 2,000 sessions of 500 trials each: listing them, and each key typed into the filter."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable
from pathlib import Path

from benchmarks.made_session import made_plan, made_session
from benchmarks.programs import folder
from benchmarks.rows import Benchmark, Row, spread
from llmtui.cli.services import Services
from llmtui.cli.startup import load_startup
from llmtui.core.events import Chunks, encode
from llmtui.core.session import SessionBuilder
from llmtui.link import Link
from llmtui.store.catalogue import catalogue
from llmtui.store.pairs_csv import write_pairs
from llmtui.store.session_folder import JOURNAL, PAIRS, SUMMARY, TRIALS
from llmtui.store.summary_csv import write_summary
from llmtui.store.trials_csv import trials_csv
from llmtui.tui.app import LlmtuiApp
from llmtui.tui.screens.history import HistoryScreen

SESSIONS, TRIALS_EACH, TOKENS = 2000, 500, 20
LIST_BAR_S, KEY_BAR_MS = 1.0, 50.0
TYPED = "model-b 21 sep"
TRIES = 5


class _NoEngine(Services):
    """The app's services without an engine, because nothing is measured here."""

    def open_engine(self) -> Link:
        raise OSError("no engine in this benchmark")


def measure(quick: bool) -> Iterable[Row]:
    """Yield the time of a listing and of a key in the filter; ``quick`` uses a tenth of the sessions."""
    sessions = SESSIONS // 10 if quick else SESSIONS
    with folder() as where:
        _make(where, sessions)
        listings_s = [_listing_s(where) for _try in range(TRIES)]
        keys_ms = asyncio.run(_keys_ms(where, sessions))
    yield Row(
        f"listing {sessions:,} sessions with {sessions * TRIALS_EACH:,} trials",
        f"{spread(listings_s)} s",
        f"< {LIST_BAR_S:g} s",
        sorted(listings_s)[TRIES // 2] < LIST_BAR_S,
    )
    yield Row(
        "CPU time of a key typed into the filter, until the lines are drawn",
        f"{spread(keys_ms, 0)} ms",
        f"< {KEY_BAR_MS:g} ms",
        sorted(keys_ms)[len(keys_ms) // 2] < KEY_BAR_MS,
    )


def _make(where: Path, sessions: int) -> None:
    """Write one session; the others are hard links to its files, and are read in the same way."""
    first = where / "0000"
    first.mkdir()
    builder = SessionBuilder()
    with (first / JOURNAL).open("wb") as journal:
        for batch in made_session(made_plan(9), TRIALS_EACH * TOKENS, of_a_trial=TOKENS):
            for event in batch:
                if not isinstance(event, Chunks):
                    journal.write(encode(event))
                    builder.apply(event)
    session = builder.snapshot()
    assert session is not None
    (first / TRIALS).write_bytes(trials_csv(session))
    write_summary(first, session)
    write_pairs(first, session)
    for number in range(1, sessions):
        other = where / f"{number:04}"
        other.mkdir()
        for name in (JOURNAL, TRIALS, SUMMARY, PAIRS):
            os.link(first / name, other / name)


def _listing_s(where: Path) -> float:
    began = time.perf_counter()
    catalogue(where)
    return time.perf_counter() - began


async def _keys_ms(where: Path, sessions: int) -> list[float]:
    app = LlmtuiApp(_NoEngine(load_startup({}, results=str(where))))
    taken = []
    async with app.run_test(size=(140, 40)) as pilot:
        await pilot.press("f5")
        while not isinstance(app.screen, HistoryScreen) or len(app.screen.table.items) < sessions:
            await pilot.pause(0.05)
        await pilot.press("slash")
        for character in TYPED:
            began = time.process_time()
            app.screen.field.insert_text_at_cursor(character)
            await pilot.pause()
            taken.append(1000 * (time.process_time() - began))
    return taken


BENCHMARK = Benchmark("history", "A history of 2,000 sessions", measure)
