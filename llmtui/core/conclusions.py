"""What a session says, as data: eight lines, each with its figures, or with the reason why it cannot be filled.

Nobody is called a winner here but by a verdict (core.verdict). The sentences are in llmtui.words.conclusions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from llmtui.core import across
from llmtui.core.checks import counts_for_speed, counts_for_ttft, why_not_compared
from llmtui.core.findings import (
    Amount,
    MemoryHeld,
    apart_in_every_round,
    memory_held,
    more_text,
    observer_cores,
    observer_lag_ms,
    per_token,
    round_spread,
    seconds_a_round,
    unbeaten,
    waiting_share,
)
from llmtui.core.session import Session
from llmtui.core.summary import ContenderSummary, Summary, summarise
from llmtui.core.trial_row import TrialRow, asked_again
from llmtui.core.verdict import (
    MAX_DISTURBED,
    SEPARATING,
    TtftVerdict,
    Verdict,
    disturbed_share,
    ttft_verdict,
    verdicts,
)

RANKED_RATIO = 2.0
RANKED_SHARE = 0.03
MEMORY_APART = 1.03
PAUSE_MS = 1000.0
STEADY_ROUNDS = 3


class WritingSpeed(msgspec.Struct, frozen=True, kw_only=True):
    """Line 1: who writes how fast, and who leads as far as that can be told."""

    tps: tuple[Amount, ...]
    """Tokens a second, fastest first."""
    cps: tuple[Amount, ...]
    """Characters a second, in the same order."""
    reading_x: tuple[Amount, ...]
    leaders: tuple[int, ...]
    """Whom no verdict puts behind another, fastest first: one leads, several share the lead; empty: nothing is told."""
    verdicts: tuple[Verdict, ...]
    more_text: int | None
    """Who writes the most characters, where that is not the one who writes the most tokens."""
    round_s: float | None
    """What one more round takes."""
    missing: tuple[tuple[int, str], ...]
    """Contenders without a speed, and the reason's code."""
    conditions: tuple[str, ...] = ()
    """Of a contender that is alone; with others they stand beside the verdicts."""
    why: str | None = None


class FirstWord(msgspec.Struct, frozen=True, kw_only=True):
    """Line 2: how long one waits for the first word, loaded and from off. Times in ms, shortest first."""

    ttft: tuple[Amount, ...]
    ttfo: tuple[Amount, ...]
    """Only those that think."""
    cold: tuple[Amount, ...]
    loading: tuple[Amount, ...]
    again: tuple[Amount, ...]
    saving: tuple[Amount, ...]
    """Cold − warm: what keeping it loaded saves at each first question."""
    leaders: tuple[int, ...]
    verdicts: tuple[TtftVerdict, ...]
    missing: tuple[tuple[int, str], ...]
    why: str | None = None


class Stability(msgspec.Struct, frozen=True, kw_only=True):
    """Line 3: how far the same question lies apart between rounds, pauses, and what a token costs."""

    spread: tuple[Amount, ...]
    """Standard deviation of the speed at the same prompt, as a share; steadiest first."""
    ranked: bool
    """The spreads differ enough to name the steadiest."""
    pauses: tuple[Amount, ...]
    """Rows in which the text stood still for more than a second; only those who had any."""
    pauses_known: bool
    """The times between pieces of text are known of at least one row."""
    cpu_s_per_token: tuple[Amount, ...]
    joules_per_token: tuple[Amount, ...]
    lag_ms: float | None
    """How late llmtui saw each piece of text: what watching costs in time."""
    llmtui_cores: float | None
    """Cores that llmtui kept busy meanwhile: what watching costs in work."""
    why: str | None = None


class MemoryUse(msgspec.Struct, frozen=True, kw_only=True):
    """Line 4: what the models held, smallest first."""

    held: tuple[MemoryHeld, ...]
    why: str | None = None


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """An occasion, and who suits it: one contender only if it is told apart from the others."""

    occasion: str
    """``long_answers``, ``quick_questions``, ``rarely_used``, ``little_memory``."""
    contenders: tuple[int, ...]
    """Everybody who may be the best; empty where nothing is known."""
    everybody: bool = False
    """Nobody is told apart."""


class WhichForWhat(msgspec.Struct, frozen=True, kw_only=True):
    """Line 5: by speed, waiting and memory alone."""

    choices: tuple[Choice, ...]
    why: str | None = None


class UsualFormula(msgspec.Struct, frozen=True, kw_only=True):
    """Line 6: what tokens ÷ total time would have said."""

    usual: tuple[Amount, ...]
    """Mean over all rows, cold starts among them, highest first."""
    tps: tuple[Amount, ...]
    waiting: tuple[Amount, ...]
    """Share of all time that went by before the first word."""
    with_cold: bool
    other_winner: bool
    """It puts somebody first whom the comparison puts behind another."""
    why: str | None = None


class SinceLast(msgspec.Struct, frozen=True, kw_only=True):
    """Line 7: what changed since the same plan ran before."""

    comparison: across.Comparison | None
    why: str | None = None


