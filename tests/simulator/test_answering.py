from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from llmtui.simulator import Dialect, Ending, ForgetPrompts, ScriptedAnswer
from llmtui.simulator.scenarios import HOSTILE_TEXT
from tests.simulator.asking import QUESTION, chat, error_of, lines_of, quick, quick_script, served, text_of, wait_until

DIALECTS: tuple[Dialect, ...] = ("0.11.4", "0.34.4")
THINKS = ("completion", "thinking")
THINKER = quick(capabilities=THINKS, answers=(ScriptedAnswer(thinking_tokens=6, tokens=5),))


async def test_an_answer_is_pieces_and_a_last_line_with_counters() -> None:
    async with served(quick_script(dialect="0.34.4")) as (_, client):
        *token_texts, last = await lines_of(client, "/api/chat", chat())
    assert len(token_texts) == 7
    for chunk in token_texts:
        assert list(chunk) == ["model", "created_at", "message", "done"]
        assert chunk["message"]["role"] == "assistant"
        assert chunk["done"] is False
    assert list(last) == [
        "model",
        "created_at",
        "message",
        "done",
        "done_reason",
        "total_duration",
        "load_duration",
        "prompt_eval_count",
        "prompt_eval_cached_count",
        "prompt_eval_duration",
        "eval_count",
        "eval_duration",
    ]
    assert (last["done"], last["done_reason"], last["eval_count"]) == (True, "stop", 8)
    assert last["total_duration"] >= last["load_duration"] + last["prompt_eval_duration"] + last["eval_duration"]


async def test_the_old_dialect_counts_no_cached_tokens_and_tells_the_reason_first() -> None:
    async with served(quick_script(dialect="0.11.4")) as (_, client):
        last = (await lines_of(client, "/api/chat", chat()))[-1]
    assert "prompt_eval_cached_count" not in last
    assert list(last)[3:5] == ["done_reason", "done"]


async def test_generate_carries_its_text_in_response_and_a_context_to_go_on_with() -> None:
    async with served(quick_script()) as (_, client):
        body = {"model": "m", "prompt": QUESTION}
        first = await lines_of(client, "/api/generate", body)
        again = await lines_of(client, "/api/generate", {**body, "context": first[-1]["context"]})
    assert "".join(line["response"] for line in first)
    assert again[-1]["prompt_eval_count"] > first[-1]["prompt_eval_count"]
    assert again[-1]["prompt_eval_cached_count"] >= first[-1]["prompt_eval_count"] - 1


async def test_without_streaming_the_whole_answer_is_one_object() -> None:
    async with served(quick_script(THINKER)) as (_, client):
        streamed = await lines_of(client, "/api/chat", chat())
        response = await client.post("/api/chat", json=chat(stream=False))
    whole = response.json()
    assert response.headers["content-type"].startswith("application/json")
    assert whole["message"]["content"] == text_of(streamed)
    assert whole["message"]["thinking"] == text_of(streamed, "thinking")
    assert whole["eval_count"] == streamed[-1]["eval_count"]


async def test_the_same_prompt_gets_the_same_text() -> None:
    async with served(quick_script()) as (_, client):
        first, again = [await lines_of(client, "/api/chat", chat()) for _ in range(2)]
        other = await lines_of(client, "/api/chat", chat(content="Something else?"))
    assert text_of(first) == text_of(again) != text_of(other)


async def test_num_predict_is_obeyed() -> None:
    async with served(quick_script(quick(answers=(ScriptedAnswer(tokens=500),)))) as (_, client):
        lines = await lines_of(client, "/api/chat", chat(options={"num_predict": 20}))
    assert (lines[-1]["eval_count"], lines[-1]["done_reason"]) == (20, "length")
    assert len(lines) == 21


