"""The built-in server in trouble: each time a sentence with a remedy, on the screen or in a row, and no traceback."""

from __future__ import annotations

import os
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

from llmtui.backends.builtin_models import DEMO_FILE
from llmtui.core.events import Chunks, decode_event
from tests.acceptance.program import Home, alive, descendants, start
from tests.acceptance.stand_ins import NOBODY_LISTENS, needs_builtin, other_xllamacpp, without_xllamacpp
from tests.terminal import needs_tmux, wait_until

NO_LIBGOMP = "raise ImportError('libgomp.so.1: cannot open shared object file: No such file or directory')"
ONE_TEST = ("--rounds", "1", "-c", "coding")
AWAY = {"OLLAMA_HOST": "127.0.0.1:9"}


def problems(home: Home) -> list[str]:
    """What the rows of the newest session say went wrong; the reader gets no developer's words."""
    found = home.problems()
    assert found
    assert not any("Traceback" in problem or "Error(" in problem for problem in found)
    return found


def run_failing(home: Home, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run failing trials: they are rows, and stderr says why."""
    done = home.run("run", *words, *ONE_TEST, env=AWAY | env)
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    for problem in set(problems(home)):
        assert problem in done.stderr
    return done


class TestTheLibrary:
    def test_missing(self, home: Home, tmp_path: Path) -> None:
        done = home.run("run", "--host", "builtin", env=without_xllamacpp(tmp_path))
        assert done.returncode == 4
        assert done.stderr.startswith("llmtui: The built-in server is not installed. Install it: ")
        assert "[builtin]" in done.stderr

    @needs_builtin
    def test_broken(self, home: Home, tmp_path: Path) -> None:
        done = home.run("run", "--host", "builtin", env=other_xllamacpp(tmp_path, NO_LIBGOMP))
        assert done.returncode == 4
        assert "libgomp1 is missing" in done.stderr
        assert "apt install libgomp1" in done.stderr
        assert "Traceback" not in done.stderr

    @needs_tmux
    @pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 36)])
    def test_broken_on_the_screen(self, home: Home, tmp_path: Path, columns: int, rows: int) -> None:
        env = AWAY | other_xllamacpp(tmp_path, NO_LIBGOMP)
        with home.screens(env=env, columns=columns, rows=rows) as screen:
            shown = screen.wait_for("libgomp1 is missing", timeout_s=30)
            assert "apt install libgomp1" in shown
            assert "ollama.com/download" in shown, "the other way"
            (tmp_path / "stand-ins" / "xllamacpp.py").unlink()
            screen.press("r")
            if find_spec("xllamacpp") is not None:
                screen.wait_for("built-in demo", timeout_s=30)

    @needs_builtin
    def test_another_version_than_expected(self, home: Home, tmp_path: Path) -> None:
        env = other_xllamacpp(tmp_path, "class CommonParams:\n    __slots__ = ()\n")
        done = run_failing(home, "--host", "builtin", **env)
        assert "[builtin]" in done.stderr

    @needs_builtin
    def test_its_port_refused(self, home: Home, tmp_path: Path) -> None:
        env = other_xllamacpp(tmp_path, NOBODY_LISTENS.format(url="http://127.0.0.1:9"))
        done = run_failing(home, "--host", "builtin", **env)
        assert "llmtui cannot connect to it" in done.stderr
        assert "firewall" in done.stderr


class TestFiles:
    """A file that was named is checked before the run: nothing is measured in its place."""

    @needs_builtin
    @pytest.mark.parametrize(
        ("content", "said", "remedy"),
        [
            (DEMO_FILE.read_bytes()[: DEMO_FILE.stat().st_size // 2], "is incomplete", "Download or copy it again"),
            (DEMO_FILE.read_bytes()[:1000], "is incomplete", "Download or copy it again"),
            (b"<!DOCTYPE html><title>Sign in</title>" * 100, "is not a GGUF file", "Pick a model in GGUF format"),
            (b"", "is not a GGUF file", "Pick a model in GGUF format"),
        ],
        ids=["truncated", "truncated in its head", "a web page", "empty"],
    )
    def test_that_cannot_be_used(self, home: Home, content: bytes, said: str, remedy: str) -> None:
        (home.folder / "own.gguf").write_bytes(content)
        done = home.run("run", "-m", "own.gguf", "-m", "builtin:demo")
        assert done.returncode == 2, done.stderr
        assert said in done.stderr
        assert remedy in done.stderr
        assert home.sessions() == []

    @needs_builtin
    def test_that_is_not_there(self, home: Home) -> None:
        done = home.run("run", "-m", "builtin:nowhere/own.gguf")
        assert done.returncode == 2, done.stderr
        assert f"{home.folder / 'nowhere' / 'own.gguf'} does not exist." in done.stderr

    @needs_builtin
    @needs_tmux
    def test_on_the_screen(self, home: Home) -> None:
        folder = home.folder / "models"
        folder.mkdir()
        (folder / "cut.gguf").write_bytes(DEMO_FILE.read_bytes()[:100_000])
        (folder / "page.gguf").write_bytes(b"<html>")
        (folder / "whole.gguf").write_bytes(DEMO_FILE.read_bytes())
        with home.screens("--host", "builtin:models", env={"LLMTUI_PRESET": "quick"}) as screen:
            shown = screen.wait_for("whole.gguf", timeout_s=30)
            cut, page, whole = (next(line for line in shown.splitlines() if name in line) for name in
                                ("cut.gguf", "page.gguf", "whole.gguf"))  # fmt: skip
            assert "[✓]" in whole
            assert "[" not in cut.split("cut.gguf")[0]
            assert "is incomplete" in cut
            assert "not a GGUF" in page


@needs_builtin
class TestKilledInMidAnswer:
    def test_the_row_says_so_and_the_next_test_starts_it_again(self, home: Home) -> None:
        running = home.start(
            "run", "-m", "builtin:synthetic-24M", "--rounds", "1", "-c", "coding", "-c", "reasoning",
            "--num-predict", "1500", "--events", "-",
        )  # fmt: skip
        assert running.stdout is not None
        for line in running.stdout:
            event = decode_event(line.encode())
            if isinstance(event, Chunks) and "warm" in event.trial_id:
                os.kill(self.child_of(running.pid).pid, signal.SIGKILL)
                break
        running.communicate(timeout=100)
        assert running.returncode == 3
        rows = home.trials()
        assert [row["outcome"] for row in rows[:2]] == ["ok", "error"]
        assert {row["outcome"] for row in rows[2:]} == {"ok"}
        assert rows[1]["problem_code"] == "server_killed"
        assert home.problems()[0].startswith("The built-in server was killed in the middle of an answer")
        assert rows[1]["ttft_ms"], "what had come is kept"

    @needs_tmux
    def test_on_the_screen(self, home: Home) -> None:
        env = {"LLMTUI_MODELS": "builtin:synthetic-24M", "LLMTUI_PRESET": "quick", "LLMTUI_CATEGORIES": "coding",
               "LLMTUI_NUM_PREDICT": "1500"}  # fmt: skip
        with home.screens("--host", "builtin", env=env) as screen:
            start(screen)
            wait_until(lambda: len(home.trials()) == 1, timeout_s=60, what="the start from off is over")
            os.kill(self.child_of(screen.pid).pid, signal.SIGKILL)
            shown = screen.wait_for("was killed", timeout_s=30)
            assert "✗" in shown
            screen.press("1")  # only the text
            screen.wait_for("choose a smaller model")

    @staticmethod
    def child_of(pid: int) -> psutil.Process:
        """The process in which llama.cpp runs."""
        found: list[psutil.Process] = []

        def look() -> bool:
            found[:] = [one for one in alive(descendants(pid)) if "builtin_server" in " ".join(one.cmdline())]
            return bool(found)

        wait_until(look, timeout_s=60, what="the built-in server runs")
        return found[0]
