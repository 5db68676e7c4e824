"""The conclusions of a session as data: eight topics, each with its figures, or with the reason why they are missing.

A contender is called a winner only if a verdict supports it (see ``core.verdict`` and ``core.waits``). The sentences
are in ``llmtui.words.conclusions``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Literal

import msgspec

from llmtui.core import across
from llmtui.core.conditions import Condition
from llmtui.core.findings import (
    SPREAD_ROUNDS,
    Amount,
    MemoryCompared,
    MemoryHeld,
    eval_rate,
    memory_compared,
    memory_held,
    observer_cores,
    observer_lag_ms,
    per_token,
    round_spread,
    seconds_a_round,
    waiting_share,
)
from llmtui.core.interval import MIN_ROUNDS
from llmtui.core.letters import compared, ranks
from llmtui.core.not_counted import NotCounted, not_counted
from llmtui.core.session import Session
from llmtui.core.steadiness import steadiest
from llmtui.core.summary import ContenderSummary, Summary, summarise
from llmtui.core.trial_row import TrialRow
from llmtui.core.uses import Recommendation, recommendations_of, text_winner, wait_ranks
from llmtui.core.verdict import SEPARATING, SpeedVerdict, verdicts
from llmtui.core.waits import WaitVerdict, wait_verdicts

PAUSE_MS = 1000.0

Lead = Literal["fastest", "ahead", "shared", "open"]


class WritingSpeed(msgspec.Struct, frozen=True, kw_only=True):
    """Conclusion 1 of 8: decode speeds, and which contender leads."""

    tps: tuple[Amount, ...]
    """Tokens per second of each contender, fastest first."""
    cps: tuple[Amount, ...]
    """Characters per second of each contender, in the order of ``tps``."""
    reading_x: tuple[Amount, ...]
    leaders: tuple[int, ...]
    """Contenders that no verdict puts below another one, fastest first."""
    lead: Lead | None
    """``fastest`` or ``ahead``: one contender leads. ``shared``: several at the top are practically equal. ``open``:
    undecided. None: there are no ranks, as after one round."""
    compared: tuple[int, ...]
    """Contenders with a verdict. The figures of the others are shown, but not ranked."""
    verdicts: tuple[SpeedVerdict, ...]
    more_text: int | None
    """The contender that a verdict on characters per second puts above the leader in tokens per second; None if there
    is none."""
    round_s: float | None
    """Expected duration of one more round, in seconds."""
    missing: tuple[tuple[int, str], ...]
    """Contenders without a speed, each with the code of the reason."""
    conditions: tuple[Condition, ...] = ()
    """Conditions (flags that describe circumstances) of the contender, if it is the only one; otherwise each verdict
    has its own conditions."""
    why: str | None = None


class FirstToken(msgspec.Struct, frozen=True, kw_only=True):
    """Conclusion 2 of 8: TTFT of a loaded model and of a cold start. Times are in ms, shortest first."""

    ttft: tuple[Amount, ...]
    ttfo: tuple[Amount, ...]
    """Time to first output token after thinking, of all contenders with an answer; empty if no contender thinks."""
    unanswered: tuple[int, ...]
    """Contenders that were still thinking when they reached the token limit."""
    cold: tuple[Amount, ...]
    loading: tuple[Amount, ...]
    later_cold: tuple[Amount, ...]
    saving: tuple[Amount, ...]
    """Later cold start − warm TTFT: the time saved by keeping the model loaded. The first cold start does not count."""
    leaders: tuple[int, ...]
    """Contenders of rank 1 by verdicts on TTFT; empty below three rounds."""
    compared: tuple[int, ...]
    verdicts: tuple[WaitVerdict, ...]
    missing: tuple[tuple[int, str], ...]
    why: str | None = None


class Stability(msgspec.Struct, frozen=True, kw_only=True):
    """Conclusion 3 of 8: variation between rounds, pauses within answers, and CPU time and energy per token."""

    spread: tuple[Amount, ...]
    """Relative standard deviation of each contender's speed at the same prompt (0.01 is 1 %), smallest first."""
    steadiest: int | None
    """The contender whose speed varies least between rounds, by an F test; None below ten rounds or if not
    significant."""
    pauses: tuple[Amount, ...]
    """Number of trials with a pause of more than one second, for each contender that has such trials."""
    pauses_known: bool
    """Whether the times between chunks are known for at least one trial."""
    cpu_s_per_token: tuple[Amount, ...]
    joules_per_token: tuple[Amount, ...]
    lag_ms: float | None
    """Time from the server's timestamp of a chunk to its arrival, in ms: the delay added by observing."""
    lag_beyond_network: bool
    """Whether the server may be on another machine. Each lag is then the excess over the smallest lag, to leave out the
    delay of the network."""
    llmtui_cores: float | None
    """Mean number of CPU cores that llmtui kept busy during the trials: the cost of observing."""
    why: str | None = None


