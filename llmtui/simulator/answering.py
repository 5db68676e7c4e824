"""/api/chat and /api/generate: from the request to the last line of the model's answer."""

from __future__ import annotations

import asyncio
from typing import NoReturn

import msgspec
from msgspec import Struct

from llmtui.simulator.clock import now_ns
from llmtui.simulator.exchange import Exchange
from llmtui.simulator.generation import Course, GeneratedChunk, ThinkMode, TokenPace, chunks_of, course_of, tokens_of
from llmtui.simulator.identity import is_valid_name, tagged_name
from llmtui.simulator.model import Dialect, ScriptedAnswer, SimulatedModel
from llmtui.simulator.options import ApiError, RequestOptions
from llmtui.simulator.replies import Counters, Replies
from llmtui.simulator.requests import Ask, Kind, check_level, parse_ask, parse_object
from llmtui.simulator.scheduler import CHARACTERS_PER_TOKEN, PromptCount, SimulatedRunner, tokens_of_text
from llmtui.simulator.sendlog import Truth
from llmtui.simulator.simulation import Simulation

_ONE_TOKEN_EVAL_NS = 1000
"""The `eval_duration` that Ollama 0.34.4 reports for an answer of a single token."""


class _Turn(Struct, kw_only=True):
    """One answer that is being generated, with its request, model, options and true times."""

    exchange: Exchange
    ask: Ask
    model: SimulatedModel
    options: RequestOptions
    replies: Replies
    prompt: str
    runner: SimulatedRunner | None
    truth: Truth
    entered_ns: int
    answer: ScriptedAnswer
    course: Course
    seed: str
    spoken: list[str] = []
    thought: list[str] = []

    def learn(self, **facts: int) -> None:
        """Set facts about this answer, such as its true times, here and in the send log."""
        self.truth = msgspec.structs.replace(self.truth, **facts)
        self.exchange.record.truth = self.truth


async def answer_request(simulation: Simulation, exchange: Exchange, kind: Kind) -> None:
    """Serve one request to generate an answer, or to load or unload a model.

    Raises:
        ApiError: the request cannot be served; nothing has been sent.
        asyncio.CancelledError: the client closed the connection.
    """
    entered_ns = now_ns()
    ask = parse_ask(kind, parse_object(exchange.request.body), simulation.script.dialect)
    exchange.record.model = ask.model
    model = _find(simulation, ask)
    replies = Replies(ask, simulation.script.dialect, model)
    if ask.prompt is None and ask.keep_alive_s == 0:
        simulation.scheduler.expire(model)
        await exchange.send_json(replies.state("unload"), kind="done")
        return
    _check_capabilities(model, ask, simulation.script.dialect)
    options = simulation.options(model, dict(ask.options))
    if ask.prompt is None:
        await _load_only(simulation, exchange, ask, model, options, replies)
        return
    trial = await simulation.begin_trial()
    try:
        await _take_turn(simulation, exchange, ask, model, options, replies, Truth(trial=trial), entered_ns)
    finally:
        simulation.end_trial(trial)


def _find(simulation: Simulation, ask: Ask) -> SimulatedModel:
    old = simulation.script.dialect == "0.11.4"
    if not is_valid_name(ask.model) and (ask.kind == "chat" or (ask.model and not old)):
        raise ApiError(400, "invalid model name" if ask.model and not old else "model is required")
    model = simulation.models.get(tagged_name(ask.model))
    if model is not None:
        return model
    unloads = ask.prompt is None and ask.keep_alive_s == 0
    if old and ask.kind == "chat" and not unloads:
        raise ApiError(404, f'model "{ask.model}" not found, try pulling it first')
    raise ApiError(404, f"model '{ask.model}' not found")


def _check_capabilities(model: SimulatedModel, ask: Ask, dialect: Dialect) -> None:
    if model.remote_host and model.needs_signin:
        raise ApiError(401, "unauthorized", {"signin_url": "https://ollama.com/connect?name=simulator"})
    check_level(ask.think, dialect)
    if "completion" not in model.capabilities:
        raise ApiError(400, f'"{ask.model}" does not support {ask.kind}')
    if ask.wants_tools and "tools" not in model.capabilities:
        raise ApiError(400, f"{ask.model} does not support tools")
    if ask.think and "thinking" not in model.capabilities:
        raise ApiError(400, f'"{ask.model}" does not support thinking')
    if dialect == "0.11.4" and isinstance(ask.think, str) and not model.always_thinks:
        raise ApiError(400, f'think value "{ask.think}" is not supported for this model')


