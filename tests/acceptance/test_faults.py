"""Every fault of a server becomes a row or a banner with reason and remedy; the run continues, the app stays up."""

from __future__ import annotations

import os
import signal
import socket
from importlib.util import find_spec
from pathlib import Path

import pytest

from llmtui.simulator import RemoveModel, Script
from llmtui.simulator.process import running_simulator
from llmtui.simulator.scenarios import faulty, never_answers
from tests.acceptance.program import Home, start
from tests.terminal import Terminal, needs_tmux, wait_until

FAULTS = {
    "breaks:1b": ("error", "cut"),
    "errors:1b": ("error", "server_error"),
    "refuses:1b": ("skipped", "load_failed_before"),
    "silent:1b": ("stalled", "never_began"),
    "stops-sending:1b": ("stalled", "stalled"),
    "no-load:70b": ("skipped", "load_failed_before"),
}
"""Model → outcome and code of its warm trials."""
QUICKLY = {
    "LLMTUI_STALL_S": "1",
    "LLMTUI_STALL_LOADING_S": "1",
    "LLMTUI_PRESET": "quick",
    "LLMTUI_CATEGORIES": "coding",
}
"""A stall is detected after a second, and there is one prompt."""


def check_rows(rows: list[dict[str, str]]) -> None:
    """Every fault is a row with its reason and its remedy; the model that works was measured all the same."""
    for model, (outcome, code) in FAULTS.items():
        its = [row for row in rows if row["model"] == model and row["kind"] == "warm"]
        assert [(row["outcome"], row["problem_code"]) for row in its] == [(outcome, code)], model
        assert its[0]["problem"].startswith(code), "the code, and what belongs to it"
        if code == "load_failed_before":
            [cold] = [row for row in rows if row["model"] == model and row["kind"] == "cold"]
            assert (cold["outcome"], cold["problem_code"]) == ("error", "out_of_memory")
    works = [row for row in rows if row["model"] == "hostile:1b"]
    assert {row["outcome"] for row in works} == {"ok"}
    assert len(works) == 3


def check_gone(rows: list[dict[str, str]], model: str) -> None:
    """A model that the server lost since it was listed fails with that reason."""
    its = [row for row in rows if row["model"] == model]
    assert {(row["outcome"], row["problem_code"]) for row in its if row["kind"] == "warm"} == {
        ("error", "no_such_model")
    }
    assert f"name={model}" in its[0]["problem"]


@pytest.mark.slow
def test_a_run_tells_every_fault_and_goes_on(home: Home) -> None:
    with running_simulator(faulty()) as server:
        named = [word for model in (*FAULTS, "hostile:1b", "embeds:1b") for word in ("-m", model)]
        done = home.run("run", "--host", server.url, *named, env=QUICKLY)
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    check_rows(home.trials())
    assert "embeds:1b" in done.stderr
    assert {row["outcome"] for row in home.trials() if row["model"] == "embeds:1b"} <= {"error", "skipped"}
    assert all(problem in done.stderr for problem in home.problems()), "the reasons are said at the end as well"


@pytest.mark.slow
def test_a_model_that_the_server_does_not_have_is_refused_before_the_run(home: Home) -> None:
    with running_simulator(faulty()) as server:
        done = home.run("run", "--host", server.url, "-m", "hostile:1b", "-m", "shorter:1b", env=QUICKLY)
    assert done.returncode == 2, done.stderr
    assert "no model shorter:1b. Similar names: short:1b" in done.stderr
    assert home.sessions() == []


@needs_tmux
@pytest.mark.slow
def test_the_screens_tell_every_fault_and_stay_up(home: Home) -> None:
    picked = ",".join((*FAULTS, "hostile:1b", "short:1b"))
    env = QUICKLY | {"LLMTUI_MODELS": picked}
    with running_simulator(faulty()) as server, home.screens("--host", server.url, rows=60, env=env) as screen:
        screen.wait_for("▶ Start", timeout_s=30)
        server.change(RemoveModel(model="short:1b"))
        screen.press("Enter")
        shown = screen.wait_for("Finished", timeout_s=90)
        assert "24 of 24 trials" in shown
        check_rows(home.trials())
        check_gone(home.trials(), "short:1b")
        screen.press("3")
        wait_until(lambda: screen.screen().count("✗") >= len(FAULTS), timeout_s=10, what="failed rows are marked")
        screen.press("F4")
        screen.wait_for("1 Models")
        screen.wait_for("hostile:1b")
        leaves_in_order(screen)


