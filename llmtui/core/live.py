"""The current trial while it runs: figures so far, loading progress, and the remaining time of the run.

These values are only displayed. Stored figures are computed from the finished trial (see ``core.metrics``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from statistics import fmean

import msgspec

from llmtui.core.events import Chunks
from llmtui.core.plan import Kind, Trial, round_blocks, trials_per_round
from llmtui.core.session import Session
from llmtui.core.trial_row import TrialRow

LOADED_SHARE = 0.9
"""A model counts as loaded if its process holds this share of the model's size. The rest may be tensors that are never
accessed."""
RATE_WINDOW_NS = 10_000_000_000
"""Length of the time window for measuring the loading speed, in ns."""
MIN_RATE_NS = 1_500_000_000
MIN_LOADED_SHARE = 0.05
"""Smallest loaded share from which the remaining time is estimated. Below it the model's process is still starting, at
an untypical speed."""
MAX_LEFT_S = 900.0
GRAIN_NS = 20_000_000
"""Width of the bins in which arrivals are counted for the plot of the token rate, in ns."""
TOKENS_A_STRETCH = 4


class LiveFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of the running trial."""

    ttft_ms: float | None = None
    ttfo_ms: float | None = None
    chunks: int = 0
    tokens: int = 0
    """Estimated number of tokens so far."""
    tps: float | None = None
    """Estimated tokens per second: number of chunks × tokens per chunk in the model's finished trials ÷ time since the
    first chunk."""
    thinking: bool = False
    """Whether the newest chunk is thinking."""


