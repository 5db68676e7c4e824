"""The run of a plan: rounds of trials, and restoring the server's memory afterwards. Rules: docs/method.md, "Trials".

In each round, the trials of one contender form a block: they run directly one after another.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

import msgspec

from llmtui.backends.base import BackendFailed
from llmtui.core.codes import NOT_LOADABLE
from llmtui.core.events import PlanExtended, TrialFinished
from llmtui.core.plan import Block, Trial, num_ctx, round_blocks, trials_per_round
from llmtui.core.records import Problem
from llmtui.core.remainder import settled_ids
from llmtui.core.rounds import rounds_that_fit, wants_more_rounds
from llmtui.core.session import Session
from llmtui.core.session_flags import is_mostly_busy
from llmtui.engine.context import RunContext
from llmtui.engine.control import Control
from llmtui.engine.one_trial import BlockState, TrialRunner, repetition_of
from llmtui.engine.preparation import Preparation
from llmtui.engine.resuming import Interrupted, conversation_so_far, skipped_contenders, went_first

How = Literal["complete", "cancelled", "failed"]


async def _nothing() -> None:
    """Return at once. Default of ``settled``, for runs without files."""


async def _unknown() -> Session | None:
    """Return None. Default of ``session``, for runs without a saved session."""
    return None


class Experiment:
    """Runs one plan in one context. ``run`` is awaited once; the other methods are called while it runs."""

    def __init__(
        self,
        context: RunContext,
        *,
        settled: Callable[[], Awaitable[None]] = _nothing,
        session: Callable[[], Awaitable[Session | None]] = _unknown,
        so_far: Session | None = None,
        interrupted: Interrupted | None = None,
    ) -> None:
        """Prepare the run; no request is sent yet.

        Args:
            context: plan, servers, event output and sampler.
            settled: awaited after each trial. Returns when the trial's row is on disk, so that no write disturbs the
                next one.
            session: returns the session so far, for plans that add rounds until models can be separated.
            so_far: a complete session of this plan to continue; only the requested rounds are run.
            interrupted: an interrupted session of this plan; its trials without a result are run.
        """
        self._goes_on = so_far is not None
        self._interrupted = interrupted
        so_far = so_far if interrupted is None else interrupted.session
        self.control = Control()
        self._context = context
        self._settled = settled
        self._session = session
        self._preparation = Preparation(context)
        self._trials = TrialRunner(context, self._preparation, self.control, so_far=so_far)
        self._began_s = time.monotonic() - (0.0 if interrupted is None else _spent_s(interrupted.session))
        self._rounds = context.plan.rounds if so_far is None else so_far.rounds
        self._round = so_far.rounds if so_far is not None and self._goes_on else 0
        self._settled_ids = frozenset() if interrupted is None else settled_ids(interrupted.session.rows)
        self._order = 0 if so_far is None else max((row.order for row in so_far.rows), default=0)
        self._first = None if so_far is None else went_first(so_far)
        self._last_round_s = 0.0
        warm = [] if so_far is None else [row for row in so_far.rows if row.trial.kind == "warm"]
        self._warm = len(warm)
        self._busy = sum("busy" in row.flags for row in warm)
        self._not_loadable: dict[int, Problem] = {}
        if interrupted is not None:
            self.control.left_out.update(skipped_contenders(interrupted.session))
        self._over = False
        self._hurried = False

    # --- while it runs --------------------------------------------------------------------------------------------

    def extend(self, rounds: int, why: str = "asked for") -> bool:
        """Add rounds to the run; return False if its last trial is already over.

        Args:
            rounds: number of rounds to add.
            why: the reason, for the event.
        """
        if self._over:
            return False
        self._rounds += rounds
        self._context.emit(PlanExtended(t_ns=self._context.clock_ns(), rounds=self._rounds, why=why))
        return True

    def hurry(self) -> None:
        """Make the run end within a second. To be called before cancelling the task that runs it."""
        self._hurried = True

    async def run(self) -> How:
        """Run the plan, then restore the server's memory. Return how the run ended.

        If the awaiting task is cancelled, the current request and the run end, and "cancelled" is returned instead of
        raising CancelledError.
        """
        how: How = "cancelled"
        try:
            await self._begin()
            how = await self._all_rounds()
        except asyncio.CancelledError:
            _forget_cancellation()
        finally:
            self._over = True
            if not self._trials.gave_up:
                await self._leave()
            self._context.phase("idle")
        return how

    # --- the parts of it ------------------------------------------------------------------------------------------

    async def _begin(self) -> None:
        try:
            await self._preparation.remember()
        except BackendFailed as failed:
            for backend in self._context.backends.values():
                self._trials.report(backend, failed.problem)

    async def _leave(self) -> None:
        try:
            if not self._hurried:
                await self._preparation.leave_as_found()
        except asyncio.CancelledError:
            _forget_cancellation()
        if self._hurried:
            await self._preparation.leave_in_a_hurry()

    async def _all_rounds(self) -> How:
        while True:
            if self._round == self._rounds:
                await self._go_on()
            if self._round == self._rounds:
                return "failed" if self._trials.gave_up else "complete"
            self._round += 1
            began_s = self._running_s()
            if self._round == 1 and self._is_auto() and not self._settled_ids:
                self._first = self._preparation.ready_contender()
            planned = self._unsettled(round_blocks(self._context.plan, self._round, resident=self._first))
            for index, block in enumerate(planned):
                if block.contender not in self.control.left_out:
                    await self._block(block, planned[index + 1 :])
            whole_s = (
                self._running_s() / self._round if self._settled_ids else 0.0
            )  # a resumed round is only partly timed
            self._last_round_s = max(self._running_s() - began_s, whole_s)

    def _unsettled(self, planned: Sequence[Block]) -> tuple[Block, ...]:
        """Return the blocks (trials of one contender), reduced to the trials that have no result yet."""
        left = (
            msgspec.structs.replace(block, trials=tuple(one for one in block.trials if one.id not in self._settled_ids))
            for block in planned
        )
        return tuple(block for block in left if block.trials)

    def _is_auto(self) -> bool:
        return self._context.plan.preset == "auto"

    async def _go_on(self) -> None:
        """Add rounds if the plan's own rule asks for them and no command has added any."""
        plan = self._context.plan
        if self._round == 0 or self._goes_on:
            return
        if self._trials.gave_up or len(self.control.left_out) == len(plan.contenders):
            return
        if plan.budget_s is not None:
            more = rounds_that_fit(plan, self._round, spent_s=self._running_s(), round_s=self._last_round_s)
            if more > 0:
                self.extend(more, why="expected to end within the time set for it")
        elif self._round < plan.max_rounds:
            session = await self._session()
            if session is not None and wants_more_rounds(session) and self._round == self._rounds:
                self.extend(1, why="not all is told apart yet")

    def _running_s(self) -> float:
        return time.monotonic() - self._began_s - self.control.paused_s

    async def _block(self, block: Block, later: tuple[Block, ...]) -> None:
        self.control.contender = block.contender
        state = BlockState(block.contender, num_ctx(self._context.contender(block.contender)))
        if self._interrupted is not None and block.trials[0].kind == "follow_up":
            state.conversation, state.tag = conversation_so_far(self._interrupted, self._context.plan, block.trials[0])
        for index, trial in enumerate(block.trials):
            await self._pause()
            left = len(block.trials) - index - 1 + self._left_after(later)
            if block.contender in self.control.left_out:
                self._order += 1
                problem = self._not_loadable.get(block.contender) or Problem(code="skipped")
                self._trials.pass_over(trial, order=self._order, total=self._order + left, problem=problem)
                continue
            finished = await self._trial(trial, state, left)
            self._note_not_loadable(finished)
            wants_another = self._is_worth_repeating(finished) or await self._trials.came_back(finished, state)
            if trial.attempt == 1 and wants_another:
                await self._trial(repetition_of(self._context.plan, finished.trial), state, left)
        self.control.contender = None

    def _note_not_loadable(self, finished: TrialFinished) -> None:
        """Leave out the remaining trials of a model that cannot be loaded: each attempt takes the whole time limit."""
        problem, contender = finished.problem, finished.trial.contender
        if problem is not None and problem.code in NOT_LOADABLE and not finished.text:
            name = self._context.contender(contender).model.name
            self._not_loadable[contender] = Problem(code="load_failed_before", args={"name": name})
            self.control.left_out.add(contender)

    async def _trial(self, trial: Trial, state: BlockState, left: int) -> TrialFinished:
        self._order += 1
        finished = await self._trials.run(trial, state, order=self._order, total=self._order + left)
        await self._settled()
        if finished.trial.kind == "warm" and finished.outcome != "skipped":
            self._warm += 1
            self._busy += "busy" in finished.flags
        return finished

    def _is_worth_repeating(self, finished: TrialFinished) -> bool:
        if finished.outcome in ("error", "stalled", "skipped"):
            return False
        busy = "busy" in finished.flags and finished.trial.kind == "warm"
        return "unexpected_reload" in finished.flags or (busy and not is_mostly_busy(self._warm, self._busy))

    async def _pause(self) -> None:
        if self.control.paused:
            self._context.phase("idle", step="paused")
            await self.control.until_going()

    def _left_after(self, later: tuple[Block, ...]) -> int:
        """Return the number of trials, in this round and in later ones, that follow those of the current contender."""
        plan, left_out = self._context.plan, self.control.left_out
        here = sum(len(block.trials) for block in later if block.contender not in left_out)
        each = trials_per_round(plan) // len(plan.contenders)
        return here + (self._rounds - self._round) * each * (len(plan.contenders) - len(left_out))


def _spent_s(session: Session) -> float:
    """Return how many seconds a session has run, without the interruptions."""
    stood_ns = sum(until - since for since, until in session.standstills)
    return (session.last_t_ns - session.t_ns - stood_ns) / 1e9


def _forget_cancellation() -> None:
    """Clear the task's cancellation once it has taken effect. The clean-up that follows can then be cancelled too."""
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()
