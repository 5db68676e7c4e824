"""The comparison of two models of one session in detail: their rounds, and the verdicts on them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import IO

from rich.text import Text

from llmtui.core.pairing import is_imported, pair_up
from llmtui.core.session import Session
from llmtui.core.verdict import verdicts
from llmtui.core.waits import WAITS, wait_verdicts
from llmtui.report.rows import Row
from llmtui.report.terminal import WIDTH, plain_console, tables
from llmtui.words import _, plural
from llmtui.words.comparing import session_line
from llmtui.words.ratios import factor, factor_range
from llmtui.words.verdicts import verdict_sentence
from llmtui.words.waits import wait_sentence


def print_pair(session: Session, first: int, second: int, out: IO[str]) -> None:
    """Print the speed ratio of two models in each round, then the verdict on each figure.

    Args:
        session: a finished or a running session.
        first: index of the first model in the session's plan.
        second: index of the second model in the session's plan.
        out: the stream to print to.
    """
    console = plain_console(out)
    names = [session.plan.contenders[at].label for at in (first, second)]
    console.print(Text(session_line(f"{names[0]} ÷ {names[1]}", session)))
    rows = _rounds(session, first, second)
    if rows:
        console.print()
        for table in tables(rows, "", names=1, width=min(console.width, WIDTH)):
            console.print(table)
    console.print()
    for line in _sentences(session, {first, second}):
        console.print(Text(line))


def _rounds(session: Session, first: int, second: int) -> list[Row]:
    """Return one row per counted round: the ratio of the speeds, and its range over the prompts."""
    if is_imported(session.plan):
        return []
    pair = pair_up(session.plan, session.rows, first, second)
    return [
        {
            _("Round"): str(number),
            _("Ratio of speeds"): factor(math.exp(log)),
            _("By prompt"): factor_range(math.exp(min(leads)), math.exp(max(leads))),
            _("Prompts"): plural("{n} prompt", "{n} prompts", len(leads)).format(n=len(leads)),
        }
        for number, (log, leads) in enumerate(zip(pair.rounds, pair.leads, strict=True), 1)
    ]


def _sentences(session: Session, pair: set[int]) -> Iterator[str]:
    """Yield the verdicts on speed and on each waiting time, with intervals valid for all pairs of the session."""
    for one in verdicts(session):
        if {one.first, one.second} == pair:
            yield verdict_sentence(one, session)
    for figure in () if is_imported(session.plan) else WAITS:
        for found in wait_verdicts(session, figure):
            said = wait_sentence(found, session, figure) if {found.first, found.second} == pair else ""
            if said:
                yield said