async def _load_only(
    simulation: Simulation,
    exchange: Exchange,
    ask: Ask,
    model: SimulatedModel,
    options: RequestOptions,
    replies: Replies,
) -> None:
    if not model.remote_host:
        runner, _ = await simulation.scheduler.acquire(model, options.load, _keep_alive_s(simulation, ask))
        simulation.scheduler.release(runner)
    await exchange.send_json(replies.state("load"), kind="done")


async def _take_turn(
    simulation: Simulation,
    exchange: Exchange,
    ask: Ask,
    model: SimulatedModel,
    options: RequestOptions,
    replies: Replies,
    truth: Truth,
    entered_ns: int,
) -> None:
    assert ask.prompt is not None
    runner: SimulatedRunner | None = None
    if not model.remote_host:
        runner, loaded = await simulation.scheduler.acquire(model, options.load, _keep_alive_s(simulation, ask))
        truth = msgspec.structs.replace(truth, loaded=loaded)
    try:
        answer = simulation.next_answer(model, ask.prompt)
        turn = _Turn(
            exchange=exchange,
            ask=ask,
            model=model,
            options=options,
            replies=replies,
            prompt=_cut(simulation, ask, options),
            runner=runner,
            truth=truth,
            entered_ns=entered_ns,
            answer=answer,
            course=course_of(
                answer,
                mode=_think_mode(simulation, model, ask),
                level=ask.think if isinstance(ask.think, str) else None,
                budget=options.num_predict or 10 * options.load.num_ctx,
            ),
            seed=f"{simulation.script.seed} {model.name} {ask.prompt}",
        )
        turn.learn(handed_over_ns=now_ns())
        async with runner.slot if runner is not None else simulation.remote_slot(model):
            await _give(simulation, turn)
    finally:
        if runner is not None:
            simulation.scheduler.release(runner)


async def _give(simulation: Simulation, turn: _Turn) -> None:
    script = simulation.script
    turn.learn(slot_ns=now_ns())
    if turn.answer.silent:
        await _silence()
    count = _count(turn)
    prefill_ns = now_ns() + script.duration_ns(script.tokenize_s)
    first_token_ns = prefill_ns + script.duration_ns((count.tokens - count.cached) / turn.model.prefill_tps)
    turn.learn(prefill_ns=prefill_ns, prompt_tokens=count.tokens, cached_tokens=count.cached)
    pace = TokenPace(
        turn.model,
        turn.answer,
        scale_ns=script.duration_ns,
        speed=lambda: simulation.speed(turn.model),
        seed=f"{turn.truth.trial} {turn.seed}",
    )
    chunks = chunks_of(
        tokens_of(turn.answer, turn.course, turn.seed), turn.answer, total=turn.course.total, interval_ns=pace
    )
    for number, chunk in enumerate(chunks):
        if turn.answer.ending.kind != "done" and number == turn.answer.ending.after_chunks:
            await _end_with_fault(turn)
            return
        await simulation.waiter.until(first_token_ns + chunk.offset_ns)
        await _give_chunk(simulation, turn, chunk, first_token_ns)
    if turn.answer.ending.kind != "done":
        await _end_with_fault(turn)


async def _give_chunk(simulation: Simulation, turn: _Turn, chunk: GeneratedChunk, first_token_ns: int) -> None:
    (turn.thought if chunk.channel == "thinking" else turn.spoken).append(chunk.text)
    made_ns = now_ns()
    in_last_line = chunk.is_last and turn.answer.text_in_last_line
    tokens = (chunk.first_token, chunk.last_token)
    if chunk.text and not in_last_line and turn.ask.stream:
        stamp = await turn.exchange.send_line(
            turn.replies.text(**_fields(turn, chunk.channel, chunk.text)),
            kind="text",
            channel=chunk.channel,
            tokens=tokens,
            characters=len(chunk.text),
        )
        made_ns, tokens = stamp.perf_ns, (0, 0)
    if not turn.truth.first_token_ns:
        turn.learn(first_token_ns=made_ns if chunk.last_token == 1 else first_token_ns)
    turn.learn(output_tokens=chunk.last_token)
    if not chunk.is_last:
        return
    turn.learn(last_token_ns=made_ns)
    if turn.runner is not None:
        turn.runner.remember(turn.prompt + "".join(turn.spoken))
    if turn.answer.ending.kind == "done":
        await _give_last_line(simulation, turn, chunk if in_last_line else None, tokens)


