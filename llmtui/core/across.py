"""Comparison of two sessions: which conditions differ, and how the decode speed changed.

One difference may be judged (Welch's t on the rounds' log means) where the day-to-day noise of this plan on this
machine is known; with two or more differences the cause of a change is not known. Rules: docs/method.md, "Across
sessions".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import msgspec

from llmtui.core.flags import counts_for_speed
from llmtui.core.interval import ALPHA, DEVIATION_FLOOR
from llmtui.core.plan import Contender, Plan, num_ctx
from llmtui.core.records import Fingerprint
from llmtui.core.session import Session
from llmtui.core.stats import Part, deviation, mean, welch
from llmtui.core.verdict import MARGIN

MIN_ROUNDS_ACROSS = 2
"""Fewest rounds per session from which a variance can be computed."""
MIN_SESSIONS = 4
"""Fewest earlier sessions under the same conditions from which the day-to-day noise is estimated."""

Aspect = Literal[
    "server", "server_version", "machine", "power", "num_ctx", "num_predict", "temperature", "model_build", "llmtui",
]  # fmt: skip
ChangeWord = Literal[
    "faster", "slower", "seems_faster", "seems_slower", "practically_equal", "too_close", "no_verdict",
]  # fmt: skip


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A condition that differs between the two sessions."""

    aspect: Aspect
    before: str
    after: str


class SpeedChange(msgspec.Struct, frozen=True, kw_only=True):
    """The change of one contender's decode speed from the earlier session to the later one."""

    contender: int
    """Index into the later session's contenders."""
    word: ChangeWord
    before_tps: float | None = None
    """Mean over rounds, on the log scale, of the prompts that both sessions used."""
    after_tps: float | None = None
    ratio: float | None = None
    """Later speed ÷ earlier speed."""
    low: float | None = None
    """95 % interval of the ratio, simultaneous over the contenders; includes the day-to-day noise where that is
    known."""
    high: float | None = None
    rounds_before: int = 0
    rounds_after: int = 0
    why: str | None = None
    """For no_verdict: ``not_there_before``, ``no_common_prompts``, ``needs_rounds``, ``several_differences``,
    ``day_noise_unknown``."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """A later session against an earlier one."""

    before_id: str
    before_wall_ns: int
    differences: tuple[Difference, ...]
    changes: tuple[SpeedChange, ...]
    day_noise: float | None
    """Standard deviation of a session's log speed from day to day; None where it is not known, and then nothing is
    judged."""
    older_rules: bool = False
    """The earlier session was made by another version of llmtui; both are judged by the rules of this one."""

    @property
    def judged(self) -> bool:
        """Whether a verdict can be given: at most one difference, and a known day-to-day noise."""
        return len(self.differences) <= 1 and self.day_noise is not None


class DayNoise(msgspec.Struct, frozen=True):
    """How much sessions under the same conditions vary on this machine from day to day."""

    variance: float
    """Variance of a session's mean log speed; includes the scatter of the rounds within a session."""
    sessions: int


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """The session to compare with: the last one of the same plan, and the day-to-day noise of such sessions."""

    session: Session
    noise: DayNoise | None = None
    """Estimated from at least four earlier sessions under the same conditions (see ``day_noise``)."""


def compare_sessions(before: Session, after: Session, *, noise: DayNoise | None = None) -> Comparison:
    """Return what changed from one session to a later one.

    Args:
        before: the earlier session.
        after: the later one.
        noise: day-to-day noise of sessions under the same conditions; without it the result has figures and
            intervals, but no verdict.
    """
    matches = _matches(before.plan, after.plan)
    found = differences(before, after)
    prompts = {one.sha256 for one in before.plan.prompts} & {one.sha256 for one in after.plan.prompts}
    changes = [
        _change(before, matches.get(index), after, index, prompts) for index in range(len(after.plan.contenders))
    ]
    series = [_series(before, matches.get(one.contender), after, one, prompts) for one in changes]
    pairs = sum(one is not None for one in series)
    judged = len(found) <= 1
    return Comparison(
        before_id=before.session_id,
        before_wall_ns=before.wall_ns,
        differences=found,
        changes=tuple(
            one if both is None else judge_change(one, *both, noise=noise, pairs=pairs, judged=judged)
            for one, both in zip(changes, series, strict=True)
        ),
        day_noise=None if noise is None else math.sqrt(noise.variance),
        older_rules=before.fingerprint.llmtui != after.fingerprint.llmtui,
    )


