"""A generated session of any length: the events that an engine would send, without an engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from llmtui.config import find_prompt_pack
from llmtui.core.choices import Choices
from llmtui.core.events import (
    SCHEMA,
    Chunks,
    Event,
    PhaseChanged,
    Sampled,
    SessionFinished,
    SessionStarted,
    TrialFinished,
    TrialStarted,
)
from llmtui.core.plan import Model, Plan, Trial, round_blocks
from llmtui.core.planning import make_plan
from llmtui.core.records import Fingerprint, MachineFigures, ServerCounters, Timeline

WALL_NS = 1_790_000_000 * 10**9
MS = 1_000_000
TOKEN_MS = 10
BATCH_TOKENS = 10
SAMPLE_TOKENS = 50
WORDS = ("one ", "two ", "three ", "four ", "five ", "six ", "seven ", "eight ", "nine ", "ten ")


def made_plan(rounds: int = 17) -> Plan:
    """Return a plan of three models and all shipped prompts."""
    models = [
        Model(name=f"model-{letter}:7b", digest=f"sha256:{letter * 64}", size_bytes=4 * 10**9) for letter in "abc"
    ]
    pack = find_prompt_pack(None, Path("/"), Path("/"), "en")
    return make_plan(models, pack, server="http://127.0.0.1:11434", choices=Choices(rounds=rounds), seed=7)


def made_session(plan: Plan, tokens: int, *, of_a_trial: int = 1000) -> Iterator[tuple[Event, ...]]:
    """Yield batches of events until ``tokens`` tokens have been written, then the end of the session."""
    t_ns = MS
    yield (_started(plan, t_ns),)
    for order in range(1, tokens // of_a_trial + 1):
        trial = _trial(plan, order)
        yield (
            TrialStarted(t_ns=t_ns, trial=trial, order=order, total=10**4),
            PhaseChanged(t_ns=t_ns, phase="waiting", trial_id=trial.id),
        )
        for first in range(0, of_a_trial, BATCH_TOKENS):
            yield _while_writing(trial, t_ns, first)
        t_ns += (of_a_trial + 50) * TOKEN_MS * MS
        yield (_finished(trial, order, t_ns, of_a_trial), PhaseChanged(t_ns=t_ns, phase="idle"))
    yield (SessionFinished(t_ns=t_ns, wall_ns=WALL_NS + t_ns, how="complete"),)


def _started(plan: Plan, t_ns: int) -> SessionStarted:
    fingerprint = Fingerprint(
        llmtui="0", python="3", os="Linux", cores_logical=8, ram_total_bytes=16 * 10**9, server_is_local=True
    )
    return SessionStarted(
        schema=SCHEMA,
        session_id="20261122T224107Z-ab12",
        t_ns=t_ns,
        wall_ns=WALL_NS,
        fingerprint=fingerprint,
        plan=plan,
    )


def _trial(plan: Plan, order: int) -> Trial:
    """Return warm trial number ``order`` (from 1) of the plan, counted over all rounds."""
    warm = len(plan.contenders) * len(plan.prompts)
    number, place = divmod(order - 1, warm)
    trials = [trial for block in round_blocks(plan, number + 1) for trial in block.trials if trial.kind == "warm"]
    return trials[place]


def _while_writing(trial: Trial, t_ns: int, first: int) -> tuple[Event, ...]:
    chunks = tuple(
        ((first + number) * TOKEN_MS * MS, "a", WORDS[(first + number) % len(WORDS)]) for number in range(BATCH_TOKENS)
    )
    batch: tuple[Event, ...] = (Chunks(trial_id=trial.id, chunks=chunks),)
    if first == 0:
        batch = (PhaseChanged(t_ns=t_ns, phase="answer", trial_id=trial.id), *batch)
    if first % SAMPLE_TOKENS == 0:
        batch = (*batch, sampled(t_ns + first * TOKEN_MS * MS))
    return batch


def sampled(t_ns: int) -> Sampled:
    """Return one reading of the machine's sensors."""
    return Sampled(
        t_ns=t_ns, cores_busy=5.0 + (t_ns // MS % 7) / 10, per_core=(0.5,) * 8, runner_cores=4.0, llmtui_cores=0.1,
        others_cores=0.9, available_bytes=8 * 10**9, ram_total_bytes=16 * 10**9, swap_used_bytes=0,
        runner_file_bytes=4 * 10**9, runner_anon_bytes=5 * 10**8, cost_ms=1.5,
    )  # fmt: skip


def _finished(trial: Trial, order: int, t_ns: int, tokens: int) -> TrialFinished:
    times = tuple(number * TOKEN_MS * MS for number in range(tokens))
    words = [WORDS[number % len(WORDS)] for number in range(tokens)]
    return TrialFinished(
        t_ns=t_ns,
        trial=trial,
        order=order,
        outcome="ok",
        wall_ns=WALL_NS + t_ns,
        t0_ns=t_ns - tokens * TOKEN_MS * MS,
        done_ns=tokens * TOKEN_MS * MS,
        ended_by="length",
        counters=ServerCounters(
            total_duration_ns=tokens * TOKEN_MS * MS, load_duration_ns=2 * MS, prompt_tokens=80,
            prompt_duration_ns=40 * MS, output_tokens=tokens, output_duration_ns=tokens * TOKEN_MS * MS,
            output_steps=tokens - 1,
        ),
        timeline=Timeline(t_ns=times, chars=tuple(map(len, words)), channels="a" * tokens, server_ns=times),
        text="".join(words),
        machine=MachineFigures(runner_pid=4711, runner_peak_bytes=4 * 10**9, runner_cpu_s=40.0, llmtui_cpu_s=0.5),
    )  # fmt: skip
