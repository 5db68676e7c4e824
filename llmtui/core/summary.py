"""The summary of a session's trials by model and by category; cold, warm and follow-up trials have separate figures.

For a model, rates are pooled (tokens ÷ time) and times are medians; the ranges are over rounds or trials. Kinds of
trials are never averaged together, and a missing figure remains missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from llmtui.core.conditions import Condition, conditions_of
from llmtui.core.findings import round_spread
from llmtui.core.flags import (
    counts_for_speed,
    counts_for_text_speed,
    counts_for_ttft,
    is_interfered_with,
    why_not_compared,
)
from llmtui.core.metrics import READING_WORDS_PER_S, quantile
from llmtui.core.pairing import is_imported
from llmtui.core.plan import Kind
from llmtui.core.recorded_pairs import RecordedCells, recorded_cells, recorded_speed
from llmtui.core.session import Session
from llmtui.core.trial_row import TrialRow, replaced_trials


class Spread(msgspec.Struct, frozen=True):
    """A value with its range: the lowest and highest of the values that it was computed from, and their number."""

    value: float
    low: float
    high: float
    n: int


class ContenderSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table by model. A missing figure is None; ``why`` may have the code of the reason."""

    contender: int
    label: str
    note: str | None
    """The model's note; None if it has none or if the label is the note."""
    finished: int
    failed: int
    disturbed: int
    """Number of trials disturbed by a known cause. An outlier alone has no known cause."""
    cold_first_ms: float | None
    """TTFT of the first cold start in ms. If it is known where the weights came from: of the first cold start from
    disk."""
    cold_first_load_ms: float | None
    """The part of ``cold_first_ms`` spent on loading, by the server's count."""
    cold_later: Spread | None
    """TTFT of later cold starts in ms. If it is known where the weights came from: of all cold starts from memory."""
    ttft: Spread | None
    """TTFT of warm trials in ms: median over the trials."""
    ttfo: Spread | None
    follow_up: Spread | None
    decode_tps: Spread | None
    """Pooled decode speed, with its range over rounds. For an imported file, the geometric mean over its
    observations."""
    decode_cps: Spread | None
    reading_x: float | None
    prefill_tps: Spread | None
    """Prefill speed, for the whole session from one kind of trial (see ``prefill_kind``), never from a mixture."""
    memory_peak_bytes: int | None
    memory_steady_bytes: int | None
    vram_bytes: int | None
    total_s: float | None
    """Total duration of all requests in seconds, including waiting."""
    overall_tps: float | None
    """Mean of tokens ÷ total time over the warm trials whose decode speed is compared."""
    overall_cold_tps: float | None
    """Mean of tokens ÷ total time over cold starts alone."""
    round_spread: float | None
    """Relative standard deviation of the speed at the same prompt over rounds; None below three rounds."""
    thinks: bool
    conditions: tuple[Condition, ...]
    why: dict[str, str]


class CategorySummary(msgspec.Struct, frozen=True, kw_only=True):
    """One contender in one category, from warm trials only; for an imported file from all trials."""

    contender: int
    label: str
    category: str
    finished: int
    failed: int
    ttft: Spread | None
    ttfo: Spread | None
    decode_tps: Spread | None
    decode_cps: Spread | None
    e2e_ms: Spread | None
    capped: bool
    """Whether the token limit ended an answer, so that ``e2e_ms`` is a lower bound."""
    answer_tokens: Spread | None
    why: dict[str, str]


class Summary(msgspec.Struct, frozen=True):
    """The tables by model and by category, in the order of the plan."""

    lines: tuple[ContenderSummary, ...]
    categories: tuple[CategorySummary, ...]


def summarise(session: Session) -> Summary:
    """Return the summary of a finished or a running session."""
    repeated = replaced_trials(session.rows)
    kept = [row for row in session.rows if row.trial.id not in repeated]
    lines: list[ContenderSummary] = []
    categories: list[CategorySummary] = []
    names = tuple(dict.fromkeys(prompt.category for prompt in session.plan.prompts))
    cells = recorded_cells(session) if is_imported(session.plan) else None
    for index in range(len(session.plan.contenders)):
        rows = [row for row in kept if row.trial.contender == index]
        lines.append(_line(session, index, rows, cells))
        categories.extend(_category(session, index, name, rows, cells) for name in names)
    return Summary(tuple(lines), tuple(categories))


def prefill_kind(session: Session) -> Kind:
    """Return the kind of trial whose prefill speed is shown.

    It is ``warm`` if more contenders have a prefill speed for warm trials than for cold ones, else ``cold``. The two
    are not comparable: a cold start processes the prompt with an empty cache, while a warm trial may find a part of it
    in the cache.
    """
    kinds: tuple[Kind, Kind] = ("warm", "cold")
    have = {
        kind: len(
            {
                row.trial.contender
                for row in session.rows
                if row.trial.kind == kind and row.figures.prefill_tps is not None
            }
        )
        for kind in kinds
    }
    return "warm" if have["warm"] > have["cold"] else "cold"


