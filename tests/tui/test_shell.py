"""The app is what its screens take it for."""

from __future__ import annotations

from llmtui.tui.app import LlmtuiApp
from llmtui.tui.shell import Shell
from tests.tui.fakes import FakeHost


def test_the_app_has_the_shape_that_screens_know() -> None:
    shell: Shell = LlmtuiApp(FakeHost())  # the type checker compares every member's type
    wanted = {*Shell.__annotations__, *(name for name in vars(Shell) if not name.startswith("_"))}
    assert {name for name in wanted if not hasattr(shell, name)} == set()
