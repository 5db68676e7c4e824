"""One trial: preparation, request, judgement.

The consecutive trials of one contender in a round form a block.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

import msgspec

from llmtui.backends.base import Backend, BackendFailed, DroppedField, Message
from llmtui.backends.refused_fields import dropped_field_problem
from llmtui.core.codes import GONE, UNSUPPORTED
from llmtui.core.events import TrialFinished, TrialStarted
from llmtui.core.plan import Plan, Trial, num_predict, prompt_tag
from llmtui.core.records import ColdSource, Evidence, MachineFigures, Outcome, Problem
from llmtui.core.session import Session
from llmtui.engine.asking import Conversation, ask, load, loading_request, request_for
from llmtui.engine.context import RunContext
from llmtui.engine.control import Control
from llmtui.engine.idle_wait import IdleWait
from llmtui.engine.judging import Flag, InMemory, others_evidence, outcome_of, reload_evidence
from llmtui.engine.live_text import ChunkBatcher, CollectedAnswer
from llmtui.engine.outage import Outage
from llmtui.engine.preparation import Preparation
from llmtui.engine.sensors.account import TrialMachine
from llmtui.engine.sensors.runner import RunnerProcess, RunnerTarget

TEXT_REPLACED: Final = "text_replaced"
"""Flag of a trial whose text had lone surrogates, which were replaced."""
_REPETITION_SUFFIX: Final = "-again"


def repetition_of(plan: Plan, trial: Trial) -> Trial:
    """Return the repetition of a disturbed trial.

    Its tag is new, because the server's cache has the prompt with the old one.
    """
    tag = trial.tag if trial.prompt is None else prompt_tag(plan, -trial.round, trial.prompt)
    return msgspec.structs.replace(trial, id=trial.id + _REPETITION_SUFFIX, attempt=trial.attempt + 1, tag=tag)


class BlockState:
    """State passed from one trial to the next in a block: the consecutive trials of one contender in a round."""

    def __init__(self, contender: int, num_ctx: int | None) -> None:
        self.contender = contender
        self.num_ctx = num_ctx
        """Context length in tokens, as requested or as set by the server."""
        self.cleared = False
        """Whether the server's memory was prepared for this contender."""
        self.loaded = False
        """Whether the model answered in this block, so that it should still be in memory."""
        self.pid: int | None = None
        self.conversation: Conversation = ()
        self.tag: int | None = None

    def lost_memory(self) -> None:
        """Record that the server was restarted, so that neither the model nor its prompt cache is in memory."""
        self.loaded, self.pid = False, None


class _Attempt:
    """Everything recorded during one attempt at a trial."""

    def __init__(self) -> None:
        self.answer = CollectedAnswer()
        self.before: InMemory | None = None
        self.after: InMemory | None = None
        self.machine: TrialMachine | None = None
        self.left_out: Problem | None = None
        """Why no request was sent; None if one was sent."""