class MemoryUse(msgspec.Struct, frozen=True, kw_only=True):
    """Conclusion 4 of 8: memory of the models, smallest first."""

    held: tuple[MemoryHeld, ...]
    compared: MemoryCompared | None = None
    """RAM and GPU memory together, if one source measured all contenders; None if the sources differ."""
    why: str | None = None


class WhichForWhat(msgspec.Struct, frozen=True, kw_only=True):
    """Conclusion 5 of 8: which contender suits which use, by speed, waiting time and memory alone.

    Uses for which no figure is known are left out.
    """

    choices: tuple[Recommendation, ...]
    why: str | None = None


class OverallSpeed(msgspec.Struct, frozen=True, kw_only=True):
    """Conclusion 6 of 8: tokens ÷ total time, over the warm trials whose decode speed is compared."""

    overall: tuple[Amount, ...]
    """Mean of tokens ÷ total time over the compared warm trials, in tokens per second, highest first."""
    cold: tuple[Amount, ...]
    """Mean of tokens ÷ total time over cold starts alone, in tokens per second."""
    eval_rate: tuple[Amount, ...]
    """The speed that Ollama prints as eval rate, in tokens per second; empty for other servers."""
    tps: tuple[Amount, ...]
    waiting: tuple[Amount, ...]
    """Share of the trials' total time that passed before the first text, from 0 to 1."""
    other_winner: bool
    """Whether the contender with the highest tokens ÷ total time is slower than another one by a verdict on decode
    speed."""
    why: str | None = None


class SinceLast(msgspec.Struct, frozen=True, kw_only=True):
    """Conclusion 7 of 8: changes since the last session of the same plan."""

    comparison: across.Comparison | None
    why: str | None = None


Conclusion = (
    WritingSpeed | FirstToken | Stability | MemoryUse | WhichForWhat | OverallSpeed | SinceLast | NotCounted
)  # fmt: skip


def conclude(session: Session, earlier: across.Earlier | None = None) -> tuple[Conclusion, ...]:
    """Return the eight conclusions, always all of them and in the same order.

    Args:
        session: a finished or a running session.
        earlier: the last session of the same plan, for the conclusion about changes.
    """
    summary = summarise(session)
    speed = _writing_speed(session, summary)
    first_word = _first_word(session, summary)
    held = memory_held(session)
    why = None if held else "not_visible" if session.rows else "not_yet"
    memory = MemoryUse(held=held, compared=memory_compared(held), why=why)
    return (
        speed,
        first_word,
        _stability(session),
        memory,
        _which(session, memory, first_word),
        _overall(session, summary, speed),
        _since_last(earlier, session) if earlier is not None else SinceLast(comparison=None, why="no_earlier"),
        not_counted(session),
    )


def _since_last(earlier: across.Earlier, session: Session) -> SinceLast:
    noise = {} if earlier.noise is None else {"decode_tps": earlier.noise}
    return SinceLast(comparison=across.compare_sessions(earlier.session, session, noise=noise))


def _amounts(lines: Iterable[ContenderSummary], figure: str) -> tuple[Amount, ...]:
    """Return one figure of all contenders that have it, in the order of ``lines``.

    If the figure is a ``Spread``, its value is used without the range.
    """
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
    alone = len(session.plan.contenders) == 1
    rank = ranks(found)
    leaders = tuple(one.contender for one in tps if alone or rank.get(one.contender) == 1)
    missing = _missing(summary, "decode_tps")
    why = None
    if not tps:
        why = missing[0][1] if missing else "not_yet"
    return WritingSpeed(
        tps=tps,
        cps=cps,
        reading_x=_amounts(lines, "reading_x"),
        leaders=leaders,
        lead=_lead(leaders, found) if rank else None,
        compared=tuple(sorted(compared(found))),
        verdicts=found,
        more_text=text_winner(found, verdicts(session, "decode_cps"), leaders[0]) if rank and leaders else None,
        round_s=seconds_a_round(session),
        missing=missing,
        conditions=summary.lines[0].conditions if alone else (),
        why=why,
    )