def leaves_in_order(screen: Terminal) -> None:
    """Check that the app explains its keys and ends on request."""
    screen.press("F1")
    screen.wait_for("Keys", timeout_s=10)
    screen.press("Escape")
    screen.wait_for("Help F1", without="Keys")
    screen.press("q")
    assert screen.wait_for_exit() == 0


@pytest.fixture
def no_builtin(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a program without the built-in server, which would replace a missing one."""
    folder = tmp_path / "without"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text("import sys; sys.modules['xllamacpp'] = None\n")
    return {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)}


@pytest.fixture
def closed_port() -> int:
    """A port of this machine at which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@needs_tmux
def test_nothing_listens(home: Home, no_builtin: dict[str, str], closed_port: int) -> None:
    with home.screens("--host", f"127.0.0.1:{closed_port}", env=no_builtin) as screen:
        shown = screen.wait_for("Nothing listens", timeout_s=20)
        assert str(closed_port) in shown
        assert "ollama" in shown, "the remedy"
        screen.press("Enter")
        assert "Nothing listens" in screen.screen(), "there is nothing to start"
        leaves_in_order(screen)
    assert home.sessions() == []


@needs_tmux
@pytest.mark.skipif(find_spec("xllamacpp") is None, reason="the built-in server is not installed")
def test_the_built_in_server_stands_in(home: Home, closed_port: int) -> None:
    """Where no server was named, and none is there, the program's own is used; which one is missing is said."""
    with home.screens(env={"OLLAMA_HOST": f"127.0.0.1:{closed_port}"}) as screen:
        shown = screen.wait_for("Built-in server", timeout_s=20)
        assert f"127.0.0.1:{closed_port}" in shown
        screen.wait_for("▶ Start")
        leaves_in_order(screen)


@needs_tmux
@pytest.mark.slow
def test_a_server_that_accepts_and_never_answers(home: Home, no_builtin: dict[str, str]) -> None:
    with running_simulator(never_answers()) as server:
        with home.screens("--host", server.url, env=no_builtin) as screen:
            shown = screen.wait_for("does not answer", timeout_s=30)
            assert str(server.port) in shown
            leaves_in_order(screen)
        done = home.run("run", "--host", server.url)
    assert done.returncode == 4
    assert "does not answer" in done.stderr
    assert "Traceback" not in done.stderr


@needs_tmux
def test_only_an_embedding_model(home: Home, no_builtin: dict[str, str]) -> None:
    script = Script(models=tuple(model for model in faulty().models if model.name == "embeds:1b"))
    with running_simulator(script) as server:
        with home.screens("--host", server.url, env=no_builtin) as screen:
            screen.wait_for("embeds:1b", timeout_s=30)
            shown = screen.wait_for("0 of 1 picked")
            assert "makes embeddings" in shown, "the reason beside its name"
            screen.press("Enter")
            wait_until(
                lambda: screen.screen().count("No model is picked") == 2,
                timeout_s=10, what="a message beside the line that says it already",
            )  # fmt: skip
            leaves_in_order(screen)
        done = home.run("run", "--host", server.url, env=no_builtin)
    assert done.returncode == 2
    assert "ollama pull" in done.stderr
    assert home.sessions() == []


@needs_tmux
@pytest.mark.slow
def test_a_server_that_goes_away_in_mid_run(home: Home) -> None:
    """What was finished is there, the rest says why, and the app stays up."""
    env = QUICKLY | {"LLMTUI_MODELS": "hostile:1b,stalls:1b"}
    with running_simulator(faulty()) as server, home.screens("--host", server.url, env=env) as screen:
        start(screen)
        wait_until(lambda: len(home.trials()) >= 1, timeout_s=30, what="one trial is on disk")
        os.kill(server.pid, signal.SIGKILL)
        screen.wait_for("6 of 6 trials", timeout_s=60)
        assert "ollama serve" in screen.screen()
        leaves_in_order(screen)
    rows = home.trials()
    assert rows[0]["outcome"] == "ok"
    assert {row["outcome"] for row in rows[2:]} == {"error"}
    assert all(row["problem_code"] == "refused" for row in rows[2:])
    assert all("ollama serve" in problem for problem in home.problems()[-4:])
