"""The client that Ollama publishes takes the simulated server for a real one."""

from __future__ import annotations

from collections.abc import Iterator

import ollama
import pytest

from llmtui.simulator import Dialect, Ending, Pullable, RunningSimulator, Script, ScriptedAnswer, running_simulator
from tests.simulator.asking import QUESTION, quick, quick_script

MESSAGES = [{"role": "user", "content": QUESTION}]


def script(dialect: Dialect) -> Script:
    return quick_script(
        quick("plain", answers=(ScriptedAnswer(tokens=30),)),
        quick(
            "thinker", capabilities=("completion", "thinking"), answers=(ScriptedAnswer(thinking_tokens=5, tokens=5),)
        ),
        quick("broken", answers=(ScriptedAnswer(ending=Ending(kind="error", after_chunks=2, message="crashed")),)),
        dialect=dialect,
        registry=(Pullable(model=quick("wanted", size_bytes=10**9), rate_bps=1e10),),
    )


@pytest.fixture(params=["0.11.4", "0.34.4"])
def simulator(request: pytest.FixtureRequest) -> Iterator[RunningSimulator]:
    with running_simulator(script(request.param)) as running:
        yield running


@pytest.fixture
def client(simulator: RunningSimulator) -> ollama.Client:
    return ollama.Client(simulator.url, trust_env=False, timeout=30)


def test_models_are_listed_and_shown(client: ollama.Client) -> None:
    listed = client.list().models
    assert {model.model for model in listed} == {"plain:latest", "thinker:latest", "broken:latest"}
    assert listed[0].details is not None
    assert listed[0].details.quantization_level == "Q4_K_M"
    shown = client.show("plain")
    assert shown.capabilities == ["completion"]
    assert shown.modelinfo is not None
    assert shown.modelinfo["llama.context_length"] == 8192


def test_a_chat_streams(client: ollama.Client) -> None:
    chunks = list(client.chat("plain", MESSAGES, stream=True, options={"num_predict": 12}))
    assert len(chunks) == 13
    assert "".join(chunk.message.content or "" for chunk in chunks)
    assert chunks[-1].done_reason == "length"
    assert chunks[-1].eval_count == 12
    assert chunks[-1].eval_duration
    (process,) = client.ps().models
    assert process.model == "plain:latest"


def test_a_chat_comes_whole_and_thinks(client: ollama.Client) -> None:
    response = client.chat("thinker", MESSAGES, think=True)
    assert response.message.thinking
    assert response.message.content


def test_generate_goes_on_from_its_context(client: ollama.Client) -> None:
    first = client.generate("plain", QUESTION)
    again = client.generate("plain", "And then?", context=first.context)
    assert again.prompt_eval_count is not None
    assert first.prompt_eval_count is not None
    assert again.prompt_eval_count > first.prompt_eval_count


def test_a_model_is_pulled(client: ollama.Client) -> None:
    progress = list(client.pull("wanted", stream=True))
    assert progress[-1].status == "success"
    assert max(step.completed or 0 for step in progress) == 10**9
    assert "wanted:latest" in {model.model for model in client.list().models}


def test_errors_are_the_clients_errors(client: ollama.Client) -> None:
    with pytest.raises(ollama.ResponseError, match="not found") as caught:
        client.chat("nowhere", MESSAGES)
    assert caught.value.status_code == 404
    with pytest.raises(ollama.ResponseError, match="crashed"):
        list(client.chat("broken", MESSAGES, stream=True))