async def test_num_predict_is_obeyed_inside_thinking() -> None:
    async with served(quick_script(THINKER)) as (_, client):
        lines = await lines_of(client, "/api/chat", chat(options={"num_predict": 4}))
    assert text_of(lines) == ""
    assert text_of(lines, "thinking")
    assert lines[-1]["done_reason"] == "length"


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_one_token_is_an_answer_with_a_duration_that_means_nothing(dialect: Dialect) -> None:
    async with served(quick_script(dialect=dialect)) as (_, client):
        last = (await lines_of(client, "/api/chat", chat(options={"num_predict": 1})))[-1]
    assert last["eval_count"] == 1
    if dialect == "0.34.4":
        assert last["eval_duration"] == 1000


async def test_an_empty_answer_is_one_token_without_text() -> None:
    async with served(quick_script(quick(answers=(ScriptedAnswer(tokens=1),)))) as (_, client):
        (only,) = await lines_of(client, "/api/chat", chat())
    assert (only["message"]["content"], only["eval_count"], only["done_reason"]) == ("", 1, "stop")


async def test_a_server_may_leave_the_end_token_out_of_its_count() -> None:
    async with served(quick_script(quick(counts_eos=False))) as (_, client):
        last = (await lines_of(client, "/api/chat", chat()))[-1]
    assert last["eval_count"] == 7


async def test_the_last_line_may_carry_text() -> None:
    answer = ScriptedAnswer(token_texts=("one ", "two ", "three"), text_in_last_line=True)
    async with served(quick_script(quick(answers=(answer,)))) as (_, client):
        lines = await lines_of(client, "/api/chat", chat(options={"num_predict": 3}))
    assert [line["message"]["content"] for line in lines] == ["one ", "two ", "three"]
    assert lines[-1]["done"] is True


async def test_several_tokens_can_share_a_chunk() -> None:
    answer = ScriptedAnswer(tokens=64, tokens_per_chunk=4)
    async with served(quick_script(quick(answers=(answer,)))) as (server, client):
        lines = await lines_of(client, "/api/chat", chat(options={"num_predict": 16}))
        (record,) = server.log
    assert len(lines) == 5
    assert lines[-1]["eval_count"] == 16
    assert [(chunk.first_token, chunk.last_token) for chunk in record.texts] == [(1, 4), (5, 8), (9, 12), (13, 16)]


@pytest.mark.parametrize(
    ("dialect", "think", "where"),
    [
        ("0.34.4", True, "field"),
        ("0.34.4", None, "field"),
        ("0.34.4", False, "nowhere"),
        ("0.34.4", "high", "field"),
        ("0.11.4", True, "field"),
        ("0.11.4", None, "inline"),
        ("0.11.4", False, "nowhere"),
    ],
)
async def test_where_thinking_arrives(dialect: Dialect, think: object, where: str) -> None:
    body = chat() if think is None else chat(think=think)
    async with served(quick_script(THINKER, dialect=dialect)) as (server, client):
        lines = await lines_of(client, "/api/chat", body)
        (record,) = server.log
    assert bool(text_of(lines, "thinking")) is (where == "field")
    assert text_of(lines).startswith("<think>") is (where == "inline")
    assert any(chunk.channel == "thinking" for chunk in record.chunks) is (where != "nowhere")
    assert record.ttft_ns is not None
    assert record.ttfo_ns is not None
    assert (record.ttft_ns < record.ttfo_ns) is (where != "nowhere")


@pytest.mark.parametrize("think", [False, "low"])
async def test_a_model_that_always_thinks_cannot_be_told_not_to(think: object) -> None:
    model = quick(capabilities=THINKS, always_thinks=True, answers=(ScriptedAnswer(thinking_tokens=8, tokens=3),))
    async with served(quick_script(model)) as (_, client):
        lines = await lines_of(client, "/api/chat", chat(think=think))
    assert text_of(lines, "thinking")


async def test_a_model_that_writes_its_tags_into_the_answer_does_so_always() -> None:
    model = quick(inline_think=True, answers=(ScriptedAnswer(thinking_tokens=8, tokens=3),))
    async with served(quick_script(model)) as (_, client):
        lines = await lines_of(client, "/api/chat", chat(think=False))
    assert "</think>" in text_of(lines)