def spread(values: Iterable[float]) -> Spread | None:
    """Return the median, the lowest, the highest and the number of some values; None for no values."""
    ordered = sorted(values)
    if not ordered:
        return None
    return Spread(quantile(ordered, 0.5), ordered[0], ordered[-1], len(ordered))


def pooled(rows: Sequence[TrialRow]) -> Spread | None:
    """Return the pooled decode speed of some trials (all tokens ÷ all time), with the range over the rounds."""
    return _pool((row.trial.round, row.figures.decode_steps, row.figures.decode_s) for row in rows)


def _pool(parts: Iterable[tuple[int, float | None, float | None]]) -> Spread | None:
    """Return the pooled rate of (round, amount, seconds), with its range; entries with a missing value are left out."""
    by_round: dict[int, tuple[float, float]] = {}
    for round_number, done, over_s in parts:
        if done is None or over_s is None:
            continue
        so_far = by_round.get(round_number, (0.0, 0.0))
        by_round[round_number] = (so_far[0] + done, so_far[1] + over_s)
    if not by_round:
        return None
    rates = [done / over_s for done, over_s in by_round.values()]
    total = sum(done for done, _ in by_round.values()) / sum(over_s for _, over_s in by_round.values())
    return Spread(total, min(rates), max(rates), len(rates))


def _line(session: Session, index: int, rows: list[TrialRow], cells: RecordedCells | None) -> ContenderSummary:
    contender = session.plan.contenders[index]
    prefill = prefill_kind(session)
    warm = [row for row in rows if row.trial.kind == "warm"]
    speed = [row for row in warm if counts_for_speed(row)]
    first, first_load, again = _starts(rows)
    tps = pooled(speed) if cells is None else _recorded(cells, index)
    cps = _text_speed(warm)
    words = [row for row in warm if row.figures.reading_x is not None and counts_for_text_speed(row)]
    times = [row.figures.e2e_ms for row in rows if row.figures.e2e_ms is not None]
    peaks = [row.machine.runner_peak_bytes for row in rows if row.machine and row.machine.runner_peak_bytes]
    steady = [row.machine.runner_steady_bytes for row in rows if row.machine and row.machine.runner_steady_bytes]
    vram = [row.resident.vram_bytes for row in rows if row.resident and row.resident.vram_bytes]
    ttft = _times(rows, "warm", lambda row: row.figures.ttft_ms)
    ttfo = _times(rows, "warm", lambda row: row.figures.ttfo_ms)
    why = {} if tps else {"decode_tps": _why_no_speed(warm)}
    for name, value in (("ttft", ttft), ("ttfo", ttfo)):
        if value is None:
            why[name] = _why_no_time(warm, f"{name}_ms")
    return ContenderSummary(
        contender=index,
        label=contender.label,
        note=None if contender.model.note == contender.label else contender.model.note,
        finished=sum(row.outcome == "ok" for row in rows),
        failed=sum(row.outcome not in ("ok", "cancelled", "skipped") for row in rows),
        disturbed=sum(is_interfered_with(row) for row in rows),
        cold_first_ms=first,
        cold_first_load_ms=first_load,
        cold_later=again,
        ttft=ttft,
        ttfo=ttfo,
        # A repeated follow-up has the same text, so the server has already processed all of it.
        follow_up=_times([row for row in rows if row.repeats is None], "follow_up", lambda row: row.figures.ttft_ms),
        decode_tps=tps,
        decode_cps=cps,
        reading_x=None if not words else _reading(words),
        prefill_tps=spread(
            row.figures.prefill_tps for row in rows if row.trial.kind == prefill and row.figures.prefill_tps is not None
        ),
        memory_peak_bytes=max(peaks, default=None),
        memory_steady_bytes=None if not steady else round(quantile(sorted(steady), 0.5)),
        vram_bytes=max(vram, default=None),
        total_s=sum(times) / 1000 if times else None,
        overall_tps=_mean_overall(speed),
        round_spread=next((one.value for one in round_spread(session) if one.contender == index), None),
        overall_cold_tps=_mean_overall([row for row in rows if row.trial.kind == "cold" and row.outcome == "ok"]),
        thinks=any(row.figures.thinking_chars or row.figures.thinking_inline for row in rows),
        conditions=conditions_of(session.rows, (index,)),
        why=why,
    )


