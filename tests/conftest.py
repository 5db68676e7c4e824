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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves snapshots out where they were made with other versions."""
    here = {"Python": platform.python_version().rpartition(".")[0], "Textual": version("textual")}
    other = [f"{name} {here[name]}, not {made}" for name, made in SNAPSHOTS_MADE_WITH.items() if here[name] != made]
    if other:
        skip = pytest.mark.skip(reason=f"the snapshots cannot be compared: this is {' and '.join(other)}")
        for item in items:
            if "snap_compare" in getattr(item, "fixturenames", ()):
                item.add_marker(skip)