def _lead(leaders: Sequence[int], found: Sequence[SpeedVerdict]) -> Lead:
    """Return the kind of lead; it is ``shared`` only if every pair of the leaders is practically equal."""
    if len(leaders) == 1:
        mine = [one.word for one in found if one.first == leaders[0] and one.word in SEPARATING]
        return "ahead" if "ahead" in mine else "fastest"
    words = {frozenset((one.first, one.second)): one.word for one in found}
    equal = all(words.get(frozenset(pair)) == "practically_equal" for pair in combinations(leaders, 2))
    return "shared" if equal else "open"


def _first_word(session: Session, summary: Summary) -> FirstToken:
    lines = sorted(summary.lines, key=lambda line: line.ttft.value if line.ttft else float("inf"))
    ttft = _amounts(lines, "ttft")
    found = wait_verdicts(session, "ttft_ms")
    rank = wait_ranks(found)
    by_answer = sorted(lines, key=lambda line: line.ttfo.value if line.ttfo else float("inf"))
    warm = {one.contender: one.value for one in ttft}
    later_cold = _amounts(lines, "cold_later")
    cold = _amounts(sorted(lines, key=lambda line: line.cold_first_ms or 0.0), "cold_first_ms")
    return FirstToken(
        ttft=ttft,
        ttfo=_amounts(by_answer, "ttfo") if any(line.thinks for line in lines) else (),
        unanswered=tuple(index for index, why in _missing(summary, "ttfo") if why == "still_thinking"),
        cold=cold,
        loading=_amounts(lines, "cold_first_load_ms"),
        later_cold=later_cold,
        saving=tuple(
            Amount(one.contender, one.value - warm[one.contender])
            for one in later_cold
            if one.contender in warm and one.value > warm[one.contender]
        ),
        leaders=tuple(one.contender for one in ttft if rank.get(one.contender) == 1),
        compared=tuple(rank),
        verdicts=found,
        missing=_missing(summary, "ttft"),
        why=None if ttft or cold else next((code for _, code in _missing(summary, "ttft")), "not_yet"),
    )


def _stability(session: Session) -> Stability:
    spread = round_spread(session)
    warm = [row for row in session.rows if row.trial.kind == "warm" and row.outcome == "ok"]
    pauses = [
        Amount(index, sum((row.figures.longest_gap_ms or 0.0) > PAUSE_MS for row in _of(warm, index)))
        for index in range(len(session.plan.contenders))
    ]
    return Stability(
        spread=spread,
        steadiest=steadiest(session),
        pauses=tuple(one for one in pauses if one.value),
        pauses_known=any(row.figures.longest_gap_ms is not None for row in warm),
        cpu_s_per_token=per_token(session, "runner_cpu_s"),
        joules_per_token=per_token(session, "joules"),
        lag_ms=observer_lag_ms(session),
        lag_beyond_network=session.fingerprint.server_is_local is not True,
        llmtui_cores=observer_cores(session),
        why=None if spread else _why_no_spread(session, warm),
    )


def _why_no_spread(session: Session, warm: Sequence[TrialRow]) -> str:
    if not warm:
        return "not_yet"
    rounds = {row.trial.round for row in warm}
    return "needs_3_rounds" if len(rounds) < SPREAD_ROUNDS else "too_short_to_compare"


def _which(session: Session, memory: MemoryUse, first_word: FirstToken) -> WhichForWhat:
    if len(session.plan.contenders) < 2:
        return WhichForWhat(choices=(), why="one_model")
    choices = recommendations_of(session, memory.compared, first_word.unanswered)
    why = None
    if not choices:
        rounds = {row.trial.round for row in session.rows}
        why = "not_yet" if not rounds else "needs_3_rounds" if len(rounds) < MIN_ROUNDS else "nothing_known"
    return WhichForWhat(choices=choices, why=why)


def _overall(session: Session, summary: Summary, speed: WritingSpeed) -> OverallSpeed:
    overall = tuple(sorted(_amounts(summary.lines, "overall_tps"), key=lambda one: -one.value))
    behind = {one.second for one in speed.verdicts if one.word in SEPARATING}
    why = None
    if not overall:
        why = speed.why or "not_yet"
    return OverallSpeed(
        overall=overall,
        cold=_amounts(summary.lines, "overall_cold_tps"),
        eval_rate=eval_rate(session),
        tps=speed.tps,
        waiting=waiting_share(session),
        other_winner=len(overall) > 1 and overall[0].contender in behind,
        why=why,
    )


def _of(rows: Iterable[TrialRow], contender: int) -> list[TrialRow]:
    return [row for row in rows if row.trial.contender == contender]
