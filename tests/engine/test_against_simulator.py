"""The engine process against a simulated server, compared with the server's log of what it really did."""

from __future__ import annotations

import csv
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import psutil
import pytest

from llmtui.core.events import Noted, Sampled, SessionFinished, TrialFinished
from llmtui.core.metrics import measure
from llmtui.core.session import Session, fold
from llmtui.simulator.changes import OtherClientAsks, OtherClientLoads, Planned, RemoveModel
from llmtui.simulator.model import Ending, ScriptedAnswer, SimulatedModel
from llmtui.simulator.process import RunningSimulator, running_simulator
from llmtui.simulator.script import Script
from llmtui.store.session_folder import SAMPLES, TRIALS
from llmtui.store.trials_csv import row_cells
from tests.engine.engine_process import Engine, models_of, plan_for, running_engine, start

LOAD_S = 0.4
PLAIN = SimulatedModel(name="plain", decode_tps=80.0, load_s=LOAD_S, answers=(ScriptedAnswer(tokens=100, jitter=0.05),))
BUNDLED = SimulatedModel(
    name="bundled", decode_tps=160.0, load_s=LOAD_S, answers=(ScriptedAnswer(tokens=300, tokens_per_chunk=4),)
)
THINKER = SimulatedModel(
    name="thinker",
    decode_tps=100.0,
    load_s=LOAD_S,
    capabilities=("completion", "thinking"),
    answers=(ScriptedAnswer(tokens=80, thinking_tokens=30),),
)


@contextmanager
def ran(
    tmp_path: Path, *models: SimulatedModel, script: Script | None = None, **changes: Any
) -> Iterator[tuple[Engine, RunningSimulator]]:
    """A run over all given models, from its start; the rest is up to the test."""
    script = msgspec.structs.replace(script or Script(), models=models)
    with running_simulator(script) as simulator, running_engine(tmp_path) as engine:
        listed = models_of(engine, simulator.url)
        picked = [listed[f"{model.name}:latest"] for model in models]
        start(engine, plan_for(simulator.url, *picked, **changes), tmp_path / "results")
        yield engine, simulator


def session(engine: Engine) -> Session:
    made = fold(engine.journal())
    assert made is not None
    return made


@pytest.mark.parametrize("model", [PLAIN, BUNDLED, THINKER], ids=lambda model: model.name)
@pytest.mark.timed
def test_figures_follow_the_send_log(tmp_path: Path, model: SimulatedModel) -> None:
    think = bool(model.capabilities[1:])
    with ran(tmp_path, model, think=think) as (engine, simulator):
        engine.finished_session()
        rows, truths = engine.rows(), simulator.answers()
        assert [(row.trial.kind, row.outcome) for row in rows] == [
            ("cold", "ok"), ("warm", "ok"), ("warm", "ok"), ("follow_up", "ok"),
        ]  # fmt: skip
        first_errors, rate_errors = [], []
        for row, truth in zip(rows, truths, strict=True):
            figures = measure(row, local=True)
            assert figures.ttft_ms is not None
            assert truth.ttft_ns is not None
            first_errors.append(abs(figures.ttft_ms - truth.ttft_ns / 1e6))
            assert figures.tokens == truth.output_tokens
            assert truth.truth is not None
            if figures.ttfo_ms is not None and truth.ttfo_ns is not None:
                assert abs(figures.ttfo_ms - truth.ttfo_ns / 1e6) < 50
            if row.trial.kind == "warm":
                assert figures.decode_tps is not None
                made = truth.truth.last_token_ns - truth.truth.first_token_ns
                rate_errors.append(abs(figures.decode_tps / ((truth.truth.output_tokens - 1) / made * 1e9) - 1))
        assert median(first_errors) < 5
        assert median(rate_errors) < 0.02
        assert rows[0].counters is not None
        assert (rows[0].counters.load_duration_ns or 0) >= LOAD_S * 1e9
        if think:
            warm = measure(rows[1], local=True)
            assert warm.ttft_ms is not None
            assert warm.ttfo_ms is not None
            assert warm.ttfo_ms > warm.ttft_ms + 200


def test_what_is_on_disk_is_what_was_told(tmp_path: Path) -> None:
    with ran(tmp_path, PLAIN) as (engine, _):
        engine.finished_session()
        told = [event for event in engine.events if isinstance(event, TrialFinished | SessionFinished)]
        kept = [event for event in engine.journal() if isinstance(event, TrialFinished | SessionFinished)]
        assert kept == told
        made = session(engine)
        with (engine.folder() / TRIALS).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert rows == [row_cells(row, made) for row in made.rows]
        with (engine.folder() / SAMPLES).open(newline="", encoding="utf-8") as file:
            looks = list(csv.DictReader(file))
        assert len(looks) == len([event for event in engine.journal() if isinstance(event, Sampled)]) > 0
        assert all(float(look["cores_busy"]) >= 0 for look in looks)


def test_another_clients_reload_is_seen_and_the_trial_repeated(tmp_path: Path) -> None:
    other = Planned(change=OtherClientLoads(model="plain", options={"num_ctx": 2048}), after_trial=2)
    with ran(tmp_path, PLAIN, script=Script(plan=(other,))) as (engine, simulator):
        engine.finished_session()
        rows = session(engine).rows
        assert [row.trial.kind for row in rows] == ["cold", "warm", "warm", "warm", "follow_up"]
        assert ["unexpected_reload" in row.flags for row in rows] == [False, False, True, False, False]
        assert rows[3].repeats == rows[2].trial.id
        loaded = [answer.truth.loaded for answer in simulator.answers() if answer.truth is not None]
        assert loaded == [True, False, True, False, False]


