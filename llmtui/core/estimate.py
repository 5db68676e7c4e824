"""Expected duration of a run before it starts, as a range. The range is wide if this machine was never measured.

A token of a dense model reads all weights once, so tokens/s ≈ memory bandwidth ÷ size of the weights. A cold start
reads the file once, so its time ≈ size ÷ disk bandwidth. The ranges below cover common machines; figures of earlier
sessions replace them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from llmtui.core.events import ListedModel
from llmtui.core.plan import Contender, Kind, Plan, num_predict, trials_per_round

Range = tuple[float, float]
"""A range of values: (lowest, highest)."""

CPU_BANDWIDTH_BYTES_PER_S: Range = (12e9, 60e9)
GPU_BANDWIDTH_BYTES_PER_S: Range = (150e9, 900e9)
ANY_BANDWIDTH_BYTES_PER_S: Range = (15e9, 150e9)
"""Memory bandwidth if it is not known whether the model runs on a GPU."""
DISK_BYTES_PER_S: Range = (0.25e9, 3e9)
PROMPT_SPEEDUP: Range = (5.0, 40.0)
"""Ratio of prefill speed to decode speed."""
UNLOAD_S: Range = (0.3, 2.5)
"""Time in seconds to unload a model and to check that it is gone, once per model and round."""
REQUEST_S = 0.05
PROMPT_TOKENS: dict[Kind, int] = {"cold": 100, "warm": 80, "follow_up": 60}
SHORTEST_ANSWER = 0.5
"""Share of the token limit that a short answer uses. A thinking model always reaches the limit."""
KNOWN_SPREAD = 0.15
"""Relative deviation of a new run from this machine's earlier figures."""
UNKNOWN_SIZE_BYTES = 4.5e9


class PastSpeed(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one model from an earlier session on this machine."""

    decode_tps: float
    load_s: float | None = None
    wall_ns: int | None = None
    """Start of the earlier session, in ns since 1970 UTC."""


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """Expected duration of a run, as a range."""

    low_s: float
    high_s: float
    round_s: Range
    """Shortest and longest expected duration of one round, in seconds."""
    trials: int
    """Number of trials in one round."""
    measured: bool
    """Whether all models have figures from earlier sessions, so that nothing is assumed about the machine."""


def estimate(plan: Plan, listed: Sequence[ListedModel] = (), past: Mapping[str, PastSpeed] | None = None) -> Estimate:
    """Return the expected duration of a plan.

    Args:
        plan: the plan to run.
        listed: the server's models; those in memory show whether a GPU is used.
        past: figures of earlier sessions, by model digest.
    """
    known = past or {}
    on_gpu = _on_gpu(listed)
    times = [_block(plan, contender, known.get(contender.model.digest), on_gpu) for contender in plan.contenders]
    low, high = sum(time[0] for time in times), sum(time[1] for time in times)
    totals = [_total(plan, round_s) for round_s in _candidates(plan, low, high)]
    return Estimate(
        low_s=min(totals),
        high_s=max(totals),
        round_s=(low, high),
        trials=trials_per_round(plan),
        measured=all(contender.model.digest in known for contender in plan.contenders),
    )


def _on_gpu(listed: Sequence[ListedModel]) -> bool | None:
    """Return whether the models now in memory run on a GPU; None if no model is in memory."""
    shares = [
        one.resident.vram_bytes / one.resident.size_bytes
        for one in listed
        if one.resident is not None and one.resident.size_bytes and one.resident.vram_bytes is not None
    ]
    return max(shares) > 0.9 if shares else None


def _block(plan: Plan, contender: Contender, past: PastSpeed | None, on_gpu: bool | None) -> Range:
    """Return the (shortest, longest) duration of one contender's trials in one round, in seconds."""
    slow, fast = _speed(contender, past, on_gpu)
    thinks = contender.variant.think is not False
    low = high = 0.0
    for kind in plan.kinds:
        count = len(plan.prompts) if kind == "warm" else 1
        cap = num_predict(plan, kind)
        shortest = cap if thinks else cap * SHORTEST_ANSWER
        prompt = PROMPT_TOKENS[kind]
        low += count * (REQUEST_S + shortest / fast + prompt / (fast * PROMPT_SPEEDUP[1]))
        high += count * (REQUEST_S + cap / slow + prompt / (slow * PROMPT_SPEEDUP[0]))
    load = _load(contender, past)
    return low + load[0] + UNLOAD_S[0], high + load[1] + UNLOAD_S[1]


def _speed(contender: Contender, past: PastSpeed | None, on_gpu: bool | None) -> Range:
    """Return a contender's (lowest, highest) expected tokens per second."""
    if past is not None:
        return past.decode_tps * (1 - KNOWN_SPREAD), past.decode_tps * (1 + KNOWN_SPREAD)
    bandwidth = {None: ANY_BANDWIDTH_BYTES_PER_S, True: GPU_BANDWIDTH_BYTES_PER_S, False: CPU_BANDWIDTH_BYTES_PER_S}
    size = contender.model.size_bytes or UNKNOWN_SIZE_BYTES
    slow, fast = bandwidth[on_gpu]
    # Upper bounds even for tiny models, since each token passes through the whole server.
    return min(slow / size, 300.0), min(fast / size, 600.0)


def _load(contender: Contender, past: PastSpeed | None) -> Range:
    """Return the (shortest, longest) expected time to load a model, in seconds."""
    if past is not None and past.load_s is not None:
        return past.load_s * (1 - 2 * KNOWN_SPREAD), past.load_s * (1 + 2 * KNOWN_SPREAD)
    size = contender.model.size_bytes or UNKNOWN_SIZE_BYTES
    return 0.2 + size / DISK_BYTES_PER_S[1], 1.0 + size / DISK_BYTES_PER_S[0]


def _total(plan: Plan, round_s: float) -> float:
    """Return the total duration of the run in seconds, if each round takes ``round_s`` seconds.

    With a budget, as many rounds are run as fit in it, but at least the plan's ``rounds``. Otherwise ``max_rounds`` are
    run.
    """
    rounds = plan.max_rounds
    if plan.budget_s is not None:
        rounds = min(plan.max_rounds, int(plan.budget_s / round_s)) if round_s > 0 else plan.max_rounds
        rounds -= rounds % 2 if plan.balanced else 0
    return max(plan.rounds, rounds) * round_s


def _candidates(plan: Plan, low: float, high: float) -> list[float]:
    """Return the durations of a round at which the run's total duration can be smallest or largest.

    These are both ends of the range, and both sides of each duration at which the number of rounds changes.
    """
    found = [low, high]
    if plan.budget_s is not None:
        for rounds in range(plan.rounds, plan.max_rounds + 1):
            edge = plan.budget_s / rounds
            found += [time for time in (edge, edge * 1.0001) if low <= time <= high]
    if plan.budget_s is None and plan.max_rounds > plan.rounds:
        # Such a run stops early once the result is clear, but not before the promised rounds.
        found.append(low * plan.rounds / plan.max_rounds)
    return found
