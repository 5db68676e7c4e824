"""How History and the windows look, at the three sizes the layouts are made for."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot

from llmtui.tui.app import LlmtuiApp
from tests.tui.conftest import wait_until
from tests.tui.fakes import FakeHost, an_ollama, engine_beside
from tests.tui.test_history import ENTRIES

SIZES = [(80, 24), (120, 36), (200, 50)]
Compare = Callable[..., bool]

pytestmark = pytest.mark.usefixtures("still")


@pytest.fixture
def _utc(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def listed(*keys: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Wait for the models, then press keys."""

    async def before(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, LlmtuiApp)
        await wait_until(pilot, lambda: app.feed.server is not None)
        await pilot.pause()
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        await wait_until(pilot, lambda: app.animator is None or not app.animator._animations)

    return before


def an_app(answer: Any = an_ollama, **host: Any) -> App[Any]:
    return LlmtuiApp(FakeHost(engine_beside(answer), **host))


def test_own_prompt(snap_compare: Compare) -> None:
    assert snap_compare(an_app(), terminal_size=(80, 24), run_before=listed("p", *"Why?"))


def test_help(snap_compare: Compare) -> None:
    assert snap_compare(an_app(), terminal_size=(120, 36), run_before=listed("f1"))


@pytest.mark.usefixtures("_utc")
@pytest.mark.parametrize("size", [*SIZES, (140, 40)], ids=str)
def test_history(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(an_app(entries=ENTRIES), terminal_size=size, run_before=listed("f5"))


def test_history_without_sessions(snap_compare: Compare) -> None:
    assert snap_compare(an_app(), terminal_size=(80, 24), run_before=listed("f5"))


@pytest.mark.usefixtures("_utc")
def test_history_in_spanish(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "es")
    assert snap_compare(an_app(entries=ENTRIES), terminal_size=(140, 40), run_before=listed("f5", "space"))
