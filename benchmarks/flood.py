"""Two thousand tokens per second for a minute: the screen keeps up, memory stays constant, and no event is lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.programs import engine_of, folder, on_screen, server_of, settings_for, watched
from benchmarks.rows import Benchmark, Row, spread
from llmtui.config import find_prompt_pack
from llmtui.core.choices import Choices
from llmtui.core.commands import SetServer, StartPlan
from llmtui.core.events import (
    JOURNALED,
    Chunks,
    Event,
    Gap,
    ModelsListed,
    Sampled,
    SessionEvent,
    SessionFinished,
    SessionOpened,
    TrialFinished,
)
from llmtui.core.planning import make_plan
from llmtui.link.engine_process import EngineProcess
from llmtui.simulator import RunningSimulator, ScriptedAnswer, SimulatedModel, running_simulator
from llmtui.store.journal import read_events
from llmtui.store.session_folder import JOURNAL

RATE_TPS = 2000.0
TESTS = 12
TOKENS = 10_000
"""Tokens of one answer, which takes five seconds."""
END_MARK = b"ENDOFTEXT"
BEHIND_BAR_MS = 250.0
FLAT_BAR_MB = 10.0
STALL_S = 4.0
"""How long the reader does not read the engine's output, in seconds."""


def measure(quick: bool) -> Iterable[Row]:
    trials, tokens = (3 if quick else TESTS), TOKENS
    with running_simulator(server_of(_model(tokens))) as server:
        seen = _on_screen(server, trials, tokens)
        yield Row(
            f"{RATE_TPS:.0f} tok/s for {trials * tokens / RATE_TPS:.0f} s: time from sending of the last text to its "
            f"being on the screen, {len(seen.behind_ms)} answers",
            f"{spread(seen.behind_ms, 0)} ms ({seen.chunks} chunks at {seen.rate_tps:.0f} tok/s)",
            f"≤ {BEHIND_BAR_MS:.0f} ms",
            max(seen.behind_ms) <= BEHIND_BAR_MS,
        )
        growth = {name: series[-1] - series[1] for name, series in seen.memory_mb.items()}
        yield Row(
            "growth of memory from the second answer to the last",
            ", ".join(f"{name} {grown:+.1f} MB" for name, grown in growth.items()),
            f"flat: ≤ {FLAT_BAR_MB:.0f} MB",
            max(growth.values()) <= FLAT_BAR_MB,
        )
        for stalls in (False, True):
            told = _told(server, tokens, stalls=stalls)
            lost = f"{told.missing} of {told.facts} events missing, gaps: {told.gaps}"
            yield Row(
                "events from the engine at that rate" + (f", the reader stopped for {STALL_S:g} s" if stalls else ""),
                f"{lost} ({told.lost_chunks} batches of text, {told.lost_samples} sensor readings left out)",
                "none missing" if stalls else "none missing, no gap",
                told.missing == 0 and (told.gaps > 0 if stalls else told.gaps == 0),
            )


# --- on the screen -----------------------------------------------------------------------------------------------


@dataclass
class Seen:
    behind_ms: list[float] = field(default_factory=list)
    memory_mb: dict[str, list[float]] = field(default_factory=lambda: {"screen": [], "engine": []})
    chunks: int = 0
    rate_tps: float = 0.0


class MarkWatch:
    """Records when the mark at the end of an answer is drawn on the screen."""

    def __init__(self) -> None:
        self.at_ns: list[int] = []
        self._tail = b""

    def __call__(self, at_ns: int, data: bytes) -> None:
        if END_MARK in self._tail + data:
            self.at_ns.append(at_ns)
        self._tail = data[-len(END_MARK) :]


