"""The named server is the one that is used, whatever it calls its model."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from llmtui.backends.builtin_models import DEMO_FILE
from tests.acceptance.program import Home
from tests.real_openai.llamacpp import llamacpp_served, needs_llamacpp

ONE_TRIAL = ("--rounds", "1", "-c", "coding", "--num-predict", "16")


@pytest.fixture
def own_file(home: Home) -> Path:
    """Return a model's file in the current folder of the program, beside another user's server."""
    path = home.folder / "own.gguf"
    shutil.copy(DEMO_FILE, path)
    return path


def backends(home: Home) -> set[tuple[str, str]]:
    return {(row["backend"], row["model"]) for row in home.trials()}


@needs_llamacpp
@pytest.mark.parametrize("spelled", ["relative", "absolute"])
@pytest.mark.parametrize("asks", ["by default", "by name"])
def test_a_server_that_calls_its_model_by_a_file_that_is_here(
    home: Home,
    own_file: Path,
    spelled: str,
    asks: str,
) -> None:
    path = own_file.name if spelled == "relative" else str(own_file)
    with llamacpp_served("-m", path, "-a", path, cwd=home.folder) as server:
        words = ("-m", path) if asks == "by name" else ()
        done = home.run("run", "--host", f"{server.url}/v1", *words, *ONE_TRIAL)
    assert done.returncode == 0, done.stderr
    assert backends(home) == {("openai", path)}


@needs_llamacpp
def test_a_file_is_asked_for_as_a_file(home: Home, own_file: Path) -> None:
    with llamacpp_served("-m", str(own_file), "-a", "served", cwd=home.folder) as server:
        host = ("--host", f"{server.url}/v1")
        refused = home.run("run", *host, "-m", "own.gguf", *ONE_TRIAL)
        assert refused.returncode == 2
        assert (
            "has no model own.gguf. It has: served. To use the file of that name: -m file:own.gguf." in refused.stderr
        )
        done = home.run("run", *host, "-m", "served", "-m", "file:own.gguf", *ONE_TRIAL)
    assert done.returncode == 0, done.stderr
    assert backends(home) == {("openai", "served"), ("builtin", str(own_file))}


def test_several_servers_are_refused(home: Home) -> None:
    done = home.run("run", "--host", "127.0.0.1:9", "--host", "127.0.0.1:10")
    assert (done.returncode, done.stdout) == (2, "")
    assert "`--host` takes one server" in done.stderr


def test_a_server_named_before_the_command_is_refused_and_not_ignored(home: Home) -> None:
    done = home.run("--host", "127.0.0.1:9", "run")
    assert done.returncode == 2
    assert "`--host` has no effect before `run`" in done.stderr
