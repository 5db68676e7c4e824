"""The program's own edges: output encodings, no home, bad settings, proxies, certificates, logins, terminals."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from llmtui.simulator.process import running_simulator
from llmtui.simulator.scenarios import fast
from tests.acceptance.program import PROGRAM, Home, rows_of
from tests.terminal import needs_tmux, terminal, wait_until

ONE = ("-m", "quick:1b", "-c", "coding", "--rounds", "1", "--num-predict", "16")
ELSEWHERE = "192.0.2.1"
"""A documentation address: nothing is reached."""


@pytest.mark.parametrize("encoding", ["cp1251", "cp437", "ascii"])
def test_an_encoding_that_lacks_a_character_costs_neither_table_nor_files(home: Home, encoding: str) -> None:
    table, report = home.folder / "t.csv", home.folder / "t.md"
    with running_simulator(fast()) as server:
        words = ("run", "--host", server.url, *ONE, "--csv", str(table), "--markdown", str(report))
        done = subprocess.run(
            [*PROGRAM, *words],
            capture_output=True,
            check=False,
            cwd=home.folder,
            env=os.environ | home.env | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
            timeout=100,
        )
    assert done.returncode == 0, done.stderr
    assert "quick:1b" in done.stdout.decode(encoding)
    assert b"Traceback" not in done.stderr
    assert rows_of(table) == home.trials()
    assert report.read_text("utf-8").count("quick:1b")


def test_a_settings_file_with_a_bad_line_is_told_by_a_run(home: Home) -> None:
    settings = home.folder / "config" / "llmtui" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text('num_predict = 32\nresults_dir = "C:\\Users\\me"\n', encoding="utf-8")
    with running_simulator(fast()) as server:
        done = home.run("run", "--host", server.url, *ONE)
    assert done.returncode == 0, done.stderr
    assert f"{settings}, line 2" in done.stderr
    assert "not used" in done.stderr


@pytest.mark.parametrize("variable", ["OLLAMA_HOST", "LLMTUI_HOST"])
def test_a_server_in_the_environment_that_cannot_be_used_is_refused_and_no_other_is_asked(
    home: Home, variable: str
) -> None:
    done = home.run("run", "-m", "x", env={variable: "ftp://box"})
    assert done.returncode == 2
    assert variable in done.stderr.splitlines()[-1]
    assert done.stderr.count("\n") <= 2


@pytest.mark.parametrize("words", [("--host", "http://alice:s3cret@127.0.0.1:9"), ()])
def test_a_password_in_an_address_is_in_no_message(home: Home, words: tuple[str, ...]) -> None:
    env = {} if words else {"OLLAMA_HOST": "http://alice:s3cret@127.0.0.1:9"}
    done = home.run("run", *words, "-m", "x", env=env)
    assert done.returncode == 4
    assert "Nothing listens at 127.0.0.1:9" in done.stderr
    assert "s3cret" not in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("env", "host", "words"),
    [
        ({"ALL_PROXY": "socks://127.0.0.1:1"}, f"{ELSEWHERE}:11434", "from ALL_PROXY cannot be used"),
        ({"all_proxy": "socks5://me:s3cret@127.0.0.1:1"}, f"{ELSEWHERE}:11434", "from all_proxy cannot be used"),
        ({"HTTP_PROXY": "http://127.0.0.1:1"}, f"{ELSEWHERE}:11434", "127.0.0.1:1 from HTTP_PROXY does not answer"),
        (
            {"SSL_CERT_FILE": "/nonexistent"},
            f"https://{ELSEWHERE}/v1",
            "SSL_CERT_FILE=/nonexistent holds no certificates",
        ),
    ],
)
def test_what_the_environment_puts_in_the_way_is_named(home: Home, env: dict[str, str], host: str, words: str) -> None:
    done = home.run("run", "--host", host, "-m", "x", env=env)
    assert done.returncode == 4, done.stderr
    assert words in done.stderr
    assert "s3cret" not in done.stderr
    assert "NO_PROXY" in done.stderr or "SSL_CERT_FILE" in done.stderr


def test_this_machine_is_never_asked_through_a_proxy(home: Home) -> None:
    with running_simulator(fast()) as server:
        done = home.run("run", "--host", server.url, *ONE, env={"ALL_PROXY": "socks://127.0.0.1:1"})
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(sys.platform != "linux" or shutil.which("unshare") is None, reason="needs user namespaces")
@pytest.mark.parametrize("results", [(), ("--results", "kept")])
def test_a_user_without_a_home_folder_needs_to_name_one_for_results(tmp_path: Path, results: tuple[str, ...]) -> None:
    alone = ["unshare", "--user", "--map-user=54321", "--map-group=54321", "env", "-u", "HOME"]
    if subprocess.run([*alone, "true"], check=False).returncode:
        pytest.skip("user namespaces are not allowed here")
    done = subprocess.run(
        [*alone, *PROGRAM, "run", "--host", "127.0.0.1:9", "-m", "x", *results],
        capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert ("Nothing listens" if results else "no home folder") in done.stderr
    assert done.returncode == (4 if results else 2)


@needs_tmux
@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_ctrl_z_gives_the_terminal_back_and_fg_draws_everything(home: Home) -> None:
    with (
        running_simulator(fast()) as server,
        terminal(
            ["bash", "--norc", "--noprofile", "-i"], env=home.env | {"PS1": "shell> "}, cwd=str(home.folder)
        ) as screen,
    ):
        screen.wait_for("shell>")
        screen.type(shlex.join([*PROGRAM, "--host", server.url]))
        screen.press("Enter")
        before = screen.wait_for("▶ Start", timeout_s=30)
        screen.press("C-z")
        screen.wait_for("Stopped")
        screen.type("fg")
        screen.press("Enter")
        screen.wait_for("▶ Start")
        rows = before.splitlines()
        wait_until(lambda: screen.screen().splitlines()[:3] == rows[:3], timeout_s=10, what="the top rows are back")


@needs_tmux
@pytest.mark.parametrize("kind", ["dumb", ""])
def test_a_terminal_without_a_cursor_is_told_of_the_run_command(home: Home, kind: str) -> None:
    with home.screens(columns=200, env={"TERM": kind}) as screen:
        screen.wait_for("`llmtui run` measures")
        assert screen.wait_for_exit() == 2
