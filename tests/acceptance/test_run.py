"""``llmtui run``: the table on stdout, progress on stderr, and an exit code that means something."""

from __future__ import annotations

import signal
from pathlib import Path

from llmtui.core.events import SessionFinished, SessionStarted, TrialFinished, decode_event
from llmtui.simulator.process import running_simulator
from llmtui.simulator.scenarios import fast, faulty, three_models
from tests.acceptance.program import Home, rows_of
from tests.terminal import wait_until


def test_a_run_prints_its_table_and_keeps_the_session(home: Home, tmp_path: Path) -> None:
    copy = tmp_path / "copy.csv"
    with running_simulator(fast()) as server:
        done = home.run(
            "run", "--host", server.url, "--preset", "quick", "--category", "coding", "--category", "summary",
            "--num-predict", "80", "--csv", str(copy),
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "Speed tok/s" in lines[0]
    assert sorted(lines[at].split()[0] for at in (1, 2)) == ["quick:1b", "steady:3b"]
    assert lines[-2:] == [f"Saved: {home.sessions()[0]}", f"Saved CSV: {copy}"]
    assert "Decode speed:" not in done.stdout, "words are left to --words"
    assert "quick:1b" in done.stderr, "progress"
    rows = home.trials()
    assert [row["kind"] for row in rows] == ["cold", "warm", "warm", "follow_up"] * 2
    assert {row["outcome"] for row in rows} == {"ok"}
    assert {row["category"] for row in rows if row["kind"] == "warm"} == {"coding", "summary"}
    assert rows_of(copy) == rows


def test_events_on_stdout_leave_stderr_silent(home: Home) -> None:
    with running_simulator(fast()) as server:
        done = home.run("run", "--host", server.url, "-m", "quick:1b", "-c", "coding", "--rounds", "1", "--events", "-")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    events = [decode_event(line.encode()) for line in done.stdout.splitlines()]
    assert any(isinstance(event, SessionStarted) for event in events)
    assert sum(isinstance(event, TrialFinished) for event in events) == 3
    assert isinstance(events[-1], SessionFinished)


def test_failed_trials_are_rows_and_exit_code_3(home: Home) -> None:
    with running_simulator(faulty()) as server:
        done = home.run(
            "run", "--host", server.url, "-m", "breaks:1b", "-m", "errors:1b", "-m", "embeds:1b",
            "-m", "short:1b", "-c", "coding", "--rounds", "1",
        )  # fmt: skip
    assert done.returncode == 3, done.stderr
    rows = home.trials()
    outcomes = {row["model"]: row["outcome"] for row in rows if row["kind"] == "warm"}
    assert outcomes == {
        "breaks:1b": "error", "errors:1b": "error", "embeds:1b": "error", "short:1b": "ok",
    }  # fmt: skip
    assert "Traceback" not in done.stderr


def test_a_model_that_the_server_lacks_is_refused_before_anything_is_asked(home: Home) -> None:
    with running_simulator(faulty()) as server:
        done = home.run("run", "--host", server.url, "-m", "short:1b", "-m", "shorter:1b")
    assert done.returncode == 2
    assert "no model shorter:1b. Similar names: short:1b" in done.stderr
    assert "ollama pull shorter:1b" in done.stderr
    assert home.sessions() == []


def test_no_server_is_exit_code_4_and_a_remedy(home: Home) -> None:
    done = home.run("run", "--host", "127.0.0.1:9")
    assert done.returncode == 4
    assert "127.0.0.1:9" in done.stderr
    assert "ollama serve" in done.stderr
    assert done.stdout == ""


def test_usage_errors_are_exit_code_2_and_a_sentence(home: Home) -> None:
    for words in (
        ("run", "--category", "cooking"), ("run", "--preset", "slow"), ("run", "--host", "ftp://x"), ("run", "--nope"),
        ("watch", "nowhere"), ("run", "--prompts", "missing.toml"),
    ):  # fmt: skip
        done = home.run(*words)
        assert done.returncode == 2, (words, done.stderr)
        assert done.stderr.strip(), words
        assert "Traceback" not in done.stderr, words


def test_without_a_terminal_the_screens_name_the_command_that_needs_none(home: Home) -> None:
    done = home.run()
    assert done.returncode == 2
    assert "llmtui run" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_interrupted_run_keeps_what_is_finished(home: Home) -> None:
    with running_simulator(three_models(slow=True, time_scale=20)) as server:
        running = home.start("run", "--host", server.url, "--preset", "quick")
        wait_until(
            lambda: home.sessions() and (home.sessions()[0] / "trials.csv").exists() and len(home.trials()) >= 2,
            timeout_s=60, what="two trials are on disk",
        )  # fmt: skip
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=20)
        assert running.returncode == 130, err
        assert "llama3:8b" in out, "the table of what is finished"
        wait_until(lambda: not server.state()["loaded"], timeout_s=10, what="what the run loaded is unloaded")
    assert home.trials()[-1]["outcome"] == "cancelled"


def test_version_comes_without_typer(home: Home) -> None:
    done = home.run("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("llmtui ")
