"""A session like that of a slow machine: three models, one that thinks, one answer that breaks off, rising memory.

``a_session`` returns its events in order, with live text among them; ``until`` cuts them at a time, for screens in the
middle of a run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from llmtui.core.events import (
    Chunks,
    Event,
    Noted,
    PhaseChanged,
    Sampled,
    SessionFinished,
    SessionStarted,
    TrialFinished,
    TrialStarted,
)
from llmtui.core.plan import (
    Contender,
    Model,
    Plan,
    PlannedPrompt,
    Trial,
    Variant,
    num_predict,
    round_blocks,
    trials_per_round,
)
from llmtui.core.records import (
    Fingerprint,
    MachineFigures,
    Phase,
    Problem,
    ResidentModel,
    ServerCounters,
    Timeline,
)
from tests.tui.session_texts import ANSWERS, COLD_TEXT, PROMPTS, THOUGHT

S = 1_000_000_000
GB = 10**9
START_NS = 5_000 * S
WALL_NS = 1_795_387_267 * S
RAM_BYTES = 16 * GB
CORES = 8
BASE_BYTES = round(3.2 * GB)
"""Used by everything else on the machine."""


class Speed(NamedTuple):
    """How a model behaves on this machine."""

    size_gb: float
    load_s: float
    again_s: float
    prefill_s: float
    token_s: float
    held_gb: float


SPEEDS = {
    "llama3:8b": Speed(4.66, 17.4, 2.9, 0.74, 0.1705, 5.16),
    "mistral:7b": Speed(4.11, 15.8, 2.6, 0.66, 0.1635, 4.52),
    "qwen3:4b": Speed(2.62, 9.1, 1.7, 0.41, 0.1012, 3.05),
}


def a_plan(*names: str, rounds: int = 1, categories: Sequence[str] = tuple(PROMPTS), **changes: Any) -> Plan:
    """Return a plan of some of the models."""
    contenders = tuple(_contender(name) for name in names or SPEEDS)
    prompts = tuple(
        PlannedPrompt(id=f"{name}-1", category=name, title=name.capitalize(), text=PROMPTS[name], sha256=f"sha-{name}")
        for name in categories
    )
    fields: dict[str, Any] = {
        "preset": "auto",
        "server": "http://127.0.0.1:11434",
        "contenders": contenders,
        "prompts": prompts,
        "cold_text": COLD_TEXT,
        "follow_up_text": "And why is that so? Answer in one or two sentences.",
        "rounds": rounds,
        "max_rounds": 5,
        "seed": 11,
    }
    return Plan(**(fields | changes))


def _contender(name: str) -> Contender:
    model = Model(
        name=name,
        digest=f"sha256-{name}",
        size_bytes=round(SPEEDS[name].size_gb * GB),
        parameters="8.0B" if "8b" in name else "7.2B" if "7b" in name else "4.0B",
        quantisation="Q4_K_M",
        family=name.split(":", maxsplit=1)[0],
        thinking=name.startswith("qwen"),
    )
    thinks = name.startswith("qwen")
    label = f"{name} thinking" if thinks else name
    return Contender(model=model, variant=Variant(think=thinks), label=label)


def a_session(plan: Plan | None = None, *, failing: str | None = "mistral:7b", finish: bool = True) -> list[Event]:
    """Return the events of a whole session.

    Args:
        plan: the plan; None: all three models once.
        failing: the model whose first coding answer breaks off.
        finish: whether the session is completed.
    """
    return list(_Scribe(plan or a_plan(), failing).events(finish=finish))


def until(events: Sequence[Event], seconds: float) -> list[Event]:
    """Return the events up to this many seconds after the start."""
    end_ns = START_NS + round(seconds * S)
    return [event for event, t_ns in _timed(events) if t_ns <= end_ns]


def start_of(events: Sequence[Event], trial_id: str, phase: Phase = "answer") -> float:
    """Return the beginning of a trial's phase, in seconds after the start."""
    marks = (event for event in events if isinstance(event, PhaseChanged))
    return next((mark.t_ns - START_NS) / S for mark in marks if mark.trial_id == trial_id and mark.phase == phase)


def finished_trials(events: Sequence[Event]) -> dict[str, TrialFinished]:
    """Return the finished trials with their texts, by id, as a link returns them."""
    return {event.trial.id: event for event in events if isinstance(event, TrialFinished)}


