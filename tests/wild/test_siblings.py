"""Habits that no report mentions: an odd value costs itself, a failure is called failed, and nothing is invented."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import httpx
import pytest

from llmtui.backends.answer import read_answer
from llmtui.backends.http_timing import ExchangeEvent
from llmtui.words.problems import whole_problem
from tests.backends.openai_served import DONE, event, said
from tests.wild.judged import CHUNKED, Sends, judge, moments, ollama, openai
from tests.wild.openai_habits import PROMPT, TAIL, N, spoken, texts, usage, word

NO_NUMBERS = ("1e308", "1" * 310, "NaN", "Infinity", "-Infinity", "-5", "1e-320", "[]", "{}", "true", "80.5")
OLLAMA_COUNTS = (
    "total_duration", "load_duration", "prompt_eval_count", "prompt_eval_duration", "eval_count", "eval_duration",
)  # fmt: skip
RATE: Any = pytest.approx((N - 1) / 1.6, rel=1e-6)


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmtui.backends.answer.AFTER_END_S", 0.05)
    monkeypatch.setattr("llmtui.backends.answer.AFTER_COUNT_S", 0.05)


def told(counts: str, name: str = "usage") -> bytes:
    return b'data: {"choices":[],"' + name.encode() + b'":' + counts.encode() + b"}\n\n"


def lines(counts: dict[str, str] | None = None, end: dict[str, Any] | None = None, last: bytes | None = None) -> Sends:
    """An answer of Ollama; counts as they are written, which need not be JSON."""
    words = [ollama_line(message={"content": word(at)}, done=False) for at in range(N)]
    usual = dict.fromkeys(OLLAMA_COUNTS, "1000000") | {"prompt_eval_count": "40", "eval_count": str(N)}
    raw = ",".join(f'"{name}":{value}' for name, value in (usual | (counts or {})).items())
    closing = json.dumps({"message": {"content": ""}, "done": True, "done_reason": "stop"} | (end or {}))
    tail = last or closing[:-1].encode() + b"," + raw.encode() + b"}\n"
    sends = [(150.0 + 20 * at, line) for at, line in enumerate(words)]
    return [*sends, (150.0 + 20 * N, tail)]


def ollama_line(**fields: Any) -> bytes:
    return json.dumps(fields).encode() + b"\n"


class TestNumbersThatAreNone:
    @pytest.mark.parametrize("odd", NO_NUMBERS)
    async def test_in_every_count_of_openais_protocol(self, odd: str) -> None:
        of_usage = ("prompt_tokens", "completion_tokens", "total_tokens", "prompt_cache_hit_tokens")
        of_timings = ("cache_n", "prompt_n", "prompt_ms", "predicted_n", "predicted_ms")
        counts = "{" + ",".join(f'"{name}":{odd}' for name in of_usage) + "}"
        timings = "{" + ",".join(f'"{name}":{odd}' for name in of_timings) + "}"
        found = await judge(openai(), spoken(texts(), [said("stop"), told(counts), told(timings, "timings"), DONE]))
        assert (found.trial.outcome, found.figures.ttft_ms, found.figures.tokens) == ("ok", 150.0, None)
        assert found.figures.why["decode_tps"]
        found = await judge(openai(), spoken(texts(), [said("stop"), usage(), told(timings, "timings"), DONE]))
        assert found.figures.tokens == N
        assert found.figures.decode_tps == RATE

    @pytest.mark.parametrize("odd", NO_NUMBERS)
    @pytest.mark.parametrize("name", OLLAMA_COUNTS)
    async def test_in_every_count_of_ollamas_protocol(self, name: str, odd: str) -> None:
        found = await judge(ollama(), lines({name: odd}))
        assert (found.trial.outcome, found.figures.ttft_ms) == ("ok", 150.0)
        assert (found.figures.tokens is None) is (name == "eval_count")

    @pytest.mark.parametrize("many", ["2000000000", "1e15", str(2**53 - 1)])
    async def test_more_tokens_than_can_be_made_are_not_a_count_and_tell_of_no_hidden_text(self, many: str) -> None:
        found = await judge(ollama(), lines({"eval_count": many}))
        assert (found.figures.ttft_ms, found.figures.tokens, found.figures.e2e_tps) == (150.0, None, None)
        assert found.figures.why["tokens"] == "impossible"
        assert not {"unseen_text", "cap_ignored"} & set(found.flags)

    async def test_a_running_count_beyond_the_last_one_is_not_used(self) -> None:
        chunks = [said(content=word(at), extra={"usage": {"completion_tokens": 2_000_000_000}}) for at in range(N)]
        found = await judge(openai(), spoken(chunks))
        assert (found.figures.ttft_ms, found.flags) == (150.0, {})
        assert found.figures.decode_tps == RATE

    async def test_more_thinking_than_output_tells_of_no_hidden_thinking(self) -> None:
        details = {"completion_tokens_details": {"reasoning_tokens": 500}}
        counts = {"prompt_tokens": PROMPT, "completion_tokens": N, **details}
        found = await judge(openai(), spoken(texts(), [said("stop"), event(choices=[], usage=counts), DONE]))
        assert (found.figures.ttft_ms, found.figures.tokens, found.flags) == (150.0, N, {})


class TestWhatIsNoDocument:
    @pytest.mark.parametrize("text", [b"Internal Server Error", b"data: upstream failed\n\n", b"<html>502</html>\n"])
    @pytest.mark.parametrize("end", [(), (DONE,)])
    async def test_behind_the_text_of_an_answer_that_nothing_ends_is_the_servers_error(
        self, text: bytes, end: Sequence[bytes]
    ) -> None:
        found = await judge(openai(), spoken(texts(10), [text.ljust(1) + b"\n", *end]))
        assert found.trial.outcome == "error"
        assert found.trial.problem is not None
        assert "failed in the middle of the answer: " in whole_problem(found.trial.problem)

    @pytest.mark.parametrize(
        "ping", [b"data: ping\n\n", b"ping\n", b"data: [HEARTBEAT]\n\n", b"data: {}\n\n", b"retry: 5\n"]
    )
    async def test_between_chunks_is_passed_over(self, ping: bytes) -> None:
        found = await judge(openai(), spoken([chunk + ping for chunk in texts()]))
        assert (found.trial.outcome, found.figures.tokens) == ("ok", N)
        assert found.figures.decode_tps == RATE

    @pytest.mark.parametrize("word_for_none", ["null", "None", ""])
    async def test_a_word_for_no_end_is_none(self, word_for_none: str) -> None:
        assert (await judge(openai(), spoken(texts(), [said(word_for_none), usage(), DONE]))).trial.outcome == "ok"
        assert (await judge(ollama(), lines(end={"done_reason": word_for_none}))).trial.outcome == "ok"

    @pytest.mark.parametrize("done", [True, 1, "true", "True"])
    async def test_the_last_line_in_every_spelling(self, done: object) -> None:
        found = await judge(ollama(), lines(end={"done": done}))
        assert (found.trial.outcome, found.figures.tokens) == ("ok", N)


class TestTextInOtherPlaces:
    async def test_nested_parts_are_read(self) -> None:
        chunks = [said(content=[{"type": "text", "text": {"value": word(at)}}]) for at in range(N)]
        found = await judge(openai(), spoken(chunks))
        assert (found.trial.outcome, found.figures.ttft_ms) == ("ok", 150.0)

    @pytest.mark.parametrize(
        "chunk",
        [{"choices": [{"delta": "wind "}]}, {"content": "wind "}, {"choices": {"0": {"delta": {"content": "x"}}}}],
    )
    async def test_an_answer_of_chunks_without_known_text_is_not_called_empty_only(self, chunk: dict[str, Any]) -> None:
        found = await judge(openai(), spoken([event(**chunk) for _ in range(N)], TAIL))
        assert (found.trial.outcome, found.figures.ttft_ms) == ("empty", None)
        assert "unseen_text" in found.flags


async def test_a_connection_that_goes_wrong_within_an_answer_is_not_called_no_http() -> None:
    async def broken() -> AsyncGenerator[ExchangeEvent, None]:
        async for moment in moments(spoken(texts(10), []), CHUNKED):
            yield moment
        raise httpx.RemoteProtocolError("illegal chunk header")

    with pytest.raises(httpx.ReadError):
        async for _ in read_answer(broken(), openai()):
            pass
