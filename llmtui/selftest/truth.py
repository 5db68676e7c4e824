"""Comparison of measured figures with those in a simulated server's log."""

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
    """One figure: its true value and its measured value, in the same unit."""

    truth: float
    measured: float

    @property
    def difference(self) -> float:
        """Measured − true value, in the unit of both."""
        return self.measured - self.truth

    @property
    def share(self) -> float:
        """Measured ÷ true value − 1."""
        return self.measured / self.truth - 1


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One trial with its figures, each paired with the true value from the server's log."""

    row: TrialRow
    ttft_ms: TruthPair | None
    decode_tps: TruthPair | None
    """True and measured decode speed; None if the answer has too few tokens for a speed."""


class Accuracy(msgspec.Struct, frozen=True, kw_only=True):
    """All trials of the self-test, with the errors of their figures."""

    session: Session
    trials: tuple[Compared, ...]

    @property
    def ttft_error_ms(self) -> float:
        """Median of the absolute TTFT errors, in ms."""
        return median(abs(trial.ttft_ms.difference) for trial in self.trials if trial.ttft_ms is not None)

    @property
    def decode_error(self) -> float:
        """Median of the absolute errors of decode speed, as a share of the true speed."""
        return median(abs(trial.decode_tps.share) for trial in self.trials if trial.decode_tps is not None)

    @property
    def within_bounds(self) -> bool:
        """Whether the median errors of TTFT and of decode speed are both within their bounds."""
        return self.ttft_error_ms <= TTFT_BOUND_MS and self.decode_error <= DECODE_BOUND


def measure_accuracy(folder: Path, seed: int, progress: Callable[[str], None]) -> Accuracy:
    """Measure a randomly drawn simulated server with the whole program, screen and engine.

    Args:
        folder: an empty folder for all files.
        seed: seed of the simulated server.
        progress: called with each new line of progress.

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
    """Return each trial's measured figures paired with those in the server's log, in the order of the requests.

    Raises:
        ScreenFailed: the numbers of requests in the log and of trials differ, or a trial failed.
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
