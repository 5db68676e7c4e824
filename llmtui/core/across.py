"""Two sessions side by side: what differs between them, and what that did to writing speed.

One difference may be judged (Welch's t on the rounds' log means); with two or more nobody could say which one did it.
Rules: docs/method.md, "Across sessions".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Literal

import msgspec

from llmtui.core.checks import counts_for_speed
from llmtui.core.facts import Fingerprint
from llmtui.core.plan import Contender, Plan, num_ctx
from llmtui.core.session import Session
from llmtui.core.stats import mean, welch
from llmtui.core.verdict import DEVIATION_FLOOR, MARGIN

MIN_ROUNDS_ACROSS = 2
"""Rounds in each session from which their scatter is known at all."""

Aspect = Literal[
    "server", "server_version", "machine", "power", "num_ctx", "num_predict", "temperature", "model_build",
]  # fmt: skip
ChangeWord = Literal["faster", "slower", "practically_equal", "not_resolved", "no_verdict"]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was not the same in both sessions."""

    aspect: Aspect
    before: str
    after: str


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One contender's writing speed now against then."""

    contender: int
    """Index into the later session's contenders."""
    word: ChangeWord
    before_tps: float | None = None
    """Mean over rounds, on the log scale, of the prompts that both sessions asked."""
    after_tps: float | None = None
    ratio: float | None = None
    """Now ÷ then."""
    low: float | None = None
    """95 % interval of the ratio; day-to-day change of the machine is not in it."""
    high: float | None = None
    rounds_before: int = 0
    rounds_after: int = 0
    why: str | None = None
    """For no_verdict: ``not_there_before``, ``no_common_prompts``, ``needs_rounds``, ``several_differences``."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """A later session against an earlier one."""

    before_id: str
    before_wall_ns: int
    differences: tuple[Difference, ...]
    changes: tuple[Change, ...]
    margin: float
    """Share by which two sessions may differ and still be called equal."""

    @property
    def judged(self) -> bool:
        """Whether there is at most one difference, so that a verdict says something."""
        return len(self.differences) <= 1


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """What a session is compared with: the last one of the same plan, and what is known of such sessions' scatter."""

    session: Session
    noise: float = 0.0
    """How far sessions under equal conditions lie apart here, as a log ratio (see ``session_noise``)."""


def compare_sessions(before: Session, after: Session, *, noise: float = 0.0) -> Comparison:
    """Gives what changed from one session to a later one.

    Args:
        before: the earlier session.
        after: the later one.
        noise: how far two sessions under the same conditions lie apart here, as a log ratio (see ``session_noise``);
            where it is more than the usual margin it takes the margin's place.
    """
    margin = max(MARGIN, noise)
    matches = _matches(before.plan, after.plan)
    found = differences(before, after)
    prompts = {one.sha256 for one in before.plan.prompts} & {one.sha256 for one in after.plan.prompts}
    changes = tuple(
        _change(before, matches.get(index), after, index, prompts, margin, judged=len(found) <= 1)
        for index in range(len(after.plan.contenders))
    )
    return Comparison(
        before_id=before.session_id,
        before_wall_ns=before.wall_ns,
        differences=found,
        changes=changes,
        margin=math.expm1(margin),
    )


def differences(before: Session, after: Session) -> tuple[Difference, ...]:
    """Gives the conditions in which two sessions differ, each once; what one of them does not know is no difference."""
    old, new = before.fingerprint, after.fingerprint
    pairs: list[tuple[Aspect, str | None, str | None]] = [
        ("server", old.server_kind, new.server_kind),
        ("server_version", old.server_version, new.server_version),
        ("machine", _machine(old, new), _machine(new, old)),
        ("power", _power(old), _power(new)),
        ("num_predict", str(before.plan.options.num_predict), str(after.plan.options.num_predict)),
        ("temperature", str(before.plan.options.temperature), str(after.plan.options.temperature)),
    ]
    if old.server_kind != new.server_kind:
        # Another server has another version: that is one difference, not two.
        pairs = [pair for pair in pairs if pair[0] != "server_version"]
    for later, earlier in _matches(before.plan, after.plan).items():
        one, other = before.plan.contenders[earlier], after.plan.contenders[later]
        pairs.append(("num_ctx", str(num_ctx(one)), str(num_ctx(other))))
        pairs.append(("model_build", one.model.digest[:12] or None, other.model.digest[:12] or None))
    found: dict[Aspect, Difference] = {}
    for aspect, then, now in pairs:
        if then is not None and now is not None and then != now:
            found.setdefault(aspect, Difference(aspect=aspect, before=then, after=now))
    return tuple(found.values())


