"""The whole self-test: accuracy of the figures, cost of the screen, and whether both are within their bounds."""

from __future__ import annotations

import secrets
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console
from rich.table import Table

from llmtui.selftest.cost import BOUND, Cost, measure_cost
from llmtui.selftest.screen import ScreenFailed
from llmtui.selftest.truth import DECODE_BOUND, TTFT_BOUND_MS, Accuracy, Compared, TruthPair, measure_accuracy
from llmtui.words import _
from llmtui.words.figures import Spoken, fixed
from llmtui.words.install import install_command
from llmtui.words.trials import kind_words

COST_LIMIT_S: Final = 24.0
VAGUE: Final = 0.05
"""Half-width of the cost's interval, as a share of the speed, above which the result is inconclusive."""
UNWRAPPED: Final = 200
"""Width in columns if the output is not a terminal."""


class BoundCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the result: a sentence, and whether its figure is within its bound."""

    sentence: str
    ok: bool = True


class SelftestFailed(Exception):
    """The self-test could not be carried out; the message is that of the system or of the failed program."""


def run_selftest(*, seed: int | None, with_cost: bool, builtin: bool, say: Callable[[str], None]) -> bool:
    """Test the measuring on this machine and print the result on stdout.

    Args:
        seed: seed of the simulated server; None for a random one.
        with_cost: whether to measure the cost of the screen too, which needs the built-in server.
        builtin: whether the built-in server is installed, with the tools that make a model for it.
        say: called with each new line of progress; with an empty text at the end.

    Returns:
        Whether all figures are within their bounds.

    Raises:
        SelftestFailed: nothing could be measured.
    """
    drawn = secrets.randbelow(10**6) if seed is None else seed
    console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else UNWRAPPED)
    said = _("Self-test with seed {seed}. The measured screens have 140 columns and 40 rows.")
    console.print(said.format(seed=drawn))
    try:
        found = _accuracy(drawn, say)
        verdicts = [*accuracy_verdicts(found), *_cost(with_cost=with_cost, builtin=builtin, say=say)]
    except (ScreenFailed, OSError, RuntimeError) as error:
        raise SelftestFailed(str(error)) from error
    finally:
        say("")
    for verdict in verdicts:
        console.print(verdict.sentence, style=None if verdict.ok else "bold red")
    console.print()
    console.print(accuracy_table(found))
    return all(verdict.ok for verdict in verdicts)


def _accuracy(seed: int, say: Callable[[str], None]) -> Accuracy:
    with _folder() as folder:
        return measure_accuracy(
            Path(folder), seed, lambda done: say(_("Measuring a simulated server: {done}").format(done=done))
        )


def _cost(*, with_cost: bool, builtin: bool, say: Callable[[str], None]) -> list[BoundCheck]:
    if not with_cost:
        return [BoundCheck(sentence=_("The cost of the screens was not measured (--no-cost)."))]
    if not builtin:
        left_out = _("The cost of the screens was not measured: the built-in server is not installed ({remedy}).")
        return [BoundCheck(sentence=left_out.format(remedy=install_command("builtin,synthetic")))]
    with _folder() as folder:
        found = measure_cost(
            Path(folder),
            limit_s=COST_LIMIT_S,
            progress=lambda done: say(_("Measuring with and without the screens: {done}").format(done=done)),
        )
    return [cost_verdict(found)]


def accuracy_table(found: Accuracy) -> Table:
    """Return a table with one row per trial: true TTFT and speed, and the error of the measured ones."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("#", justify="right")
    table.add_column(_("Model"), overflow="ellipsis", no_wrap=True)
    table.add_column(_("Trial"), no_wrap=True)
    for head in (_("Tokens"), _("sent TTFT ms"), _("err ms"), _("sent tok/s"), _("err %")):
        table.add_column(head, justify="right", no_wrap=True)
    for trial in found.trials:
        table.add_row(*_cells(found, trial))
    return table


def _cells(found: Accuracy, trial: Compared) -> tuple[str, ...]:
    row = trial.row
    return (
        str(row.order),
        found.session.contender(row.trial).label,
        kind_words(row.trial.kind),
        "" if row.figures.tokens is None else str(row.figures.tokens),
        *_pair(trial.ttft_ms, lambda pair: fixed(pair.difference, 2, "+")),
        *_pair(trial.decode_tps, lambda pair: fixed(100 * pair.share, 3, "+")),
    )


def _pair(pair: TruthPair | None, error: Callable[[TruthPair], str]) -> tuple[str, str]:
    return ("", "") if pair is None else (fixed(pair.truth, 2), error(pair))


def accuracy_verdicts(found: Accuracy) -> list[BoundCheck]:
    """Return one line each for TTFT and for speed."""
    ttft, decode = found.ttft_error_ms, found.decode_error
    return [
        BoundCheck(
            sentence=_("TTFT: median error {error:.2f} ms (at most {bound:g} ms allowed). {verdict}").format(
                error=Spoken(ttft), bound=Spoken(TTFT_BOUND_MS), verdict=_word(ok=ttft <= TTFT_BOUND_MS)
            ),
            ok=ttft <= TTFT_BOUND_MS,
        ),
        BoundCheck(
            sentence=_("Speed: median error {error:.3f} % (at most {bound:g} % allowed). {verdict}").format(
                error=Spoken(100 * decode), bound=Spoken(100 * DECODE_BOUND), verdict=_word(ok=decode <= DECODE_BOUND)
            ),
            ok=decode <= DECODE_BOUND,
        ),
    ]


def cost_verdict(found: Cost | None) -> BoundCheck:
    """Return the line on the cost of the screen; ``found`` is None if the model was too slow to measure it."""
    if found is None:
        return BoundCheck(
            sentence=_("The cost of the screens is not available: the built-in model is too slow on this machine.")
        )
    half = (found.high - found.low) / 2
    vague = found.within_bounds and half > VAGUE
    sentence = _(
        "Drawing the screens costs {share:.1f} % ± {half:.1f} % of a model's speed ({tps:.0f} tok/s without, {turns} "
        "groups of 4 trials). The lower end of that range must not exceed {bound:g} %. {verdict}"
    )
    return BoundCheck(
        sentence=sentence.format(
            share=Spoken(100 * found.share), half=Spoken(100 * half), tps=found.headless_tps, turns=found.turns,
            bound=Spoken(100 * BOUND),
            verdict=_too_uncertain() if vague else _word(ok=found.within_bounds),
        ),
        ok=found.within_bounds,
    )  # fmt: skip


def _too_uncertain() -> str:
    return _("Inconclusive because other programs are busy. Try again when the machine is idle.")


def _word(*, ok: bool) -> str:
    return _("Good.") if ok else _("OUT OF BOUNDS.")


def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="llmtui-selftest-", ignore_cleanup_errors=True)
