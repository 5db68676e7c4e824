"""Nothing that fails beside the loop is lost: a sentence on screen, and a traceback where it is a fault of llmtui."""

from __future__ import annotations

import ast
import errno
import os
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

import llmtui.tui
from llmtui.cli.services import Services
from llmtui.cli.startup import load_startup
from llmtui.core.plan import Plan
from llmtui.tui.app import LlmtuiApp
from llmtui.tui.host import ExitReport, SessionEntry
from llmtui.tui.screens.base import BaseScreen
from tests.tui.conftest import wait_until
from tests.tui.fakes import FakeHost, an_ollama, engine_beside

PATH = "/home/ana/results"


class BrokenHost(FakeHost):
    """Every file of the saved sessions fails in the same way."""

    error: Exception = NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), PATH)

    def sessions(self) -> tuple[SessionEntry, ...]:
        raise self.error

    def last_plan(self) -> Plan | None:
        raise self.error


def toasts(app: LlmtuiApp) -> str:
    return " ".join(f"{toast.title} {toast.message}" for toast in app._notifications)


async def until_said(pilot: Pilot[ExitReport], app: LlmtuiApp, words: str) -> None:
    await wait_until(pilot, lambda: words in toasts(app))


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", f"Failed: reading the saved sessions ({PATH}): Not a directory. Check the path"),
        ("es", f"Falló: leer las sesiones guardadas ({PATH}): Not a directory. Comprueba la ruta"),
    ],
)
async def test_history_says_why_it_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, language: str, sentence: str
) -> None:
    monkeypatch.setenv("LANGUAGE", language)
    app = LlmtuiApp(BrokenHost(engine_beside(an_ollama)))
    async with app.run_test() as pilot:
        await pilot.press("f5")
        await until_said(pilot, app, sentence)
        await wait_until(pilot, lambda: sentence in str(app.screen.query_one("#no-sessions", Static).render()))
    assert app.failures == []


async def test_the_key_that_runs_the_last_plan_says_why_it_does_not() -> None:
    app = LlmtuiApp(BrokenHost(engine_beside(an_ollama)))
    async with app.run_test() as pilot:
        await wait_until(pilot, lambda: app.feed.models is not None)
        app.run_last()
        await until_said(pilot, app, "reading the last plan")


async def test_a_fault_of_llmtui_keeps_its_traceback_for_the_normal_screen() -> None:
    host = BrokenHost(engine_beside(an_ollama))
    host.error = KeyError("a mistake")
    app = LlmtuiApp(host)
    async with app.run_test() as pilot:
        await pilot.press("f5")
        await until_said(pilot, app, "KeyError('a mistake')")
    assert len(app.failures) == 2, "the sessions and the last plan"
    assert all("Traceback" in failure for failure in app.failures)


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "The measuring process cannot be started: no more links in this test."),
        ("es", "No se puede iniciar el proceso de medición: no more links in this test."),
    ],
)
async def test_an_engine_that_cannot_start_is_a_banner(
    monkeypatch: pytest.MonkeyPatch, language: str, sentence: str
) -> None:
    monkeypatch.setenv("LANGUAGE", language)
    app = LlmtuiApp(FakeHost())
    async with app.run_test() as pilot:
        await wait_until(pilot, lambda: app.feed.ended)
        await wait_until(
            pilot, lambda: isinstance(app.screen, BaseScreen) and sentence in str(app.screen.banner.render())
        )


@pytest.mark.parametrize(("language", "words"), [("en", "must be a whole number"), ("es", "debe ser un número entero")])
async def test_a_bad_variable_is_told_by_a_toast(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, language: str, words: str
) -> None:
    monkeypatch.setenv("LLMTUI_LANGUAGE", language)
    monkeypatch.setenv("LLMTUI_NUM_CTX", "abc")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    host = FakeHost(engine_beside(an_ollama))
    host.problems = Services(load_startup({})).problems
    app = LlmtuiApp(host)
    async with app.run_test() as pilot:
        await until_said(pilot, app, words)
        assert "LLMTUI_NUM_CTX" in toasts(app)


def test_no_other_worker_drops_what_it_raises() -> None:
    """``in_background`` is the one way to start a thread of work."""
    users: set[str] = set()
    for file in sorted(Path(llmtui.tui.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "textual":
                users |= {file.name for name in node.names if name.name == "work"}
    assert users == {"background.py"}