async def _give_last_line(
    simulation: Simulation, turn: _Turn, chunk: GeneratedChunk | None, tokens: tuple[int, int]
) -> None:
    counters = _counters(simulation, turn)
    conversation = turn.prompt + "".join(turn.spoken)
    if not turn.ask.stream:
        inline = turn.course.mode == "inline"
        spoken, thought = "".join(turn.spoken), "".join(turn.thought)
        body = turn.replies.last(
            turn.course.reason,
            counters,
            conversation=conversation,
            answer=thought + spoken if inline else spoken,
            thinking="" if inline else thought,
        )
        await turn.exchange.send_json(body, kind="done")
        return
    text = chunk.text if chunk is not None else ""
    channel = chunk.channel if chunk is not None and text else None
    fields = _fields(turn, channel or "answer", text)
    await turn.exchange.send_line(
        turn.replies.last(turn.course.reason, counters, conversation=conversation, **fields),
        kind="done",
        channel=channel,
        tokens=tokens,
        characters=len(text),
    )
    await turn.exchange.end_stream()


async def _end_with_fault(turn: _Turn) -> None:
    ending = turn.answer.ending
    if ending.kind == "error" or (ending.kind in {"closed", "cut"} and not turn.ask.stream):
        await turn.exchange.send_error(500, ending.message)
    elif ending.kind == "closed":
        await turn.exchange.end_stream()
    elif ending.kind == "silent":
        await _silence()
    else:
        turn.exchange.cut()


async def _silence() -> NoReturn:
    await asyncio.get_running_loop().create_future()
    raise AssertionError("a future that nobody sets")


def _count(turn: _Turn) -> PromptCount:
    if turn.runner is None:
        return PromptCount(tokens=tokens_of_text(turn.prompt), cached=0)
    count = turn.runner.count(turn.prompt)
    turn.runner.remember(turn.prompt)
    return count


def _counters(simulation: Simulation, turn: _Turn) -> Counters:
    truth, scale = turn.truth, turn.model.counter_scale
    eval_ns = truth.last_token_ns - truth.first_token_ns
    if truth.output_tokens == 1:
        eval_ns = _ONE_TOKEN_EVAL_NS if simulation.script.dialect == "0.34.4" else now_ns() - truth.first_token_ns
    uncounted = turn.course.stops and not turn.model.counts_eos
    return Counters(
        total_ns=round((now_ns() - turn.entered_ns) * scale),
        load_ns=round((truth.handed_over_ns - turn.entered_ns) * scale),
        prompt_tokens=truth.prompt_tokens,
        cached=truth.cached_tokens,
        prompt_ns=round((truth.first_token_ns - truth.prefill_ns) * scale),
        eval_count=truth.output_tokens - 1 if uncounted else truth.output_tokens,
        eval_ns=round(eval_ns * scale),
    )


def _fields(turn: _Turn, channel: str, text: str) -> dict[str, str]:
    in_field = channel == "thinking" and turn.course.mode == "field"
    return {"thinking": text} if in_field else {"answer": text}


def _think_mode(simulation: Simulation, model: SimulatedModel, ask: Ask) -> ThinkMode:
    if model.inline_think:
        return "inline"
    if "thinking" not in model.capabilities or (ask.think is False and not model.always_thinks):
        return "off"
    # Before 0.12.4, a request without `think` left the tags of the model's template in the text.
    return "inline" if ask.think is None and simulation.script.dialect == "0.11.4" else "field"


def _cut(simulation: Simulation, ask: Ask, options: RequestOptions) -> str:
    assert ask.prompt is not None
    num_ctx = options.load.num_ctx
    if tokens_of_text(ask.prompt) <= num_ctx:
        return ask.prompt
    if not ask.truncate:
        raise ApiError(400, "the prompt is longer than the context length currently set for this model")
    cut_to = num_ctx if simulation.script.dialect == "0.11.4" else num_ctx // 2 + 2
    return ask.prompt[-cut_to * CHARACTERS_PER_TOKEN :]


def _keep_alive_s(simulation: Simulation, ask: Ask) -> float:
    return simulation.script.default_keep_alive_s if ask.keep_alive_s is None else ask.keep_alive_s
