"""Figures that only the conclusions use: variation between rounds, parts of memory, cost per token, waiting."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from llmtui.core.flags import counts_for_speed
from llmtui.core.metrics import quantile
from llmtui.core.records import MachineFigures
from llmtui.core.session import Session
from llmtui.core.stats import mean
from llmtui.core.trial_row import TrialRow
from llmtui.core.whole_rounds import whole_rounds

WEIGHTS_MAPPED = 0.5
"""Smallest share of the model's size, or of its process's memory, at which mapped files are assumed to be the
weights."""


SPREAD_ROUNDS = 3
"""Smallest number of trials of one prompt from which their variation is computed."""


class Amount(NamedTuple):
    """A figure of one contender."""

    contender: int
    value: float


class MemoryHeld(msgspec.Struct, frozen=True, kw_only=True):
    """Memory of one contender's model in bytes. None: not visible from this machine."""

    contender: int
    peak_bytes: int
    steady_bytes: int | None
    weights_bytes: int | None
    working_bytes: int | None
    """Memory other than the weights: context and buffers."""
    vram_bytes: int | None
    left_bytes: int | None
    """Smallest memory that was available to other programs during the contender's trials."""
    swapped_bytes: int | None
    """Bytes read back from swap during the contender's trials; None if not counted."""
    by_server: bool
    """Whether the figures were reported by the server, because the model's process is not visible from here."""
    reported_bytes: int | None = None
    """RAM and GPU memory together as reported by the server; None if it reports none."""

    @property
    def total_bytes(self) -> int:
        """RAM and GPU memory together. The server's own figure already includes both."""
        return self.peak_bytes if self.by_server else self.peak_bytes + (self.vram_bytes or 0)


class MemoryCompared(msgspec.Struct, frozen=True, kw_only=True):
    """RAM and GPU memory together, measured by the same source for all contenders, smallest first."""

    sizes: tuple[tuple[int, int], ...]
    """(contender, bytes), smallest first."""
    by_server: bool


def round_spread(session: Session) -> tuple[Amount, ...]:
    """Return how much each contender's speed at the same prompt varies between rounds, smallest first.

    It is the standard deviation of the log decode speed within a prompt, pooled over the prompts, as a relative value
    (0.012 is ± 1.2 %). Prompts with fewer than three trials are ignored.
    """
    by_prompt: dict[tuple[int, int | None], list[float]] = {}
    for row in session.rows:
        if counts_for_speed(row) and row.figures.decode_tps is not None:
            by_prompt.setdefault((row.trial.contender, row.trial.prompt), []).append(math.log(row.figures.decode_tps))
    found: list[Amount] = []
    for index in range(len(session.plan.contenders)):
        series = [
            logs for (contender, _), logs in by_prompt.items() if contender == index and len(logs) >= SPREAD_ROUNDS
        ]
        if series:
            squares = math.fsum((value - mean(logs)) ** 2 for logs in series for value in logs)
            found.append(Amount(index, math.expm1(math.sqrt(squares / sum(len(logs) - 1 for logs in series)))))
    return tuple(sorted(found, key=lambda one: one.value))


def per_token(session: Session, spent: str) -> tuple[Amount, ...]:
    """Return, for each contender, a machine figure divided by the output tokens of its warm trials; smallest first.

    The result includes the processing of the prompt, since the machine figure covers the whole trial.

    Args:
        session: the session.
        spent: name of the field of ``MachineFigures``.
    """
    found: list[Amount] = []
    for index in range(len(session.plan.contenders)):
        rows = [
            (getattr(row.machine, spent), row.figures.tokens)
            for row in session.rows
            if row.trial.contender == index and row.trial.kind == "warm" and row.outcome == "ok" and row.machine
        ]
        known = [(amount, tokens) for amount, tokens in rows if amount is not None and tokens]
        spent_in_all = math.fsum(amount for amount, _ in known)
        if spent_in_all > 0:  # 0: less than the counter's resolution
            found.append(Amount(index, spent_in_all / sum(tokens for _, tokens in known)))
    return tuple(sorted(found, key=lambda one: one.value))


def observer_lag_ms(session: Session) -> float | None:
    """Return the median, over warm trials, of the client lag in ms (arrival − server timestamp); None if unknown."""
    lags = sorted(
        row.figures.client_lag_ms
        for row in session.rows
        if row.trial.kind == "warm" and row.outcome == "ok" and row.figures.client_lag_ms is not None
    )
    return quantile(lags, 0.5) if lags else None


def observer_cores(session: Session) -> float | None:
    """Return the mean number of CPU cores that llmtui's processes kept busy during warm trials; None if unknown."""
    known = [
        (row.machine.llmtui_cpu_s, row.figures.e2e_ms / 1000)
        for row in session.rows
        if row.trial.kind == "warm" and row.machine is not None and row.figures.e2e_ms
        if row.machine.llmtui_cpu_s is not None
    ]
    return math.fsum(cpu_s for cpu_s, _ in known) / math.fsum(over_s for _, over_s in known) if known else None


def waiting_share(session: Session) -> tuple[Amount, ...]:
    """Return, for each contender, the share of its compared trials' total time that passed before the first text."""
    found: list[Amount] = []
    for index in range(len(session.plan.contenders)):
        known = [(row.figures.ttft_ms or 0.0, row.figures.e2e_ms or 0.0) for row in overall_rows(session.rows, index)]
        if known:
            found.append(Amount(index, math.fsum(ttft for ttft, _ in known) / math.fsum(e2e for _, e2e in known)))
    return tuple(found)


