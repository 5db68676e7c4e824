"""Request fields that a server refuses: which ones a refusal names, and what is sent then."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llmtui.backends.base import DroppedField, RequestRefused, RequestSent
from llmtui.backends.openai_wire import request_body
from llmtui.backends.refused_fields import dropped_field_problem, refused_fields, without
from llmtui.words.problems import problem_what
from tests.backends import ollama_served, openai_served
from tests.backends.openai_served import DONE, LLAMACPP, VLLM, answers, ask, request, said, served, texts
from tests.backends.scripted_server import Peer, Received, Reply, done, stream, whole
from tests.backends.scripted_server import said as ollama_said

BODY = request_body(request(), "vllm")


def named(refusal: object, status: int = 400, body: dict[str, Any] | None = None) -> list[str]:
    data = refusal if isinstance(refusal, bytes) else json.dumps(refusal).encode()
    return [taken.field for taken in refused_fields(BODY if body is None else body, status, data)]


class TestWhatARefusalNames:
    @pytest.mark.parametrize(
        ("refusal", "fields"),
        [
            ({"error": {"message": "Extra inputs are not permitted, field: 'seed', value: 42"}}, ["seed"]),
            ({"error": {"message": "Unrecognized request argument supplied: seed"}}, ["seed"]),
            ({"error": {"message": "unsupported", "param": "temperature"}}, ["temperature"]),
            ({"error": "unknown field `seed`, expected one of `model`, `messages`"}, ["seed"]),
            ({"message": "chat_template is not supported for Mistral tokenizers."}, ["chat_template_kwargs"]),
            (
                {"error": {"message": "enable_thinking is not known to this model"}},
                ["chat_template_kwargs.enable_thinking"],
            ),
            ({"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"], "input": {"temperature": 0}}]}, ["seed"]),
            ({"detail": [{"loc": ["body", "seed"]}, {"loc": ["body", "temperature"]}]}, ["temperature", "seed"]),
            (b"stream_options is not allowed", ["stream_options"]),
            (b"<p>bad field: seed</p>", ["seed"]),
        ],
    )
    def test_it_is_read_from_every_shape_of_error(self, refusal: object, fields: list[str]) -> None:
        assert named(refusal) == fields
        assert named(refusal, 422) == fields

    def test_a_part_of_a_field_goes_alone_if_it_alone_is_named(self) -> None:
        assert named({"error": "unknown: continuous_usage_stats"}) == ["stream_options.continuous_usage_stats"]

    def test_a_field_that_is_named_with_what_is_in_it_goes_part_by_part_and_then_as_a_whole(self) -> None:
        refusal = {"error": "Extra inputs, field: 'stream_options', value: {'include_usage': True}"}
        plain = request_body(request(), "plain")
        taken = refused_fields(plain, 400, json.dumps(refusal).encode())
        assert "stream_options" not in without(plain, taken)

    @pytest.mark.parametrize(
        "refusal",
        [
            {"error": {"message": "This model's maximum context length is 256 tokens; max_tokens is too large."}},
            {"error": {"message": "max_tokens must be at most 64"}},
            {"error": {"message": "messages[0].role is not supported", "param": "messages"}},
            {"error": {"message": "the model does not exist", "param": "model"}},
            {"error": {"message": "reseeding failed"}},
            b"",
        ],
    )
    def test_what_cannot_be_left_out_is_not_taken_back(self, refusal: object) -> None:
        assert named(refusal) == []

    @pytest.mark.parametrize("status", [401, 404, 429, 500, 503])
    def test_other_statuses_refuse_the_request_and_not_a_field(self, status: int) -> None:
        assert named({"error": "seed"}, status) == []

    def test_the_cap_is_sent_under_its_newer_name(self) -> None:
        (taken,) = refused_fields(BODY, 400, b"Use 'max_completion_tokens' instead of 'max_tokens'.")
        assert (taken.field, taken.instead) == ("max_tokens", "max_completion_tokens")
        assert without(BODY, (taken,))["max_completion_tokens"] == 128

    def test_what_it_costs_is_said(self) -> None:
        assert "tokens and speed are missing" in problem_what(
            dropped_field_problem("m", DroppedField("stream_options"))
        )
        assert "answers may differ between rounds" in problem_what(dropped_field_problem("m", DroppedField("seed")))
        assert "max_completion_tokens" in problem_what(
            dropped_field_problem("m", DroppedField("max_tokens", "max_completion_tokens"))
        )


def refusing(*fields: str, status: int = 400) -> Reply:
    """A server that refuses the first of these fields that a request has."""

    async def reply(received: Received, peer: Peer) -> None:
        found = next((name for name in fields if name in received.body), None)
        if found is None:
            await answers(said(content="hello"), said(finish="stop"), DONE)(received, peer)
        else:
            await whole({"error": {"message": f"Unsupported parameter: '{found}'"}}, status)(received, peer)

    return reply


class TestAskingAgain:
    @pytest.mark.parametrize("status", [400, 422])
    async def test_each_refused_field_is_left_out_and_remembered(self, status: int) -> None:
        async with served(refusing("seed", "temperature", "chat_template_kwargs", status=status)) as (server, backend):
            first, second = await ask(backend), await ask(backend)
            bodies = [received.body for received in server.asked(openai_served.CHAT)]
        assert texts(first) == texts(second) == [("a", "hello")]
        assert len(bodies) == 5  # three refusals and an answer, then an answer at once
        assert "seed" not in bodies[-1]
        fields = ("seed", "temperature", "chat_template_kwargs")
        for items in (first, second):
            sent = [item for item in items if isinstance(item, RequestSent)][-1]
            assert tuple(taken.field for taken in sent.without) == fields

    async def test_it_is_remembered_for_that_model_alone(self) -> None:
        async with served(refusing("seed"), VLLM) as (server, backend):
            await ask(backend)
            await ask(backend, request(model="another"))
            bodies = [received.body for received in server.asked(openai_served.CHAT)]
        assert ["seed" in body for body in bodies] == [True, False, True, False]

    async def test_a_refusal_that_names_nothing_is_given_on(self) -> None:
        async with served(whole({"error": "no"}, 400), LLAMACPP) as (server, backend):
            with pytest.raises(RequestRefused):
                await ask(backend)
            assert len(server.asked(openai_served.CHAT)) == 1

    async def test_ollamas_protocol_does_the_same(self) -> None:
        async def reply(received: Received, peer: Peer) -> None:
            if "think" in received.body:
                await whole({"error": "extra fields not permitted: think"}, 422)(received, peer)
            else:
                await stream(ollama_said("hello"), done())(received, peer)

        async with ollama_served.served(chat=reply) as (_, backend):
            items = await ollama_served.answer(backend)
        assert [item.without for item in items if isinstance(item, RequestSent)] == [(), (DroppedField("think"),)]


class TestModelsThatAnswerNoChats:
    async def test_one_refusal_is_remembered_and_shown_in_the_list(self) -> None:
        refusal = whole({"error": {"message": "Model is not an LLM.", "param": "model"}}, 400)
        async with served(refusal) as (server, backend):
            assert (await backend.models())[0].why_not is None
            for _ in range(2):
                with pytest.raises(Exception, match="no_chats"):
                    await ask(backend)
            assert (await backend.models())[0].why_not is not None
            assert len(server.asked(openai_served.CHAT)) == 1
