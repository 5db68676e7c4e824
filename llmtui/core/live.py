"""The current trial: figures so far, loading progress, and the time left of the run.

For display only. Figures that are kept are computed from the finished trial (core.metrics).
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
"""Share of a model's size in the runner's memory from which it counts as loaded (some tensors are never touched)."""
RATE_WINDOW_NS = 10_000_000_000
"""Window over which the loading speed is measured."""
MIN_RATE_NS = 1_500_000_000
MIN_LOADED_SHARE = 0.05
"""Below this share the runner is still starting, and its speed says nothing."""
MAX_LEFT_S = 900.0
GRAIN_NS = 20_000_000
"""Bin width of the arrivals for the line of the token rate."""
TOKENS_A_STRETCH = 4


class LiveFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of a running trial."""

    ttft_ms: float | None = None
    ttfo_ms: float | None = None
    chunks: int = 0
    tokens: int = 0
    """Estimate, like ``tps``."""
    tps: float | None = None
    """Estimate: number of chunks × tokens per chunk of the model's finished trials ÷ time since the first chunk."""
    thinking: bool = False
    """The newest chunk is thinking."""


class LiveTrial:
    """The live text of one trial."""

    def __init__(self, trial_id: str, tokens_per_chunk: float = 1.0) -> None:
        self.trial_id = trial_id
        self._per_chunk = tokens_per_chunk
        self._first_ns: int | None = None
        self._answer_ns: int | None = None
        self._last_ns = 0
        self._chunks = 0
        self._thinking = False
        self._arrived: Counter[int] = Counter()
        """Number of chunks per ``GRAIN_NS`` since the request."""

    def add(self, chunks: Chunks) -> None:
        """Add a batch of this trial's text; text of other trials is ignored."""
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
        """Return tokens per second over time since the first chunk, for at most this many equal intervals.

        An interval is long enough for ``TOKENS_A_STRETCH`` tokens at the trial's mean rate, so that a slow model's line
        does not alternate between one and zero. The last interval is left out while incomplete, unless it is the only
        one.
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
        """Return the figures so far."""
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
    """Return the tokens per chunk of this contender so far; 1 where nothing is known."""
    done = [row.figures for row in session.rows if row.trial.contender == contender and row.figures.tokens]
    chunks = sum(figures.chunks for figures in done)
    return sum(figures.tokens or 0 for figures in done) / chunks if chunks else 1.0


class Loading(msgspec.Struct, frozen=True, kw_only=True):
    """Loading progress of a model."""

    held_bytes: int | None
    """Memory of the runner; None where it is not visible."""
    size_bytes: int | None
    left_s: float | None
    """Time left at the speed of the last seconds; None while that is not known."""


def loading(session: Session, since_ns: int) -> Loading | None:
    """Return the loading progress of the current trial's model; None where it is not loading.

    Args:
        session: the session with its latest samples.
        since_ns: when the wait began, on the engine's clock.
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
    """Token rates of the current round by model: the trials seen live as lines, the others as their means."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[float, ...]] = {}
        self._round = 0

    def keep(self, live: LiveTrial, round_number: int, columns: int = 8) -> None:
        """Keep the line of a trial that was seen live; those of earlier rounds are dropped."""
        if round_number != self._round:
            self._seen.clear()
            self._round = round_number
        self._seen[live.trial_id] = live.rates(columns)

    def of(self, session: Session, contender: int, live: LiveTrial | None = None) -> tuple[float, ...]:
        """Return the rates of a model's trials of the newest round in their order, a 0 before each.

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
    """Return the round of the current trial, else of the last one; 1 before any."""
    if session.current is not None:
        return session.current.round
    return session.rows[-1].trial.round if session.rows else 1


def run_left_s(session: Session) -> tuple[float, float] | None:
    """Return the expected seconds until the end of (the promised rounds, all rounds that the plan allows).

    None before the first trial has ended. Added rounds are expected to take as long as a promised one, and to end
    within the plan's budget.
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
    """Return the completed part of all rounds that the plan allows, from 0 to 1; it never decreases by itself.

    Of a stopped run: of the promised rounds.
    """
    if session.finished == "complete":
        return 1.0
    rounds = session.rounds if session.finished else max(session.rounds, session.plan.max_rounds)
    return min(1.0, len({row.trial.id for row in session.rows}) / max(1, rounds * trials_per_round(session.plan)))


def time_left_s(session: Session) -> float | None:
    """Return the expected seconds until the promised rounds end; None before the first trial has ended.

    Each remaining trial is expected to take as long as those of the same model and kind, measured from the end of the
    previous trial (which includes unloading and waiting); a model without finished trials as long as the others.
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
    """Return the seconds from the end of the previous trial to the end of each, by (contender, kind)."""
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
