from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtui.backends.answer import AnswerReader
from llmtui.backends.base import BackendFailed, ChatRequest, Chunk, Final, Message, RequestSent
from llmtui.backends.http_moments import BodyReceived, HeadersReceived
from llmtui.backends.ollama_reading import OllamaDialect, chat_body, is_mlx, think_value, wall_ns
from llmtui.core.plan import Model, Think
from llmtui.core.records import Problem, ServerCounters

GGUF = Model(name="llama3:latest", digest="d", family="llama", format="gguf")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read(fields: dict[str, Any] | bytes, model: Model = GGUF) -> list[RequestSent | Chunk | Final]:
    """What a line says that comes after one with text."""
    data = fields if isinstance(fields, bytes) else json.dumps(fields, ensure_ascii=False).encode()
    answer = AnswerReader(OllamaDialect(model, "127.0.0.1:11434"))
    answer.take(HeadersReceived(1, 200, httpx.Headers({"transfer-encoding": "chunked"})))
    return [*answer.take(BodyReceived(7, data)), *answer.end()]


def failure(data: dict[str, Any] | bytes) -> str:
    with pytest.raises(BackendFailed) as failed:
        read(data)
    return failed.value.problem.code


def request(**changes: Any) -> ChatRequest:
    fields: dict[str, Any] = {
        "model": GGUF,
        "messages": (Message("user", "[4817] Why?"),),
        "num_ctx": 4096,
        "num_predict": 128,
        "temperature": 0.0,
        "seed": 42,
        "think": False,
        "num_thread": None,
        "keep_alive_s": 600,
    }
    return ChatRequest(**fields | changes)


# --- requests -----------------------------------------------------------------------------------------------------


def test_a_request_says_everything_that_the_server_would_otherwise_choose() -> None:
    assert chat_body(request()) == {
        "model": "llama3:latest",
        "messages": [{"role": "user", "content": "[4817] Why?"}],
        "stream": True,
        "think": False,
        "options": {"num_ctx": 4096, "num_predict": 128, "seed": 42, "temperature": 0.0},
        "keep_alive": 600,
    }


def test_threads_are_named_only_where_the_experiment_does() -> None:
    assert chat_body(request(num_thread=3))["options"]["num_thread"] == 3


def test_a_lone_surrogate_in_a_prompt_does_not_stop_a_request() -> None:
    body = chat_body(request(messages=(Message("user", "a\ud800b"),)))

    assert body["messages"][0]["content"] == "a\N{REPLACEMENT CHARACTER}b"


@pytest.mark.parametrize(
    ("name", "family", "wanted", "sent"),
    [
        ("qwen3:4b", "qwen3", False, False),
        ("qwen3:4b", "qwen3", True, True),
        ("gpt-oss:20b", "gptoss", False, "low"),
        ("hf.co/someone/gpt-oss-20b-GGUF:Q4_K_M", None, False, "low"),
        ("gpt-oss:20b", "gptoss", True, True),
        ("gpt-oss:20b", "gptoss", "high", "high"),
    ],
)
def test_thinking_is_off_where_it_can_be(name: str, family: str | None, wanted: Think, sent: Think) -> None:
    assert think_value(Model(name=name, digest="d", family=family), wanted) == sent


# --- what is said -------------------------------------------------------------------------------------------------


def test_text_is_a_piece_with_the_moment_of_the_line_and_the_servers_own() -> None:
    line = {"created_at": "2026-11-22T22:41:07.5Z", "message": {"role": "assistant", "content": " Hi"}, "done": False}

    assert read(line) == [Chunk(t_ns=7, channel="a", text=" Hi", server_ns=1795387267_500000000)]


def test_thinking_comes_before_the_answer_that_shares_its_line() -> None:
    chunks = read({"message": {"thinking": "so", "content": "So"}, "done": False})

    assert [(chunk.channel, chunk.text) for chunk in chunks if isinstance(chunk, Chunk)] == [("t", "so"), ("a", "So")]