class Uncounted(msgspec.Struct, frozen=True, kw_only=True):
    """Tests of one contender that some figure leaves out."""

    contender: int
    code: str
    """A flag, or ``outcome_…``."""
    what: str
    """``speed``, ``ttft``, ``all``."""
    count: int


class NotCounted(msgspec.Struct, frozen=True, kw_only=True):
    """Line 8: what was left out and why."""

    tests: tuple[Uncounted, ...]
    contenders: tuple[tuple[int, str], ...]
    """Who has no verdict at all, and why."""
    why: str | None = None


Conclusion = (
    WritingSpeed | FirstWord | Stability | MemoryUse | WhichForWhat | UsualFormula | SinceLast | NotCounted
)  # fmt: skip


def conclude(session: Session, earlier: across.Earlier | None = None) -> tuple[Conclusion, ...]:
    """Gives the eight lines, always all of them and in this order.

    Args:
        session: at any time of it.
        earlier: the last session of the same plan, for "since last time".
    """
    summary = summarise(session)
    speed = _writing_speed(session, summary)
    first_word = _first_word(session, summary)
    memory = MemoryUse(held=memory_held(session))
    if not memory.held:
        memory = MemoryUse(held=(), why="not_visible" if session.rows else "not_yet")
    return (
        speed,
        first_word,
        _stability(session),
        memory,
        _which(session, speed, first_word, memory),
        _usual(session, summary, speed),
        SinceLast(comparison=across.compare_sessions(earlier.session, session, noise=earlier.noise))
        if earlier is not None
        else SinceLast(comparison=None, why="no_earlier"),
        _not_counted(session),
    )


def _amounts(lines: Iterable[ContenderSummary], figure: str) -> tuple[Amount, ...]:
    """A summary's figure of all who have it, in the order of the lines; of a range its value."""
    found: list[Amount] = []
    for line in lines:
        value = getattr(line, figure)
        value = getattr(value, "value", value)
        if value is not None:
            found.append(Amount(line.contender, value))
    return tuple(found)


def _missing(summary: Summary, figure: str) -> tuple[tuple[int, str], ...]:
    return tuple((line.contender, line.why[figure]) for line in summary.lines if figure in line.why)


def _writing_speed(session: Session, summary: Summary) -> WritingSpeed:
    lines = sorted(summary.lines, key=lambda line: -(line.decode_tps.value if line.decode_tps else 0.0))
    tps, cps = _amounts(lines, "decode_tps"), _amounts(lines, "decode_cps")
    found = verdicts(session)
    judged = {index for one in found if one.word != "no_verdict" for index in (one.first, one.second)}
    beaten = {one.second for one in found if one.word in SEPARATING}
    alone = len(session.plan.contenders) == 1
    leaders = tuple(one.contender for one in tps if alone or (one.contender in judged - beaten))
    missing = _missing(summary, "decode_tps")
    why = None
    if not tps:
        why = missing[0][1] if missing else "not_yet"
    return WritingSpeed(
        tps=tps,
        cps=cps,
        reading_x=_amounts(lines, "reading_x"),
        leaders=leaders,
        verdicts=found,
        more_text=more_text(tps, cps, found),
        round_s=seconds_a_round(session),
        missing=missing,
        conditions=summary.lines[0].conditions if alone else (),
        why=why,
    )


def _first_word(session: Session, summary: Summary) -> FirstWord:
    lines = sorted(summary.lines, key=lambda line: line.ttft.value if line.ttft else float("inf"))
    ttft = _amounts(lines, "ttft")
    have = [one.contender for one in ttft]
    found = tuple(ttft_verdict(session, a, b) for at, a in enumerate(have) for b in have[at + 1 :])
    cold = _amounts(sorted(lines, key=lambda line: line.cold_first_ms or 0.0), "cold_first_ms")
    warm = {one.contender: one.value for one in ttft}
    return FirstWord(
        ttft=ttft,
        ttfo=_amounts((line for line in lines if line.thinks), "ttfo"),
        cold=cold,
        loading=_amounts(lines, "cold_first_load_ms"),
        again=_amounts(lines, "cold_again"),
        saving=tuple(
            Amount(one.contender, one.value - warm[one.contender])
            for one in cold
            if one.contender in warm and one.value > warm[one.contender]
        ),
        leaders=unbeaten(have, ((one.first, one.second) for one in found if one.word == "sooner")),
        verdicts=found,
        missing=_missing(summary, "ttft"),
        why=None if ttft or cold else next((code for _, code in _missing(summary, "ttft")), "not_yet"),
    )


