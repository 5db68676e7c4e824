"""Letters and ranks of contenders, derived from the verdicts on their pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

from llmtui.core.flags import counts_for_speed
from llmtui.core.session import Session
from llmtui.core.trial_row import TrialRow
from llmtui.core.verdict import AHEAD_ROUNDS, SEPARATING, SpeedVerdict


def compared(found: Sequence[SpeedVerdict]) -> frozenset[int]:
    """Return the contenders that can be ranked: those in a pair with a verdict from two or more rounds.

    After a single round, a slow moment cannot be distinguished from a slow model.
    """
    return frozenset(
        index
        for one in found
        if one.word != "no_verdict" and (one.rounds >= AHEAD_ROUNDS or one.unit != "round")
        for index in (one.first, one.second)
    )


def ranks(found: Sequence[SpeedVerdict]) -> dict[int, int]:
    """Return the rank of each compared contender: 1 + the number of contenders that a verdict puts above it."""
    above = dict.fromkeys(sorted(compared(found)), 1)
    for one in found:
        if one.word in SEPARATING:
            above[one.second] += 1
    return above


def groups(session: Session, found: Sequence[SpeedVerdict]) -> dict[int, str]:
    """Return the compact letter display (Piepho 2004): two contenders share a letter unless a verdict separates them.

    Contenders without a verdict are left out; after only one round, all contenders are.
    """
    apart = {frozenset((one.first, one.second)) for one in found if one.word in SEPARATING}
    judged = compared(found)
    speeds = {index: _contender_tps(session.rows, index) for index in judged}
    order = sorted(judged, key=lambda index: -speeds[index])
    sets: list[set[int]] = []
    for at, index in enumerate(order):
        fresh = {index} | {other for other in order[at + 1 :] if frozenset((index, other)) not in apart}
        # Split the set until no subset contains a separated pair.
        for clique in _cliques(sorted(fresh, key=order.index), apart):
            if index in clique and not any(clique <= known for known in sets):
                sets.append(clique)
    letters = dict.fromkeys(order, "")
    for number, members in enumerate(sets):
        for index in members:
            letters[index] += chr(ord("a") + number)
    return letters


def _contender_tps(rows: Sequence[TrialRow], index: int) -> float:
    mine = [row for row in rows if row.trial.contender == index and counts_for_speed(row)]
    over_s = math.fsum(row.figures.decode_s or 0.0 for row in mine)
    return sum(row.figures.decode_steps or 0 for row in mine) / over_s if over_s else 0.0


def _cliques(members: Sequence[int], apart: set[frozenset[int]]) -> list[set[int]]:
    """Return all maximal subsets that contain no separated pair."""
    for a, b in combinations(members, 2):
        if frozenset((a, b)) in apart:
            without_a = _cliques([one for one in members if one != a], apart)
            without_b = _cliques([one for one in members if one != b], apart)
            found: list[set[int]] = []
            for candidate in sorted([*without_a, *without_b], key=len, reverse=True):
                if not any(candidate <= known for known in found):
                    found.append(candidate)
            return found
    return [set(members)]