def _on_screen(server: RunningSimulator, trials: int, tokens: int) -> Seen:
    seen, mark = Seen(), MarkWatch()
    asked = len(server.answers())
    with folder() as where:
        settings = settings_for(server.url, trials=trials, tokens=tokens)
        with on_screen(where, settings, trials=trials, seen=mark) as run:
            watched(run, _memory_noter(run.screen.pid, seen))
            time.sleep(1)  # until the last frame is drawn
            run.screen.quit()
    answers = [answer for answer in server.answers()[asked:] if len(answer.texts) > tokens / 2]
    for answer in answers:
        left_ns = answer.texts[-1].sent_ns
        painted = [at for at in mark.at_ns if at > left_ns]
        seen.behind_ms.append((min(painted) - left_ns) / 1e6 if painted else float("inf"))
    seen.chunks = sum(len(answer.texts) for answer in answers)
    seen.rate_tps = min(answer.decode_tps or 0.0 for answer in answers)
    return seen


def _memory_noter(pid: int, seen: Seen) -> Callable[[SessionEvent], None]:
    processes: dict[str, psutil.Process] = {}

    def note(event: SessionEvent) -> None:
        if not isinstance(event, TrialFinished) or event.trial.kind != "warm":
            return
        if not processes:
            processes.update(screen=psutil.Process(pid), engine=engine_of(pid))
        for name, process in processes.items():
            seen.memory_mb[name].append(process.memory_info().rss / 1e6)

    return note


# --- told by the engine ------------------------------------------------------------------------------------------


@dataclass
class Told:
    facts: int
    missing: int
    gaps: int
    lost_chunks: int
    lost_samples: int


def _told(server: RunningSimulator, tokens: int, *, stalls: bool) -> Told:
    with folder() as where:
        events = _run_engine(server, where, tokens, stall_s=STALL_S if stalls else 0.0)
        journal = list(read_events(next(where.glob(f"*/{JOURNAL}"))))
    # Sensor readings are in the journal, but the engine may leave them out of its output.
    told = [event for event in events if isinstance(event, JOURNALED) and not isinstance(event, Sampled)]
    kept = [event for event in journal if not isinstance(event, Sampled)]
    gaps = [event for event in events if isinstance(event, Gap)]
    return Told(
        facts=len(kept),
        missing=len([event for event in kept if event not in told]) + abs(len(told) - len(kept)),
        gaps=len(gaps),
        lost_chunks=sum(gap.chunks for gap in gaps),
        lost_samples=sum(gap.samples for gap in gaps),
    )


def _run_engine(server: RunningSimulator, results: Path, tokens: int, *, stall_s: float) -> list[Event]:
    pack = find_prompt_pack(None, results, results, "en")
    events: list[Event] = []
    link = EngineProcess()
    try:
        link.send(SetServer(address=server.url))
        for batch in link.batches():
            events.extend(batch)
            for event in batch:
                if isinstance(event, ModelsListed) and not any(isinstance(one, SessionOpened) for one in events):
                    choices = Choices(rounds=1, num_predict=tokens)
                    models = [one.model for one in event.models]
                    plan = make_plan(models, pack, server=event.address, categories=["coding"], choices=choices)
                    link.send(StartPlan(plan=plan, results_dir=str(results)))
                elif isinstance(event, Chunks) and stall_s:
                    time.sleep(stall_s)
                    stall_s = 0.0
                elif isinstance(event, SessionFinished):
                    return events
    finally:
        link.close()
    raise RuntimeError("the engine ended before its session")


def _model(tokens: int) -> SimulatedModel:
    words = ["one ", "two ", "three ", "four ", "five ", "six ", "seven ", "eight ", "nine ", "ten "]
    text = tuple(words[number % len(words)] for number in range(tokens - 2))
    answer = ScriptedAnswer(token_texts=(*text, END_MARK.decode()))
    return SimulatedModel(
        name="flood:1b",
        decode_tps=RATE_TPS,
        load_s=0.2,
        prefill_tps=2000.0,
        context_length=10 * tokens,
        answers=(answer,),
    )


BENCHMARK = Benchmark("flood", "Two thousand tokens per second", measure)