def differences(before: Session, after: Session) -> tuple[Difference, ...]:
    """Return the conditions in which two sessions differ, each once; a value missing in either is no difference."""
    old, new = before.fingerprint, after.fingerprint
    pairs: list[tuple[Aspect, str | None, str | None]] = [
        ("server", _server(before), _server(after)),
        ("server_version", old.server_version, new.server_version),
        ("machine", _machine(old, new), _machine(new, old)),
        ("power", _power(old), _power(new)),
        ("num_predict", str(before.plan.options.num_predict), str(after.plan.options.num_predict)),
        ("temperature", str(before.plan.options.temperature), str(after.plan.options.temperature)),
        ("llmtui", old.llmtui, new.llmtui),
    ]
    if _server(before) != _server(after):
        # A different server has a different version anyway: count one difference, not two.
        pairs = [pair for pair in pairs if pair[0] != "server_version"]
    for later, earlier in _matches(before.plan, after.plan).items():
        one, other = before.plan.contenders[earlier], after.plan.contenders[later]
        pairs.append(("num_ctx", _told(num_ctx(one)), _told(num_ctx(other))))
        pairs.append(("model_build", one.model.digest[:12] or None, other.model.digest[:12] or None))
    found: dict[Aspect, Difference] = {}
    for aspect, then, now in pairs:
        if then is not None and now is not None and then != now:
            found.setdefault(aspect, Difference(aspect=aspect, before=then, after=now))
    return tuple(found.values())


def _server(session: Session) -> str:
    """Return the server's protocol and address; the same model name at another address may be another model.

    Earlier versions noted the address without the protocol's version at its end.
    """
    seen = session.fingerprint
    return f"{seen.server_kind} {seen.server_address.removesuffix('/v1')}".strip()


def plan_signature(plan: Plan) -> tuple[str, ...]:
    """Return what two plans share when one repeats the other: models, variants, prompts and caps.

    Rounds, order and server version are left out: they may differ between a session and its repetition.
    """
    who = sorted(f"{one.model.backend} {one.model.name} {one.variant.canonical}" for one in plan.contenders)
    options = f"{plan.options.num_predict} {plan.options.temperature}"
    if plan.options.extra_fields:
        options += f" {sorted(plan.options.extra_fields.items())}"
    return (*who, *sorted(one.sha256 for one in plan.prompts), *plan.kinds, options)


def day_noise(sessions: Sequence[Session]) -> DayNoise | None:
    """Return the day-to-day noise of sessions of one plan; None for fewer than four under equal conditions.

    It is the variance of the sessions' mean log speeds, averaged over the contenders. Contenders of one session share
    the machine's state on that day, so the degrees of freedom are those of the sessions.

    Args:
        sessions: of one plan, the newest first; those whose conditions differ from the newest are ignored.
    """
    alike = [one for one in sessions if not differences(one, sessions[0])]
    if len(alike) < MIN_SESSIONS:
        return None
    prompts = {one.sha256 for one in sessions[0].plan.prompts}
    means: list[list[float]] = []
    for index in range(len(sessions[0].plan.contenders)):
        places = [_matches(one.plan, sessions[0].plan).get(index) for one in alike]
        means.append(
            [
                mean(logs)
                for one, at in zip(alike, places, strict=True)
                if at is not None and (logs := round_logs(one, at, prompts))
            ]
        )
    return noise_of(means)


def noise_of(means: Sequence[Sequence[float]]) -> DayNoise | None:
    """Return the day-to-day noise of sessions' mean log speeds; None where no contender has four sessions.

    Args:
        means: per contender, one mean log speed per session.
    """
    known = [series for series in means if len(series) >= MIN_SESSIONS]
    if not known:
        return None
    return DayNoise(mean([deviation(series) ** 2 for series in known]), min(map(len, known)))


