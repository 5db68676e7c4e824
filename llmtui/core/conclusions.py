"""The conclusions of a session as data: eight topics, each with its figures, or with the reason why they are missing.

A contender is called a winner only by a verdict (core.verdict, core.waits). The sentences are in
llmtui.words.conclusions.
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
    """Topic 1: decode speeds, and which contender leads."""

    tps: tuple[Amount, ...]
    """Tokens per second, fastest first."""
    cps: tuple[Amount, ...]
    """Characters per second, in the same order."""
    reading_x: tuple[Amount, ...]
    leaders: tuple[int, ...]
    """Contenders of rank 1, fastest first."""
    lead: Lead | None
    """Whether one leads, several are practically equal at the top, or it is open; None: one round decides nothing."""
    compared: tuple[int, ...]
    """Contenders with a verdict; the others' figures are shown but not ranked."""
    verdicts: tuple[SpeedVerdict, ...]
    more_text: int | None
    """The contender with the most characters per second, where a verdict puts another above it in tokens per second."""
    round_s: float | None
    """Expected duration of one more round in seconds."""
    missing: tuple[tuple[int, str], ...]
    """Contenders without a speed, with the code of the reason."""
    conditions: tuple[Condition, ...] = ()
    """Conditions of a lone contender; with several, they come with the verdicts."""
    why: str | None = None


class FirstToken(msgspec.Struct, frozen=True, kw_only=True):
    """Topic 2: TTFT of a loaded model and of a cold start. Times in ms, shortest first."""

    ttft: tuple[Amount, ...]
    ttfo: tuple[Amount, ...]
    """For all contenders that answered, where any of them thinks."""
    unanswered: tuple[int, ...]
    """Contenders without an answer within the cap on tokens."""
    cold: tuple[Amount, ...]
    loading: tuple[Amount, ...]
    later_cold: tuple[Amount, ...]
    saving: tuple[Amount, ...]
    """Later cold starts − warm TTFT: what keeping the model loaded saves. The first cold start is separate."""
    leaders: tuple[int, ...]
    """Contenders of rank 1 by verdicts on TTFT; empty below three rounds."""
    compared: tuple[int, ...]
    verdicts: tuple[WaitVerdict, ...]
    missing: tuple[tuple[int, str], ...]
    why: str | None = None


class Stability(msgspec.Struct, frozen=True, kw_only=True):
    """Topic 3: variation of the same prompt between rounds, pauses, and the cost of a token."""

    spread: tuple[Amount, ...]
    """Standard deviation of the speed at the same prompt, as a share; smallest first."""
    steadiest: int | None
    """The contender with the smallest variance by an F test on blocks; from ten rounds."""
    pauses: tuple[Amount, ...]
    """Number of trials with a pause of more than a second; only contenders with any."""
    pauses_known: bool
    """The times between chunks are known for at least one trial."""
    cpu_s_per_token: tuple[Amount, ...]
    joules_per_token: tuple[Amount, ...]
    lag_ms: float | None
    """Time from the server's stamp of a chunk to its arrival: the delay that observing adds."""
    lag_beyond_network: bool
    """The server is on another machine: the lag is relative to the smallest, without the network."""
    llmtui_cores: float | None
    """CPU cores that llmtui kept busy during the trials: the work that observing costs."""
    why: str | None = None


class MemoryUse(msgspec.Struct, frozen=True, kw_only=True):
    """Topic 4: memory of the models, smallest first."""

    held: tuple[MemoryHeld, ...]
    compared: MemoryCompared | None = None
    """RAM and GPU memory together, by one source for all; None: they were measured by different sources."""
    why: str | None = None


class WhichForWhat(msgspec.Struct, frozen=True, kw_only=True):
    """Topic 5: recommendations by speed, waiting time and memory alone; uses without any known figure are left out."""

    choices: tuple[Recommendation, ...]
    why: str | None = None


class OverallSpeed(msgspec.Struct, frozen=True, kw_only=True):
    """Topic 6: tokens ÷ total time over the same warm trials."""

    overall: tuple[Amount, ...]
    """Mean over the warm trials that are compared, highest first."""
    cold: tuple[Amount, ...]
    """The same for cold starts alone."""
    eval_rate: tuple[Amount, ...]
    """What Ollama prints as eval rate; empty for other servers."""
    tps: tuple[Amount, ...]
    waiting: tuple[Amount, ...]
    """Share of the same trials' time before the first text."""
    other_winner: bool
    """It ranks first a contender that a verdict puts behind another."""
    why: str | None = None


class SinceLast(msgspec.Struct, frozen=True, kw_only=True):
    """Topic 7: changes since the last session of the same plan."""

    comparison: across.Comparison | None
    why: str | None = None


Conclusion = (
    WritingSpeed | FirstToken | Stability | MemoryUse | WhichForWhat | OverallSpeed | SinceLast | NotCounted
)  # fmt: skip


def conclude(session: Session, earlier: across.Earlier | None = None) -> tuple[Conclusion, ...]:
    """Return the eight topics, always all and in this order.

    Args:
        session: finished or still running.
        earlier: the last session of the same plan, for topic 7.
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
    """Return one summary figure of all contenders with it, in the order of the lines; of a ``Spread`` the value."""
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
    """Return the kind of lead; several share it only where every pair of them is practically equal."""
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
