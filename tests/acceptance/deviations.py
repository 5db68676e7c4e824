"""How far the figures of a table are from what a server's send log says, and how far they may be."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import NamedTuple

from llmtui.simulator.sendlog import SentRequest
from tests.acceptance.bystander import Bystander

Row = dict[str, str]

COMPARED_TOKENS = 64
BUSY_MS = 1.5
"""Where a bystander is off by more in 95 %, cores are short: the exact limits cannot be told there."""


class Limits(NamedTuple):
    """How far figures may be off."""

    median_ms: float
    nearly_all_ms: float
    """In 95 %."""
    rate_share: float
    wrong_rows: float
    """Share of a model's trials that may say the wrong thing about clocks, since it follows from a few milliseconds."""


EXACT = Limits(1.0, 3.0, 0.005, 0.3)
BUSY = Limits(6.0, 20.0, 0.025, 0.7)
"""On a machine that lacks cores: what a wrong formula or a blocked reader would break all the same."""


class Measured(NamedTuple):
    """One trial as in the table and as sent."""

    row: Row
    truth: SentRequest

    def off_ms(self, column: str) -> float:
        """How far a time is from the truth."""
        truth_ns = self.truth.ttft_ns if column == "ttft_ms" else self.truth.ttfo_ns
        assert truth_ns is not None
        return float(self.row[column]) - truth_ns / 1e6

    def rate_off(self) -> float:
        """How far the decode rate is from the truth, as a share of it."""
        assert self.truth.decode_tps is not None
        return float(self.row["decode_tps"]) / self.truth.decode_tps - 1


class Deviations(NamedTuple):
    """What is asserted, of one whole measurement."""

    ttft_ms: list[float]
    ttfo_ms: list[float]
    rates: dict[str, list[float]]
    """By model, every warm trial."""
    pooled: dict[str, float]
    """By model, tokens over time of all its warm trials."""
    words: dict[str, float]
    """What rows say wrongly about clocks and first words, and the share of a model's rows that do."""
    beside: Bystander

    def __str__(self) -> str:
        lines = [
            f"{name}: {_spread(values)}" for name, values in (("TTFT ms", self.ttft_ms), ("TTFO ms", self.ttfo_ms))
        ]
        lines += [
            f"{name}: decode off by {100 * statistics.median(map(abs, values)):.3f} % in the median, "
            f"{100 * max(map(abs, values)):.3f} % at most, pooled {100 * self.pooled[name]:+.3f} %"
            for name, values in self.rates.items()
        ]
        return "\n".join([*lines, *(words for words, wrong in self.words.items() if wrong), str(self.beside)])

    @property
    def judged_by(self) -> Limits:
        """The limits that can be told on the machine as it was."""
        return BUSY if self.beside.nearly_all_ms > BUSY_MS else EXACT

    def too_far(self, limits: Limits) -> list[str]:
        """Which limits are broken."""
        broken = []
        for name, values in (("TTFT", self.ttft_ms), ("TTFO", self.ttfo_ms)):
            far = sorted(map(abs, values))
            if statistics.median(far) > limits.median_ms:
                broken.append(f"{name} in the median")
            if _nearly_all(far) > limits.nearly_all_ms:
                broken.append(f"{name} in 95 %")
        for name, shares in self.rates.items():
            if max(statistics.median(map(abs, shares)), abs(self.pooled[name])) > limits.rate_share:
                broken.append(f"decode rate of {name}")
        return broken + [words for words, wrong in self.words.items() if wrong > limits.wrong_rows]


def _nearly_all(far: Sequence[float]) -> float:
    """The value that 95 % do not exceed."""
    return far[max(0, -(-len(far) * 95 // 100) - 1)]


def _spread(values: Sequence[float]) -> str:
    far = sorted(map(abs, values))
    return (
        f"off by {statistics.median(far):.3f} in the median, {_nearly_all(far):.3f} in 95 %, {far[-1]:.3f} at most, "
        f"of {len(far)}"
    )


def deviations(trials: Sequence[Measured], beside: Bystander) -> Deviations:
    """Compare each trial with its truth."""
    warm = [one for one in trials if one.row["kind"] == "warm" and int(one.row["tokens"]) >= COMPARED_TOKENS]
    models = sorted({one.row["model"] for one in warm})
    by_model = {model: [one for one in warm if one.row["model"] == model] for model in models}
    return Deviations(
        ttft_ms=[one.off_ms("ttft_ms") for one in trials],
        ttfo_ms=[one.off_ms("ttfo_ms") for one in trials if one.row["ttfo_ms"]],
        rates={model: [one.rate_off() for one in ones] for model, ones in by_model.items()},
        pooled={model: _pooled_off(ones) for model, ones in by_model.items()},
        words=wrong_words([one.row for one in warm]),
        beside=beside,
    )


def _pooled_off(trials: Sequence[Measured]) -> float:
    """Return the deviation of tokens ÷ time over all trials of a model from the truth."""
    steps = [one.truth.output_tokens - one.truth.texts[0].last_token for one in trials]
    true_s = sum(count / (one.truth.decode_tps or 1) for count, one in zip(steps, trials, strict=True))
    seen_s = sum(count / float(one.row["decode_tps"]) for count, one in zip(steps, trials, strict=True))
    return true_s / seen_s - 1


def wrong_words(rows: Sequence[Row]) -> dict[str, float]:
    """Return the share of a model's rows that are wrong, by sentence.

    Checked are whose clock is called wrong, whether that is true, and whose clock was used.
    """
    wrong = {}
    for model in sorted({row["model"] for row in rows}):
        its = [row for row in rows if row["model"] == model]
        for what, said, true in (
            ("flag clock_disagreement", ["clock_disagreement" in row["flags"].split() for row in its], "skewed:4b"),
            ("the server's clock", [row["tps_source"] == "server" for row in its], "bundles:2b"),
            ("an answer later than the first word", [row["ttfo_ms"] != row["ttft_ms"] for row in its], "thinks:3b"),
        ):
            share = abs(sum(said) / len(said) - (model == true))
            wrong[f"{what}: {sum(said)} of {len(said)} rows of {model}"] = share
    return wrong
