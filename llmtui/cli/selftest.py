"""``llmtui selftest``: measured figures compared with true ones, and the cost of drawing the screens."""

from __future__ import annotations

import sys

from llmtui.cli.exits import Exit
from llmtui.cli.progress import CLEAR
from llmtui.cli.startup import Refused, builtin_available, synthetic_available
from llmtui.selftest.running import SelftestFailed, run_selftest
from llmtui.words import _


def selftest(*, seed: int | None, with_cost: bool) -> Exit:
    """Run the self-test.

    Args:
        seed: seed of the simulated server; None for a random one.
        with_cost: whether to measure the cost of the screen too.

    Returns:
        OK, or INTERNAL if a figure is out of its bounds.

    Raises:
        Refused: nothing could be measured.
    """
    try:
        able = builtin_available() and synthetic_available()
        good = run_selftest(seed=seed, with_cost=with_cost, builtin=able, say=_say)
    except SelftestFailed as error:
        raise Refused(_("The self-test could not run: {why}").format(why=error), Exit.INTERNAL) from error
    return Exit.OK if good else Exit.INTERNAL


def _say(words: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(CLEAR + words)
        sys.stderr.flush()
