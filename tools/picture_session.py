"""Record the session that the pictures show: ``python -m tools.picture_session`` (about ten minutes).

The engine measures the simulator in real time: three models as on a laptop without a graphics card, three rounds, the
shipped prompts. The answers and their times are as the engine recorded them. Its readings of this machine are then
replaced by those of an invented laptop, because a simulated server uses neither memory nor processor.
``docs/pictures/README.md`` says so too.
"""

from __future__ import annotations

import gzip
import math
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import TypeVar

import msgspec

from llmtui.config import shipped_pack
from llmtui.core.choices import Choices
from llmtui.core.commands import SetServer, StartPlan
from llmtui.core.events import (
    JOURNALED,
    CommandFailed,
    Event,
    ModelsListed,
    PhaseChanged,
    Sampled,
    SessionFinished,
    SessionStarted,
    TrialFinished,
    TrialStarted,
    encode,
)
from llmtui.core.planning import make_plan
from llmtui.core.records import Fingerprint, MachineFigures, Timeline
from llmtui.link.engine_process import EngineProcess
from llmtui.simulator.changes import Planned, PutModel
from llmtui.simulator.model import ScriptedAnswer, SimulatedModel, SpeedPoint
from llmtui.simulator.process import running_simulator
from llmtui.simulator.prose import token_texts_of
from llmtui.simulator.script import Script
from tools.picture_answers import AGAIN, LLAMA, MISTRAL, QWEN, Said

JOURNAL = Path(__file__).parents[1] / "docs" / "pictures" / "session.jsonl.gz"

ROUNDS = 3
TRIALS_PER_ROUND = 18
SEED = 5
GB = 10**9
STEP_NS = 100_000
"""Times are rounded to a tenth of a millisecond, which halves the size of the file and changes nothing on screen."""
START_NS = 1_000 * 10**9
WALL_NS = 1_795_291_800 * 10**9
"""2026-11-21 20:10:00 UTC."""
CORES, RAM_BYTES, OTHERS_BYTES = 16, 16 * GB, round(3.4 * GB)
Moment = TypeVar("Moment", SessionStarted, TrialStarted, PhaseChanged, Sampled, TrialFinished, SessionFinished)
ADDRESS = "http://127.0.0.1:11434"
LAPTOP = Fingerprint(
    llmtui="0.1.0",
    python="3.13.0",
    os="Linux 6.8",
    cpu="AMD Ryzen 7 5800U with Radeon Graphics",
    cores_physical=8,
    cores_logical=CORES,
    ram_total_bytes=RAM_BYTES,
    on_battery=False,
    server_version="0.34.4",
    server_address=ADDRESS,
    server_is_local=True,
)
HELD_GB = {"llama3.1:8b": 5.53, "mistral:7b": 4.97, "qwen3:4b": 3.21}
"""Model → memory that it uses, including its working memory."""


# --- the server that is measured ----------------------------------------------------------------------------------


def script() -> Script:
    """Return the simulated server: three models whose speed varies a little and which later load faster.

    They load faster after the first round, as if their files were in the system's cache by then.
    """
    models = (
        _model("llama3.1:8b", LLAMA, size=4.92, parameters="8.0B", family="llama", load_s=9.3, prefill=71, decode=9.1),
        _model("mistral:7b", MISTRAL, size=4.37, parameters="7.2B", family="llama", load_s=8.2, prefill=78, decode=9.3),
        _model("qwen3:4b", QWEN, size=2.62, parameters="4.0B", family="qwen3", load_s=5.1, prefill=128, decode=15.8),
    )
    again = tuple(msgspec.structs.replace(model, load_s=model.load_s / 3.4) for model in models)
    plan = tuple(Planned(after_trial=TRIALS_PER_ROUND, change=PutModel(model=model)) for model in again)
    return Script(models=models, plan=plan)


def _model(
    name: str, said: dict[str, Said], *, size: float, parameters: str, family: str, load_s: float, prefill: float,
    decode: float,
) -> SimulatedModel:  # fmt: skip
    thinks = any(one.thought for one in said.values())
    noise = random.Random(name)
    return SimulatedModel(
        name=name,
        family=family,
        parameter_size=parameters,
        size_bytes=round(size * GB),
        load_s=load_s,
        prefill_tps=prefill,
        decode_tps=decode,
        capabilities=("completion", "thinking") if thinks else ("completion",),
        # The follow-up contains the whole conversation, so the words of its last prompt are looked for first.
        answers=tuple(_answer(words, said[words]) for words in (AGAIN, *(one for one in said if one != AGAIN))),
        speed_points=tuple(
            SpeedPoint(after_trials=done, speed=noise.gauss(1.0, 0.012)) for done in range(ROUNDS * TRIALS_PER_ROUND)
        ),
    )


