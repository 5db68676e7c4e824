"""Tab on the command line: what the program answers to a shell, and never a word into the prompt."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmtui.cli.completion import ANSWER_S, join_words
from llmtui.simulator.process import running_simulator
from llmtui.simulator.scenarios import fast
from llmtui.store.session_folder import JOURNAL
from tests.core.made import plan, started

PROGRAM = (sys.executable, "-P", "-m", "llmtui")
SESSIONS = ("20261122T224107Z-ab12", "20261123T080000Z-cd34")


@pytest.fixture(name="home")
def _home(tmp_path: Path) -> Path:
    from llmtui.core.events import encode

    for name in SESSIONS:
        (tmp_path / "results" / name).mkdir(parents=True)
        (tmp_path / "results" / name / JOURNAL).write_bytes(encode(started(plan("measured:7b"))))
    return tmp_path


def answered(home: Path, *words: str, shell: str = "bash") -> list[str]:
    """What completes the last word."""
    asked = {
        "bash": {"COMP_WORDS": "\n".join(("llmtui", *words)), "COMP_CWORD": str(len(words))},
        "zsh": {"_TYPER_COMPLETE_ARGS": " ".join(("llmtui", *words))},
    }[shell]
    own = {"HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), "XDG_DATA_HOME": str(home), "OLLAMA_HOST": ""}
    env = {**os.environ, **own, "LLMTUI_RESULTS_DIR": str(home / "results"), **asked, "LANG": "C.UTF-8"}
    done = subprocess.run(
        PROGRAM, env={**env, "_LLMTUI_COMPLETE": f"complete_{shell}"}, cwd=home, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.split()


def test_commands_and_options_complete(home: Path) -> None:
    assert {"run", "watch", "selftest", "import"} <= set(answered(home, ""))
    assert answered(home, "run", "--num-p") == ["--num-predict"]


def test_presets_categories_and_sessions_complete(home: Path) -> None:
    assert answered(home, "run", "--preset", "st") == ["standard"]
    assert answered(home, "run", "-c", "cod") == ["coding"]
    assert answered(home, "watch", "2026") == list(reversed(SESSIONS))


def test_models_of_the_server_and_of_saved_sessions_complete(home: Path) -> None:
    with running_simulator(fast()) as server:
        assert answered(home, "run", "--host", server.url, "-m", "qu") == ["quick:1b"]
        assert set(answered(home, "run", "--host", server.url, "-m", "")) >= {"quick:1b", "steady:3b", "measured:7b"}


def test_bash_gets_what_follows_the_colon_at_which_it_cuts_and_zsh_the_whole_name(home: Path) -> None:
    nowhere = ("run", "--host", "127.0.0.1:9", "-m")
    assert answered(home, *nowhere, "measured", ":", "7") == ["7b"]
    assert answered(home, *nowhere, "measured", ":") == ["7b"]
    assert r"measured\\:7b" in " ".join(answered(home, *nowhere, "measured:7", shell="zsh"))


@pytest.fixture(name="silent_server")
def _silent_server() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


def test_a_server_that_does_not_answer_leaves_the_models_of_saved_sessions(home: Path, silent_server: str) -> None:
    assert answered(home, "run", "--host", silent_server, "-m", "me") == ["measured:7b"]


@pytest.mark.timed
def test_a_server_that_does_not_answer_is_not_waited_for(home: Path, silent_server: str) -> None:
    def took_s(host: str) -> float:
        before = time.monotonic()
        answered(home, "run", "--host", host, "-m", "me")
        return time.monotonic() - before

    assert took_s(silent_server) - took_s("127.0.0.1:9") < ANSWER_S + 0.1


def test_settings_that_cannot_be_used_print_nothing_into_the_prompt(home: Path) -> None:
    (home / "prompts.toml").write_text("[llmtui]\nnonsense = true\n", "utf-8")
    assert answered(home, "run", "-c", "cod") == []


def test_words_that_bash_cut_are_one_again() -> None:
    env = {"COMP_WORDS": "llmtui\nrun\n--model\n=\nllama3\n:\n8\n--twice", "COMP_CWORD": "6"}
    join_words(env)
    assert env == {"COMP_WORDS": "llmtui\nrun\n--model=llama3:8\n--twice", "COMP_CWORD": "2"}


def test_a_real_bash_completes(home: Path) -> None:
    folder = home / "bin"
    folder.mkdir()
    (folder / "llmtui").write_text(f'#!/bin/sh\nexec {" ".join(PROGRAM)} "$@"\n')
    (folder / "llmtui").chmod(0o755)
    typed = (
        'eval "$(_LLMTUI_COMPLETE=source_bash llmtui)"\n'
        "COMP_WORDS=(llmtui run --host 127.0.0.1:9 -m measured : 7) COMP_CWORD=7\n"
        "_llmtui_completion llmtui\n"
        'echo "${COMPREPLY[@]}"\n'
    )
    env = {"PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(home), "LLMTUI_RESULTS_DIR": str(home / "results")}
    done = subprocess.run(
        ["bash", "--norc", "-c", typed], env=env, cwd=home, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.stdout, done.stderr) == ("7b\n", "")
