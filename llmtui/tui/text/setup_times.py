"""The expected time and size of a plan in a few words, for the presets and the start line."""

from __future__ import annotations

from llmtui.core.estimate import Estimate, Range
from llmtui.core.plan import Plan, trials_per_round
from llmtui.words import _, plural

SAME = 1.5
"""A range whose ends have a smaller ratio than this is shown as one number."""


def time_range(low_s: float, high_s: float) -> str:
    """Return a range of times, such as ``3–12 min`` or ``20–50 s``; one number if its ends are close."""
    for unit_s, word, most_s in ((1.0, "s", 100.0), (60.0, "min", 5400.0), (3600.0, "h", float("inf"))):
        if high_s < most_s:
            low, high = _rounded(low_s / unit_s), _rounded(high_s / unit_s)
            if low == high or high_s < SAME * low_s:
                return f"{_rounded((low_s * high_s) ** 0.5 / unit_s)} {word}"
            return f"{low}–{high} {word}"
    raise AssertionError("the last unit has no end")


def _rounded(value: float) -> int:
    """Return a number rounded to about two significant digits: 3, 12, 25, 80."""
    if value < 20:
        return max(round(value), 1)
    return round(value / 5) * 5


def plan_time(plan: Plan, expected: Estimate) -> str:
    """Return how long a plan takes: ``≈ 1 min a round, stops by 6 min``, or ``≈ 5 min`` without a time limit.

    A plan with a time limit runs at least its smallest number of rounds; if these take longer than the limit, their
    time is shown. If all possible rounds end long before the limit, their total time is shown.
    """
    if plan.budget_s is None:
        return _("≈ {time}").format(time=time_range(expected.low_s, expected.high_s))
    each = _("≈ {time} per round").format(time=time_range(*expected.round_s))
    if expected.high_s * SAME < plan.budget_s:
        return _("{each}, {time} in all").format(each=each, time=time_range(expected.low_s, expected.high_s))
    promised_s = plan.rounds * expected.round_s[1]
    if promised_s <= plan.budget_s:
        return _("{each}, at most {limit}").format(each=each, limit=time_range(plan.budget_s, plan.budget_s))
    least: Range = (plan.rounds * expected.round_s[0], promised_s)
    n = _("{n} rounds at least").format(n=plan.rounds)
    return f"{each}, {n}: {time_range(*least)}"


def preset_time(plan: Plan, expected: Estimate) -> str:
    """Return the shortest form of a plan's time: ``≤ 6 min`` if a time limit applies, else ``1–3 min``."""
    if plan.budget_s is not None and plan.rounds * expected.round_s[1] <= plan.budget_s < expected.high_s * SAME:
        return f"≤ {time_range(plan.budget_s, plan.budget_s)}"
    return time_range(expected.low_s, expected.high_s)


def plan_rounds(plan: Plan) -> str:
    """Return the number of rounds: ``5 rounds``, ``2 to 5 rounds``."""
    if plan.rounds == plan.max_rounds:
        return plural("{n} round", "{n} rounds", plan.rounds).format(n=plan.rounds)
    return _("{low} to {high} rounds").format(low=plan.rounds, high=plan.max_rounds)


def counts_words(plan: Plan) -> str:
    """Return the size of a plan: ``2 models × 4 prompts``."""
    models = plural("{n} model", "{n} models", len(plan.contenders)).format(n=len(plan.contenders))
    prompts = plural("{n} prompt", "{n} prompts", len(plan.prompts)).format(n=len(plan.prompts))
    return f"{models} × {prompts}"


def again_words(plan: Plan) -> str:
    """Return the offer to run a plan again, with the number of its trials: ``Again: 3 models, 18 trials``.

    If the number of rounds is not fixed, this is the smallest number of trials.
    """
    models = plural("{n} model", "{n} models", len(plan.contenders)).format(n=len(plan.contenders))
    count = trials_per_round(plan) * plan.rounds
    trials = plural("{n} trial", "{n} trials", count).format(n=count)
    return _("Again: {models}, {trials}").format(models=models, trials=trials)
