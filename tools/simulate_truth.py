"""Simulate sessions whose true speeds are known, judge them by the program's own code, and count wrong verdicts.

    python tools/simulate_truth.py                           tables from new seeds: about 15 minutes on two cores
    python tools/simulate_truth.py --quick                   a tenth of the sessions
    python tools/simulate_truth.py --write docs/method.md    put the tables into the document

A simulated session has only the data that the verdicts use. tools/truth_worlds.py simulates them, and
tools/truth_cases.py says how often each verdict may occur. Such a promise is broken if the 99 % interval of the rate
(Wilson 1927) lies entirely beyond it; then the exit code is 1. Each case has its own seed, ``seed + number of the
case``, by which it can be repeated.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import secrets
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from tools.truth_cases import Case, Promise, cases  # found from where this file is

SESSIONS = 4000
QUICK_SESSIONS = 400
Z = 2.5758
"""Quantile of the normal distribution for a two-sided 99 % interval."""
BEGIN, END = "<!-- simulated truth: begin -->", "<!-- simulated truth: end -->"


class Rate(NamedTuple):
    """How often an event happened, and in how many sessions it could."""

    times: int
    of: int

    @property
    def share(self) -> float:
        """The rate, from 0 to 1."""
        return self.times / self.of if self.of else 0.0

    def interval(self, z: float = Z) -> tuple[float, float]:
        """Return the Wilson score interval of the true rate."""
        if not self.of:
            return 0.0, 1.0
        middle = (self.share + z * z / (2 * self.of)) / (1 + z * z / self.of)
        half = z / (1 + z * z / self.of) * math.sqrt(self.share * (1 - self.share) / self.of + (z / (2 * self.of)) ** 2)
        return middle - half, middle + half


class Found(NamedTuple):
    """One case, with the rates of those events for which a limit is promised."""

    case: Case
    seed: int
    rates: tuple[Rate, ...]

    @property
    def broken(self) -> tuple[Promise, ...]:
        """The promised limits that the rates contradict."""
        return tuple(
            promise for promise, rate in zip(self.case.promises, self.rates, strict=True) if not kept(promise, rate)
        )


def kept(promise: Promise, rate: Rate) -> bool:
    """Return whether a rate's interval lies at least partly within the promised limit."""
    low, high = rate.interval()
    return (promise.least is None or high >= promise.least) and (promise.most is None or low <= promise.most)


def run_case(case: Case, sessions: int, seed: int) -> Found:
    """Simulate ``sessions`` sessions of a case; return its rates."""
    chance = random.Random(seed)
    counts = [0] * len(case.promises)
    counted = 0
    for _ in range(sessions):
        events = case.session(chance)
        if events is None:
            continue
        counted += 1
        for at, promise in enumerate(case.promises):
            counts[at] += events[promise.event]
    return Found(case, seed, tuple(Rate(count, counted) for count in counts))


def _run_numbered(number: int, sessions: int, seed: int) -> tuple[tuple[int, int], ...]:
    """Run the case of this number; return only counts, since a case cannot be sent from another process."""
    found = run_case(ALL[number], sessions, seed)
    return tuple((rate.times, rate.of) for rate in found.rates)


ALL = tuple(cases())


def run_all(sessions: int, seed: int, say: Callable[[str], None], workers: int) -> list[Found]:
    """Return every case with its rates; ``say`` is called with one line on each finished case."""
    numbers = range(len(ALL))
    found: list[Found] = []
    with ProcessPoolExecutor(max_workers=workers) as pool:
        made = pool.map(_run_numbered, numbers, [sessions] * len(ALL), [seed + at for at in numbers])
        for number, rates in zip(numbers, made, strict=True):
            one = Found(ALL[number], seed + number, tuple(Rate(*rate) for rate in rates))
            found.append(one)
            say(described(one))
    return found


def described(found: Found) -> str:
    """Return a case as one line: its place in the tables, each rate with its promise, and the seed."""
    parts = [
        f"{promise.event} {100 * rate.share:.1f} % ({promised(promise)})"
        for promise, rate in zip(found.case.promises, found.rates, strict=True)
    ]
    mark = " BROKEN" if found.broken else ""
    return f"{found.case.table} | {found.case.row} | {found.case.column} | {', '.join(parts)} | seed {found.seed}{mark}"


def promised(promise: Promise) -> str:
    """Return a promised limit as text: ``≤ 6 %``."""
    if promise.least is not None:
        return f"≥ {100 * promise.least:.0f} %"
    return "no promise" if promise.most is None else f"≤ {100 * promise.most:.0f} %"


def tables(found: Sequence[Found], sessions: int, seed: int) -> str:
    """Return all tables as Markdown: one row per world, one column per number of rounds, rates in %."""
    lines = [
        f"{sessions} sessions per case, seed {seed} (a case's own: seed + its number); rates in %.",
        "A promise is broken, and its rate in **bold**, if the whole 99 % interval of the rate is beyond it.",
    ]
    for title in dict.fromkeys(one.case.table for one in found):
        mine = [one for one in found if one.case.table == title]
        columns = tuple(dict.fromkeys(one.case.column for one in mine))
        lines += ["", f"**{title}**", "", f"| | {' | '.join(columns)} | promised |", "|---" * (len(columns) + 2) + "|"]
        for row in dict.fromkeys(one.case.row for one in mine):
            cells = {one.case.column: _cell(one) for one in mine if one.case.row == row}
            told = _promises(one for one in mine if one.case.row == row)
            lines.append(f"| {row} | {' | '.join(cells.get(column, '') for column in columns)} | {told} |")
    return "\n".join(lines)


def _cell(found: Found) -> str:
    shares = [
        f"**{100 * rate.share:.1f}**" if promise in found.broken else f"{100 * rate.share:.1f}"
        for promise, rate in zip(found.case.promises, found.rates, strict=True)
    ]
    free = all(promise.least is None and promise.most is None for promise in found.case.promises)
    return " / ".join(shares) + (" (no promise)" if free else "")


def _promises(found: Iterable[Found]) -> str:
    """Return the promised limits of a table row as text; if its columns have different ones, all of them in order."""
    bounds = (" / ".join(map(promised, one.case.promises)) for one in found)
    return "; ".join(bound for bound in dict.fromkeys(bounds) if "no promise" not in bound) or "none"


def put_into(document: str, made: str) -> str:
    """Return the document with the tables between its two marks.

    Raises:
        SystemExit: the document does not have both marks.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"The document has no lines {BEGIN} and {END}.")
    return f"{before}{BEGIN}\n{made}\n{END}{after}"


def main() -> int:
    """Print or write the tables; return 1 if a promise is broken, else 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=None, help=f"sessions per case; {SESSIONS} by default")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_SESSIONS} sessions per case")
    parser.add_argument("--seed", type=int, default=None, help="a new one by default")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--write", type=Path, default=None, help="document to put the tables into")
    chosen = parser.parse_args()
    seed = secrets.randbelow(10**9) if chosen.seed is None else chosen.seed
    sessions = chosen.sessions or (QUICK_SESSIONS if chosen.quick else SESSIONS)
    began = time.monotonic()
    found = run_all(sessions, seed, lambda line: print(line, file=sys.stderr, flush=True), chosen.workers)
    print(f"{len(found)} cases, {time.monotonic() - began:.0f} s", file=sys.stderr)
    made = tables(found, sessions, seed)
    if chosen.write is None:
        print(made)
    else:
        chosen.write.write_text(put_into(chosen.write.read_text("utf-8"), made), "utf-8")
    broken = [described(one) for one in found if one.broken]
    for line in broken:
        print(line, file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
