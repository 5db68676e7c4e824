"""Measured figures against what a simulated server really sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Final

import msgspec

from llmtui.core.events import TrialFinished
from llmtui.core.metrics import MIN_TOKENS_COMPARED
from llmtui.core.session import Session, SessionBuilder
from llmtui.core.trial_row import TrialRow
from llmtui.selftest.screen import Screen, ScreenFailed, ScreenRun, program
from llmtui.selftest.script import CAP_TOKENS, WARM_TRIALS, categories, drawn_script, prompts_file
from llmtui.simulator import SentRequest, running_simulator

TTFT_BOUND_MS: Final = 2.0
DECODE_BOUND: Final = 0.005
LIMIT_S: Final = 60.0


class TruthPair(msgspec.Struct, frozen=True):
    """One figure, true and measured."""

    truth: float
    measured: float

    @property
    def difference(self) -> float:
        """Measured − truth, in their unit."""
        return self.measured - self.truth

    @property
    def share(self) -> float:
        """Measured ÷ truth − 1."""
        return self.measured / self.truth - 1


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One trial: its figures, each beside the value in the server's log."""

    row: TrialRow
    ttft_ms: TruthPair | None
    decode_tps: TruthPair | None
    """None where there are too few tokens for a speed."""


class Accuracy(msgspec.Struct, frozen=True, kw_only=True):
    """All trials of the self-test."""

    session: Session
    trials: tuple[Compared, ...]

    @property
    def ttft_error_ms(self) -> float:
        """Median of the absolute TTFT errors."""
        return median(abs(trial.ttft_ms.difference) for trial in self.trials if trial.ttft_ms is not None)

    @property
    def decode_error(self) -> float:
        """Median of the absolute decode errors, as a share."""
        return median(abs(trial.decode_tps.share) for trial in self.trials if trial.decode_tps is not None)

    @property
    def within_bounds(self) -> bool:
        """Whether both are within their bounds."""
        return self.ttft_error_ms <= TTFT_BOUND_MS and self.decode_error <= DECODE_BOUND


def measure_accuracy(folder: Path, seed: int, progress: Callable[[str], None]) -> Accuracy:
    """Run the program, screen and engine, against a randomly drawn server.

    Args:
        folder: an empty folder for all files.
        seed: seed of the server.
        progress: called with a line of progress.

    Raises:
        ScreenFailed: the program did not behave as expected.
        RuntimeError: the simulated server does not start.
    """
    prompts = folder / "prompts.toml"
    prompts.write_text(prompts_file(), encoding="utf-8")
    results = folder / "results"
    with running_simulator(drawn_script(seed)) as server:
        settings = {
            "host": server.url,
            "preset": "quick",
            "think": "on",
            "num_predict": str(CAP_TOKENS),
            "categories": categories(WARM_TRIALS),
            "bell": "off",
            "quiet_wait_s": "0",
        }
        screen = Screen(program("--results", str(results), "--prompts", str(prompts)), folder=folder, settings=settings)
        try:
            session = _watched(ScreenRun(screen, results), progress)
            screen.quit()
        finally:
            screen.close()
        answers = server.answers()
    return Accuracy(session=session, trials=compare(session.rows, answers))


def compare(rows: Sequence[TrialRow], answers: Sequence[SentRequest]) -> tuple[Compared, ...]:
    """Return measured figures paired with those of the log, in the order of the requests.

    Raises:
        ScreenFailed: their numbers differ, or a trial failed.
    """
    failed = [row for row in rows if row.outcome != "ok"]
    if failed:
        raise ScreenFailed(f"Test {failed[0].order} of {len(rows)} ended as {failed[0].outcome}.")
    if len(rows) != len(answers):
        raise ScreenFailed(f"The server gave {len(answers)} answers, llmtui measured {len(rows)}.")
    asked = sorted(answers, key=lambda answer: answer.received_ns)
    return tuple(_compared(row, answer) for row, answer in zip(rows, asked, strict=True))


def _compared(row: TrialRow, answer: SentRequest) -> Compared:
    figures = row.figures
    ttft = decode = None
    if figures.ttft_ms is not None and answer.ttft_ns is not None:
        ttft = TruthPair(answer.ttft_ns / 1e6, figures.ttft_ms)
    if figures.decode_tps is not None and answer.decode_tps is not None and answer.output_tokens >= MIN_TOKENS_COMPARED:
        decode = TruthPair(answer.decode_tps, figures.decode_tps)
    return Compared(row=row, ttft_ms=ttft, decode_tps=decode)


def _watched(run: ScreenRun, progress: Callable[[str], None]) -> Session:
    builder = SessionBuilder()
    run.begin()
    for event in run.events(limit_s=LIMIT_S):
        builder.apply(event)
        if isinstance(event, TrialFinished):
            session = builder.snapshot()
            assert session is not None, "a test belongs to a session"
            progress(f"{event.order}/{session.total}")
    session = builder.snapshot()
    assert session is not None, "it began"
    return session