class LiveTrial:
    """The arrivals of one running trial's text, from which its live figures are estimated."""

    def __init__(self, trial_id: str, tokens_per_chunk: float = 1.0) -> None:
        self.trial_id = trial_id
        self._per_chunk = tokens_per_chunk
        self._first_ns: int | None = None
        self._answer_ns: int | None = None
        self._last_ns = 0
        self._chunks = 0
        self._thinking = False
        self._arrived: Counter[int] = Counter()
        """Number of chunks in each bin of ``GRAIN_NS`` since the request."""

    def add(self, chunks: Chunks) -> None:
        """Add a batch of text; text of other trials is ignored."""
        if chunks.trial_id != self.trial_id:
            return
        for t_ns, channel, _ in chunks.chunks:
            self._arrived[t_ns // GRAIN_NS] += 1
            if self._first_ns is None:
                self._first_ns = t_ns
            if channel == "a" and self._answer_ns is None:
                self._answer_ns = t_ns
            self._last_ns = t_ns
            self._thinking = channel == "t"
        self._chunks += len(chunks.chunks)

    def rates(self, columns: int) -> tuple[float, ...]:
        """Return the tokens per second in equal intervals since the first chunk.

        An interval is long enough for ``TOKENS_A_STRETCH`` tokens at the trial's mean rate, so that the plot of a slow
        model does not jump between 0 and 1. An incomplete last interval is left out, unless it is the only one.

        Args:
            columns: largest number of intervals.
        """
        if self._first_ns is None or columns < 1:
            return ()
        first = self._first_ns // GRAIN_NS
        grains = self._last_ns // GRAIN_NS - first + 1
        per_stretch = max(-(-grains // columns), -(-TOKENS_A_STRETCH * grains // max(1, self._chunks)))
        sums = [0] * (-(-grains // per_stretch))
        for grain, count in self._arrived.items():
            sums[(grain - first) // per_stretch] += count
        if len(sums) > 1 and grains % per_stretch:
            sums.pop()
        return tuple(count * self._per_chunk / (per_stretch * GRAIN_NS / 1e9) for count in sums)

    def figures(self) -> LiveFigures:
        """Return the estimated figures of the trial so far."""
        tps = None
        if self._first_ns is not None and self._chunks > 2 and self._last_ns > self._first_ns:
            tps = (self._chunks - 1) * self._per_chunk / ((self._last_ns - self._first_ns) / 1e9)
        return LiveFigures(
            ttft_ms=None if self._first_ns is None else self._first_ns / 1e6,
            ttfo_ms=None if self._answer_ns is None else self._answer_ns / 1e6,
            chunks=self._chunks,
            tokens=round(self._chunks * self._per_chunk),
            tps=tps,
            thinking=self._thinking,
        )


def tokens_per_chunk(session: Session, contender: int) -> float:
    """Return the mean tokens per chunk in the contender's finished trials; 1 if it has none."""
    done = [row.figures for row in session.rows if row.trial.contender == contender and row.figures.tokens]
    chunks = sum(figures.chunks for figures in done)
    return sum(figures.tokens or 0 for figures in done) / chunks if chunks else 1.0


class Loading(msgspec.Struct, frozen=True, kw_only=True):
    """Loading progress of a model."""

    held_bytes: int | None
    """Memory of the model's process; None if it is not visible from here."""
    size_bytes: int | None
    left_s: float | None
    """Expected remaining time in seconds, at the recent loading speed; None if not known yet."""


def loading(session: Session, since_ns: int) -> Loading | None:
    """Return the loading progress of the current trial's model; None if it is not loading.

    Args:
        session: the session with its latest samples.
        since_ns: time at which the wait began, on the engine's clock.
    """
    trial = session.current
    if trial is None or trial.kind != "cold":
        return None
    size = session.contender(trial).model.size_bytes
    seen = [
        (sample.t_ns, sample.runner_bytes)
        for sample in session.samples
        if sample.t_ns >= since_ns and sample.runner_bytes is not None
    ]
    if not seen:
        return Loading(held_bytes=None, size_bytes=size, left_s=None)
    now_ns, held = seen[-1]
    if size is None:
        return Loading(held_bytes=held, size_bytes=None, left_s=None)
    if held >= LOADED_SHARE * size:
        return None
    then_ns, before = next(entry for entry in seen if entry[0] >= now_ns - RATE_WINDOW_NS)
    left_s = None
    if now_ns - then_ns >= MIN_RATE_NS and held > before and held >= MIN_LOADED_SHARE * size:
        left_s = (size - held) / (held - before) * (now_ns - then_ns) / 1e9
    if left_s is not None and left_s > MAX_LEFT_S:
        left_s = None
    return Loading(held_bytes=held, size_bytes=size, left_s=left_s)


class RoundRates:
    """Token rates of the current round for plots: a curve for a trial seen live, a flat line at the mean for others."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[float, ...]] = {}
        self._round = 0

    def keep(self, live: LiveTrial, round_number: int, columns: int = 8) -> None:
        """Store the curve of a trial that was seen live; curves of earlier rounds are removed."""
        if round_number != self._round:
            self._seen.clear()
            self._round = round_number
        self._seen[live.trial_id] = live.rates(columns)

    def of(self, session: Session, contender: int, live: LiveTrial | None = None) -> tuple[float, ...]:
        """Return the tokens per second of a model's trials in the newest round, in order, with a 0 before each trial.

        Args:
            session: the session with the finished trials.
            contender: index into the plan's contenders.
            live: the current trial.
        """
        number = newest_round(session)
        line: list[float] = []
        for row in session.rows:
            if row.trial.round == number and row.trial.contender == contender:
                seen = self._seen.get(row.trial.id)
                mean = row.figures.decode_tps
                line += (0.0, *(seen or ((mean, mean) if mean is not None else ())))
        trial = session.current
        if trial is not None and trial.contender == contender and live is not None and live.trial_id == trial.id:
            line += (0.0, *live.rates(8))
        return tuple(line)


def newest_round(session: Session) -> int:
    """Return the number of the current trial's round, or else of the last trial's; 1 before any trial."""
    if session.current is not None:
        return session.current.round
    return session.rows[-1].trial.round if session.rows else 1


def run_left_s(session: Session) -> tuple[float, float] | None:
    """Return the expected seconds until the promised rounds end, and until all rounds that the plan allows end.

    None before the first trial has ended. Additional rounds are expected to take as long as a promised one, and to end
    within the plan's time budget.
    """
    least = time_left_s(session)
    if least is None:
        return None
    most = max(session.rounds, session.plan.max_rounds)
    lasted = _durations(session)
    round_s = sum(_expected(trial, lasted) for block in round_blocks(session.plan, 1) for trial in block.trials)
    longest = least + (most - session.rounds) * round_s
    if session.plan.budget_s is not None:
        spent_s = (session.last_t_ns - session.t_ns) / 1e9
        longest = min(longest, max(least, session.plan.budget_s - spent_s))
    return least, longest


def share_done(session: Session) -> float:
    """Return the completed share of all rounds that the plan allows, from 0 to 1.

    For a run that was stopped, the result is the completed share of the promised rounds.
    """
    if session.finished == "complete":
        return 1.0
    rounds = session.rounds if session.finished else max(session.rounds, session.plan.max_rounds)
    return min(1.0, len({row.trial.id for row in session.rows}) / max(1, rounds * trials_per_round(session.plan)))


def time_left_s(session: Session) -> float | None:
    """Return the expected seconds until the promised rounds end; None before the first trial has ended.

    Each remaining trial is expected to take as long as finished trials of the same model and kind. Their durations are
    measured from the end of the previous trial, and so include unloading and waiting. For a model without finished
    trials, the durations of the other models' trials are used.
    """
    lasted = _durations(session)
    if not lasted or session.finished is not None:
        return None
    done = {(row.trial.id, row.trial.round) for row in session.rows}
    left = 0.0
    for number in range(1, session.rounds + 1):
        for block in round_blocks(session.plan, number):
            for trial in block.trials:
                if (trial.id, trial.round) not in done:
                    left += _expected(trial, lasted)
    if session.current is not None and session.rows:
        left -= min((session.last_t_ns - session.rows[-1].t_ns) / 1e9, _expected(session.current, lasted))
    return max(0.0, left)


def _durations(session: Session) -> dict[tuple[int, Kind], list[float]]:
    """Return the seconds from the previous trial's end to each trial's end, by (contender, kind)."""
    lasted: dict[tuple[int, Kind], list[float]] = {}
    before_ns = session.t_ns
    for row in session.rows:
        if _ran(row):
            began_ns = session.begin_of(row.t_ns, before_ns)
            lasted.setdefault((row.trial.contender, row.trial.kind), []).append((row.t_ns - began_ns) / 1e9)
        before_ns = row.t_ns
    return lasted


def _ran(row: TrialRow) -> bool:
    return row.outcome not in ("skipped", "cancelled")


def _expected(trial: Trial, lasted: dict[tuple[int, Kind], list[float]]) -> float:
    own = lasted.get((trial.contender, trial.kind))
    if own:
        return fmean(own)
    same_kind = _all(times for (_, kind), times in lasted.items() if kind == trial.kind)
    return fmean(same_kind or _all(lasted.values()))


def _all(lists: Iterable[list[float]]) -> list[float]:
    return [value for values in lists for value in values]