def _timed(events: Sequence[Event]) -> Iterator[tuple[Event, int]]:
    """Yield events with their times; live text has the time of its last chunk."""
    sent: dict[str, int] = {}
    last = START_NS
    for event in events:
        if isinstance(event, Chunks):
            last = sent[event.trial_id] + event.chunks[-1][0]
        elif hasattr(event, "t_ns"):
            last = event.t_ns
        if isinstance(event, PhaseChanged) and event.phase == "waiting" and event.trial_id:
            sent[event.trial_id] = event.t_ns
        yield event, last


class _Scribe:
    """Records the events, second by second."""

    def __init__(self, plan: Plan, failing: str | None) -> None:
        self.plan = plan
        self.failing = failing
        self.t_ns = START_NS
        self.order = 0
        self.held_bytes: float | None = None
        self._sampled_ns = START_NS

    def events(self, *, finish: bool) -> Iterator[Event]:
        yield SessionStarted(
            schema=1,
            session_id="20261122T224107Z-ab12",
            t_ns=self.t_ns,
            wall_ns=WALL_NS,
            fingerprint=_fingerprint(),
            plan=self.plan,
        )
        for number in range(1, self.plan.rounds + 1):
            for block in round_blocks(self.plan, number):
                yield from self._unload()
                for trial in block.trials:
                    yield from self._trial(trial)
        if finish:
            yield PhaseChanged(t_ns=self.t_ns, phase="idle")
            yield SessionFinished(t_ns=self.t_ns, wall_ns=WALL_NS + self.t_ns - START_NS, how="complete")

    def _unload(self) -> Iterator[Event]:
        yield PhaseChanged(t_ns=self.t_ns, phase="unload")
        self.held_bytes = None
        yield from self._pass(1.3, busy=0.6)

    def _trial(self, trial: Trial) -> Iterator[Event]:
        contender = self.plan.contenders[trial.contender]
        speed = SPEEDS[contender.model.name]
        total = self.plan.rounds * trials_per_round(self.plan)
        self.order += 1
        yield TrialStarted(t_ns=self.t_ns, trial=trial, order=self.order, total=total)
        t0_ns = self.t_ns
        yield PhaseChanged(t_ns=t0_ns, phase="waiting", trial_id=trial.id)
        load_s = 0.012
        if trial.kind == "cold":
            load_s = speed.load_s if trial.round == 1 else speed.again_s
            yield from self._load(speed, load_s)
        longer = 1 + 0.06 * (trial.prompt or 0) + 0.01 * trial.round
        yield from self._pass(speed.prefill_s * longer * (0.3 if trial.kind == "follow_up" else 1.0), busy=7.6)
        yield from self._answer(trial, contender, t0_ns, load_s)

    def _load(self, speed: Speed, load_s: float) -> Iterator[Event]:
        steps = max(1, round(load_s * 2))
        for step in range(steps):
            self.held_bytes = speed.held_gb * GB * (step + 1) / steps
            yield from self._pass(load_s / steps, busy=0.9)

    def _answer(self, trial: Trial, contender: Contender, t0_ns: int, load_s: float) -> Iterator[Event]:
        speed = SPEEDS[contender.model.name]
        chunks = self._chunks(trial, contender)
        broken = (
            self.failing == contender.model.name
            and (trial.round, trial.kind) == (1, "warm")
            and _category(self.plan, trial) == "coding"
        )
        if broken:
            chunks = chunks[:31]
        times: list[int] = []
        phase: Phase | None = None
        batch: list[tuple[int, str, str]] = []
        for number, (channel, text) in enumerate(chunks):
            if number:
                wobble = 1 + 0.03 * ((number * 7 + trial.round * 3 + (trial.prompt or 0)) % 5 - 2)
                yield from self._pass(speed.token_s * wobble, busy=7.8)
            now: Phase = "thinking" if channel == "t" else "answer"
            if now != phase:
                yield PhaseChanged(t_ns=self.t_ns, phase=now, trial_id=trial.id)
                phase = now
            times.append(self.t_ns - t0_ns)
            batch.append((times[-1], channel, text))
            if len(batch) == 2:
                yield Chunks(trial_id=trial.id, chunks=tuple(batch))
                batch.clear()
        if batch:
            yield Chunks(trial_id=trial.id, chunks=tuple(batch))
        yield from self._pass(speed.token_s, busy=7.8)
        yield self._finished(trial, contender, t0_ns, load_s, chunks, times, broken=broken)
        if broken:
            yield Noted(t_ns=self.t_ns, level="warning", problem=_CUT)

    def _chunks(self, trial: Trial, contender: Contender) -> list[tuple[str, str]]:
        cap = num_predict(self.plan, trial.kind) - 1
        answer = ANSWERS.get(_category(self.plan, trial) or "", ANSWERS["summary"])
        tokens = [("a", part) for part in re.findall(r"\s*\S{1,6}", answer)]
        if contender.variant.think is True:
            tokens = [("t", part) for part in re.findall(r"\s*\S{1,6}", THOUGHT)] + tokens
        return tokens[:cap]

    def _finished(
        self,
        trial: Trial,
        contender: Contender,
        t0_ns: int,
        load_s: float,
        chunks: list[tuple[str, str]],
        times: list[int],
        *,
        broken: bool,
    ) -> TrialFinished:
        held = round(self.held_bytes or 0)
        output_ns = self.t_ns - t0_ns - times[0]
        if trial.kind == "warm" and trial.round == 1 and trial.prompt == 3 and trial.contender == 0:
            output_ns = round(output_ns * 1.06)
        tokens = len(chunks) + 1
        counters = ServerCounters(
            total_duration_ns=self.t_ns - t0_ns,
            load_duration_ns=round(load_s * S),
            prompt_tokens=86 if trial.kind == "cold" else 41,
            prompt_duration_ns=times[0] - round(load_s * S),
            output_tokens=tokens,
            output_duration_ns=output_ns,
            output_steps=tokens - 1,
        )
        return TrialFinished(
            t_ns=self.t_ns,
            trial=trial,
            order=self.order,
            outcome="error" if broken else "ok",
            wall_ns=WALL_NS + t0_ns - START_NS,
            t0_ns=t0_ns,
            done_ns=self.t_ns - t0_ns,
            ended_by=None if broken else ("length" if tokens >= num_predict(self.plan, trial.kind) else "stop"),
            problem=_CUT if broken else None,
            counters=None if broken else counters,
            timeline=Timeline(
                t_ns=tuple(times),
                chars=tuple(len(text) for _, text in chunks),
                channels="".join(channel for channel, _ in chunks),
                server_ns=tuple(WALL_NS + t0_ns - START_NS + at - 600_000 for at in times),
            ),
            text="".join(text for _, text in chunks),
            machine=MachineFigures(
                runner_pid=4711,
                runner_peak_bytes=held + 40_000_000,
                runner_steady_bytes=held,
                runner_anon_bytes=held,
                weights_in_anon=True,
                available_min_bytes=RAM_BYTES - BASE_BYTES - held,
                swap_in_bytes=0,
                runner_cpu_s=round((self.t_ns - t0_ns) / S * 7.5, 1),
                llmtui_cpu_s=0.4,
            ),
            resident=ResidentModel(
                name=contender.model.name,
                digest=contender.model.digest,
                size_bytes=held,
                vram_bytes=0,
                context_length=4096,
            ),
            cold_source=("disk" if trial.round == 1 else "memory") if trial.kind == "cold" else None,
            num_predict=num_predict(self.plan, trial.kind),
        )

    def _pass(self, seconds: float, *, busy: float) -> Iterator[Event]:
        """Let time pass, with a machine reading every half second."""
        end_ns = self.t_ns + round(seconds * S)
        while self._sampled_ns + S // 2 <= end_ns:
            self._sampled_ns += S // 2
            yield self._sample(busy)
        self.t_ns = end_ns

    def _sample(self, busy: float) -> Sampled:
        wave = 0.12 * ((self._sampled_ns // (S // 2) * 5) % 7 - 3) / 3
        runner = None if self.held_bytes is None else max(0.0, busy + wave - 0.2)
        held = round(self.held_bytes or 0)
        return Sampled(
            t_ns=self._sampled_ns,
            cores_busy=min(float(CORES), busy + wave + 0.25),
            per_core=(busy / CORES,) * CORES,
            runner_cores=runner,
            llmtui_cores=0.06,
            others_cores=0.3,
            available_bytes=RAM_BYTES - BASE_BYTES - held,
            ram_total_bytes=RAM_BYTES,
            swap_used_bytes=0,
            runner_file_bytes=None if self.held_bytes is None else 0,
            runner_anon_bytes=None if self.held_bytes is None else held,
            cost_ms=1.4,
        )


_CUT = Problem(
    code="cut",
    what="The server broke the answer off after 31 chunks.",
    remedy="Look at the server's log; the other tests go on.",
)


def _category(plan: Plan, trial: Trial) -> str | None:
    return None if trial.prompt is None else plan.prompts[trial.prompt].category


def _fingerprint() -> Fingerprint:
    return Fingerprint(
        llmtui="0.1.0",
        python="3.12.7",
        os="Linux 6.8",
        cpu="AMD Ryzen 7 5800U",
        cores_physical=8,
        cores_logical=CORES,
        ram_total_bytes=RAM_BYTES,
        server_version="0.34.4",
        server_address="http://127.0.0.1:11434",
        server_is_local=True,
    )
