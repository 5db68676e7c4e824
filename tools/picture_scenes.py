"""The scenes of the pictures: the real app without a terminal, fed from a recorded session, at chosen moments."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from textual.pilot import Pilot

from llmtui.config import Settings, shipped_pack
from llmtui.core.commands import Command, ListModels, SetServer
from llmtui.core.estimate import PastSpeed
from llmtui.core.events import (
    Chunks,
    Event,
    ListedModel,
    SessionStarted,
    TrialFinished,
    TrialStarted,
    decode_event,
)
from llmtui.core.metrics import chunk_texts
from llmtui.core.plan import Plan
from llmtui.core.records import Problem
from llmtui.core.session import Session, fold
from llmtui.core.trial_row import TrialRow
from llmtui.link.event_file import EventFile
from llmtui.tui.app import LlmtuiApp, WatchApp
from llmtui.tui.host import ExitReport, SessionEntry
from llmtui.tui.screens import live as live_screen
from llmtui.tui.screens import replay as replay_screen
from llmtui.tui.screens.live import LiveScreen
from llmtui.tui.screens.replay import ReplayScreen
from llmtui.tui.screens.results import ResultsScreen
from llmtui.tui.widgets import phase_bar
from tests.tui.fakes import FakeHost, FakeLink, a_model, loaded, models, ollama_up, ready

Scene = Callable[["Stage"], Coroutine[Any, Any, str]]
USUAL, SMALL = (120, 36), (80, 24)
WAIT_S = 30.0
SECONDS_IN = 7.0
"""Time in the replay, in seconds, at which its picture is taken."""
STILL_S = 0.4
"""A picture is taken when the screen has not changed for this time."""


class Stage(NamedTuple):
    """The recorded session from which every scene is made."""

    events: tuple[Event, ...]
    journal: Path
    """The session's journal, unpacked."""

    @property
    def plan(self) -> Plan:
        """Return the plan of the session."""
        [start] = [event for event in self.events if isinstance(event, SessionStarted)]
        return start.plan

    @property
    def finished(self) -> dict[str, TrialFinished]:
        """Return trial id → finished trial."""
        return {event.trial.id: event for event in self.events if isinstance(event, TrialFinished)}

    @property
    def session(self) -> Session:
        """Return the whole session."""
        session = fold(self.events)
        assert session is not None
        return session

    def host(
        self, *links: FakeLink, past: Mapping[str, PastSpeed] | None = None, entries: tuple[SessionEntry, ...] = ()
    ) -> FakeHost:
        """Return a host for the screens, with the shipped prompts and the session's models as those measured last."""
        settings = Settings(models=tuple(one.model.name for one in self.plan.contenders))
        return FakeHost(*links, settings=settings, pack=shipped_pack("en"), past=past, entries=entries)


def unpack(packed: Path, folder: Path) -> Stage:
    """Return the stage for a recorded session, unpacked into a folder."""
    journal = folder / "events.jsonl"
    journal.write_bytes(gzip.decompress(packed.read_bytes()))
    return Stage(tuple(decode_event(line) for line in journal.read_bytes().splitlines()), journal)


# --- Setup --------------------------------------------------------------------------------------------------------


async def setup(stage: Stage) -> str:
    """Return the Setup screen of a returning user: models and prompts are picked, and the time needed is known."""
    link = FakeLink(ready(), answer=lambda command: _server(stage, command))
    app = LlmtuiApp(stage.host(link, past=_past(stage)))
    async with on(app, USUAL) as pilot:
        return await picture(pilot, "Start")


def _server(stage: Stage, command: Command) -> tuple[Event, ...]:
    if not isinstance(command, SetServer | ListModels):
        return ()
    measured = [ListedModel(model=one.model) for one in stage.plan.contenders]
    first = measured[0].model
    others = (
        ListedModel(model=a_model("phi4-mini:3.8b", 2.5, parameters="3.8B", quantisation="Q4_K_M", family="phi3")),
        ListedModel(model=a_model("gemma3:12b", 8.1, parameters="12.2B", quantisation="Q4_K_M", family="gemma3")),
        ListedModel(
            model=a_model("nomic-embed-text", 0.27, parameters="137M", quantisation="F16"),
            why_not=Problem(code="makes_embeddings", args={"name": "nomic-embed-text"}),
        ),
    )
    listed = (ListedModel(model=first, resident=loaded(first)), *measured[1:], *others)
    return (ollama_up(), models(*listed))


