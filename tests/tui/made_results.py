"""Sessions as Results must show them: three models, seven, twenty, failures, a tie, one round, an own prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from llmtui.core.events import Event, SessionFinished, SessionStarted, TrialFinished
from llmtui.core.plan import Contender, Kind, Model, Plan, Variant
from llmtui.core.records import MachineFigures, Problem
from tests.core.made import finished, plan, started, trial

CATEGORIES = ("creativity", "reasoning", "coding", "summary")
WOBBLE = (0.0, 0.004, -0.003, 0.002, -0.001)
GB = 10**9
WALL_NS = 1_795_387_267 * 10**9

THREE = {"qwen3:4b": 41.0, "mistral:7b": 24.3, "llama3.1:8b": 23.4}
SEVEN = {
    "qwen3:4b": 41.0, "gemma3:4b": 38.2, "mistral:7b": 24.3, "llama3.1:8b": 23.4, "phi4:14b": 12.1,
    "deepseek-r1:7b-qwen-distill-q4_K_M": 23.9, "gpt-oss:20b": 9.4,
}  # fmt: skip
"""Tokens per second."""


def three() -> list[Event]:
    """Return five rounds of three models that are all told apart, with some busy trials."""
    return session_of(THREE, rounds=5, busy=3)


def seven() -> list[Event]:
    """Return three rounds of seven models."""
    return session_of(SEVEN, rounds=3)


def twenty() -> list[Event]:
    """Return three rounds of twenty models."""
    return session_of({f"model-{number:02}:7b": 10.0 + 1.7 * number for number in range(20)}, rounds=3)


def failures() -> list[Event]:
    """Return three rounds of three models of which one never answers and one fails once."""
    return session_of(THREE, rounds=3, dead="llama3.1:8b", failing="mistral:7b")


def tie() -> list[Event]:
    """Return three rounds of two models that are practically equal."""
    return session_of({"mistral:7b": 24.3, "llama3.1:8b": 24.3}, rounds=3)


def still_open() -> list[Event]:
    """Return three rounds of two models that are too close to tell yet."""
    return session_of({"mistral:7b": 24.6, "llama3.1:8b": 24.0}, rounds=3, noise=6.0)


def one_round() -> list[Event]:
    """Return one round of three models."""
    return session_of(THREE, rounds=1)


def own_prompt() -> list[Event]:
    """Return one round of a person's own prompt."""
    return session_of(THREE, rounds=1, categories=("free",))


MADE = {made.__name__: made for made in (three, seven, failures, tie, still_open, one_round, own_prompt)}


def session_of(
    speeds: Mapping[str, float],
    *,
    rounds: int,
    categories: Sequence[str] = CATEGORIES,
    noise: float = 1.0,
    busy: int = 0,
    dead: str | None = None,
    failing: str | None = None,
    until_round: int | None = None,
    finish: bool = True,
) -> list[Event]:
    """Return a session's events.

    Args:
        speeds: tokens per second, by model.
        rounds: of the plan.
        categories: a prompt each.
        noise: how many times the usual wobble the speeds change between rounds.
        busy: cold starts that began on a busy machine.
        dead: a model that fails always.
        failing: a model whose first coding trial fails.
        until_round: the round that breaks off after its first model.
        finish: the session comes to its end.
    """
    of = _plan(speeds, rounds, categories)
    events: list[Event] = [msgspec.structs.replace(started(of), wall_ns=WALL_NS)]
    clock = 10**10
    order = 0
    for number in range(1, rounds + 1):
        for who, (name, tps) in enumerate(speeds.items()):
            if until_round is not None and (number > until_round or (number == until_round and who > 0)):
                continue
            rate = tps * (1 + noise * WOBBLE[(number + 2 * who) % len(WOBBLE)])
            kinds: list[tuple[Kind, int]] = [("cold", 0), *(("warm", at) for at in range(len(categories)))]
            for kind, which in (*kinds, ("follow_up", 0)):
                order += 1
                clock += 10**10
                fails = name == dead or (name == failing and number == 1 and kind == "warm" and which == 2)
                flags = ("noisy_start",) if kind == "cold" and busy > 0 and number > 1 else ()
                busy -= bool(flags)
                events.append(_finished(of, kind, number, who, which, rate, clock, order, fails=fails, flags=flags))
    if finish:
        events.append(SessionFinished(t_ns=clock + 1, wall_ns=WALL_NS + clock, how="complete"))
    return events


def _plan(speeds: Mapping[str, float], rounds: int, categories: Sequence[str]) -> Plan:
    of = plan(*speeds, categories=tuple(categories), rounds=rounds, max_rounds=10)
    return msgspec.structs.replace(of, contenders=tuple(_contender(one) for one in of.contenders))


def _contender(one: Contender) -> Contender:
    model = Model(name=one.label, digest=one.model.digest, quantisation="Q4_K_M", size_bytes=4 * GB)
    return Contender(model=model, variant=Variant(), label=one.label)


def _finished(
    of: Plan,
    kind: Kind,
    number: int,
    who: int,
    which: int,
    rate: float,
    clock: int,
    order: int,
    *,
    fails: bool,
    flags: tuple[str, ...],
) -> TrialFinished:
    ttft_ms = {"cold": 60_000, "warm": 3_400 * (1 + which), "follow_up": 2_500}[kind] / rate
    fields: dict[str, Any] = {
        "token_ms": 1000 / rate,
        "ttft_ms": ttft_ms,
        "tokens": {"cold": 16, "warm": 128, "follow_up": 32}[kind],
        "num_predict": {"cold": 16, "warm": 128, "follow_up": 32}[kind],
        "t_ns": clock,
        "order": order,
        "flags": flags,
        "machine": MachineFigures(runner_peak_bytes=round((2 + 60 / rate) * GB), swap_in_bytes=0, llmtui_cpu_s=0.1),
    }
    if fails:
        fields |= {"outcome": "error", "problem": Problem(code="load_failed", args={"name": of.contenders[who].label})}
    return finished(of, trial(of, kind=kind, round_number=number, contender=who, which=which), **fields)


def begun(events: Sequence[Event]) -> SessionStarted:
    """Return the event that a session begins with."""
    first = events[0]
    assert isinstance(first, SessionStarted)
    return first