def _answer(words: str, said: Said) -> ScriptedAnswer:
    token_texts = (*token_texts_of(said.text), "")
    return ScriptedAnswer(
        match=words,
        token_texts=token_texts,
        thinking_token_texts=tuple(token_texts_of(said.thought)) or None,
        jitter=0.03,
    )


# --- recording ----------------------------------------------------------------------------------------------------


def record(results: Path) -> list[Event]:
    """Run the session; return the events that its journal has.

    Raises:
        RuntimeError: the engine failed.
    """
    with running_simulator(script()) as server:
        link = EngineProcess()
        try:
            return list(_run(link, server.url, results))
        finally:
            link.close()


def _run(link: EngineProcess, url: str, results: Path) -> Iterator[Event]:
    link.send(SetServer(address=url, kind="ollama"))
    started = False
    for event in (event for batch in link.batches() for event in batch):
        if isinstance(event, ModelsListed) and not started:
            started = True
            choices = Choices(preset="standard", rounds=ROUNDS, think="on")
            by_name = {one.model.name: one.model for one in event.models}
            models = [by_name[name] for name in HELD_GB]
            plan = make_plan(models, shipped_pack("en"), server=url, choices=choices, seed=SEED)
            link.send(StartPlan(plan=plan, results_dir=str(results)))
        elif isinstance(event, CommandFailed):
            raise RuntimeError(str(event.problem))
        elif isinstance(event, TrialFinished):
            print(f"{event.order:3}/{ROUNDS * TRIALS_PER_ROUND} {event.trial.id} {event.outcome}", flush=True)
        if isinstance(event, JOURNALED):
            yield event
        if isinstance(event, SessionFinished):
            return


# --- a laptop instead of this machine -----------------------------------------------------------------------------


