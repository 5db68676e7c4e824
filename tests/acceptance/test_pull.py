"""Fetching models from Setup: with a bar, stopped and gone on with, its troubles in words. And what is no use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec

import pytest

from llmtui.simulator import Pullable, PullStop, RunningSimulator, Script, SimulatedModel
from llmtui.simulator.process import running_simulator
from llmtui.simulator.scenarios import faulty
from llmtui.simulator.sendlog import SentRequest
from tests.acceptance.program import Home
from tests.terminal import Terminal, needs_tmux, wait_until

pytestmark = needs_tmux

GB = 1_000_000_000
SIZES = [(80, 24), (120, 36)]


def a_model(name: str, size_bytes: int = 2 * GB) -> SimulatedModel:
    return SimulatedModel(name=name, size_bytes=size_bytes, load_s=0.1, decode_tps=200.0)


def registry() -> Script:
    """Return models that take some seconds to download, one of them in three attempts, one never."""
    return Script(
        models=(a_model("here:1b"),),
        registry=(
            Pullable(model=a_model("wanted:3b"), rate_bps=0.7 * GB),
            Pullable(
                model=a_model("cut:7b"), rate_bps=GB / 2, stops=(PullStop(at_fraction=0.3), PullStop(at_fraction=0.7))
            ),
            Pullable(
                model=a_model("full:70b", 40 * GB),
                rate_bps=80 * GB,
                stops=(PullStop(at_fraction=0.5, kind="error", message="write blob: no space left on device"),) * 9,
            ),
        ),
    )


@pytest.fixture
def server() -> Iterator[RunningSimulator]:
    with running_simulator(registry()) as running:
        yield running


def ask_for(screen: Terminal, name: str) -> None:
    """Open the window and request a model."""
    screen.wait_for("here:1b", timeout_s=30)
    screen.press("d")
    screen.wait_for("Download a model")
    screen.type(name)
    screen.press("Enter")


def arrived_gb(shown: str) -> float | None:
    """How much the window says is there; None where it says nothing of it."""
    found = re.search(r"([\d.]+) (MB|GB) of 2\.0+ GB", shown)
    return None if found is None else float(found[1]) * (0.001 if found[2] == "MB" else 1)


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_a_model_comes_with_a_bar_and_is_ticked(home: Home, server: RunningSimulator, columns: int, rows: int) -> None:
    with home.screens("--host", server.url, columns=columns, rows=rows) as screen:
        ask_for(screen, "wanted:3b")
        amounts: set[float] = set()

        def look() -> bool:
            shown = screen.screen()
            amount = arrived_gb(shown)
            if amount is not None:
                assert "%" in shown
                amounts.add(amount)
            return "wanted:3b is downloaded" in shown

        wait_until(look, timeout_s=30, what="the model is here")
        assert len(amounts) >= 5, "it moved"
        shown = screen.wait_for("2 of ", timeout_s=10)
        [row] = [line for line in shown.splitlines() if "wanted:3b " in line and "downloaded" not in line]
        assert "[✓]" in row


def test_a_download_that_is_stopped_goes_on_at_the_next_try(home: Home, server: RunningSimulator) -> None:
    with home.screens("--host", server.url) as screen:
        ask_for(screen, "wanted:3b")
        wait_until(lambda: (arrived_gb(screen.screen()) or 0) > 0.4, timeout_s=20, what="a part is here")
        screen.press("Escape")
        screen.wait_for("Stopped. The part already downloaded is kept")
        wait_until(lambda: pulls(server)[-1].disconnected_ns is not None, timeout_s=5, what="the server was told")
        ask_for(screen, "wanted:3b")
        first: list[float] = []

        def look() -> bool:
            amount = arrived_gb(screen.screen())
            first.extend([] if amount is None else [amount])
            return bool(first)

        wait_until(look, timeout_s=20, what="it goes on")
        assert first[0] > 0.4, "not from the beginning"
        screen.wait_for("wanted:3b is downloaded", timeout_s=30)


def test_a_download_that_is_cut_says_so_and_enter_goes_on(home: Home, server: RunningSimulator) -> None:
    with home.screens("--host", server.url) as screen:
        ask_for(screen, "cut:7b")
        for attempt in (1, 2):
            shown = screen.wait_for("Enter continues the download.", timeout_s=20)
            assert "✗ The connection to" in shown
            assert len(pulls(server)) == attempt
            screen.press("Enter")
            wait_until(partial(more_than, server, attempt), timeout_s=10, what="the next try")
            wait_until(
                lambda: "Enter continues" not in screen.screen(), timeout_s=10, what="the words of the last try go"
            )
        screen.wait_for("cut:7b is downloaded", timeout_s=20)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("full:70b", "is full"),
        ("no-such:1b", "There is no model “no-such:1b” in the Ollama library"),
        ("not a name", "There is no model “not a name” in the Ollama library"),
    ],
)
def test_what_fails_is_said_in_words_and_another_name_can_be_typed(
    home: Home, server: RunningSimulator, name: str, said: str
) -> None:
    with home.screens("--host", server.url) as screen:
        ask_for(screen, name)
        shown = screen.wait_for("✗", timeout_s=20)
        assert said in shown
        assert "Traceback" not in shown
        screen.press("C-u")
        screen.wait_for("or another name")  # the empty field's example
        screen.type("cut:7b")
        screen.press("Enter")
        screen.wait_for("was cut", timeout_s=20)


def test_a_server_that_dies_in_between_is_said(home: Home) -> None:
    with running_simulator(registry()) as server:
        screens = home.screens("--host", server.url)
        screen = screens.__enter__()
        ask_for(screen, "wanted:3b")
        wait_until(lambda: (arrived_gb(screen.screen()) or 0) > 0.1, timeout_s=20, what="a part is here")
    try:
        screen.wait_for("✗", timeout_s=20)
    finally:
        screens.__exit__(None, None, None)


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_what_cannot_be_tested_is_listed_with_the_reason(home: Home, columns: int, rows: int) -> None:
    with (
        running_simulator(faulty()) as server,
        home.screens("--host", server.url, columns=columns, rows=rows, env={"LLMTUI_MODELS": "short:1b"}) as screen,
    ):
        shown = screen.wait_for("embeds:1b", timeout_s=30)
        lines = {"embeds:1b": next(line for line in shown.splitlines() if "embeds:1b" in line)}
        if "away:" not in shown:  # below the fold
            screen.press("End")
            shown = screen.wait_for("away:")
        lines["away:"] = next(line for line in shown.splitlines() if "away:" in line)
        assert "makes embeddings" in lines["embeds:1b"]
        assert "cloud" in lines["away:"].split("cloud", 1)[1], "the reason, beside the name"
        for line in lines.values():
            assert "[" not in line.split("║")[0].split(":")[0], "nothing to tick"
        screen.press("a")  # all
        screen.wait_for("12 of 17 picked" if find_spec("xllamacpp") else "12 of 14 picked")


def pulls(server: RunningSimulator) -> list[SentRequest]:
    return [request for request in server.send_log() if request.path == "/api/pull"]


def more_than(server: RunningSimulator, tries: int) -> bool:
    return len(pulls(server)) > tries