class TrialRunner:
    """Runs trials one after the other, and keeps values of earlier trials, against which later ones are judged."""

    def __init__(
        self, context: RunContext, preparation: Preparation, control: Control, *, so_far: Session | None = None
    ) -> None:
        """Start with the values from earlier trials of the session, if there are any."""
        self._context = context
        self._preparation = preparation
        self._control = control
        self._outages = {kind: Outage(context, backend) for kind, backend in context.backends.items()}
        self._shortest_cold_load_ns = {} if so_far is None else _shortest_cold_loads_ns(so_far)
        started = so_far is not None and any(row.trial.kind == "cold" for row in so_far.rows)
        self._told: set[tuple[str, DroppedField]] = set()
        """Refused fields for which the session already has a message."""
        self._quiet = IdleWait(context, first_is_over=started, control=control)

    def report(self, backend: Backend, problem: Problem) -> None:
        """Record a problem with a server, if it occurred outside of any trial."""
        self._outages[backend.kind].report(problem)

    @property
    def gave_up(self) -> bool:
        """Whether all servers count as gone for the rest of the run."""
        return all(outage.gave_up for outage in self._outages.values())

    async def came_back(self, finished: TrialFinished, state: BlockState) -> bool:
        """If a trial failed because its server went away, wait for the server; return whether it responds again."""
        if finished.outcome != "error" or finished.problem is None or finished.problem.code not in GONE:
            return False
        try:
            waited = await self._outages[self._context.backend(state.contender).kind].check()
        except BackendFailed:
            return False
        if waited:
            state.lost_memory()
        return waited

    async def run(self, trial: Trial, state: BlockState, *, order: int, total: int) -> TrialFinished:
        """Run a trial and report it; return the finished trial, whatever its outcome.

        Raises:
            asyncio.CancelledError: the run was cancelled; the trial has been reported as cancelled.
        """
        if trial.kind == "follow_up":
            trial = msgspec.structs.replace(trial, tag=state.tag if state.conversation else trial.tag)
        self._context.emit(TrialStarted(t_ns=self._context.clock_ns(), trial=trial, order=order, total=total))
        attempt = _Attempt()
        try:
            kept = await self._control.skippable(self._carry_out(trial, state, attempt))
        except asyncio.CancelledError:
            self._context.emit(self._finished(trial, order, attempt, "cancelled", ()))
            raise
        outcome = outcome_of(attempt.answer) if kept and attempt.left_out is None else "skipped"
        flags = self._flags(trial, state, attempt)
        finished = self._finished(trial, order, attempt, outcome, flags)
        self._learn(finished, state, attempt)
        self._context.emit(finished)
        self._context.phase("idle")
        return finished

    def pass_over(self, trial: Trial, *, order: int, total: int, problem: Problem | None = None) -> None:
        """Report a trial that is left out.

        Args:
            trial: the trial.
            order: its number in the session, from 1.
            total: the expected number of trials in the session.
            problem: why it is left out.
        """
        self._context.emit(TrialStarted(t_ns=self._context.clock_ns(), trial=trial, order=order, total=total))
        attempt = _Attempt()
        attempt.left_out = problem
        self._context.emit(self._finished(trial, order, attempt, "skipped", ()))

    # --- carrying out ---------------------------------------------------------------------------------------------

    async def _carry_out(self, trial: Trial, state: BlockState, attempt: _Attempt) -> None:
        outage = self._outages[self._context.backend(trial.contender).kind]
        try:
            if await outage.check():
                state.lost_memory()
            if trial.kind == "follow_up" and not state.conversation:
                attempt.left_out = Problem(code="no_answer_before")
                return
            await self._prepare(trial, state)
            await self._measure(trial, state, attempt)
        except BackendFailed as failed:
            if failed.problem.code in UNSUPPORTED and attempt.answer.sent_ns is None:
                attempt.left_out = failed.problem
                return
            attempt.answer.problem = failed.problem
            outage.report(failed.problem)

    async def _prepare(self, trial: Trial, state: BlockState) -> None:
        """Prepare the server's memory: empty it for a cold start; for other trials, load the model if necessary."""
        context, contender = self._context, trial.contender
        if trial.kind == "cold":
            await self._preparation.make_cold(contender, trial.id)
            state.cleared, state.loaded, state.pid = True, False, None
            await self._follow_runner(contender)
            await self._quiet.wait(local=context.is_local(context.backend(contender)))
            return
        if not state.cleared:
            await self._preparation.clear_others(contender, trial.id)
            state.cleared = True
        if not state.loaded:
            there = await self._preparation.memory_of(contender, None)
            if there.own is None or there.own.context_length not in (None, state.num_ctx):
                name = context.contender(contender).model.name
                context.phase("waiting", trial.id, "loading", [name])
                so_far = state.conversation if trial.kind == "follow_up" else ()
                request = loading_request(context.plan, context.contender(contender), so_far)
                await load(context.backend(contender), request, context.plan.options)
                there = await self._preparation.memory_of(contender, None)
            state.num_ctx = _context_of(there, state.num_ctx)
            state.loaded = True

    async def _measure(self, trial: Trial, state: BlockState, attempt: _Attempt) -> None:
        context, contender = self._context, trial.contender
        backend = context.backend(contender)
        target, runner = await self._follow_runner(contender)
        pid = None if runner is None or trial.kind == "cold" else runner.pid
        attempt.before = await self._preparation.memory_of(contender, pid)
        request = request_for(context.plan, trial, state.conversation)
        searches: list[asyncio.Task[None]] = []

        def on_sent() -> None:
            self._preparation.asked(contender)
            if target is None and backend.kind == "builtin":  # needs no request
                searches.append(asyncio.create_task(self._find_new_runner(contender)))

        context.phase("waiting", trial.id, "loading" if trial.kind == "cold" else None)
        live = ChunkBatcher(trial.id, context.emit)
        context.watch.begin_trial(loading=trial.kind == "cold")
        try:
            await ask(
                backend,
                request,
                attempt.answer,
                options=context.plan.options,
                live=live,
                on_sent=on_sent,
                on_first_text=context.watch.first_token,
            )
            self._preparation.answered()
        finally:
            self._note_dropped_fields(request.model.name, attempt.answer)
            attempt.machine = context.watch.end_trial()
            for search in searches:
                search.cancel()
        attempt.after = await self._check_after(contender, attempt.machine.figures.runner_pid)

    def _note_dropped_fields(self, model: str, answer: CollectedAnswer) -> None:
        """Record which request fields a server refuses for a model, and the effect of leaving them out.

        Each is recorded once per session.
        """
        for taken in answer.dropped_fields:
            if (model, taken) not in self._told:
                self._told.add((model, taken))
                self._context.note("warning", dropped_field_problem(model, taken))

    async def _follow_runner(self, contender: int) -> tuple[RunnerTarget | None, RunnerProcess | None]:
        """Find the processes of a contender's model between trials.

        From then on they do not count as other programs.
        """
        target = await self._context.runner_target(contender)
        self._context.watch.expect_runner(target)
        return target, None if target is None else self._context.watch.find_runner()

    async def _find_new_runner(self, contender: int) -> None:
        """Find the process of the built-in server, which is started by the request itself."""
        self._context.watch.expect_runner(await self._context.runner_target(contender))

    async def _check_after(self, contender: int, pid: int | None) -> InMemory | None:
        try:
            return await self._preparation.memory_of(contender, pid)
        except BackendFailed as failed:
            self.report(self._context.backend(contender), failed.problem)
            return None

    # --- judging --------------------------------------------------------------------------------------------------

    def _flags(self, trial: Trial, state: BlockState, attempt: _Attempt) -> tuple[Flag, ...]:
        found: list[Flag] = []
        if attempt.before is None or attempt.answer.sent_ns is None:
            return ()
        final, after = attempt.answer.final, attempt.after
        if trial.kind != "cold":
            evidence = reload_evidence(
                attempt.before,
                num_ctx=state.num_ctx,
                expected_pid=state.pid,
                pid_after=None if after is None else after.pid,
                counters=None if final is None else final.counters,
                shortest_cold_load_ns=self._shortest_cold_load_ns.get(trial.contender),
            )
            if evidence is None and attempt.answer.begins_with_loading:
                evidence = Evidence(code="loading_text")
            if evidence is not None:
                found.append(Flag("unexpected_reload", evidence))
        beside = others_evidence((attempt.before, after))
        if beside is not None:
            found.append(Flag("other_model_resident", beside))
        if trial.kind == "cold" and attempt.machine is not None:
            noisy = self._quiet.flag(attempt.machine.figures)
            found += [] if noisy is None else [noisy]
        elif attempt.machine is not None:
            busy = self._quiet.busy(attempt.machine.figures)
            found += [] if busy is None else [busy]
        if final is not None:
            found += [Flag(remark.flag, remark.evidence) for remark in final.remarks]
        if attempt.answer.repaired:
            found.append(Flag(TEXT_REPLACED, Evidence(code="text_replaced")))
        return tuple(found)

    def _learn(self, finished: TrialFinished, state: BlockState, attempt: _Attempt) -> None:
        """Store those values of this trial against which later trials are judged."""
        if not attempt.answer.has_text:
            return
        state.loaded = True
        if attempt.after is not None:
            state.pid = attempt.after.pid
            if finished.trial.kind == "cold":
                state.num_ctx = _context_of(attempt.after, state.num_ctx)
        load_ns = None if finished.counters is None else finished.counters.load_duration_ns
        if finished.trial.kind == "cold" and load_ns:
            known_ns = self._shortest_cold_load_ns.get(finished.trial.contender, load_ns)
            self._shortest_cold_load_ns[finished.trial.contender] = min(known_ns, load_ns)
        if finished.trial.kind == "warm":
            asked = request_for(self._context.plan, finished.trial, ()).messages
            said = Message("assistant", attempt.answer.answer_text)
            state.conversation = (*asked, said) if finished.outcome == "ok" else ()
            state.tag = finished.trial.tag

    def _finished(
        self, trial: Trial, order: int, attempt: _Attempt, outcome: Outcome, flags: tuple[Flag, ...]
    ) -> TrialFinished:
        answer, after = attempt.answer, attempt.after
        return TrialFinished(
            t_ns=self._context.clock_ns(),
            trial=trial,
            order=order,
            outcome=outcome,
            wall_ns=time.time_ns() if answer.sent_wall_ns is None else answer.sent_wall_ns,
            t0_ns=answer.sent_ns,
            done_ns=answer.done_ns,
            ended_by=None if answer.final is None else answer.final.ended_by,
            problem=attempt.left_out or answer.problem,
            counters=None if answer.final is None else answer.final.counters,
            timeline=answer.timeline(),
            text=answer.text,
            flags=tuple(flag.name for flag in flags),
            evidence=tuple(flag.evidence for flag in flags),
            machine=self._machine_figures(trial, attempt),
            resident=None if after is None else after.own,
            cold_source=self._cold_source(trial, attempt),
            num_predict=num_predict(self._context.plan, trial.kind),
            repeats=trial.id.removesuffix(_REPETITION_SUFFIX) if trial.attempt > 1 else None,
        )

    def _machine_figures(self, trial: Trial, attempt: _Attempt) -> MachineFigures | None:
        """Return the sampler's figures.

        For a server on another machine, only llmtui's own CPU time and the VRAM are known.
        """
        if attempt.machine is None:
            return None
        figures = attempt.machine.figures
        own = None if attempt.after is None else attempt.after.own
        vram_bytes = None if own is None else own.vram_bytes
        if self._context.is_local(self._context.backend(trial.contender)) is False:
            return MachineFigures(llmtui_cpu_s=figures.llmtui_cpu_s, vram_bytes=vram_bytes)
        return msgspec.structs.replace(figures, vram_bytes=vram_bytes)

    def _cold_source(self, trial: Trial, attempt: _Attempt) -> ColdSource | None:
        if trial.kind != "cold" or attempt.machine is None or not attempt.answer.has_text:
            return None
        if attempt.machine.figures.runner_pid is None:
            return "unknown"  # the disk with the weights is not known either
        return attempt.machine.cold_source(self._context.contender(trial.contender).model.size_bytes)


def _shortest_cold_loads_ns(session: Session) -> dict[int, int]:
    """Return each contender's shortest load time in a cold start, as reported by the server."""
    shortest: dict[int, int] = {}
    for row in session.rows:
        if row.trial.kind == "cold" and row.figures.ttft_ms is not None and row.figures.load_ms:
            load_ns = round(row.figures.load_ms * 1e6)
            shortest[row.trial.contender] = min(load_ns, shortest.get(row.trial.contender, load_ns))
    return shortest


def _context_of(seen: InMemory, otherwise: int | None) -> int | None:
    """Return the context length that the server set for the model; ``otherwise`` if it does not report one."""
    return otherwise if seen.own is None or seen.own.context_length is None else seen.own.context_length