async def test_the_counters_can_be_wrong_by_a_factor() -> None:
    models = [
        quick(name, counter_scale=scale, answers=(ScriptedAnswer(tokens=200),))
        for name, scale in (("a", 1.0), ("b", 3.0))
    ]
    async with served(quick_script(*models)) as (server, client):
        last = {name: (await lines_of(client, "/api/chat", chat(name)))[-1] for name in ("a", "b")}
        truths = {record.model: record.truth for record in server.log}
    for name, scale in (("a", 1.0), ("b", 3.0)):
        truth = truths[name]
        assert truth is not None
        assert last[name]["eval_duration"] == round((truth.last_token_ns - truth.first_token_ns) * scale)


async def test_a_repeated_prompt_is_cached_but_for_one_token() -> None:
    async with served(quick_script()) as (_, client):
        first, again = [(await lines_of(client, "/api/chat", chat()))[-1] for _ in range(2)]
    assert first["prompt_eval_cached_count"] == 0
    assert again["prompt_eval_cached_count"] == first["prompt_eval_count"] - 1
    assert again["prompt_eval_count"] == first["prompt_eval_count"]


async def test_a_conversation_that_goes_on_is_cached_up_to_its_new_part() -> None:
    async with served(quick_script()) as (_, client):
        lines = await lines_of(client, "/api/chat", chat())
        turns = chat()["messages"] + [
            {"role": "assistant", "content": text_of(lines)},
            {"role": "user", "content": "And why not three times, in plain words please?"},
        ]
        last = (await lines_of(client, "/api/chat", {"model": "m", "messages": turns}))[-1]
    new_tokens = last["prompt_eval_count"] - last["prompt_eval_cached_count"]
    assert lines[-1]["prompt_eval_count"] < last["prompt_eval_cached_count"]
    assert new_tokens < 30


async def test_a_tag_at_the_front_defeats_the_cache() -> None:
    async with served(quick_script()) as (_, client):
        await lines_of(client, "/api/chat", chat(content=f"[4817] {QUESTION}"))
        last = (await lines_of(client, "/api/chat", chat(content=f"[9254] {QUESTION}")))[-1]
    assert last["prompt_eval_cached_count"] < 4


async def test_only_the_last_prompt_is_remembered_unless_the_script_says_more() -> None:
    async def cached(prompts: int) -> int:
        async with served(quick_script(prompt_cache_prompts=prompts)) as (_, client):
            for content in (QUESTION, "Quite another question."):
                await lines_of(client, "/api/chat", chat(content=content))
            return int((await lines_of(client, "/api/chat", chat()))[-1]["prompt_eval_cached_count"])

    assert await cached(1) < 5
    assert await cached(2) > 10


async def test_prompts_can_be_forgotten() -> None:
    async with served(quick_script()) as (server, client):
        await lines_of(client, "/api/chat", chat())
        await server.change(ForgetPrompts())
        assert (await lines_of(client, "/api/chat", chat()))[-1]["prompt_eval_cached_count"] == 0


@pytest.mark.parametrize(("dialect", "kept"), [("0.11.4", 1024), ("0.34.4", 514)])
async def test_a_prompt_over_the_context_is_cut_without_a_word(dialect: Dialect, kept: int) -> None:
    async with served(quick_script(dialect=dialect)) as (_, client):
        body = chat(content="word " * 2000, options={"num_ctx": 1024})
        last = (await lines_of(client, "/api/chat", body))[-1]
        refused = await error_of(client, "/api/chat", {**body, "truncate": False})
    assert last["prompt_eval_count"] == kept
    assert refused[0] == 400


@pytest.mark.parametrize("path", ["/api/chat", "/api/generate"])
async def test_nothing_asked_loads_and_nothing_asked_with_keep_alive_zero_unloads(path: str) -> None:
    async with served(quick_script()) as (_, client):
        loaded = await client.post(path, json={"model": "m"})
        assert loaded.headers["content-type"].startswith("application/json")
        assert (loaded.json()["done"], loaded.json()["done_reason"]) == (True, "load")
        assert "load_duration" not in loaded.json()
        unloaded = await client.post(path, json={"model": "m", "keep_alive": 0})
        assert unloaded.json()["done_reason"] == "unload"