def plan_signature(plan: Plan) -> tuple[str, ...]:
    """Gives what two plans have in common when one repeats the other: models, ways of running them, questions, caps.

    Rounds, order and server version are left out: those may differ between a session and the next.
    """
    who = sorted(f"{one.model.backend} {one.model.name} {one.variant.canonical}" for one in plan.contenders)
    options = f"{plan.options.num_predict} {plan.options.temperature}"
    return (*who, *sorted(one.sha256 for one in plan.prompts), *plan.kinds, options)


def session_noise(sessions: Iterable[Session]) -> float:
    """Gives how far sessions under the same conditions lie apart: the largest log ratio between neighbours.

    Args:
        sessions: in the order of time; neighbours whose conditions differ say nothing about noise.
    """
    found = [0.0]
    for before, after in pairwise(sessions):
        comparison = compare_sessions(before, after)
        if not comparison.differences:
            found += [abs(math.log(change.ratio)) for change in comparison.changes if change.ratio is not None]
    return max(found)


def round_logs(session: Session, contender: int, prompts: set[str]) -> tuple[float, ...]:
    """Gives a contender's mean log rate in each round over the given prompts; rounds with less than half are left out.

    Args:
        session: with the rows.
        contender: index into its plan.
        prompts: SHA-256 of the prompts that count.
    """
    by_round: dict[int, list[float]] = {}
    for row in session.rows:
        if row.trial.contender == contender and row.trial.key.prompt_sha256 in prompts and counts_for_speed(row):
            assert row.figures.decode_tps is not None, "counted rows have a rate"
            by_round.setdefault(row.trial.round, []).append(math.log(row.figures.decode_tps))
    return tuple(mean(logs) for _, logs in sorted(by_round.items()) if 2 * len(logs) >= len(prompts))


def _change(
    before: Session, earlier: int | None, after: Session, later: int, prompts: set[str], margin: float, *, judged: bool
) -> Change:
    if earlier is None:
        return Change(contender=later, word="no_verdict", why="not_there_before")
    if not prompts:
        return Change(contender=later, word="no_verdict", why="no_common_prompts")
    then, now = round_logs(before, earlier, prompts), round_logs(after, later, prompts)
    known = Change(
        contender=later,
        word="no_verdict",
        why="needs_rounds",
        before_tps=math.exp(mean(then)) if then else None,
        after_tps=math.exp(mean(now)) if now else None,
        ratio=math.exp(mean(now) - mean(then)) if then and now else None,
        rounds_before=len(then),
        rounds_after=len(now),
    )
    if min(len(then), len(now)) < MIN_ROUNDS_ACROSS:
        return known
    if not judged:
        return msgspec.structs.replace(known, why="several_differences")
    return _judged(known, then, now, margin)


def _judged(known: Change, then: Sequence[float], now: Sequence[float], margin: float) -> Change:
    interval = welch(now, then, floor=DEVIATION_FLOOR)
    word: ChangeWord = "not_resolved"
    if interval.low > margin:
        word = "faster"
    elif interval.high < -margin:
        word = "slower"
    elif interval.low > -margin and interval.high < margin:
        word = "practically_equal"
    return msgspec.structs.replace(known, word=word, why=None, low=math.exp(interval.low), high=math.exp(interval.high))


def _matches(before: Plan, after: Plan) -> dict[int, int]:
    """Gives for contenders of the later plan the same one of the earlier: by build, else by name."""
    found: dict[int, int] = {}
    for later, one in enumerate(after.contenders):
        candidates = [
            at
            for at, other in enumerate(before.contenders)
            if _manner(one) == _manner(other) and at not in found.values()
        ]
        same_build = [
            at for at in candidates if one.model.digest and before.contenders[at].model.digest == one.model.digest
        ]
        same_name = [at for at in candidates if before.contenders[at].model.name == one.model.name]
        for at in (*same_build, *same_name):
            found[later] = at
            break
    return found


def _manner(one: Contender) -> tuple[object, ...]:
    return one.variant.think, one.variant.num_thread, one.variant.copy


def _machine(mine: Fingerprint, other: Fingerprint) -> str | None:
    """What is known of the machine on both sides, as one text; None where nothing is."""
    names = ("os", "cpu", "cores_physical", "cores_logical", "ram_total_bytes", "gpu")
    known = [name for name in names if None not in (getattr(mine, name), getattr(other, name))]
    return ", ".join(str(getattr(mine, name)) for name in known) or None


def _power(of: Fingerprint) -> str | None:
    return None if of.on_battery is None else ("battery" if of.on_battery else "mains")
