from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.engine.command_bench import CommandBench


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[CommandBench]:
    """Yield a runner that is closed in order, whatever the test left running."""
    made = CommandBench(tmp_path / "results")
    yield made
    made.runner.shut_down()
    async with asyncio.timeout(60):
        await made.runner.closed.wait()
