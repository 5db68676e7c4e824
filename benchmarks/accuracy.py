"""Accuracy of TTFT and decode speed while the screen draws: measured values compared with the simulator's log."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from statistics import median

from benchmarks.programs import folder, on_screen, server_of, settings_for, steady, watched
from benchmarks.rows import Benchmark, Row
from llmtui.selftest.truth import Compared, compare
from llmtui.simulator import SimulatedModel, running_simulator

TTFT_TRIALS = 50
TTFT_TOKENS = 24
TTFT_BAR_MS = 1.0
DECODE_TRIALS = 20
DECODE_BAR = 0.002
RATES = (
    (20.0, 80, 1),
    (50.0, 128, 1),
    (100.0, 192, 1),
    (250.0, 512, 1),
    (500.0, 512, 1),
    (100.0, 192, 4),
    (400.0, 512, 8),
)
"""(tokens per second, tokens per answer, tokens per chunk) of each model."""


def measure(quick: bool) -> Iterable[Row]:
    yield _ttft(10 if quick else TTFT_TRIALS)
    yield _decode(3 if quick else DECODE_TRIALS)


def _ttft(trials: int) -> Row:
    compared = [test for test in _compared([steady(100.0, TTFT_TOKENS)], trials, TTFT_TOKENS) if _is_warm(test)]
    errors = [test.ttft_ms.difference for test in compared if test.ttft_ms is not None]
    typical = median(map(abs, errors))
    return Row(
        f"TTFT error while the screens draw, {len(errors)} trials, median without the sign",
        f"{typical:.2f} ms ({min(errors):+.2f} … {max(errors):+.2f})",
        f"≤ {TTFT_BAR_MS:g} ms",
        typical <= TTFT_BAR_MS,
    )


def _decode(trials: int) -> Row:
    models = [_model(number) for number in range(len(RATES))]
    longest = max(tokens for _, tokens, _ in RATES)
    errors: dict[int, list[float]] = defaultdict(list)
    for test in _compared(models, trials, longest):
        if test.decode_tps is not None and _is_warm(test):
            errors[test.row.trial.contender].append(abs(test.decode_tps.share))
    typical = {number: median(shares) for number, shares in sorted(errors.items())}
    words = ", ".join(f"{_words(number)} {100 * share:.3f} %" for number, share in typical.items())
    worst = max(typical.values())
    return Row(
        f"decode speed error while the screens draw, median of {min(map(len, errors.values()))} trials at each speed",
        f"worst {100 * worst:.3f} %: {words}",
        f"≤ {100 * DECODE_BAR:g} %",
        worst <= DECODE_BAR,
    )


def _model(number: int) -> SimulatedModel:
    tps, tokens, bundle = RATES[number]
    return steady(tps, tokens, bundle=bundle, name=f"m{number}:1b")


def _words(number: int) -> str:
    tps, tokens, bundle = RATES[number]
    return f"{tps:.0f} tok/s" + (f" in chunks of {bundle}" if bundle > 1 else "") + f" (n = {tokens})"


def _compared(models: list[SimulatedModel], trials: int, tokens: int) -> list[Compared]:
    with running_simulator(server_of(*models)) as server, folder() as where:
        settings = settings_for(server.url, trials=trials, tokens=tokens, models=[model.name for model in models])
        with on_screen(where, settings, trials=trials) as run:
            session = watched(run)
            run.screen.quit()
        return list(compare(session.rows, server.answers()))


def _is_warm(test: Compared) -> bool:
    return test.row.trial.kind == "warm"


BENCHMARK = Benchmark("accuracy", "How accurate the figures are", measure)
