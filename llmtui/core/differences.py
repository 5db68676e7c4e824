"""Differences in conditions between two sessions, and the contenders that both have.

A value that is missing in either session does not count as a difference. Rules: docs/method.md, "Across sessions".
"""

from __future__ import annotations

from typing import Literal

import msgspec

from llmtui.core.plan import Contender, Plan, num_ctx
from llmtui.core.records import Fingerprint
from llmtui.core.session import Session

Aspect = Literal[
    "server", "server_version", "machine", "power", "num_ctx", "num_predict", "temperature", "model_build", "llmtui",
]  # fmt: skip


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One condition that differs between two sessions, with both values."""

    aspect: Aspect
    before: str
    after: str


def differences(before: Session, after: Session) -> tuple[Difference, ...]:
    """Return the conditions that differ between two sessions, each only once, even if it differs for several models."""
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
        # Another server often has another version: count that as one difference, not two.
        pairs = [pair for pair in pairs if pair[0] != "server_version"]
    for later, earlier in matched_contenders(before.plan, after.plan).items():
        one, other = before.plan.contenders[earlier], after.plan.contenders[later]
        pairs.append(("num_ctx", _told(num_ctx(one)), _told(num_ctx(other))))
        pairs.append(("model_build", one.model.digest[:12] or None, other.model.digest[:12] or None))
    found: dict[Aspect, Difference] = {}
    for aspect, then, now in pairs:
        if then is not None and now is not None and then != now:
            found.setdefault(aspect, Difference(aspect=aspect, before=then, after=now))
    return tuple(found.values())


def _server(session: Session) -> str:
    """Return the kind and the address of a session's server, since one name on two servers may mean two models.

    The ending ``/v1`` is removed, because earlier versions recorded the address without it.
    """
    seen = session.fingerprint
    return f"{seen.server_kind} {seen.server_address.removesuffix('/v1')}".strip()


def plan_signature(plan: Plan) -> tuple[str, ...]:
    """Return the values that are equal if one plan repeats another: models, variants, prompts and options.

    Rounds, order and the server's version are left out, since they may differ between a session and its repetition.
    """
    contender = sorted(f"{one.model.backend} {one.model.name} {one.variant.canonical}" for one in plan.contenders)
    options = f"{plan.options.num_predict} {plan.options.temperature}"
    if plan.options.extra_fields:
        options += f" {sorted(plan.options.extra_fields.items())}"
    return (*contender, *sorted(one.sha256 for one in plan.prompts), *plan.kinds, options)


def matched_contenders(before: Plan, after: Plan) -> dict[int, int]:
    """Return index of a contender in the later plan → index of the matching contender in the earlier plan.

    Two contenders match if their options are the same, and their models have the same digest or, failing that, the same
    name. Contenders without a match are left out.
    """
    found: dict[int, int] = {}
    for is_same in (_same_build, _same_name):
        for later, one in enumerate(after.contenders):
            if later in found:
                continue
            free = (at for at in range(len(before.contenders)) if at not in found.values())
            match = next((at for at in free if is_same(before.contenders[at], one)), None)
            if match is not None:
                found[later] = match
    return dict(sorted(found.items()))


def _same_build(one: Contender, other: Contender) -> bool:
    return bool(one.model.digest) and one.model.digest == other.model.digest and _manner(one) == _manner(other)


def _same_name(one: Contender, other: Contender) -> bool:
    return one.model.name == other.model.name and _manner(one) == _manner(other)


def _told(value: int | None) -> str | None:
    return None if value is None else str(value)


def _manner(one: Contender) -> tuple[object, ...]:
    return one.variant.think, one.variant.num_thread, one.variant.copy


def _machine(mine: Fingerprint, other: Fingerprint) -> str | None:
    """Return those facts on the first machine which are known for both machines, as a text; None if there are none."""
    names = ("os", "cpu", "cores_physical", "cores_logical", "ram_total_bytes", "gpu")
    known = [name for name in names if None not in (getattr(mine, name), getattr(other, name))]
    return ", ".join(str(getattr(mine, name)) for name in known) or None


def _power(of: Fingerprint) -> str | None:
    return None if of.on_battery is None else ("battery" if of.on_battery else "mains")