@pytest.mark.parametrize("message", [{}, {"content": ""}, {"content": None, "thinking": ""}])
def test_a_line_without_text_is_no_piece(message: dict[str, Any]) -> None:
    assert read({"message": message, "done": False}) == []


@given(text=st.text(min_size=1))
def test_text_is_kept_as_it_is(text: str) -> None:
    for ensure_ascii in (True, False):
        data = json.dumps({"message": {"content": text}, "done": False}, ensure_ascii=ensure_ascii)
        chunks = read(data.encode("utf-8", "surrogatepass"))
        assert "".join(chunk.text for chunk in chunks if isinstance(chunk, Chunk)) == text


@pytest.mark.parametrize("text", ["a\u0085b", "a\u2028b", "a\x7fb", "🙂"])
def test_awkward_characters_survive(text: str) -> None:
    (chunk,) = read({"message": {"content": text}, "done": False})

    assert isinstance(chunk, Chunk)
    assert chunk.text == text


def test_a_lone_surrogate_is_kept_for_the_engine_to_flag() -> None:
    (chunk,) = read(b'{"message":{"content":"a\\ud800b"},"done":false}')

    assert isinstance(chunk, Chunk)
    assert chunk.text == "a\ud800b"


def test_bytes_that_are_no_utf8_become_replacement_characters() -> None:
    (chunk,) = read(b'{"message":{"content":"a\xffb"},"done":false}')

    assert isinstance(chunk, Chunk)
    assert chunk.text == "a\N{REPLACEMENT CHARACTER}b"


LAST = {
    "created_at": "2026-11-22T22:41:08Z",
    "message": {"role": "assistant", "content": ""},
    "done": True,
    "done_reason": "stop",
    "total_duration": 900,
    "load_duration": 50,
    "prompt_eval_count": 18,
    "prompt_eval_cached_count": 0,
    "prompt_eval_duration": 70,
    "eval_count": 12,
    "eval_duration": 110,
}


def test_the_last_line_has_the_counters_as_sent() -> None:
    assert read(LAST) == [
        Final(
            t_ns=7,
            ended_by="stop",
            counters=ServerCounters(
                total_duration_ns=900,
                load_duration_ns=50,
                prompt_tokens=18,
                cached_tokens=0,
                prompt_duration_ns=70,
                output_tokens=12,
                output_duration_ns=110,
                output_steps=11,
            ),
        )
    ]


def test_the_last_line_can_carry_text() -> None:
    chunk, final = read({**LAST, "message": {"content": "end"}})

    assert isinstance(chunk, Chunk)
    assert isinstance(final, Final)
    assert chunk.text == "end"


@pytest.mark.parametrize(
    ("reason", "ended_by"),
    [("stop", "stop"), ("length", "length"), ("STOP", "stop"), ("", "other"), (None, "other")],
)
def test_reasons_for_the_end(reason: str | None, ended_by: str) -> None:
    (final,) = read({**LAST, "done_reason": reason})

    assert isinstance(final, Final)
    assert final.ended_by == ended_by


@pytest.mark.parametrize("reason", ["load", "unload", "error", "cancelled"])
def test_an_end_that_is_no_good_one_is_named(reason: str) -> None:
    with pytest.raises(BackendFailed, match="odd_end") as failed:
        read({**LAST, "done_reason": reason})

    assert failed.value.problem == Problem(code="odd_end", args={"word": reason})


def test_counters_that_the_server_leaves_out_are_missing_and_not_0() -> None:
    (final,) = read({"done": True, "message": {"content": ""}})

    assert isinstance(final, Final)
    assert final.counters == ServerCounters()


def test_a_cached_count_of_0_is_known_to_be_0() -> None:
    (new,) = read(LAST)
    (old,) = read({key: value for key, value in LAST.items() if key != "prompt_eval_cached_count"})

    assert isinstance(new, Final)
    assert isinstance(old, Final)
    assert new.counters is not None
    assert old.counters is not None
    assert (new.counters.cached_tokens, old.counters.cached_tokens) == (0, None)