def _past(stage: Stage) -> Mapping[str, PastSpeed]:
    speeds = (9.1, 9.3, 15.8)
    return {
        one.model.digest: PastSpeed(decode_tps=speed, load_s=4.0)
        for one, speed in zip(stage.plan.contenders, speeds, strict=True)
    }


# --- Live ---------------------------------------------------------------------------------------------------------


async def live(stage: Stage, size: tuple[int, int] = USUAL) -> str:
    """Return the Live screen in the middle of the second round, during an answer of the thinking model."""
    link = FakeLink(ready(), ollama_up())
    app = LlmtuiApp(stage.host(link))
    with no_time_passes():
        async with on(app, size) as pilot:
            await pilot.press("f3")
            for batch in _until(stage, _moment(stage)):
                link.play(*batch)
                # One batch at a time, because a trial's text that was not drawn is dropped when the next trial begins.
                orders = [event.order for event in batch if isinstance(event, TrialStarted)]
                await until_holds(pilot, partial(_drawn, app, orders[-1]))
            return await picture(pilot, "RAM")


@contextmanager
def no_time_passes() -> Iterator[None]:
    """Stop the clocks of the Live screen during a ``with`` statement."""
    with (
        patch.object(phase_bar, "monotonic", lambda: 0.0),
        patch.object(live_screen, "monotonic", lambda: 0.0),
        patch.object(live_screen, "TICK_S", 3600.0),
    ):
        yield


def _drawn(app: LlmtuiApp, order: int) -> bool:
    session = app.feed.session
    return isinstance(app.screen, LiveScreen) and session is not None and session.order == order


async def live_small(stage: Stage) -> str:
    """Return the same picture as ``live``, but in the smallest terminal."""
    return await live(stage, SMALL)


def _moment(stage: Stage) -> TrialFinished:
    """Return the trial to show: a prompt of the thinking model in the second round."""
    [thinker] = [number for number, one in enumerate(stage.plan.contenders) if one.variant.think]
    of_it = [
        one
        for one in stage.finished.values()
        if (one.trial.round, one.trial.contender, one.trial.kind) == (2, thinker, "warm")
    ]
    return of_it[2]


