"""How Setup and its windows look, at four sizes, in both languages, dark, light and without colour."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from textual.app import App
from textual.pilot import Pilot

from llmtui.config import Settings
from llmtui.core.commands import Command, ListModels, SetServer, ShowModel
from llmtui.core.estimate import PastSpeed
from llmtui.core.events import Event, ListedModel, ModelShown
from llmtui.core.fit import FreeMemory, KvShape
from llmtui.tui.app import LlmtuiApp
from llmtui.tui.screens.setup import SetupScreen
from tests.tui.conftest import wait_until
from tests.tui.fakes import (
    FakeHost,
    a_model,
    an_ollama,
    engine_beside,
    loaded,
    models,
    no_ollama,
    ollama_up,
    some_models,
)
from tests.tui.sessions import a_plan

SIZES = [(80, 24), (100, 30), (140, 40), (200, 50)]
Compare = Callable[..., bool]
GB = 10**9
TOO_LARGE = ListedModel(model=a_model("llama3.3:70b", 42.5, parameters="70.6B", quantisation="Q4_K_M"))
TESTING = ListedModel(
    model=a_model("synthetic-150M", 0.1, backend="builtin", quantisation="Q8_0", note="speed only, text is noise")
)
LISTED = (*some_models()[:5], TOO_LARGE, *some_models()[5:], TESTING)
PAST = {
    "sha256-phi3:mini": PastSpeed(decode_tps=31.2, load_s=2.1, wall_ns=1_764_068_400 * 10**9),
    "sha256-llama3:8b": PastSpeed(decode_tps=23.5, load_s=4.2, wall_ns=1_764_068_400 * 10**9),
}

pytestmark = pytest.mark.usefixtures("still", "_utc")


@pytest.fixture
def _utc(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def a_machine(command: Command, *, others: bool = False) -> tuple[Event, ...]:
    """An Ollama on a machine with 9.4 GB free, that tells all about its models."""
    match command:
        case SetServer() | ListModels():
            memory = FreeMemory(ram_available_bytes=9_400_000_000, ram_total_bytes=16 * GB)
            resident = [one.resident for one in LISTED if one.resident is not None]
            beside = [loaded(a_model("somebody-elses:13b", 7.4))] if others else []
            listed = models(*LISTED, resident=(*resident, *beside))
            return (ollama_up(), msgspec.structs.replace(listed, memory=memory))
        case ShowModel():
            model = next(one.model for one in LISTED if one.model.name == command.name)
            template = "{{- if .System }}<|system|>\n{{ .System }}<|end|>\n{{- end }}<|user|>\n{{ .Prompt }}<|end|>"
            can = ("completion", "tools")
            kv = KvShape(bytes_per_token=131_072, context_limit=8192)
            return (ModelShown(model=model, template=template, capabilities=can, kv=kv),)
        case _:
            return an_ollama(command)


def told(*keys: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Wait until all is told of the models, then press keys."""

    async def before(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, LlmtuiApp)
        await wait_until(pilot, lambda: isinstance(app.screen, SetupScreen) and app.feed.server is not None)
        setup = app.screen
        assert isinstance(setup, SetupScreen)
        if app.feed.server is not None and app.feed.server.problem is None:
            await wait_until(pilot, lambda: setup.models.models.facts)
            await wait_until(pilot, lambda: all(setup.details.of(one.listed.model) for one in known(setup)))
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        await pilot.pause()
        await wait_until(pilot, lambda: app.animator is None or not app.animator._animations)

    return before


def known(setup: SetupScreen) -> list[Any]:
    host = setup.shell.host
    return list(setup.models.models.facts.values()) if host.past_speeds() else []


def an_app(answer: Any = a_machine, **changes: Any) -> App[Any]:
    host: dict[str, Any] = {"past": PAST, "last_plan": a_plan()} | changes
    return LlmtuiApp(FakeHost(engine_beside(answer), **host))


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_setup(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(an_app(), terminal_size=size, run_before=told("down", "space"))


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_setup_in_spanish(snap_compare: Compare, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "es")
    assert snap_compare(an_app(), terminal_size=size, run_before=told())


@pytest.mark.parametrize("size", [(80, 24), (140, 40)], ids=str)
def test_setup_in_daylight(snap_compare: Compare, size: tuple[int, int]) -> None:
    light = an_app(settings=Settings(theme="llmtui-light"))
    assert snap_compare(light, terminal_size=size, run_before=told("comma", "comma"))


@pytest.mark.parametrize("size", [(80, 24), (140, 40)], ids=str)
def test_setup_without_colours(snap_compare: Compare, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(an_app(), terminal_size=size, run_before=told("a"))


@pytest.mark.parametrize("size", [(80, 24), (140, 40)], ids=str)
def test_setup_with_everything_open(snap_compare: Compare, size: tuple[int, int]) -> None:
    def answer(command: Command) -> tuple[Event, ...]:
        return a_machine(command, others=True)

    assert snap_compare(an_app(answer), terminal_size=size, run_before=told("o"))


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_settings(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(an_app(), terminal_size=size, run_before=told("f7"))


def test_settings_in_spanish(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "es")
    assert snap_compare(an_app(), terminal_size=(100, 30), run_before=told("f7"))


@pytest.mark.parametrize("size", [(80, 24), (140, 40)], ids=str)
def test_prompts(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(an_app(), terminal_size=size, run_before=told("v", "down"))


def test_model_card_in_a_window(snap_compare: Compare) -> None:
    assert snap_compare(an_app(), terminal_size=(80, 24), run_before=told("i"))


def test_download(snap_compare: Compare) -> None:
    assert snap_compare(an_app(), terminal_size=(80, 24), run_before=told("d"))


def test_again(snap_compare: Compare) -> None:
    assert snap_compare(an_app(), terminal_size=(80, 24), run_before=told("g"))


def test_setup_where_no_server_answers(snap_compare: Compare) -> None:
    app = an_app(no_ollama, builtin_available=False, ollama_installed=True)
    assert snap_compare(app, terminal_size=(80, 24), run_before=told())


def test_setup_on_the_built_in_server(snap_compare: Compare) -> None:
    async def before(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, LlmtuiApp)
        await wait_until(pilot, lambda: app.feed.models is not None)
        await told()(pilot)

    assert snap_compare(an_app(no_ollama, past=None), terminal_size=(80, 24), run_before=before)