def test_waiting_behind_another_client_is_seen(tmp_path: Path) -> None:
    other = Planned(change=OtherClientAsks(model="plain", seconds=1.0), before_trial=3)
    with ran(tmp_path, PLAIN, script=Script(plan=(other,))) as (engine, _):
        engine.finished_session()
        assert ["queued" in row.flags for row in session(engine).rows] == [False, False, True, False]


@pytest.mark.parametrize(
    ("kind", "outcome", "code"),
    [("closed", "no_final", None), ("error", "error", "server_error"), ("cut", "error", "cut")],
)
def test_a_stream_that_ends_badly_is_a_row_and_the_run_goes_on(
    tmp_path: Path, kind: str, outcome: str, code: str | None
) -> None:
    bad = ScriptedAnswer(tokens=60, ending=Ending(kind=kind, after_chunks=20), match="creativity")  # type: ignore[arg-type]
    model = msgspec.structs.replace(PLAIN, answers=(ScriptedAnswer(tokens=60), bad))
    with ran(tmp_path, model, kinds=("cold", "warm")) as (engine, _):
        assert engine.finished_session().how == "complete"
        rows = {row.trial.prompt: row for row in engine.rows()}
        assert rows[None].outcome == rows[1].outcome == "ok"
        assert rows[0].outcome == outcome
        assert len(rows[0].timeline.t_ns) == 20
        assert (rows[0].problem.code if rows[0].problem else None) == code


def test_a_server_that_falls_silent_is_given_up_by_the_watchdog(tmp_path: Path) -> None:
    silent = ScriptedAnswer(tokens=60, ending=Ending(kind="silent", after_chunks=5), match="coding")
    model = msgspec.structs.replace(PLAIN, answers=(ScriptedAnswer(tokens=60), silent))
    with ran(tmp_path, model, kinds=("cold", "warm"), stall_s=0.5) as (engine, simulator):
        assert engine.finished_session().how == "complete"
        rows = {row.trial.prompt: row for row in engine.rows()}
        assert (rows[0].outcome, rows[1].outcome) == ("ok", "stalled")
        cut = [answer for answer in simulator.answers() if answer.disconnected_ns is not None]
        assert len(cut) == 1, "the server was told that nobody listens"


def test_a_model_that_is_gone_fails_alone(tmp_path: Path) -> None:
    gone = Planned(change=RemoveModel(model="bundled"), before_trial=1)
    with ran(tmp_path, PLAIN, BUNDLED, script=Script(plan=(gone,)), kinds=("cold",), rounds=2) as (engine, _):
        engine.finished_session()
        rows = engine.rows()
        assert {row.outcome for row in rows if row.trial.contender == 0} == {"ok"}
        failed = [row for row in rows if row.trial.contender == 1 and row.outcome == "error"]
        assert failed
        assert failed[-1].problem is not None
        assert failed[-1].problem.code == "no_such_model"


def test_a_server_that_dies_in_mid_run_ends_it_soon_with_rows(tmp_path: Path) -> None:
    with ran(tmp_path, PLAIN, BUNDLED, rounds=2) as (engine, simulator):
        engine.wait_for(TrialFinished)
        os.kill(simulator.pid, signal.SIGKILL)
        assert engine.finished_session(within_s=30).how == "failed"
        assert engine.process.poll() is None
        rows = engine.rows()
        assert len(rows) == 2 * 2 * 4
        assert rows[0].outcome == "ok"
        assert rows[-1].outcome == "error"
        assert rows[-1].problem is not None
        assert rows[-1].problem.code == "refused"
        assert [note.level for note in engine.of(Noted)] == ["error"]


def test_memory_is_the_runners_and_a_cold_start_waits_for_its_end(tmp_path: Path) -> None:
    megabytes = 80
    model = msgspec.structs.replace(PLAIN, stand_in_bytes=megabytes << 20, size_bytes=megabytes << 20)
    script = Script(stand_in_runner=True)
    with ran(tmp_path, model, script=script, rounds=2, categories=("coding",)) as (engine, _):
        engine.finished_session()
        rows = engine.rows()
        pids = [row.machine.runner_pid for row in rows if row.machine is not None]
        first, second = pids[:3], pids[3:]
        assert None not in pids[1:3]
        assert set(first[1:]) != set(second[1:]), "a cold start is a process of its own"
        assert {flag for row in rows for flag in row.flags} <= {"short_output", "noisy_start"}
        warm = next(row.machine for row in rows if row.trial.kind == "warm")
        assert warm is not None
        assert warm.runner_peak_bytes is not None
        assert warm.runner_peak_bytes >= megabytes << 20
        assert rows[-1].cold_source is None
        assert not psutil.pid_exists(second[-1] or 0), "nothing of ours is left in memory"


def test_slow_starts_are_told_before_anything_comes(tmp_path: Path) -> None:
    """From Enter on something moves: samples while the model loads, and phases that say what is being done."""
    slow = msgspec.structs.replace(PLAIN, load_s=2.0)
    with ran(tmp_path, slow, kinds=("cold",)) as (engine, _):
        row = engine.wait_for(TrialFinished)
        engine.finished_session()
        assert row.t0_ns is not None
        first_text_ns = row.t0_ns + row.timeline.t_ns[0]
        looks = [look for look in engine.of(Sampled) if row.t0_ns <= look.t_ns <= first_text_ns]
        assert len(looks) >= 5, "five a second until the first word"