def _stability(session: Session) -> Stability:
    spread = round_spread(session, min_rounds=STEADY_ROUNDS)
    values = [one.value for one in spread]
    ranked = len(values) > 1 and max(values) > RANKED_RATIO * min(values) and max(values) > RANKED_SHARE
    warm = [row for row in session.rows if row.trial.kind == "warm" and row.outcome == "ok"]
    pauses = [
        Amount(index, sum((row.figures.longest_gap_ms or 0.0) > PAUSE_MS for row in _of(warm, index)))
        for index in range(len(session.plan.contenders))
    ]
    return Stability(
        spread=spread,
        ranked=ranked,
        pauses=tuple(one for one in pauses if one.value),
        pauses_known=any(row.figures.longest_gap_ms is not None for row in warm),
        cpu_s_per_token=per_token(session, "runner_cpu_s"),
        joules_per_token=per_token(session, "joules"),
        lag_ms=observer_lag_ms(session),
        llmtui_cores=observer_cores(session),
        why=None if spread else _why_no_spread(session, warm),
    )


def _why_no_spread(session: Session, warm: Sequence[TrialRow]) -> str:
    if not warm:
        return "not_yet"
    rounds = {row.trial.round for row in warm}
    return "needs_3_rounds" if len(rounds) < STEADY_ROUNDS else "too_short_to_compare"


def _which(session: Session, speed: WritingSpeed, first_word: FirstWord, memory: MemoryUse) -> WhichForWhat:
    if len(session.plan.contenders) < 2:
        return WhichForWhat(choices=(), why="one_model")
    chosen: list[tuple[str, tuple[int, ...], int]] = [
        ("long_answers", speed.leaders, len(speed.tps)),
        ("quick_questions", first_word.leaders, len(first_word.ttft)),
        ("rarely_used", _soonest_from_off(session), len(first_word.cold)),
        ("little_memory", _smallest(memory), len(memory.held)),
    ]
    choices = tuple(
        Choice(occasion=name, contenders=who if known > 1 else (), everybody=len(who) == known > 1)
        for name, who, known in chosen
    )
    why = None if any(choice.contenders for choice in choices) else ("not_yet" if not session.rows else "nothing_known")
    return WhichForWhat(choices=choices, why=why)


def _soonest_from_off(session: Session) -> tuple[int, ...]:
    times: dict[int, dict[int, float]] = {}
    for row in session.rows:
        if row.trial.kind == "cold" and counts_for_ttft(row) and row.figures.ttft_ms is not None:
            times.setdefault(row.trial.contender, {})[row.trial.round] = row.figures.ttft_ms
    return unbeaten(
        sorted(times, key=lambda index: (min(times[index].values()), index)),
        ((a, b) for a in times for b in times if a != b and apart_in_every_round(times[a], times[b])),
    )


def _smallest(memory: MemoryUse) -> tuple[int, ...]:
    """Whoever needs at most 3 % more than the least."""
    if not memory.held:
        return ()
    least = memory.held[0].peak_bytes
    return tuple(one.contender for one in memory.held if one.peak_bytes <= MEMORY_APART * least)


def _usual(session: Session, summary: Summary, speed: WritingSpeed) -> UsualFormula:
    usual = tuple(sorted(_amounts(summary.lines, "usual_tps"), key=lambda one: -one.value))
    behind = {one.second for one in speed.verdicts if one.word in SEPARATING}
    return UsualFormula(
        usual=usual,
        tps=speed.tps,
        waiting=waiting_share(session),
        with_cold=any(row.trial.kind == "cold" and row.outcome == "ok" for row in session.rows),
        other_winner=len(usual) > 1 and usual[0].contender in behind,
        why=None if usual else "not_yet",
    )


def _not_counted(session: Session) -> NotCounted:
    repeated = asked_again(session.rows)
    counts: dict[tuple[int, str, str], int] = {}
    for row in session.rows:
        reason = _reason(row, repeated=row.trial.id in repeated)
        if reason is not None:
            key = (row.trial.contender, *reason)
            counts[key] = counts.get(key, 0) + 1
    tests = tuple(
        Uncounted(contender=contender, code=code, what=what, count=count)
        for (contender, code, what), count in sorted(counts.items())
    )
    without = tuple(
        (index, "disturbed")
        for index in range(len(session.plan.contenders))
        if disturbed_share(session.rows, index) > MAX_DISTURBED
    )
    why = None if tests or without else ("all_counted" if session.rows else "not_yet")
    return NotCounted(tests=tests, contenders=without, why=why)


def _reason(row: TrialRow, *, repeated: bool) -> tuple[str, str] | None:
    """The first reason for which a row is left out, and of what; None if everything in it counts."""
    if repeated:
        return "repeated", "all"
    if row.outcome != "ok":
        return f"outcome_{row.outcome}", "all"
    flags = set(row.flags)
    if row.trial.kind == "warm" and not counts_for_speed(row):
        for code in ("unexpected_reload", "outlier", "short_output"):
            if code in flags:
                return code, "all" if code == "unexpected_reload" else "speed"
        return why_not_compared(row), "speed"
    if not counts_for_ttft(row):
        for code in ("unexpected_reload", "queued", "cached_prompt", "prompt_cut", "outlier"):
            if code in flags:
                return code, "ttft"
    return None


def _of(rows: Iterable[TrialRow], contender: int) -> list[TrialRow]:
    return [row for row in rows if row.trial.contender == contender]
