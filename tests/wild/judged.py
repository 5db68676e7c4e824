"""What comes of an answer: bytes on a virtual clock, read and judged by the very code that measures servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import httpx
import msgspec

from llmtui.backends.answer import Dialect, read_answer
from llmtui.backends.base import BackendFailed, Chunk, Final, RequestSent
from llmtui.backends.http_timing import BodyReceived, ExchangeEvent, HeadersReceived, RequestStarted
from llmtui.backends.ollama_reading import OllamaDialect
from llmtui.backends.openai_reading import OpenAiDialect
from llmtui.core.events import TrialFinished
from llmtui.core.flags import row_flags
from llmtui.core.metrics import Figures, measure
from llmtui.core.plan import Model
from llmtui.core.records import Problem
from llmtui.engine.judging import outcome_of
from llmtui.engine.live_text import CollectedAnswer
from tests.core.made import WALL_NS, finished, plan

MS = 1_000_000
T0_NS = 5 * MS
NUM_PREDICT = 80
PLAN = plan()
CHUNKED = {"transfer-encoding": "chunked"}
MODEL = Model(name="small:1b", digest="d", format="gguf")

Sends = Sequence[tuple[float, bytes]]
"""When bytes arrive, in ms after the request was sent, and the bytes."""


class Judged(msgspec.Struct, frozen=True):
    """A finished trial with everything that is said of it."""

    trial: TrialFinished
    figures: Figures
    flags: dict[str, object]
    left_open: bool


def openai() -> Dialect[Any]:
    return OpenAiDialect()


def ollama() -> Dialect[Any]:
    return OllamaDialect(MODEL, "127.0.0.1:11434")


async def moments(
    sends: Sends, headers: Mapping[str, str], *, status: int = 200, stays_open: bool = False, breaks: bool = False
) -> AsyncGenerator[ExchangeEvent, None]:
    """One exchange: at its end the server closes in order, or says nothing more, or the connection breaks."""
    yield RequestStarted(T0_NS)
    yield HeadersReceived(T0_NS + MS, status, httpx.Headers(dict(headers)))
    for at_ms, data in sends:
        yield BodyReceived(T0_NS + round(at_ms * MS), data)
    if breaks:
        raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")
    if stays_open:
        await asyncio.sleep(600)


async def judge(
    dialect: Dialect[Any],
    sends: Sends,
    *,
    headers: Mapping[str, str] = CHUNKED,
    num_predict: int = NUM_PREDICT,
    **how: Any,
) -> Judged:
    """Read an answer and return the judgement of a trial with it."""
    answer, left_open = CollectedAnswer(), False
    try:
        async with asyncio.timeout(20):
            async for item in read_answer(moments(sends, headers, **how), dialect):
                if isinstance(item, Chunk):
                    answer.add(item)
                elif isinstance(item, RequestSent):
                    answer.sent_ns = item.t_ns
                else:
                    assert isinstance(item, Final)
                    answer.final = item
    except BackendFailed as failed:
        answer.problem = failed.problem
    except TimeoutError:
        left_open = True
    except httpx.HTTPError as error:
        answer.problem = Problem(code="cut", detail=str(error))
    return judgement(answer, left_open=left_open, num_predict=num_predict)


def judgement(answer: CollectedAnswer, *, left_open: bool, num_predict: int = NUM_PREDICT) -> Judged:
    """Return the judgement of a trial with this answer."""
    final = answer.final
    trial = finished(
        PLAN,
        outcome=outcome_of(answer),
        wall_ns=WALL_NS,
        t0_ns=answer.sent_ns,
        done_ns=answer.done_ns,
        ended_by=None if final is None else final.ended_by,
        problem=answer.problem,
        counters=None if final is None else final.counters,
        timeline=answer.timeline(),
        text=answer.text,
        flags=() if final is None else tuple(remark.flag for remark in final.remarks),
        evidence=() if final is None else tuple(remark.evidence for remark in final.remarks),
        num_predict=num_predict,
    )
    figures = measure(trial, local=True)
    return Judged(trial, figures, {**dict(row_flags(trial, figures, PLAN))}, left_open)
