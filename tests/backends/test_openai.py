"""Requests and answers of the OpenAI protocol, with a server whose every byte is set by the test."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import httpx
import pytest

from llmtui.backends.answer import read_answer
from llmtui.backends.base import Backend, BackendFailed, ChatRequest, Chunk, Final, RequestSent
from llmtui.backends.http_timing import BodyReceived, ExchangeEvent, HeadersReceived, RequestStarted
from llmtui.backends.openai import OpenAiBackend
from llmtui.backends.openai_reading import OpenAiDialect
from llmtui.core.plan import Think
from llmtui.core.records import ServerCounters
from tests.backends.ollama_served import wait_until
from tests.backends.openai_served import (
    CHAT,
    DONE,
    LLAMACPP,
    PLAIN,
    ROLE,
    VLLM,
    answer_of,
    answers,
    ask,
    event,
    final,
    request,
    said,
    served,
    texts,
)
from tests.backends.scripted_server import Peer, Received, scripted_server


async def counts_of(*arrivals: bytes) -> list[int | None]:
    """Return the tokens so far of each chunk, where the bytes arrive in just these portions."""

    async def moments() -> AsyncGenerator[ExchangeEvent, None]:
        yield RequestStarted(0)
        yield HeadersReceived(1, 200, httpx.Headers({"content-type": "text/event-stream"}))
        for t_ns, data in enumerate(arrivals, 2):
            yield BodyReceived(t_ns, data)

    return [item.tokens async for item in read_answer(moments(), OpenAiDialect()) if isinstance(item, Chunk)]


def test_it_is_a_backend() -> None:
    backend: Backend = OpenAiBackend("127.0.0.1")
    assert backend.kind == "openai"


class TestAnAnswer:
    async def test_it_is_sent_then_text_then_the_last_word(self) -> None:
        items = await answer_of(ROLE, said(content="Hel"), said(content="lo"), said("stop"), DONE)
        assert [type(item) for item in items] == [RequestSent, Chunk, Chunk, Final]
        assert texts(items) == [("a", "Hel"), ("a", "lo")]

    async def test_times_go_forward_from_the_start_of_sending(self) -> None:
        async with served(answers(ROLE, said(content="a"), said(content="b"), said("stop"), DONE)) as (server, backend):
            before = time.perf_counter_ns()
            items = await ask(backend)
        stamps = [before, *(item.t_ns for item in items)]
        assert stamps == sorted(stamps)
        received = server.asked(CHAT)[0].received_ns
        assert isinstance(items[0], RequestSent)
        assert items[0].t_ns < received < items[1].t_ns

    @pytest.mark.parametrize("delta", [{"role": "assistant"}, {"content": None}, {"content": ""}, {}])
    async def test_chunks_without_text_are_not_the_first_word(self, delta: dict[str, Any]) -> None:
        assert texts(await answer_of(said(**delta), said(content="a"), said("stop"))) == [("a", "a")]

    @pytest.mark.parametrize("key", ["reasoning_content", "reasoning"])
    async def test_thinking_is_a_channel_of_its_own(self, key: str) -> None:
        hm: dict[str, Any] = {key: "hm"}
        so: dict[str, Any] = {key: "so", "content": "a"}
        items = await answer_of(said(**hm), said(**so), said("stop"), DONE)
        assert texts(items) == [("t", "hm"), ("t", "so"), ("a", "a")]

    async def test_text_in_the_chunk_that_ends_the_answer_counts(self) -> None:
        items = await answer_of(said(content="a"), said("stop", content="b"), DONE)
        assert texts(items) == [("a", "a"), ("a", "b")]
        assert final(items).t_ns == items[-2].t_ns

    async def test_the_answer_is_done_at_the_first_finish_reason_not_at_the_end_of_the_stream(self) -> None:
        usage = event(choices=[], usage={"prompt_tokens": 5, "completion_tokens": 2})
        async with served(answers(said(content="a"), said("stop"), usage, DONE, pause_s=0.05)) as (_, backend):
            items = await ask(backend)
            ended_ns = time.perf_counter_ns()
        assert ended_ns - final(items).t_ns > 0.04e9

    @pytest.mark.parametrize(
        ("reason", "ended_by"),
        [("stop", "stop"), ("length", "length"), ("MAX_TOKENS", "length"), ("eos", "stop"), ("tool_calls", "other")],
    )
    async def test_why_it_ended(self, reason: str, ended_by: str) -> None:
        assert final(await answer_of(said(content="a"), said(reason), DONE)).ended_by == ended_by

    @pytest.mark.parametrize("reason", ["content_filter", "abort", "network_error"])
    async def test_an_end_that_is_no_good_one_is_named(self, reason: str) -> None:
        with pytest.raises(BackendFailed, match="odd_end") as failed:
            await answer_of(said(content="a"), said(reason), DONE)
        assert failed.value.problem.args == {"word": reason}

    @pytest.mark.parametrize("sign", [DONE, event(choices=[], usage={"completion_tokens": 1}), b""])
    async def test_the_done_mark_counts_and_an_orderly_close_are_ends_too(self, sign: bytes) -> None:
        items = await answer_of(said(content="a"), sign)
        assert [type(item) for item in items] == [RequestSent, Chunk, Final]
        assert final(items).ended_by == "other"

    async def test_text_after_a_finish_reason_is_still_the_answer(self) -> None:
        items = await answer_of(said("stop", content="a"), said("stop", content="b"), said("stop", content="c"), DONE)
        assert texts(items) == [("a", "a"), ("a", "b"), ("a", "c")]
        assert final(items).t_ns >= items[-2].t_ns

    async def test_an_answer_is_complete_though_the_connection_stays_open(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("llmtui.backends.answer.AFTER_END_S", 0.05)

        async def reply(received: Received, peer: Peer) -> None:
            await peer.head(content_type="text/event-stream")
            await peer.chunk(said(content="a") + said("stop"))
            await peer.gone()

        async with served(reply) as (_, backend):
            assert final(await asyncio.wait_for(ask(backend), 60)).ended_by == "stop"

    async def test_what_follows_the_done_mark_is_not_waited_for(self) -> None:
        async def reply(received: Received, peer: Peer) -> None:
            await peer.head(content_type="text/event-stream")
            await peer.chunk(said(content="a") + said("stop") + DONE + said(content="ghost"))
            await peer.gone()

        async with served(reply) as (_, backend):
            assert texts(await asyncio.wait_for(ask(backend), 60)) == [("a", "a")]

    async def test_only_the_first_choice_is_read(self) -> None:
        two = event(choices=[{"delta": {"content": "a"}}, {"delta": {"content": "b"}}])
        assert texts(await answer_of(two, said("stop"), DONE)) == [("a", "a")]

    async def test_comments_and_foreign_fields_do_no_harm(self) -> None:
        odd = b": ping\n\nevent: x\ndata:" + said(content="a")[5:].replace(b'"index"', b'"new_key"')
        assert texts(await answer_of(odd, said("stop"), DONE)) == [("a", "a")]

    async def test_line_separators_of_unicode_stay_in_the_text(self) -> None:
        assert texts(await answer_of(said(content="a\u0085b\u2028c"), said("stop"), DONE)) == [("a", "a\u0085b\u2028c")]

    async def test_half_a_surrogate_pair_does_not_end_the_answer(self) -> None:
        half = b'data: {"choices":[{"delta":{"content":"\\ud83d"}}]}\n\n'
        assert texts(await answer_of(half, said(content="a"), said("stop"), DONE)) == [("a", "\ud83da")]

    async def test_two_halves_of_a_surrogate_pair_are_one_character(self) -> None:
        halves = [b'data: {"choices":[{"delta":{"content":"%s"}}]}\n\n' % half for half in (b"a \\ud83d", b"\\ude00 b")]
        assert texts(await answer_of(*halves, said("stop"), DONE)) == [("a", "a "), ("a", "\U0001f600 b")]

    async def test_half_a_character_does_not_end_the_answer(self) -> None:
        half = b'data: {"choices":[{"delta":{"content":"\xc3"}}]}\n\n'
        assert texts(await answer_of(half, said("stop"), DONE)) == [("a", "\N{REPLACEMENT CHARACTER}")]


class TestCounters:
    async def test_llamacpp_timings_become_counters(self) -> None:
        timings = {"cache_n": 5, "prompt_n": 16, "prompt_ms": 2.5, "predicted_n": 44, "predicted_ms": 10.75}
        usage = {"prompt_tokens": 21, "completion_tokens": 44, "prompt_tokens_details": {"cached_tokens": 5}}
        last = event(choices=[], usage=usage, timings=timings)
        assert final(await answer_of(said(content="a"), said("stop"), last, DONE)).counters == ServerCounters(
            prompt_tokens=21,
            cached_tokens=5,
            prompt_duration_ns=2_500_000,
            output_tokens=44,
            output_duration_ns=10_750_000,
            output_steps=43,
        )

    async def test_timings_on_the_last_chunk_without_usage_are_enough(self) -> None:
        timings = {"cache_n": 5, "prompt_n": 16, "prompt_ms": 2.5, "predicted_n": 2, "predicted_ms": 1.0}
        counters = final(await answer_of(said(content="a"), said("stop", extra={"timings": timings}))).counters
        assert counters is not None
        assert (counters.prompt_tokens, counters.output_tokens, counters.output_steps) == (21, 2, 1)

    async def test_usage_alone_counts_tokens_and_times_nothing(self) -> None:
        last = event(choices=[], usage={"prompt_tokens": 21, "completion_tokens": 44})
        counters = final(await answer_of(said(content="a"), said("stop"), last, DONE)).counters
        assert counters == ServerCounters(prompt_tokens=21, output_tokens=44)

    async def test_without_either_there_are_no_counters(self) -> None:
        assert final(await answer_of(said(content="a"), said("stop"), DONE)).counters is None

    async def test_tokens_so_far_come_from_timings_on_every_chunk(self) -> None:
        chunks = [said(content=c, extra={"timings": {"predicted_n": n}}) for c, n in (("ab", 2), ("c", 3))]
        assert await counts_of(*chunks) == [2, 3]

    async def test_tokens_so_far_come_from_running_usage(self) -> None:
        chunks = [said(content="a", extra={"usage": {"completion_tokens": 4}}), said(content="b")]
        assert await counts_of(*chunks) == [4, None]

    async def test_what_arrives_together_was_made_by_then(self) -> None:
        one, two, three = (said(content="a", extra={"timings": {"predicted_n": n}}) for n in (1, 2, 3))
        assert await counts_of(one + two, three) == [2, 2, 3]

    async def test_a_connection_that_breaks_after_the_last_word_costs_the_counters_only(self) -> None:
        items = await answer_of(said(content="a"), said("length"), end=False)
        assert final(items).ended_by == "length"
        assert final(items).counters is None


class TestTheRequest:
    async def sent(self, entry: dict[str, Any], what: ChatRequest | None = None) -> dict[str, Any]:
        async with served(answers(said(content="a"), said("stop"), DONE), entry) as (server, backend):
            await ask(backend, what)
            body: dict[str, Any] = server.asked(CHAT)[0].body
            return body

    async def test_standard_fields_go_to_every_server(self) -> None:
        assert await self.sent(PLAIN) == {
            "model": "gemma-3-1b",
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "[4817] Hello"}],
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": 128,
            "temperature": 0.0,
            "seed": 42,
        }

    async def test_llamacpp_is_asked_for_its_clock_and_not_to_reuse_the_prefix(self) -> None:
        body = await self.sent(LLAMACPP)
        assert body["timings_per_token"] is True
        assert body["cache_prompt"] is False
        assert body["chat_template_kwargs"] == {"enable_thinking": False}

    async def test_the_follow_up_may_reuse_the_prefix(self) -> None:
        assert (await self.sent(LLAMACPP, request(reuse_prefix=True)))["cache_prompt"] is True

    async def test_vllm_is_asked_for_running_counts(self) -> None:
        body = await self.sent(VLLM)
        assert body["stream_options"] == {"include_usage": True, "continuous_usage_stats": True}
        assert "cache_prompt" not in body

    @pytest.mark.parametrize(("think", "enabled"), [(True, True), (False, False), ("high", True)])
    async def test_thinking_is_always_said(self, think: Think, enabled: bool) -> None:
        body = await self.sent(VLLM, request(think))
        assert body["chat_template_kwargs"] == {"enable_thinking": enabled}
        assert body.get("reasoning_effort") == (think if isinstance(think, str) else None)

    async def test_the_key_goes_along_and_every_request_has_a_connection_of_its_own(self) -> None:
        async with served(answers(said(content="a"), said("stop"), DONE)) as (server, backend):
            await ask(backend)
            await ask(backend)
        assert {r.headers["authorization"] for r in server.received} == {"Bearer secret-key"}
        assert {r.headers["accept-encoding"] for r in server.received} == {"identity"}
        assert len({r.connection for r in server.received}) == len(server.received) == 3

    async def test_extra_fields_go_along(self) -> None:
        async with scripted_server({CHAT: answers(said(content="a"), said("stop"), DONE)}) as server:
            backend = OpenAiBackend(server.address, dialect="plain", extra_fields={"ignore_eos": True})
            await ask(backend)
            await backend.aclose()
        assert server.received[0].body["ignore_eos"] is True

    @pytest.mark.timed
    async def test_closing_the_stream_closes_the_connection(self) -> None:
        gone: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def reply(received: Received, peer: Peer) -> None:
            await peer.head(content_type="text/event-stream")
            await peer.chunk(said(content="a"))
            gone.set_result(await peer.gone())

        async with served(reply) as (_, backend):
            async with aclosing(backend.stream(request())) as items:
                async for item in items:
                    if isinstance(item, Chunk):
                        break
            left_ns = time.perf_counter_ns()
            assert await asyncio.wait_for(gone, 60) - left_ns < 0.1e9

    async def test_cancelling_before_the_first_byte_closes_the_connection(self) -> None:
        gone: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def reply(received: Received, peer: Peer) -> None:
            gone.set_result(await peer.gone())

        async with served(reply) as (server, backend):
            task = asyncio.create_task(ask(backend))
            await wait_until(lambda: server.asked(CHAT))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.wait_for(gone, 60)