@pytest.mark.parametrize(
    ("fields", "body", "status", "message"),
    [
        ({}, {"model": "x"}, 404, "model 'x' not found"),
        ({}, {"model": ""}, 400, "model is required"),
        ({"capabilities": ("embedding",)}, {}, 400, '"m" does not support chat'),
        ({}, {"think": True}, 400, '"m" does not support thinking'),
        ({}, {"tools": [{"type": "function"}]}, 400, "m does not support tools"),
        ({}, {"options": {"num_ctx": "4k"}}, 500, 'option "num_ctx" must be of type integer'),
        ({}, {"keep_alive": "-1"}, 400, 'time: missing unit in duration "-1"'),
        ({"load_error": "no room"}, {}, 500, "no room"),
        ({"remote_host": "https://ollama.com:443", "needs_signin": True}, {}, 401, "unauthorized"),
    ],
)
async def test_what_cannot_be_served_is_refused_in_the_servers_words(
    fields: dict[str, Any], body: dict[str, Any], status: int, message: str
) -> None:
    async with served(quick_script(quick(**fields))) as (_, client):
        assert await error_of(client, "/api/chat", {**chat(), **body}) == (status, message)


@pytest.mark.parametrize(
    ("dialect", "path", "body", "status", "message"),
    [
        ("0.34.4", "/api/chat", {"model": "x"}, 404, "model 'x' not found"),
        ("0.34.4", "/api/generate", {"model": ""}, 404, "model '' not found"),
        ("0.34.4", "/api/generate", {"model": "a b"}, 400, "invalid model name"),
        ("0.34.4", "/api/show", {"model": "x"}, 404, "model 'x:latest' not found"),
        ("0.34.4", "/api/show", {"model": "a b"}, 400, "invalid model name"),
        ("0.11.4", "/api/chat", {"model": "x"}, 404, 'model "x" not found, try pulling it first'),
        ("0.11.4", "/api/chat", {"model": "x", "keep_alive": 0}, 404, "model 'x' not found"),
        ("0.11.4", "/api/chat", {"model": "a b"}, 400, "model is required"),
        ("0.11.4", "/api/generate", {"model": "a b"}, 404, "model 'a b' not found"),
        ("0.11.4", "/api/show", {"model": "x"}, 404, "model 'x' not found"),
        ("0.11.4", "/api/show", {"model": "a b"}, 500, "invalid model path"),
    ],
)
async def test_each_route_of_each_dialect_misses_a_model_in_its_own_words(
    dialect: Dialect, path: str, body: dict[str, Any], status: int, message: str
) -> None:
    async with served(quick_script(dialect=dialect)) as (_, client):
        assert await error_of(client, path, body) == (status, message)


async def test_not_thinking_is_accepted_by_a_model_that_cannot_think() -> None:
    async with served(quick_script()) as (_, client):
        assert text_of(await lines_of(client, "/api/chat", chat(think=False)))


async def test_the_old_dialect_has_levels_only_for_models_made_for_them() -> None:
    async with served(quick_script(THINKER, dialect="0.11.4")) as (_, client):
        status, message = await error_of(client, "/api/chat", chat(think="low"))
    assert (status, message) == (400, 'think value "low" is not supported for this model')


async def test_a_remote_model_answers_with_its_origin_and_is_never_loaded() -> None:
    model = quick(remote_host="https://ollama.com:443", remote_model="big")
    async with served(quick_script(model)) as (_, client):
        lines = await lines_of(client, "/api/chat", chat())
        listed = (await client.get("/api/ps")).json()
    assert lines[0]["remote_host"] == "https://ollama.com:443"
    assert lines[-1]["remote_model"] == "big"
    assert listed == {"models": []}