def round_logs(session: Session, contender: int, prompts: set[str]) -> tuple[float, ...]:
    """Return a contender's mean log rate per round over the given prompts; rounds with fewer than half are left out.

    Args:
        session: the session with its trials.
        contender: index into its plan.
        prompts: SHA-256 of the prompts to use.
    """
    by_round: dict[int, list[float]] = {}
    for row in session.rows:
        if row.trial.contender == contender and row.trial.key.prompt_sha256 in prompts and counts_for_speed(row):
            assert row.figures.decode_tps is not None, "counted rows have a rate"
            by_round.setdefault(row.trial.round, []).append(math.log(row.figures.decode_tps))
    return tuple(mean(logs) for _, logs in sorted(by_round.items()) if 2 * len(logs) >= len(prompts))


def judge_change(
    known: SpeedChange, then: Sequence[float], now: Sequence[float], *, noise: DayNoise | None, pairs: int, judged: bool
) -> SpeedChange:
    """Return the change with its interval, and with a verdict where the day-to-day noise is known.

    Args:
        known: the change without interval and word.
        then: log means of the earlier session's rounds, at least two.
        now: those of the later one.
        noise: added to the variance of both sessions.
        pairs: number of contenders whose change is shown; the interval is simultaneous over them.
        judged: whether a word may be given: at most one condition differs.
    """
    days = () if noise is None else (Part(2 * noise.variance, noise.sessions - 1),)
    interval = welch(now, then, level=1 - ALPHA / pairs, floor=DEVIATION_FLOOR, also=days)
    word: ChangeWord = "no_verdict"
    why = None
    if not judged:
        why = "several_differences"
    elif noise is None:
        why = "day_noise_unknown"
    else:
        word = _change_word(interval.low, interval.high)
    return msgspec.structs.replace(known, word=word, why=why, low=math.exp(interval.low), high=math.exp(interval.high))


def _change_word(low: float, high: float) -> ChangeWord:
    if low > MARGIN:
        return "faster"
    if high < -MARGIN:
        return "slower"
    if low > -MARGIN and high < MARGIN:
        return "practically_equal"
    return "seems_faster" if low > 0 else "seems_slower" if high < 0 else "too_close"


def _change(before: Session, earlier: int | None, after: Session, later: int, prompts: set[str]) -> SpeedChange:
    if earlier is None:
        return SpeedChange(contender=later, word="no_verdict", why="not_there_before")
    if not prompts:
        return SpeedChange(contender=later, word="no_verdict", why="no_common_prompts")
    then, now = round_logs(before, earlier, prompts), round_logs(after, later, prompts)
    return SpeedChange(
        contender=later,
        word="no_verdict",
        why="needs_rounds",
        before_tps=math.exp(mean(then)) if then else None,
        after_tps=math.exp(mean(now)) if now else None,
        ratio=math.exp(mean(now) - mean(then)) if then and now else None,
        rounds_before=len(then),
        rounds_after=len(now),
    )


def _series(
    before: Session, earlier: int | None, after: Session, change: SpeedChange, prompts: set[str]
) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """Return both sessions' rounds; None where either has fewer than two."""
    if earlier is None or min(change.rounds_before, change.rounds_after) < MIN_ROUNDS_ACROSS:
        return None
    return round_logs(before, earlier, prompts), round_logs(after, change.contender, prompts)


def _matches(before: Plan, after: Plan) -> dict[int, int]:
    """Return the matching contender of the earlier plan for each one of the later: by digest, else by name."""
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


def _told(value: int | None) -> str | None:
    return None if value is None else str(value)


def _manner(one: Contender) -> tuple[object, ...]:
    return one.variant.think, one.variant.num_thread, one.variant.copy


def _machine(mine: Fingerprint, other: Fingerprint) -> str | None:
    """Return the machine facts known in both sessions as one text; None where there are none."""
    names = ("os", "cpu", "cores_physical", "cores_logical", "ram_total_bytes", "gpu")
    known = [name for name in names if None not in (getattr(mine, name), getattr(other, name))]
    return ", ".join(str(getattr(mine, name)) for name in known) or None


def _power(of: Fingerprint) -> str | None:
    return None if of.on_battery is None else ("battery" if of.on_battery else "mains")
