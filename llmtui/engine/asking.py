"""One request and its answer.

Times are measured here, so this code only collects chunks, and sends at most 10 batches per second to the screen.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager

from llmtui.backends.base import Backend, BackendFailed, ChatRequest, Chunk, Message, RequestSent
from llmtui.core.plan import COLD_NUM_PREDICT, Contender, Plan, PlanOptions, Trial, num_ctx, num_predict, tagged
from llmtui.core.records import Problem
from llmtui.engine.live_text import ChunkBatcher, CollectedAnswer

Conversation = tuple[Message, ...]


def messages_for(plan: Plan, trial: Trial, so_far: Conversation) -> Conversation:
    """Return the messages of a trial.

    Args:
        plan: the plan with its texts.
        trial: the trial: cold, warm or follow-up.
        so_far: the last prompt and answer of this contender in this round, which a follow-up continues.
    """
    if trial.kind == "follow_up":
        return (*so_far, Message("user", plan.follow_up_text))
    if trial.prompt is None:
        return (Message("user", plan.cold_text),)
    return (Message("user", tagged(trial.tag, plan.prompts[trial.prompt].text)),)


def request_for(plan: Plan, trial: Trial, so_far: Conversation) -> ChatRequest:
    """Return a trial's request. The options with which a model is loaded are the same for all trials of a contender."""
    contender = plan.contenders[trial.contender]
    return _request(
        plan,
        contender,
        messages_for(plan, trial, so_far),
        cap=num_predict(plan, trial.kind),
        reuse_prefix=trial.kind == "follow_up",
    )


def loading_request(plan: Plan, contender: Contender, so_far: Conversation = ()) -> ChatRequest:
    """Return a request that is not measured and loads the model with the options of the contender's trials.

    Args:
        plan: the plan.
        contender: the contender whose model is loaded.
        so_far: a conversation to put back into the server's cache, for the follow-up that continues it.
    """
    messages = so_far or (Message("user", plan.cold_text or plan.prompts[0].text),)
    return _request(plan, contender, messages, cap=COLD_NUM_PREDICT, reuse_prefix=False)


def _request(plan: Plan, contender: Contender, messages: Conversation, *, cap: int, reuse_prefix: bool) -> ChatRequest:
    options = plan.options
    return ChatRequest(
        model=contender.model,
        messages=messages,
        num_ctx=num_ctx(contender),
        num_predict=cap,
        temperature=options.temperature,
        seed=options.seed,
        think=contender.variant.think,
        num_thread=contender.variant.num_thread,
        keep_alive_s=options.keep_alive_s,
        reuse_prefix=reuse_prefix,
        extra_fields=options.extra_fields,
    )


async def ask(
    backend: Backend,
    request: ChatRequest,
    answer: CollectedAnswer,
    *,
    options: PlanOptions,
    live: ChunkBatcher | None = None,
    on_sent: Callable[[], None] = lambda: None,
    on_first_text: Callable[[], None] = lambda: None,
) -> None:
    """Send a request and collect its answer. After a failure or a cancellation, ``answer`` has what arrived before.

    Args:
        backend: the server.
        request: the request to send.
        answer: collects the answer. A stall ends the request and is recorded in it.
        options: options of the plan, with the longest times without data.
        live: receives the chunks for the screen.
        on_sent: called when the request has been sent.
        on_first_text: called with the first chunk.

    Raises:
        BackendFailed: the request failed.
    """
    loop = asyncio.get_running_loop()
    quiet_s = options.stall_loading_s
    try:
        with _no_collections():
            async with asyncio.timeout(quiet_s) as limit, aclosing(backend.stream(request)) as stream:
                async for item in stream:
                    if isinstance(item, Chunk):
                        if not answer.has_text:
                            on_first_text()
                            quiet_s = options.stall_s
                        text = answer.add(item)
                        if live is not None:
                            live.add(item, text, answer.sent_ns or 0)
                    elif isinstance(item, RequestSent):
                        is_first = answer.sent_ns is None
                        answer.sent_ns, answer.dropped_fields = item.t_ns, item.without
                        answer.sent_wall_ns = time.time_ns() - (time.perf_counter_ns() - item.t_ns)
                        if is_first:
                            on_sent()
                    else:
                        answer.final = item
                    limit.reschedule(loop.time() + quiet_s)
    except TimeoutError:
        answer.stalled = True
        answer.problem = _stalled(request.model.name, quiet_s, has_text=answer.has_text)
    finally:
        if live is not None:
            live.close()


async def load(backend: Backend, request: ChatRequest, options: PlanOptions) -> None:
    """Send a request that is not measured, to load the model with the options of its trials.

    Raises:
        BackendFailed: the request failed or stalled.
    """
    answer = CollectedAnswer()
    await ask(backend, request, answer, options=options)
    if answer.problem is not None:
        raise BackendFailed(answer.problem)


def _stalled(name: str, quiet_s: float, *, has_text: bool) -> Problem:
    return Problem(code="stalled" if has_text else "never_began", args={"name": name, "seconds": quiet_s})


@contextmanager
def _no_collections() -> Iterator[None]:
    """Turn garbage collection off within the context: a collection takes milliseconds, too long between two tokens."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
