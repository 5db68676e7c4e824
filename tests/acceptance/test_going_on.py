"""The length of a run: by itself, within a budget, and by one key after its end; disturbances of its cold starts."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from llmtui.config import shipped_pack
from llmtui.core.choices import Choices
from llmtui.core.commands import SetServer, StartPlan
from llmtui.core.events import Event, ModelsListed, SessionFinished
from llmtui.core.plan import AUTO_BUDGET_S, Plan
from llmtui.core.planning import make_plan
from llmtui.core.session import Session, fold
from llmtui.core.verdict import verdicts
from llmtui.link.engine_process import EngineProcess
from llmtui.link.event_file import EventFile
from llmtui.simulator import RunningSimulator, Script, ScriptedAnswer, SimulatedModel, SpeedPoint
from llmtui.simulator.process import running_simulator
from tests.acceptance.program import Home, say, start
from tests.terminal import needs_tmux, wait_until

SCALE = 10.0
"""Of all times in the tests of slow machines."""


def model(name: str, tps: float = 400.0, **changes: object) -> SimulatedModel:
    fields = {"load_s": 0.05, "decode_tps": tps, "answers": (ScriptedAnswer(tokens=70),), "size_bytes": 10**9}
    return SimulatedModel(name=name, **(fields | changes))  # type: ignore[arg-type]  # by their names


def read_session(home: Home, which: int = -1) -> Session | None:
    """A session on disk; None as long as it has no first line."""
    link = EventFile(home.sessions()[which] / "events.jsonl")
    return fold(event for batch in link.batches() for event in batch)


def session_of(home: Home, which: int = -1) -> Session:
    session = read_session(home, which)
    assert session is not None
    return session


def rounds_run(session: Session) -> int:
    return max(row.trial.round for row in session.rows)


def measured(home: Home, server: RunningSimulator, *words: str) -> tuple[Session, str]:
    """Run the program over every model of the server; return its session and its output."""
    done = home.run("run", "--host", server.url, "--words", *words)
    assert done.returncode == 0, done.stderr
    return session_of(home), done.stdout


# --- by itself --------------------------------------------------------------------------------------------------------


def slow_machine() -> Script:
    """Three models of 7 billion parameters on a laptop's processor."""
    answers = (ScriptedAnswer(tokens=320, jitter=0.02),)
    pace = {"load_s": 19.0, "prefill_tps": 25.0, "answers": answers, "size_bytes": 4_700_000_000}
    return Script(
        time_scale=SCALE, models=tuple(model(name, tps=6.0, **pace) for name in ("one:7b", "two:7b", "three:7b"))
    )


def auto_plan(listed: ModelsListed) -> Plan:
    """What Enter would start, but for the time: a tenth of it, as everything here."""
    models = [one.model for one in listed.models]
    choices = Choices(preset="auto", quiet_wait_s=Choices().quiet_wait_s / SCALE)
    plan = make_plan(models, shipped_pack("en"), server=listed.address, choices=choices, seed=3)
    return msgspec.structs.replace(plan, budget_s=AUTO_BUDGET_S / SCALE)


@pytest.mark.slow
@pytest.mark.timed
@pytest.mark.timeout(300)
def test_auto_on_a_slow_machine_runs_two_rounds_within_fourteen_minutes(tmp_path: Path) -> None:
    """Three models at 6 tokens per second that take 19 s to load, in a tenth of the time."""
    with running_simulator(slow_machine()) as server:
        link = EngineProcess(log_folder=tmp_path)
        try:
            link.send(SetServer(address=server.url))
            events: list[Event] = []
            for batch in link.batches():
                events += batch
                for event in batch:
                    if isinstance(event, ModelsListed):
                        link.send(StartPlan(plan=auto_plan(event), results_dir=str(tmp_path / "results")))
                if any(isinstance(event, SessionFinished) for event in batch):
                    break
        finally:
            link.close()
    session = fold(events)
    assert session is not None
    assert session.finished == "complete"
    assert (rounds_run(session), session.rounds) == (2, 2)
    assert len([row for row in session.rows if row.trial.kind != "warm"]) == 2 * 3 * 2
    assert len([row for row in session.rows if row.trial.kind == "warm"]) >= 2 * 3 * 4, "busy ones are asked again"
    all_s = (session.last_t_ns - session.t_ns) / 1e9
    server_s = sum(row.figures.e2e_ms or 0.0 for row in session.rows) / 1000
    took_s = server_s * SCALE + (all_s - server_s)  # only the server's times are a tenth
    say(f"two rounds of three models at 6 tok/s: {took_s / 60:.1f} min")
    assert took_s <= 14 * 60


@pytest.mark.slow
def test_thorough_stops_after_five_rounds_when_all_is_told(home: Home) -> None:
    with running_simulator(Script(models=(model("a:1b"), model("b:1b", tps=200.0)))) as server:
        session, _ = measured(home, server, "--preset", "thorough", "-c", "coding", "--num-predict", "80")
    assert (rounds_run(session), session.plan.max_rounds) == (5, 10)
    assert [one.word for one in verdicts(session)] == ["faster"]


@pytest.mark.timed
def test_a_budget_ends_in_time_and_on_a_balanced_order(home: Home) -> None:
    with running_simulator(Script(models=(model("a:1b", load_s=0.3), model("b:1b", load_s=0.3)))) as server:
        session, _ = measured(home, server, "--budget", "12s", "-c", "coding", "--num-predict", "80")
    rounds = rounds_run(session)
    assert rounds >= 2
    assert rounds % 2 == 0
    assert (session.rows[-1].t_ns - session.t_ns) / 1e9 <= 12
    places: dict[int, list[int]] = {0: [], 1: []}
    for at, row in enumerate(row for row in session.rows if row.trial.kind == "cold"):
        places[row.trial.contender].append(at)
    assert sum(places[0]) == sum(places[1]), "whatever drifts hits both alike"


