"""What holds for all tests."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version

import pytest
from hypothesis import settings

# A busy machine is no failure: how long an example takes says nothing about whether it is right.
settings.register_profile("llmtui", deadline=None)
settings.register_profile("short", deadline=None, max_examples=10)
settings.register_profile("long", deadline=None, max_examples=10_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "llmtui"))

SNAPSHOTS_MADE_WITH = {"Python": "3.11", "Textual": "8.2.8"}
"""Other versions draw a cell here or there differently; what the screens do is tested with all of them."""


def pytest_configure(config: pytest.Config) -> None:
    """Leave out tests that need a quiet machine or much time, unless named or selected by their marker.

    ``pytest`` runs the fast tests, ``pytest FOLDER`` also the slow ones in it, and ``pytest FILE::TEST`` any test.
    """
    if config.option.markexpr or any("::" in name for name in config.args):
        return
    named = config.args_source is pytest.Config.ArgsSource.ARGS
    config.option.markexpr = "not timed" if named else "not timed and not slow"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out snapshots where they were made with other versions."""
    here = {"Python": platform.python_version().rpartition(".")[0], "Textual": version("textual")}
    other = [f"{name} {here[name]}, not {made}" for name, made in SNAPSHOTS_MADE_WITH.items() if here[name] != made]
    if other:
        skip = pytest.mark.skip(reason=f"the snapshots cannot be compared: this is {' and '.join(other)}")
        for item in items:
            if "snap_compare" in getattr(item, "fixturenames", ()):
                item.add_marker(skip)
