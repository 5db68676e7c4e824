"""What the first frame may need: counted, not clocked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from llmtui.tui.app import LlmtuiApp
from llmtui.tui.screens.start import StartScreen
from tests.tui.fakes import FakeHost, FakeLink

FIRST_FRAME = """
import sys
from llmtui.cli.startup import load_startup
from llmtui.cli.services import Services
from llmtui.tui.app import LlmtuiApp

class Painted(LlmtuiApp):
    async def begin(self) -> None:
        print(*sorted(sys.modules))
        self.exit()

Painted(Services(load_startup({}))).run(headless=True, size=(120, 36))
"""
NOT_YET = {
    "httpx",
    "ollama",
    "pandas",
    "plotext",
    "psutil",
    "typer",
    "llmtui.core.across",
    "llmtui.core.conclusions",
    "llmtui.core.stats",
    "llmtui.core.verdict",
    "llmtui.engine",
    "llmtui.tui.screens.dialogs",
    "llmtui.tui.screens.help",
    "llmtui.tui.screens.live",
    "llmtui.tui.screens.results",
    "llmtui.tui.screens.setup",
}


def test_nothing_heavy_is_imported_before_it(tmp_path: Path) -> None:
    env = os.environ | {name: str(tmp_path) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
    command = [sys.executable, "-c", FIRST_FRAME]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=env)
    imported = set(done.stdout.split())
    assert "llmtui.tui.screens.start" in imported
    assert not NOT_YET & imported


async def test_the_engine_is_started_after_it_and_not_before() -> None:
    order: list[str] = []

    class Host(FakeHost):
        def open_engine(self) -> FakeLink:
            order.append("engine")
            return super().open_engine()

    class App(LlmtuiApp):
        async def begin(self) -> None:
            assert isinstance(self.screen, StartScreen)
            assert self.screen.region.height > 0
            order.append("painted")
            await super().begin()

    async with App(Host(FakeLink())).run_test() as pilot:
        await pilot.pause()
        while "engine" not in order:
            await pilot.pause()
    assert order == ["painted", "engine"]


async def test_it_has_few_widgets() -> None:
    class App(LlmtuiApp):
        async def begin(self) -> None:
            self.widgets = len(self.screen.query("*"))
            self.exit()

    app = App(FakeHost())
    async with app.run_test():
        pass
    assert app.widgets <= 6


@pytest.mark.parametrize("key", ["f2", "f3", "f4", "f5"])
async def test_leaving_while_a_screen_is_being_made_is_clean(key: str) -> None:
    class App(LlmtuiApp):
        async def begin(self) -> None:
            await super().begin()
            self.simulate_key(key)
            self.leave("terminated")

    app = App(FakeHost())
    async with app.run_test():
        pass
    assert app.return_value is not None
