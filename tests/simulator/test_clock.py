from __future__ import annotations

import datetime
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtui.simulator.clock import Waiter, now_ns, rfc3339_nano


@given(st.integers(0, 11_000_000_000_000_000_000))
def test_a_time_is_written_so_that_it_reads_back_to_the_nanosecond(wall_ns: int) -> None:
    text = rfc3339_nano(wall_ns)
    head, _, fraction = text.removesuffix("Z").partition(".")
    seconds = datetime.datetime.fromisoformat(head + "+00:00").timestamp()
    assert round(seconds) * 1_000_000_000 + int((fraction or "0").ljust(9, "0")) == wall_ns


def test_trailing_zeros_are_dropped_as_go_drops_them() -> None:
    assert rfc3339_nano(1_000_000_000_500_000_000) == "2001-09-09T01:46:40.5Z"
    assert rfc3339_nano(1_000_000_000_000_000_000) == "2001-09-09T01:46:40Z"


@pytest.mark.parametrize("blocking", [True, False])
async def test_a_wait_never_ends_early(blocking: bool) -> None:
    waiter = Waiter(blocking=blocking)
    for wait_ns in (0, 300_000, 1_500_000, 4_200_000):
        deadline_ns = now_ns() + wait_ns
        await waiter.until(deadline_ns)
        assert now_ns() >= deadline_ns - 50_000  # the clock's own rounding


@pytest.mark.timed
async def test_a_deadline_in_the_past_is_no_wait() -> None:
    began = time.monotonic()
    await Waiter(blocking=True).until(now_ns() - 10_000_000_000)
    assert time.monotonic() - began < 1
