"""The line of keys: whole keys only, and all of them where there is room."""

from __future__ import annotations

from textual.widgets._footer import FooterKey

from llmtui.tui.widgets.key_line import KeyLine
from tests.tui.conftest import wait_until
from tests.tui.stage import Stage


def shown(stage: Stage) -> list[str]:
    return [key.description for key in stage.setup.query(FooterKey)]


async def test_no_key_is_cut_and_more_come_with_the_room() -> None:
    stage = Stage()
    async with stage.app.run_test(size=(80, 24)) as pilot:
        await stage.listed(pilot)
        await wait_until(pilot, lambda: "Start" in shown(stage))
        await wait_until(pilot, lambda: all(key.region.width for key in stage.setup.query(FooterKey)))
        width = stage.setup.query_exactly_one(KeyLine).size.width
        assert all(key.region.right <= width for key in stage.setup.query(FooterKey))
        assert "Refresh" not in shown(stage)
        await pilot.resize_terminal(160, 40)
        await wait_until(pilot, lambda: "Refresh" in shown(stage))
