"""Memory of the screens during a session of a million tokens: ``python -m benchmarks.million TOKENS``.

Prints one line of JSON: resident bytes after a tenth of the tokens and at the end, and how many trials and sensor
readings of the session are in memory then.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from benchmarks.made_session import made_plan, made_session
from llmtui.cli.services import Services
from llmtui.cli.startup import load_startup
from llmtui.core.commands import Command
from llmtui.core.events import Event, TrialFinished
from llmtui.core.records import Problem
from llmtui.link import ReadOnly
from llmtui.tui.app import WatchApp

SIZE = (140, 40)
BREATH_S = 0.002
"""Pause between two batches in seconds, so that the screens can draw in between."""


class MadeLink:
    """A source of events that sends a generated session."""

    accepts_commands = False
    is_live = True
    name = "made up"

    def __init__(self, batches: Iterator[tuple[Event, ...]]) -> None:
        self._batches = batches
        self.trials = 0

    def batches(self) -> Iterator[tuple[Event, ...]]:
        for batch in self._batches:
            yield batch
            if isinstance(batch[0], TrialFinished):
                self.trials += 1
                time.sleep(20 * BREATH_S)
            else:
                time.sleep(BREATH_S / 4)

    def send(self, command: Command) -> None:
        raise ReadOnly(Problem(code="read_only_session"))

    def trial(self, trial_id: str) -> TrialFinished | None:
        return None

    def close(self) -> None:
        self._batches = iter(())


async def run(tokens: int) -> None:
    """Show the session on the screens and print the memory used."""
    link = MadeLink(made_session(made_plan(), tokens))
    seen: list[int] = []
    with tempfile.TemporaryDirectory() as results:
        app = WatchApp(Services(load_startup({}, results=str(Path(results)))), link)
        async with app.run_test(size=SIZE) as pilot:
            for part in (0.1, 1.0):
                while link.trials < part * tokens / 1000:  # noqa: ASYNC110 - a thread reads the link
                    await asyncio.sleep(0.05)
                await pilot.pause()
                gc.collect()
                seen.append(psutil.Process().memory_info().rss)
            session = app.feed.session
            kept = (0, 0) if session is None else (len(session.rows), len(session.samples))
    print(json.dumps({"tenth_bytes": seen[0], "all_bytes": seen[1], "rows": kept[0], "samples": kept[1]}))


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1])))
