"""Fixtures of the acceptance tests, which are slow where they drive a whole program."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.program import home

__all__ = ["home"]

FOLDER = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that start programs."""
    for item in items:
        if item.path.is_relative_to(FOLDER) and {"home", "seen"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
