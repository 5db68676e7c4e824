"""The screen of each mode. The module of a screen is imported when its mode is first shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from textual.screen import Screen


def _setup_screen() -> Screen[Any]:
    from llmtui.tui.screens.setup import SetupScreen

    return SetupScreen()


def _live_screen() -> Screen[Any]:
    from llmtui.tui.screens.live import LiveScreen

    return LiveScreen()


def _results_screen() -> Screen[Any]:
    from llmtui.tui.screens.results import ResultsScreen

    return ResultsScreen()


def _history_screen() -> Screen[Any]:
    from llmtui.tui.screens.history import HistoryScreen

    return HistoryScreen()


SCREENS: Final[dict[str, str | Callable[[], Screen[Any]]]] = {
    "setup": _setup_screen,
    "live": _live_screen,
    "results": _results_screen,
    "history": _history_screen,
}