def _until(stage: Stage, moment: TrialFinished) -> Iterator[tuple[Event, ...]]:
    """Yield the events until three quarters of the answer have arrived, in two batches."""
    assert moment.t0_ns is not None
    times = moment.timeline.t_ns
    share = times[len(times) * 3 // 4]
    before = [event for event in stage.events if getattr(event, "t_ns", 0) <= moment.t0_ns + share]
    starts = [at for at, event in enumerate(before) if isinstance(event, TrialStarted)]
    previous = next(one for one in reversed(before) if isinstance(one, TrialFinished))
    yield (*before[: starts[-1]], _text(previous))
    yield (*before[starts[-1] :], _text(moment, share))


def _text(finished: TrialFinished, until_ns: int | None = None) -> Chunks:
    line = finished.timeline
    chunks = zip(line.t_ns, line.channels, chunk_texts(finished), strict=True)
    return Chunks(
        trial_id=finished.trial.id, chunks=tuple(one for one in chunks if until_ns is None or one[0] <= until_ns)
    )


# --- Results, Replay ----------------------------------------------------------------------------------------------


async def results(stage: Stage) -> str:
    """Return the Results screen of the whole session: conclusions, and the figures by model."""
    async with _watching(stage) as pilot:
        await pilot.press("f4")
        return await picture(pilot, "fastest")


async def answers(stage: Stage) -> str:
    """Return the Results screen with the models' answers to one prompt."""
    async with _watching(stage) as pilot:
        await pilot.press("f4")
        await picture(pilot, "fastest")
        await pilot.press("4")
        return await picture(pilot, "128")


async def replay(stage: Stage) -> str:
    """Return the Replay screen with two answers to one prompt, some seconds after both requests."""
    now = [0.0]
    async with _watching(stage) as pilot:
        app = pilot.app
        assert isinstance(app, LlmtuiApp)
        await pilot.press("f4")
        await until_holds(pilot, lambda: isinstance(app.screen, ResultsScreen) and app.feed.session is not None)
        with patch.object(replay_screen, "monotonic", lambda: now[0]):
            await app.push_screen(ReplayScreen(app.feed, stage.session, _pair(stage.session)))
            await picture(pilot, "original")
            now[0] = SECONDS_IN
            return await picture(pilot, str(SECONDS_IN))


def _pair(session: Session) -> tuple[TrialRow, TrialRow]:
    """Return the first model's and the thinking model's answers to one prompt."""
    same = [row for row in session.rows if row.trial.kind == "warm" and (row.trial.round, row.trial.prompt) == (1, 0)]
    by_model = sorted(same, key=lambda row: row.trial.contender)
    return by_model[0], by_model[-1]


def _watching(stage: Stage) -> AbstractAsyncContextManager[Pilot[ExitReport]]:
    return on(WatchApp(stage.host(), EventFile(stage.journal)), USUAL)


# --- History ------------------------------------------------------------------------------------------------------


async def history(stage: Stage) -> str:
    """Return the History screen after some weeks of use."""
    day_ns = 86_400 * 10**9
    [start] = [event for event in stage.events if isinstance(event, SessionStarted)]
    names = tuple(one.label for one in stage.plan.contenders)

    def entry(days: float, of: tuple[str, ...], trials: int, lasted_s: float, **more: str | int | None) -> SessionEntry:
        return SessionEntry(
            session_id=f"{days}",
            wall_ns=start.wall_ns - round(days * day_ns),
            models=of,
            trials=trials,
            duration_s=lasted_s,
            server="Ollama 0.34.4",
            llmtui="0.1.0",
            **{"ok": trials, "finished": "complete"} | more,
        )

    entries = (
        entry(0, names, len(stage.finished), 580),
        entry(0.06, names, 7, 61, finished=None),
        entry(3.2, ("llama3.1:8b", "gemma3:12b"), 60, 900, name="new driver"),
        entry(9.9, ("phi4-mini:3.8b",), 6, 48, note="on battery"),
        entry(15.4, ("qwen3:4b", "qwen3:4b thinking"), 24, 300, ok=23, finished="cancelled"),
        entry(21.3, ("llama3.1:8b", "mistral:7b"), 60, 610, name="old driver"),
    )
    app = LlmtuiApp(stage.host(FakeLink(ready()), entries=entries))
    async with on(app, USUAL) as pilot:
        await pilot.press("f5")
        return await picture(pilot, "interrupted")


SCENES: Mapping[str, Scene] = {
    "setup": setup,
    "live": live,
    "live-80x24": live_small,
    "results": results,
    "answers": answers,
    "replay": replay,
    "history": history,
}
"""Name of a picture → its scene."""


# --- taking a picture ---------------------------------------------------------------------------------------------


@asynccontextmanager
async def on(app: LlmtuiApp, size: tuple[int, int]) -> AsyncIterator[Pilot[ExitReport]]:
    """Run the app without a terminal during a ``with`` statement."""
    async with app.run_test(size=size) as pilot:
        yield pilot


async def until_holds(pilot: Pilot[ExitReport], holds: Callable[[], object]) -> None:
    """Wait until ``holds`` returns a true value.

    Raises:
        TimeoutError: that did not happen within ``WAIT_S`` seconds.
    """
    end = time.monotonic() + WAIT_S
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError("the screen did not come to what the picture shows")
        await asyncio.sleep(0.02)
        await pilot.pause()


async def picture(pilot: Pilot[ExitReport], words: str, still_s: float = STILL_S) -> str:
    """Return the screen as SVG once it shows the words and no longer changes.

    Raises:
        TimeoutError: that did not happen within ``WAIT_S`` seconds.
    """
    end = time.monotonic() + WAIT_S
    shown, since = "", time.monotonic()
    while time.monotonic() < end:
        await pilot.pause()
        now = pilot.app.export_screenshot(title="llmtui")
        if now != shown:
            shown, since = now, time.monotonic()
        elif time.monotonic() - since > still_s and words in now:
            return now
        await asyncio.sleep(0.05)
    raise TimeoutError(f"the screen never stood still with {words!r} on it")