def test_a_budget_for_less_than_two_rounds_runs_one_whole_one(home: Home) -> None:
    with running_simulator(Script(models=(model("a:1b", load_s=0.5),))) as server:
        session, _ = measured(home, server, "--budget", "1s", "-c", "coding", "--num-predict", "80")
    assert [row.trial.kind for row in session.rows] == ["cold", "warm", "follow_up"]


@pytest.mark.parametrize("words", [("--budget", "soon"), ("--budget", "5m", "--rounds", "2")])
def test_a_budget_that_means_nothing_is_refused(home: Home, words: Sequence[str]) -> None:
    done = home.run("run", *words)
    assert done.returncode == 2
    assert "--budget" in done.stderr


# --- the same model twice ---------------------------------------------------------------------------------------------


def test_a_model_beside_itself_is_not_faster_than_itself(home: Home) -> None:
    jittery = ScriptedAnswer(tokens=80, jitter=0.1)
    with running_simulator(Script(models=(model("a:1b", answers=(jittery,)),))) as server:
        session, printed = measured(home, server, "--twice", "--rounds", "3", "-c", "coding", "-c", "summary")
    assert [one.label for one in session.plan.contenders] == ["a:1b", "a:1b #2"]
    assert {len([row for row in session.rows if row.trial.contender == contender]) for contender in (0, 1)} == {3 * 4}
    assert not re.search(r"faster than|is ahead", printed)


# --- what disturbs ----------------------------------------------------------------------------------------------------


@contextmanager
def busy_cores(count: int) -> Iterator[None]:
    """Other programs that keep cores busy; with the least priority, which is busy all the same."""
    spin = "import os; os.nice(19)\nwhile True: pass"
    others = [subprocess.Popen([sys.executable, "-c", spin]) for _ in range(count)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


@pytest.mark.timed
def test_a_start_beside_busy_programs_waits_and_says_so(home: Home) -> None:
    with running_simulator(Script(models=(model("a:1b"),))) as server, busy_cores(2):
        done = home.run(
            "run", "--host", server.url, "-c", "coding", "--rounds", "2", "--num-predict", "80",
            env={"LLMTUI_QUIET_WAIT_S": "1"},
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, second = (row for row in home.trials() if row["kind"] == "cold")
    assert "noisy_start" not in first["flags"], "right after Enter something is to move"
    assert "noisy_start" in second["flags"].split()
    assert re.search(r"noisy_start: noisy_start others=\d[\d.]* cores=\d+", second["evidence"])
    assert second["ttft_ms"], "its figures are kept"
    assert float(second["others_cores_before"]) > 0.5
    cold = [row for row in session_of(home).rows if row.trial.kind == "cold"]
    before = next(row for row in session_of(home).rows if row.order == cold[1].order - 1)
    assert cold[1].t0_ns is not None
    assert cold[1].t0_ns - before.t_ns >= 1e9, "it waited"


@pytest.mark.timed
def test_ten_percent_slower_from_round_to_round_is_said_above_the_words(home: Home) -> None:
    """In every round: the trend is one of ranks, and on both sides of one step their order is chance."""
    slower = tuple(SpeedPoint(after_trials=5 * at, speed=1 - 0.015 * at) for at in range(1, 8))
    with running_simulator(Script(models=(model("a:1b", tps=200.0, speed_points=slower),))) as server:
        _, printed = measured(
            home, server, "--rounds", "8", "-c", "coding", "-c", "summary", "-c", "reasoning", "--num-predict", "80"
        )
    found = re.search(r"The machine slowed by (\d+) % during the session\.", printed)
    assert found, printed[:900]
    assert found.start() < printed.index("Decode speed: ")
    assert 5 <= int(found[1]) <= 16


# --- on the screens ---------------------------------------------------------------------------------------------------


@needs_tmux
@pytest.mark.slow
def test_one_key_adds_the_rounds_that_tell_and_another_runs_it_all_again(home: Home) -> None:
    """Finished after one round: + runs the two that the verdict needs; g then says what changed since."""
    models = (model("a:1b", tps=300.0), model("b:1b", tps=295.0))
    env = {"LLMTUI_PRESET": "quick", "LLMTUI_NUM_PREDICT": "80"}
    with running_simulator(Script(models=models)) as server, home.screens("--host", server.url, env=env) as screen:
        start(screen)
        wait_until(lambda: _finished(home, 1), timeout_s=60, what="one round is over")
        screen.press("F4")
        screen.wait_for("+ 2 more rounds")
        screen.press("+")
        screen.wait_for("Expected to settle")
        screen.press("Enter")
        wait_until(lambda: _finished(home, 3), timeout_s=60, what="two more rounds are over")
        assert len(home.sessions()) == 1, "in the same session"
        order = [row.trial.contender for row in session_of(home).rows if row.trial.kind == "cold"]
        assert order[2:4] == order[:2][::-1], "and the same order"
        screen.press("F4")
        screen.wait_for("3 rounds")
        screen.press("g")
        wait_until(lambda: len(home.sessions()) == 2 and _finished(home, 1), timeout_s=60, what="it ran again")
        screen.press("F4")
        screen.press("5")
        shown = screen.wait_for("Compared with")
    lines = shown.splitlines()
    said = next(at for at, line in enumerate(lines) if "Since last time" in line)
    assert said < next(at for at, line in enumerate(lines) if "Decode speed" in line)
    assert session_of(home, 1).plan.seed != session_of(home, 0).plan.seed


def _finished(home: Home, rounds: int) -> bool:
    session = read_session(home) if home.sessions() else None
    return session is not None and session.finished == "complete" and rounds_run(session) == rounds