async def test_hostile_text_arrives_as_it_was_written() -> None:
    async with served(quick_script(quick(answers=(ScriptedAnswer(text=HOSTILE_TEXT),)))) as (_, client):
        lines = await lines_of(client, "/api/chat", chat())
    assert text_of(lines) == HOSTILE_TEXT


async def test_an_error_in_mid_stream_is_a_line_on_status_200() -> None:
    answer = ScriptedAnswer(ending=Ending(kind="error", after_chunks=3, message="crashed"))
    async with served(quick_script(quick(answers=(answer,)))) as (_, client):
        lines = await lines_of(client, "/api/chat", chat())
    assert lines[-1] == {"error": "crashed"}
    assert len(lines) == 4


async def test_an_error_before_any_text_has_its_own_status() -> None:
    answer = ScriptedAnswer(ending=Ending(kind="error", after_chunks=0, message="crashed"))
    async with served(quick_script(quick(answers=(answer,)))) as (_, client):
        assert await error_of(client, "/api/chat", chat()) == (500, "crashed")


async def test_equal_pieces_end_the_stream_cleanly_without_a_last_line() -> None:
    answer = ScriptedAnswer(token_texts=("la ",) * 31, ending=Ending(kind="closed"))
    async with served(quick_script(quick(answers=(answer,)))) as (_, client):
        lines = await lines_of(client, "/api/chat", chat())
    assert [line["message"]["content"] for line in lines] == ["la "] * 31
    assert not any(line["done"] for line in lines)


async def test_a_stream_can_end_cleanly_before_its_first_line() -> None:
    answer = ScriptedAnswer(ending=Ending(kind="closed", after_chunks=0))
    async with served(quick_script(quick(answers=(answer,)))) as (_, client):
        assert await lines_of(client, "/api/chat", chat()) == []


async def test_a_cut_connection_is_a_broken_stream() -> None:
    answer = ScriptedAnswer(ending=Ending(kind="cut", after_chunks=3))
    async with served(quick_script(quick(answers=(answer,)))) as (server, client):
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post("/api/chat", json=chat())
        (record,) = server.log
    assert len(record.texts) == 3
    assert record.done_ns is None


@pytest.mark.parametrize(
    "answer", [ScriptedAnswer(silent=True), ScriptedAnswer(ending=Ending(kind="silent", after_chunks=2))]
)
async def test_silence_lasts_until_the_client_leaves(answer: ScriptedAnswer) -> None:
    async with served(quick_script(quick(answers=(answer,)))) as (server, client):
        with pytest.raises(httpx.ReadTimeout):
            await client.post("/api/chat", json=chat(), timeout=0.3)
        await wait_until(lambda: server.log[0].disconnected_ns is not None)
        (record,) = server.log
        assert len(record.chunks) == len(record.texts) == (0 if answer.silent else 2)


async def test_answers_come_in_turn_but_a_matching_prompt_has_its_own() -> None:
    answers = (
        ScriptedAnswer(token_texts=("one",)),
        ScriptedAnswer(token_texts=("two",)),
        ScriptedAnswer(token_texts=("sea",), match="ocean"),
    )
    async with served(quick_script(quick(answers=answers))) as (_, client):
        texts = [
            text_of(await lines_of(client, "/api/chat", chat(content=content)))
            for content in ("a", "an ocean", "b", "c")
        ]
    assert texts == ["one", "sea", "two", "one"]


async def test_a_client_that_leaves_ends_its_answer_and_the_next_is_served() -> None:
    model = quick(decode_tps=100.0, answers=(ScriptedAnswer(tokens=2000), ScriptedAnswer(tokens=3)))
    async with served(quick_script(model)) as (server, client):
        async with client.stream("POST", "/api/chat", json=chat()) as response:
            async for _ in response.aiter_raw():
                break
        await wait_until(lambda: server.log[0].finished_ns is not None)
        assert text_of(await asyncio.wait_for(lines_of(client, "/api/chat", chat()), 60))
        left = server.log[0]
    assert left.disconnected_ns is not None
    assert left.output_tokens < 1000