def overall_rows(rows: Iterable[TrialRow], contender: int) -> list[TrialRow]:
    """Return a contender's trials that count for tokens ÷ total time: those whose decode speed is compared."""
    return [row for row in rows if row.trial.contender == contender and counts_for_speed(row) and row.figures.e2e_tps]


def eval_rate(session: Session) -> tuple[Amount, ...]:
    """Return the speed that Ollama prints as "eval rate", averaged over each contender's compared trials.

    It is output tokens ÷ eval_duration, although n tokens take only n − 1 decode steps. Empty for other servers.
    """
    if session.fingerprint.server_kind != "ollama":
        return ()
    found: list[Amount] = []
    for index in range(len(session.plan.contenders)):
        rates = [
            row.figures.server_decode_tps * tokens / (tokens - 1)
            for row in session.rows
            if row.trial.contender == index and counts_for_speed(row) and row.figures.server_decode_tps
            if (tokens := row.figures.tokens or 0) > 1
        ]
        if rates:
            found.append(Amount(index, mean(rates)))
    return tuple(found)


def memory_held(session: Session) -> tuple[MemoryHeld, ...]:
    """Return the memory of each contender's model, smallest first; contenders without any figure are left out."""
    found: list[MemoryHeld] = []
    for index in range(len(session.plan.contenders)):
        rows = [row for row in session.rows if row.trial.contender == index]
        one = _seen(session, index, rows) or _reported(session, index, rows)
        if one is not None:
            found.append(one)
    return tuple(sorted(found, key=lambda one: one.total_bytes))


def memory_compared(held: Sequence[MemoryHeld]) -> MemoryCompared | None:
    """Return the memory of all contenders measured by one source; None if there is no common source.

    The memory of the models' processes is preferred to the servers' own figures.
    """
    for by_server in (False, True):
        sizes = [
            (one.contender, one.reported_bytes if by_server else None if one.by_server else one.total_bytes)
            for one in held
        ]
        known = [(index, size) for index, size in sizes if size is not None]
        if len(known) == len(held) > 1:
            return MemoryCompared(sizes=tuple(sorted(known, key=lambda one: one[1])), by_server=by_server)
    return None


def seconds_a_round(session: Session) -> float | None:
    """Return the median duration of the complete rounds in seconds; None if no round is complete."""
    ends: dict[int, int] = {}
    for row in session.rows:
        ends[row.trial.round] = max(ends.get(row.trial.round, 0), row.t_ns)
    whole = whole_rounds(session)
    before = [session.t_ns, *(ends[at] for at in whole)]
    starts = [session.begin_of(ends[at], end) for at, end in zip(whole, before, strict=False)]
    times = sorted((ends[at] - start) / 1e9 for at, start in zip(whole, starts, strict=True) if ends[at] > start)
    return quantile(times, 0.5) if times else None


def _seen(session: Session, index: int, rows: Sequence[TrialRow]) -> MemoryHeld | None:
    """Return the memory of a contender as measured in the model's process; None if the process was not visible."""
    machines = [row.machine for row in rows if row.machine is not None and row.machine.runner_peak_bytes]
    if not machines:
        return None
    top = max(machines, key=lambda one: one.runner_peak_bytes or 0)
    peak = top.runner_peak_bytes
    assert peak is not None, "only machines with a peak are looked at"
    weights, working = _split(top, session.plan.contenders[index].model.size_bytes, peak)
    steady = sorted(one.runner_steady_bytes for one in machines if one.runner_steady_bytes)
    return MemoryHeld(
        contender=index,
        peak_bytes=peak,
        steady_bytes=round(quantile(steady, 0.5)) if steady else None,
        weights_bytes=weights,
        working_bytes=working,
        vram_bytes=_most_vram(rows),
        left_bytes=min(
            (one.available_min_bytes for one in machines if one.available_min_bytes is not None), default=None
        ),
        swapped_bytes=_sum(one.swap_in_bytes for one in machines),
        by_server=False,
        reported_bytes=_reported_bytes(session, index, rows),
    )


def _split(held: MachineFigures, size: int | None, peak: int) -> tuple[int | None, int | None]:
    """Return (weights, other memory) of a model's process in bytes, derived from the kinds of memory.

    Mapped files are the weights. If the process was started without memory-mapping, the weights are in anonymous memory
    and as large as the file. Both values are None if the size of the weights is unknown, or if the server copies them.
    """
    mapped = held.runner_file_bytes
    if mapped is not None and mapped >= WEIGHTS_MAPPED * (peak if size is None else size):
        return mapped, held.runner_anon_bytes
    return (size, peak - size) if held.weights_in_anon and size is not None and size < peak else (None, None)


def _reported(session: Session, index: int, rows: Sequence[TrialRow]) -> MemoryHeld | None:
    """Return the memory of a contender as reported by the server (Ollama); None if it was not reported."""
    size = _reported_bytes(session, index, rows)
    if size is None:
        return None
    return MemoryHeld(
        contender=index,
        peak_bytes=size,
        steady_bytes=None,
        weights_bytes=None,
        working_bytes=None,
        vram_bytes=_most_vram(rows),
        left_bytes=None,
        swapped_bytes=None,
        by_server=True,
        reported_bytes=size,
    )


def _reported_bytes(session: Session, index: int, rows: Sequence[TrialRow]) -> int | None:
    if session.plan.contenders[index].model.backend != "ollama":
        return None
    return max((row.resident.size_bytes for row in rows if row.resident and row.resident.size_bytes), default=None)


def _most_vram(rows: Sequence[TrialRow]) -> int | None:
    return max((row.resident.vram_bytes for row in rows if row.resident and row.resident.vram_bytes), default=None)


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