@pytest.mark.parametrize("form", ["safetensors", "mlx"])
def test_mlx_leaves_the_end_token_out_of_its_count_so_that_n_tokens_are_n_steps(form: str) -> None:
    model = Model(name="gemma3:4b-mlx", digest="d", format=form)
    (final,) = read(json.dumps(LAST).encode(), model)

    assert is_mlx(model)
    assert isinstance(final, Final)
    assert final.counters is not None
    assert final.counters.output_steps == 12


def test_durations_of_imitators_may_be_floats() -> None:
    (final,) = read({**LAST, "eval_duration": 1.5e9})

    assert isinstance(final, Final)
    assert final.counters is not None
    assert final.counters.output_duration_ns == 1_500_000_000


# --- what goes wrong ----------------------------------------------------------------------------------------------


def test_an_error_line_is_a_failure_with_the_servers_words() -> None:
    with pytest.raises(BackendFailed, match="server_error") as failed:
        read({"error": "llama runner process no longer running: signal: killed"})

    assert failed.value.problem.code == "server_error"


@pytest.mark.parametrize("error", [{"message": "odd"}, {"code": 3}, ["odd"], {"error": {"detail": "odd"}}, 5])
def test_an_error_that_is_not_text_is_a_failure_too(error: object) -> None:
    assert failure({"error": error}) == "server_error"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<html>502 Bad Gateway</html>", "bad_answer"),
        (b"5", "bad_answer"),
        (b"{", "cut_line"),
        (b'{"object":"chunk"}', "bad_answer"),
        (b'{"message":"text"}', "server_error"),
        (b'{"x":' + b"[" * 10_000, "cut_line"),
        (b'{"x":' + b"[" * 10_000 + b"]" * 10_000 + b"}", "bad_answer"),
    ],
)
def test_what_is_no_line_of_ollama_is_said_to_be_none(data: bytes, code: str) -> None:
    assert failure(data) == code


@given(data=st.binary())
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    with suppress(BackendFailed):
        read(data)


# --- times --------------------------------------------------------------------------------------------------------


@given(
    moment=st.datetimes(timezones=st.just(UTC)),
    decimals=st.text("0123456789", max_size=9),
    offset_minutes=st.one_of(st.none(), st.integers(-23 * 60 - 59, 23 * 60 + 59)),
)
def test_times_are_exact_to_every_decimal(moment: datetime, decimals: str, offset_minutes: int | None) -> None:
    moment = moment.replace(microsecond=0)
    zone = timezone(timedelta(minutes=offset_minutes or 0))
    try:
        local = moment.astimezone(zone)
    except OverflowError:  # beyond the years that exist
        return
    end = "Z"
    if offset_minutes is not None:
        hours, minutes = divmod(abs(offset_minutes), 60)
        end = f"{'-' if offset_minutes < 0 else '+'}{hours:02d}:{minutes:02d}"
    text = f"{local.replace(tzinfo=None).isoformat()}{'.' if decimals else ''}{decimals}{end}"

    seconds = (moment - EPOCH) // timedelta(seconds=1)
    assert wall_ns(text) == seconds * 10**9 + int(decimals.ljust(9, "0"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.000000001Z", 1),
        ("1970-01-01T01:00:00.5+01:00", 500_000_000),
        ("1969-12-31T23:00:00-01:00", 0),
        ("2026-11-22T22:41:07.123456789Z", 1795387267_123456789),
    ],
)
def test_times_by_example(text: str, expected: int) -> None:
    assert wall_ns(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-11-22",
        "2026-11-22T22:41:07",
        "2026-02-30T00:00:00Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T22:41:60Z",
        "2026-11-22T22:41:07.Z",
        "2026-11-22T22:41:07.1234567890Z",
        "2026-11-22T22:41:07+24:00",
        "２０２６-11-22T22:41:07Z",
    ],
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert wall_ns(text) is None


@given(text=st.text())
def test_no_text_makes_the_time_reader_raise(text: str) -> None:
    wall_ns(text)


def test_a_line_with_an_unreadable_time_keeps_its_text() -> None:
    (chunk,) = read({"created_at": "now", "message": {"content": "x"}, "done": False})

    assert isinstance(chunk, Chunk)
    assert chunk.server_ns is None
