"""The first 60 seconds on a slow machine: 19 s to load a model, 6 tokens per second, three models.

In CI all times of the server are divided by ten. By hand at full length::

    python -m tests.acceptance.test_first_minute
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from llmtui.simulator import RouteFault, RunningSimulator, Script
from llmtui.simulator.process import running_simulator
from llmtui.simulator.scenarios import three_models
from tests.acceptance.program import Home, say
from tests.terminal import Terminal, needs_tmux, wait_until

POLL_S = 0.2
MOVES_EVERY_S = 1.0
LATE_S = 0.5
"""How late a second hand may be seen: two polls, on cores that others use too."""
SERVER_WAITS_S = 2.0
MODELS = ("llama3:8b", "mistral:7b", "gemma:7b")
TRIALS = 6
"""Number of trials of one model in one round: a cold start, four prompts, a follow-up."""


class Watched(msgspec.Struct):
    """What was seen from Enter on, in seconds since then."""

    moved_s: list[float] = msgspec.field(default_factory=lambda: [0.0])
    first_row_s: float | None = None
    screens: list[tuple[float, str]] = []
    """Every screen that differed from the one before."""

    @property
    def longest_rest_s(self) -> float:
        """The longest time in which nothing on the screen changed."""
        return max(later - earlier for earlier, later in zip(self.moved_s, self.moved_s[1:], strict=False))


@needs_tmux
@pytest.mark.slow
@pytest.mark.timed
def test_a_slow_server_is_never_a_dead_screen(home: Home) -> None:
    watched = first_round(home, time_scale=10.0)
    say(f"longest rest {watched.longest_rest_s:.2f} s of {watched.moved_s[-1]:.0f} s, {len(watched.moved_s)} changes")


def first_round(home: Home, *, time_scale: float) -> Watched:
    """Start the screens beside a slow server, press Enter as soon as possible and watch one round."""
    with running_simulator(slow(time_scale)) as server, home.screens("--host", server.url) as screen:
        painted_before_an_answer(screen, server)
        screen.wait_for("▶ Start", timeout_s=30)
        assert all(model in screen.screen() for model in MODELS)
        screen.press("Enter")
        began_ns = time.perf_counter_ns()
        watched = watch_until(
            screen, lambda: len(home.trials()), len(MODELS) * TRIALS, timeout_s=900 / time_scale + 20
        )  # fmt: skip
        first_row_by_the_end_of_the_first_answer(watched, server, began_ns)
        complete(home.trials())
        complete_on_screen(screen)
        screen.press("C-c")
        assert screen.wait_for_exit() == 0
    assert watched.longest_rest_s < MOVES_EVERY_S + LATE_S, "\n".join(
        f"{at:.1f} s\n{shown}" for at, shown in watched.screens[-3:]
    )
    return watched


def slow(time_scale: float) -> Script:
    """Return the slow server; its first answer, about its version, takes a while too."""
    sleepy = RouteFault(path="/api/version", delay_s=SERVER_WAITS_S * time_scale, times=1)
    script = three_models(slow=True, time_scale=time_scale, stand_in_runner=True)
    return msgspec.structs.replace(script, faults=(sleepy,))


def painted_before_an_answer(screen: Terminal, server: RunningSimulator) -> None:
    """The screen is there, with what is known, while the server has not said a word."""
    screen.wait_for("Creativity")
    screen.wait_for("Waiting for the server")
    assert all(request.status is None for request in server.send_log()), "nothing was answered yet"


def watch_until(screen: Terminal, rows: Callable[[], int], wanted: int, *, timeout_s: float) -> Watched:
    """Read the screen five times per second until this many rows are on disk."""
    began = time.monotonic()
    watched = Watched()
    shown = screen.screen()
    while (there := rows()) < wanted:
        now = time.monotonic() - began
        assert now < timeout_s, f"{there} of {wanted} rows:\n{shown}"
        if there and watched.first_row_s is None:
            watched.first_row_s = now
        if (seen := screen.screen()) != shown:
            shown = seen
            watched.moved_s.append(time.monotonic() - began)
            watched.screens.append((watched.moved_s[-1], shown))
        time.sleep(POLL_S)
    watched.moved_s.append(time.monotonic() - began)
    return watched


def first_row_by_the_end_of_the_first_answer(watched: Watched, server: RunningSimulator, began_ns: int) -> None:
    """The clock of all processes is one: ``perf_counter`` counts from the machine's start."""
    done_ns = server.answers()[0].done_ns
    assert done_ns is not None
    assert watched.first_row_s is not None
    after_s = watched.first_row_s - (done_ns - began_ns) / 1e9
    say(
        f"first row on disk {after_s:+.2f} s after the end of the first answer, {watched.first_row_s:.1f} s after Enter"
    )
    assert after_s < POLL_S + LATE_S


def complete(rows: list[dict[str, str]]) -> None:
    """Check that a round is complete: each model's cold start, prompts and follow-up, with all figures."""
    for model in MODELS:
        its = [row for row in rows if row["model"] == model]
        assert sorted(row["kind"] for row in its) == ["cold", "follow_up", *["warm"] * 4]
        assert len({row["category"] for row in its if row["kind"] == "warm"}) == 4
        for row in its:
            assert row["outcome"] == "ok", row
            wanted = ("ttft_ms", "ttfo_ms", "load_ms", "e2e_ms", "runner_peak_bytes")
            assert all(row[name] for name in (*wanted, *(("decode_tps", "decode_cps") * (row["kind"] == "warm")))), row


def complete_on_screen(screen: Terminal) -> None:
    """Each model has its speed, TTFT, cold start, follow-up, memory and number of trials in the scoreboard."""
    screen.press("F4")
    screen.wait_for("1 Models", timeout_s=20)
    wait_until(lambda: all(_cells(screen, model) for model in MODELS), timeout_s=10, what="three lines")
    speed_to_count = 6
    figures = {model: len(_cells(screen, model)) for model in MODELS}
    assert all(count >= speed_to_count for count in figures.values()), figures


def _cells(screen: Terminal, model: str) -> list[str]:
    """The figures of a model's line in the scoreboard; none as long as it is not there."""
    shown = [line for line in screen.screen().splitlines() if re.search(rf" {model}  +\S*Q4_K_M ", line)]
    return re.findall(r"\d[\d.]*", shown[-1].split("Q4_K_M")[1].split("!")[0]) if shown else []


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        seen = first_round(Home(Path(folder)), time_scale=1.0)
        last_s = -30.0
        for at_s, text in seen.screens:
            if at_s - last_s >= 30 or at_s < 3:
                say(f"--- {at_s:.1f} s\n{text}")
                last_s = at_s
        say(f"longest rest {seen.longest_rest_s:.2f} s of {seen.moved_s[-1]:.0f} s, {len(seen.moved_s)} changes")
