"""Ways to drive the app in tests: wait for conditions, never for a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from llmtui.tui.text import no_server

INSTALL = "python -m pip install -e '/src/llmtui[builtin]'"


async def wait_until(pilot: Pilot[Any], holds: Callable[[], object], *, timeout_s: float = 60.0) -> None:
    """Wait until a condition holds, letting the app work in between.

    Raises:
        AssertionError: it does not hold in time.
    """
    end = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < end, "did not come in time"
        await asyncio.sleep(0.01)
        await pilot.pause()


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "en")


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing blinks: for pictures."""
    monkeypatch.setattr(Input, "_toggle_cursor", lambda _self: None)


@pytest.fixture(autouse=True)
def _installed_from_a_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command that adds an extra names this installation: one text on every machine."""
    monkeypatch.setattr(no_server, "install_command", lambda: INSTALL)
