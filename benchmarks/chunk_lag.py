"""How late the arrival of a chunk is noted: the full program compared with a bare reader, alternately."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from statistics import median

from benchmarks.programs import folder, on_screen, server_of, settings_for, steady, watched
from benchmarks.rows import Benchmark, Row, p99, spread
from llmtui.core.events import SessionEvent, TrialFinished
from llmtui.simulator import RunningSimulator, SentRequest, running_simulator

RATE_TPS = 250.0
RUNS = 5
SECONDS = 8.0
ALLOWED_MS = 0.5
MODEL = "steady:1b"


def measure(quick: bool) -> Iterable[Row]:
    tokens = round(RATE_TPS * (2.0 if quick else SECONDS))
    bare, ours = [], []
    for _ in range(2 if quick else RUNS):
        with running_simulator(server_of(steady(RATE_TPS, 10**6, name=MODEL))) as server:
            bare.append(p99(bare_lags_ms(server, tokens)))
            ours.append(p99(screen_lags_ms(server, tokens)))
    difference = median(ours) - median(bare)
    yield Row(
        f"lag of a chunk at {RATE_TPS:.0f} tok/s while the screens draw, p99, median of {len(ours)} runs; compared "
        "with a program that only reads",
        f"{spread(ours)} ms; reader {spread(bare)} ms; difference {difference:+.2f} ms",
        f"≤ reader + {ALLOWED_MS} ms",
        difference <= ALLOWED_MS,
    )


def bare_lags_ms(server: RunningSimulator, tokens: int) -> list[float]:
    """Return arrival − sending of each chunk that a bare reader received, in ms."""
    seen = server.send_log()[-1].number if server.send_log() else 0
    command = [sys.executable, "-m", "benchmarks.bare_reader", str(server.port), str(tokens), MODEL]
    stamps = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    (answer,) = server.answers(since=seen)
    sent = sent_ns(answer)
    return [(at - gone) / 1e6 for at, gone in zip(stamps[: len(sent)], sent, strict=True)]


def screen_lags_ms(server: RunningSimulator, tokens: int) -> list[float]:
    """Return arrival − sending of each chunk that the engine received while the screen was drawing, in ms."""
    finished: list[TrialFinished] = []

    def note(event: SessionEvent) -> None:
        if isinstance(event, TrialFinished):
            finished.append(event)

    seen = server.send_log()[-1].number if server.send_log() else 0
    with folder() as where, on_screen(where, settings_for(server.url, trials=1, tokens=tokens), trials=1) as run:
        watched(run, note)
        run.screen.quit()
    warm = next(event for event in finished if event.trial.kind == "warm")
    answer = server.answers(since=seen)[finished.index(warm)]
    assert warm.t0_ns is not None, "it was asked"
    arrived = [warm.t0_ns + at for at in warm.timeline.t_ns]
    return [(at - gone) / 1e6 for at, gone in zip(arrived, sent_ns(answer), strict=True)]


def sent_ns(answer: SentRequest) -> list[int]:
    """Return the time just before the server wrote each chunk of text, in ns; a chunk may arrive during the write."""
    return [chunk.handed_ns for chunk in answer.texts]


BENCHMARK = Benchmark("lag", "How late the arrival of text is noted", measure)