class Laptop:
    """Converts the recorded session to one of the invented laptop."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._events = events
        [self._start] = [event for event in events if isinstance(event, SessionStarted)]
        self._shift_ns = START_NS - _down(self._start.t_ns)
        self._wall_shift_ns = WALL_NS - _down(self._start.wall_ns)
        self._samples: list[Sampled] = []
        self._held = 0.0
        self._heat = 47.0

    def events(self) -> Iterator[Event]:
        """Yield the events of the converted session."""
        phase, trial, finished = (
            "idle",
            "",
            {one.trial.id: one for one in self._events if isinstance(one, TrialFinished)},
        )
        self._phase_since = self._start.t_ns
        for event in self._events:
            if isinstance(event, PhaseChanged):
                phase, self._phase_since = event.phase, event.t_ns
                trial = event.trial_id or trial
                yield self._moved(event)
            elif isinstance(event, Sampled):
                yield self._sampled(event, phase, finished.get(trial))
            elif isinstance(event, SessionStarted):
                yield self._started(event)
            elif isinstance(event, TrialFinished):
                yield self._finished(event)
            elif isinstance(event, SessionFinished):
                yield self._moved(event, wall_ns=_down(event.wall_ns) + self._wall_shift_ns)
            elif isinstance(event, TrialStarted):
                yield self._moved(event)

    def _moved(self, event: Moment, **changes: object) -> Moment:
        return msgspec.structs.replace(event, t_ns=_down(event.t_ns) + self._shift_ns, **changes)

    def _started(self, event: SessionStarted) -> SessionStarted:
        plan = msgspec.structs.replace(event.plan, server=ADDRESS)
        return self._moved(event, wall_ns=WALL_NS, fingerprint=LAPTOP, plan=plan, session_id="20261121T201000Z-c0de")

    def _sampled(self, event: Sampled, phase: str, trial: TrialFinished | None) -> Sampled:
        since_s = (event.t_ns - self._phase_since) / 1e9
        name = None if trial is None else self._name(trial)
        target = HELD_GB.get(name or "", 0.0) * GB
        load_s = 0.0
        if trial is not None and trial.counters is not None and trial.trial.kind == "cold":
            load_s = (trial.counters.load_duration_ns or 0) / 1e9
        wave = 0.18 * math.sin(event.t_ns / 0.9e9) + 0.11 * math.sin(event.t_ns / 0.37e9)
        runner: float | None
        if phase in {"unload", "idle"}:
            self._held, runner = 0.0, None
        elif phase == "waiting" and since_s < load_s:
            self._held, runner = target * since_s / load_s, 0.85 + wave / 3
        else:
            self._held, runner = target, (7.75 if phase == "waiting" else 7.35) + wave
        busy = (runner or 0.1) + 0.3 + abs(wave) / 2
        self._heat += ((46.0 + 4.6 * busy) - self._heat) * 0.012
        sample = self._moved(
            event,
            cores_busy=round(busy, 2),
            per_core=(),
            runner_cores=None if runner is None else round(runner, 2),
            llmtui_cores=0.07,
            others_cores=round(0.23 + abs(wave) / 2, 2),
            available_bytes=round(RAM_BYTES - OTHERS_BYTES - self._held),
            ram_total_bytes=RAM_BYTES,
            swap_used_bytes=0,
            runner_file_bytes=None if runner is None else 0,
            runner_anon_bytes=None if runner is None else round(self._held),
            vram_bytes=None,
            gpu_busy=None,
            temperature_c=None if event.temperature_c is None else round(self._heat, 1),
            frequency_mhz=None if event.frequency_mhz is None else 3_400.0,
            watts=None,
            cost_ms=1.6,
        )
        self._samples.append(sample)
        return sample

    def _name(self, event: TrialFinished) -> str:
        return self._start.plan.contenders[event.trial.contender].model.name

    def _finished(self, event: TrialFinished) -> TrialFinished:
        if event.t0_ns is None or event.resident is None or event.outcome != "ok":
            raise RuntimeError(f"{event.trial.id} ended as {event.outcome}: record again")
        held = round(HELD_GB[self._name(event)] * GB)
        cold = event.trial.kind == "cold"
        t0_ns = _down(event.t0_ns) + self._shift_ns
        mine = [one.runner_cores or 0.0 for one in self._samples if one.t_ns >= t0_ns] or [7.4]
        seconds = (event.done_ns or 0) / 1e9
        return self._moved(
            event,
            wall_ns=_down(event.wall_ns) + self._wall_shift_ns,
            t0_ns=t0_ns,
            done_ns=None if event.done_ns is None else _down(event.done_ns),
            timeline=self._timeline(event.timeline),
            # Flags describe the machine that recorded, not the invented laptop.
            flags=(),
            evidence=(),
            cold_source=("disk" if event.trial.round == 1 else "memory") if cold else None,
            resident=msgspec.structs.replace(event.resident, size_bytes=held, pid=None),
            machine=MachineFigures(
                runner_pid=5120 + event.trial.contender,
                runner_peak_bytes=held + 38_000_000,
                runner_steady_bytes=held,
                runner_file_bytes=0,
                runner_anon_bytes=held,
                weights_in_anon=True,
                available_min_bytes=RAM_BYTES - OTHERS_BYTES - held,
                swap_in_bytes=0,
                disk_read_bytes=round(held * 0.9) if cold and event.trial.round == 1 else 0,
                runner_cpu_s=round(seconds * median(mine), 1),
                llmtui_cpu_s=round(seconds * 0.07, 2),
                others_cores_before=0.3,
                on_battery=False,
            ),
        )

    def _timeline(self, timeline: Timeline) -> Timeline:
        stamps = timeline.server_ns
        return msgspec.structs.replace(
            timeline,
            t_ns=tuple(map(_down, timeline.t_ns)),
            server_ns=None if stamps is None else tuple(_down(one) + self._wall_shift_ns for one in stamps),
        )


def _down(t_ns: int) -> int:
    return t_ns // STEP_NS * STEP_NS


def main() -> int:
    """Record the session and write its file; return the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        events = record(Path(folder))
    lines = b"".join(encode(event) for event in Laptop(events).events())
    JOURNAL.parent.mkdir(parents=True, exist_ok=True)
    JOURNAL.write_bytes(gzip.compress(lines, mtime=0))
    print(f"{JOURNAL}: {JOURNAL.stat().st_size / 1000:.0f} kB, {len(lines) / 1000:.0f} kB unpacked")
    return 0


if __name__ == "__main__":
    sys.exit(main())