def _category(
    session: Session, index: int, name: str, rows: list[TrialRow], cells: RecordedCells | None
) -> CategorySummary:
    prompts = session.plan.prompts
    mine = [
        row
        for row in rows
        # Trials of another program's file are compared as recorded, including cold ones.
        if (cells is not None or row.trial.kind == "warm")
        and row.trial.prompt is not None
        and prompts[row.trial.prompt].category == name
    ]
    speed = [row for row in mine if counts_for_speed(row)]
    done = [row for row in mine if row.outcome == "ok"]
    tps = pooled(speed) if cells is None else _recorded(cells, index, name)
    return CategorySummary(
        contender=index,
        label=session.plan.contenders[index].label,
        category=name,
        finished=len(done),
        failed=sum(row.outcome not in ("ok", "cancelled", "skipped") for row in mine),
        ttft=_times(mine, "warm", lambda row: row.figures.ttft_ms),
        ttfo=_times(mine, "warm", lambda row: row.figures.ttfo_ms),
        decode_tps=tps,
        decode_cps=_text_speed(mine),
        e2e_ms=spread(row.figures.e2e_ms for row in done if row.figures.e2e_ms is not None),
        capped=any(row.ended_by == "length" for row in done),
        answer_tokens=spread(row.figures.tokens for row in done if row.figures.tokens is not None),
        why={} if tps else {"decode_tps": _why_no_speed(mine)},
    )


def _recorded(cells: RecordedCells, index: int, category: str | None = None) -> Spread | None:
    """Return the speed after the first token in an imported file; None if only tokens ÷ total time is known.

    If the file is compared by category, it has one round, and so a range of width 0.
    """
    found = recorded_speed(cells, index, category) if cells.basis == "writing" else None
    if found is None or cells.unit == "run":
        return None if found is None else Spread(*found)
    return Spread(found.value, found.value, found.value, 1)


def _times(rows: Sequence[TrialRow], kind: Kind, figure: Callable[[TrialRow], float | None]) -> Spread | None:
    values = (figure(row) for row in rows if row.trial.kind == kind and counts_for_ttft(row))
    return spread(value for value in values if value is not None)


def _text_speed(warm: Sequence[TrialRow]) -> Spread | None:
    """Return the pooled characters per second; trials without a token count are included."""
    rows = [row for row in warm if counts_for_text_speed(row)]
    return _pool((row.trial.round, row.figures.decode_chars, _text_seconds(row)) for row in rows)


def _mean_overall(rows: Sequence[TrialRow]) -> float | None:
    known = [row.figures.e2e_tps for row in rows if row.figures.e2e_tps is not None]
    return sum(known) / len(known) if known else None


def _text_seconds(row: TrialRow) -> float | None:
    figures = row.figures
    return None if figures.decode_chars is None or not figures.decode_cps else figures.decode_chars / figures.decode_cps


def _reading(rows: Sequence[TrialRow]) -> float:
    """Return words per second ÷ reading speed, pooled over the trials."""
    words = over_s = 0.0
    for row in rows:
        seconds = _text_seconds(row)
        assert seconds is not None
        assert row.figures.reading_x is not None
        words += row.figures.reading_x * READING_WORDS_PER_S * seconds
        over_s += seconds
    return words / over_s / READING_WORDS_PER_S


def start_rows(rows: Sequence[TrialRow]) -> tuple[list[TrialRow], list[TrialRow]]:
    """Return two lists of trials: the first cold start, and later cold starts.

    If it is known where the weights were read from, the lists are: all cold starts from disk, and all from memory.
    """
    cold = [row for row in rows if row.trial.kind == "cold" and counts_for_ttft(row)]
    if any(row.cold_source in ("disk", "mixed") for row in cold):
        first = [row for row in cold if row.cold_source in ("disk", "mixed")]
        return first, [row for row in cold if row.cold_source == "memory"]
    return cold[:1], cold[1:]


def _starts(rows: Sequence[TrialRow]) -> tuple[float | None, float | None, Spread | None]:
    """Return TTFT and load time of the first cold start in ms, and the TTFT of later ones."""
    first, again = start_rows(rows)
    later = spread(row.figures.ttft_ms for row in again if row.figures.ttft_ms is not None)
    if not first:
        return None, None, later
    return first[0].figures.ttft_ms, first[0].figures.load_ms, later


def _why_no_speed(warm: Sequence[TrialRow]) -> str:
    """Return the code of the most common reason why the trials have no comparable speed."""
    if not warm:
        return "not_yet"
    reasons = [why_not_compared(row) for row in warm]
    return max(reasons, key=reasons.count)


def _why_no_time(warm: Sequence[TrialRow], column: str) -> str:
    if not warm:
        return "not_yet"
    reasons = [
        row.figures.why.get(column, "disturbed") if row.outcome == "ok" else f"outcome_{row.outcome}" for row in warm
    ]
    return max(reasons, key=reasons.count)
