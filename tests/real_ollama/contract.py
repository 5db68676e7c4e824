"""What a benchmark may rely on in an Ollama server, of either age, said as tests over plain HTTP.

The same class runs against real servers and against the simulator in both of its dialects. A server under contract has
the models ``tiny``, ``steady`` (slow enough to be overtaken), ``thinker``, ``embedder`` and ``repeater``.
"""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

import httpx
import pytest

from llmtui.backends.base import RunnerClue
from llmtui.backends.http_client import place_of
from llmtui.engine.sensors.processes import process_table
from llmtui.engine.sensors.runner import RunnerProcess, RunnerTarget, find_runner
from tests.real_ollama.asking import NUM_CTX, Answer, Asking, Line, wait_until

NEW: Final = "0.34.4"
OLD: Final = "0.11.4"
WORDS = ("river", "lantern", "copper", "morning", "window", "basket", "winter", "garden", "paper", "silver", "market")

LAST_LINE = {
    OLD: [
        "model", "created_at", "message", "done_reason", "done", "total_duration", "load_duration",
        "prompt_eval_count", "prompt_eval_duration", "eval_count", "eval_duration",
    ],
    NEW: [
        "model", "created_at", "message", "done", "done_reason", "total_duration", "load_duration",
        "prompt_eval_count", "prompt_eval_cached_count", "prompt_eval_duration", "eval_count", "eval_duration",
    ],
}  # fmt: skip


class Served:
    """A server under contract."""

    def __init__(self, url: str, version: str, put: Callable[[str, int], None]) -> None:
        self.url = url
        self.version = version
        self.put = put
        """Creates a model under a name; the number selects the weights."""

    @property
    def is_new(self) -> bool:
        """Whether its runner is a llama-server."""
        return self.version == NEW


def a_prompt(words: int = 12) -> str:
    """Return a new text, so that a prompt cache has nothing but the template's beginning."""
    return " ".join([str(random.randrange(10**6)), *random.choices(WORDS, k=words)])


class OllamaContract:
    """Subclasses have the fixture ``served``."""

    @pytest.fixture
    def ask(self, served: Served) -> Iterator[Asking]:
        asking = Asking(served.url)
        yield asking
        asking.close()

    # --- the server, and its models -------------------------------------------------------------------------------

    def test_it_tells_its_version(self, served: Served, ask: Asking) -> None:
        assert ask.get("/api/version") == {"version": served.version}

    def test_the_list_has_sizes_and_digests_and_new_servers_tell_what_a_model_can_do(
        self, served: Served, ask: Asking
    ) -> None:
        entries = {entry["name"]: entry for entry in ask.get("/api/tags")["models"]}
        tiny = entries["tiny:latest"]
        assert tiny["model"] == tiny["name"]
        assert len(tiny["digest"]) == 64
        assert tiny["size"] > 0
        datetime.fromisoformat(tiny["modified_at"])
        details = tiny["details"]
        assert {"format", "family", "families", "parameter_size", "quantization_level"} <= details.keys()
        assert ("capabilities" in tiny) is served.is_new
        assert ("context_length" in details) is served.is_new
        assert ("embedding_length" in details) is served.is_new
        if served.is_new:
            assert tiny["capabilities"] == ["completion"]
            assert entries["embedder:latest"]["capabilities"] == ["embedding"]
            assert set(entries["thinker:latest"]["capabilities"]) == {"completion", "thinking"}

    def test_show_tells_capabilities_template_and_the_blob(self, served: Served, ask: Asking) -> None:
        shown = ask.post("/api/show", {"model": "thinker"}).json()
        assert set(shown["capabilities"]) == {"completion", "thinking"}
        assert {"modelfile", "template", "details", "model_info", "modified_at"} <= shown.keys()
        name = ask.blob_of("thinker").replace("\\", "/").rsplit("/", 1)[-1]
        assert name.startswith("sha256-")
        assert len(bytes.fromhex(name.removeprefix("sha256-"))) == 32
        assert ("tensors" in shown) is not served.is_new
        assert "tensors" in ask.post("/api/show", {"model": "thinker", "verbose": True}).json()

    # --- an answer ------------------------------------------------------------------------------------------------

    def test_an_answer_is_lines_of_json_of_which_the_last_has_the_counters_in_this_order(
        self, served: Served, ask: Asking
    ) -> None:
        answer = ask.chat("steady", a_prompt(), num_predict=12)
        assert answer.status == 200
        assert answer.content_type == "application/x-ndjson"
        for chunk in answer.chunks:
            assert list(chunk) == ["model", "created_at", "message", "done"]
            assert list(chunk["message"]) == ["role", "content"]
            assert chunk["done"] is False
        assert list(answer.last) == LAST_LINE[served.version]
        assert answer.last["message"] == {"role": "assistant", "content": ""}
        assert (answer.last["done"], answer.last["done_reason"]) == (True, "length")

    def test_the_server_stamps_its_chunks_in_order_and_to_the_nanosecond(self, ask: Asking) -> None:
        answer = ask.chat("steady", a_prompt(), num_predict=12)
        stamps = [str(line["created_at"]) for line in answer.lines]
        assert all(stamp.endswith("Z") for stamp in stamps)
        assert [datetime.fromisoformat(stamp) for stamp in stamps] == sorted(map(datetime.fromisoformat, stamps))
        assert max(len(stamp.partition(".")[2]) for stamp in stamps) >= len("123456Z")

    def test_a_capped_answer_has_as_many_tokens_as_asked_one_to_a_chunk(self, ask: Asking) -> None:
        answer = ask.chat("steady", a_prompt(), num_predict=24)
        assert answer.last["eval_count"] == 24
        assert len(answer.chunks) == 24

    def test_an_answer_that_stops_by_itself_counts_its_end_token(self, ask: Asking) -> None:
        answer = ask.chat(
            "tiny", f"[{random.randrange(1000, 9999)}] Write a short poem about the moon.", num_predict=500
        )
        assert answer.last["done_reason"] == "stop"
        assert answer.last["eval_count"] == len(answer.chunks) + 1

    def test_the_parts_of_an_answer_fit_into_its_total(self, ask: Asking) -> None:
        answer = ask.chat("steady", a_prompt(), num_predict=12)
        assert answer.unexplained_ns > 0

    def test_the_evaluation_lasts_from_the_first_token_to_the_last(self, ask: Asking) -> None:
        """(n−1)/eval_duration is the rate that a reader sees; n/eval_duration is not."""
        ask.chat("steady", a_prompt(), num_predict=4)
        apart = []
        for _ in range(3):  # the quietest of three: other programs use these cores
            answer = ask.chat("steady", a_prompt(), num_predict=96)
            seen_s = answer.arrived_s[-1] - answer.arrived_s[0]
            apart.append(abs(answer.last["eval_duration"] / 1e9 / seen_s - 1))
        assert min(apart) < 0.03

    def test_a_single_token_has_no_rate(self, ask: Asking) -> None:
        """eval_duration of one token is a placeholder on new servers and a moment on old ones, never an interval."""
        lasts = [ask.chat("steady", a_prompt(), num_predict=1).last for _ in range(3)]
        assert {last["eval_count"] for last in lasts} == {1}
        assert min(last["eval_duration"] for last in lasts) < 3_000_000  # the quietest of three

    # --- the prompt cache -----------------------------------------------------------------------------------------

    def test_a_repeated_prompt_counts_the_same_and_costs_less(self, served: Served, ask: Asking) -> None:
        prompt = a_prompt(200)
        first, again = (ask.chat("steady", prompt, num_predict=2).last for _ in range(2))
        assert again["prompt_eval_count"] == first["prompt_eval_count"] > 200
        assert again["prompt_eval_duration"] < first["prompt_eval_duration"] / 3
        if served.is_new:
            assert again["prompt_eval_cached_count"] == again["prompt_eval_count"] - 1
        else:
            assert "prompt_eval_cached_count" not in again

    def test_another_prompt_shares_only_its_head(self, served: Served, ask: Asking) -> None:
        ask.chat("steady", a_prompt(), num_predict=2)
        other = ask.chat("steady", a_prompt(), num_predict=2).last
        if served.is_new:
            assert 0 < other["prompt_eval_cached_count"] < other["prompt_eval_count"] / 2

    def test_the_second_turn_of_a_chat_finds_the_first_in_the_cache(self, served: Served, ask: Asking) -> None:
        question = a_prompt(40)
        first = ask.chat("steady", question, num_predict=8)
        turns = [{"role": "user", "content": question}, {"role": "assistant", "content": first.content}]
        second = ask.chat("steady", "", num_predict=2, messages=[*turns, {"role": "user", "content": "why?"}]).last
        assert second["prompt_eval_count"] > first.last["prompt_eval_count"]
        if served.is_new:
            assert second["prompt_eval_cached_count"] >= 0.8 * first.last["prompt_eval_count"]

    def test_a_prompt_longer_than_the_context_is_cut_without_a_word(self, served: Served, ask: Asking) -> None:
        answer = ask.chat("steady", a_prompt(1500), num_predict=2)
        assert answer.status == 200
        kept = answer.last["prompt_eval_count"]
        expected = NUM_CTX / 2 if served.is_new else NUM_CTX
        assert abs(kept - expected) <= 8

    # --- loading and unloading ------------------------------------------------------------------------------------

    def test_an_empty_request_loads_and_counts_nothing(self, ask: Asking) -> None:
        loaded = ask.post("/api/chat", {"model": "tiny", "messages": [], "options": {"num_ctx": NUM_CTX}}).json()
        assert loaded["done_reason"] == "load"
        assert not loaded.keys() & {"eval_count", "prompt_eval_count", "total_duration"}
        assert "tiny" in ask.loaded_names()

    def test_what_is_loaded_is_listed_with_its_size_context_and_the_lists_digest(self, ask: Asking) -> None:
        ask.chat("steady", a_prompt(), num_predict=1)
        loaded = next(model for model in ask.loaded() if model["name"] == "steady:latest")
        listed = next(model for model in ask.get("/api/tags")["models"] if model["name"] == "steady:latest")
        assert loaded["digest"] == listed["digest"]
        assert loaded["context_length"] == NUM_CTX
        assert loaded["size"] > listed["size"]
        assert loaded["size_vram"] == 0
        datetime.fromisoformat(loaded["expires_at"])

    def test_another_context_length_is_a_reload_in_another_process(self, ask: Asking) -> None:
        warm = self._warm(ask, "steady")
        first = self._runner(ask, "steady")
        reloaded = ask.chat("steady", a_prompt(), num_predict=1, options={"num_ctx": 2 * NUM_CTX}).last
        assert reloaded["load_duration"] > 5 * warm["load_duration"]
        assert next(m for m in ask.loaded() if m["name"] == "steady:latest")["context_length"] == 2 * NUM_CTX
        assert self._runner(ask, "steady").pid != first.pid

    def test_other_sampling_options_do_not_reload(self, ask: Asking) -> None:
        self._warm(ask, "steady")
        before = self._runner(ask, "steady")
        ask.chat("steady", a_prompt(), num_predict=3, options={"temperature": 0.9, "seed": 7, "top_k": 5})
        assert self._runner(ask, "steady") == before

    def test_the_runner_names_the_blob_and_does_not_map_it(self, ask: Asking) -> None:
        self._warm(ask, "steady")
        assert self._runner(ask, "steady").weights_in_anon

    def test_an_unload_answers_at_once_and_is_carried_out_soon_after(self, ask: Asking) -> None:
        self._warm(ask, "steady")
        runner = self._runner(ask, "steady")
        answer = ask.post("/api/generate", {"model": "steady", "keep_alive": 0})
        assert answer.json()["done_reason"] == "unload"
        wait_until(lambda: "steady" not in ask.loaded_names(), within_s=10)
        wait_until(lambda: process_table().times(runner.pid) is None, within_s=10)

    def test_after_another_model_took_its_name_the_loaded_one_is_listed_beside_it(
        self, served: Served, ask: Asking
    ) -> None:
        """One name, two digests; the elder can be unloaded only by another name for the same weights."""
        first = random.randrange(10**9)
        served.put("renamed", first)
        self._warm(ask, "renamed")
        served.put("renamed", first + 1)
        self._warm(ask, "renamed")
        listed = next(model["digest"] for model in ask.get("/api/tags")["models"] if model["name"] == "renamed:latest")
        assert listed in self._digests_of(ask, "renamed")
        assert len(self._digests_of(ask, "renamed")) == 2
        ask.post("/api/generate", {"model": "renamed", "keep_alive": 0})
        wait_until(lambda: len(self._digests_of(ask, "renamed")) == 1)
        assert listed not in self._digests_of(ask, "renamed")
        served.put("heir", first)
        ask.post("/api/generate", {"model": "heir", "keep_alive": 0})
        wait_until(lambda: not self._digests_of(ask, "renamed"))

    def test_two_names_of_one_file_share_a_runner_that_is_listed_under_the_first(self, ask: Asking) -> None:
        ask.unload("tiny")
        ask.unload("thinker")
        first = self._warm(ask, "tiny")
        second = ask.chat("thinker", a_prompt(), num_predict=1, think=False).last
        assert second["load_duration"] < 20 * first["load_duration"]
        assert "tiny" in ask.loaded_names()
        assert "thinker" not in ask.loaded_names()
        assert ask.blob_of("tiny") == ask.blob_of("thinker")

    # --- other clients, and clients that leave --------------------------------------------------------------------

    def test_waiting_behind_another_client_is_in_no_counter_but_the_total(self, ask: Asking) -> None:
        self._warm(ask, "steady")
        first_word = threading.Event()
        ended_s: list[float] = []

        def other_client() -> None:
            other = Asking(ask.url)
            with other.chatting("steady", a_prompt(), num_predict=150) as (_, lines):
                for _ in lines:
                    first_word.set()
            ended_s.append(time.monotonic())
            other.close()

        thread = threading.Thread(target=other_client)
        thread.start()
        assert first_word.wait(30)
        asked_s = time.monotonic()
        mine = ask.chat("steady", a_prompt(), num_predict=4)
        thread.join(60)
        waited_ns = (ended_s[0] - asked_s) * 1e9
        assert waited_ns > 3e8
        assert mine.unexplained_ns > 0.7 * waited_ns
        assert mine.last["load_duration"] < 0.3 * waited_ns
        assert mine.last["prompt_eval_duration"] < 0.5 * waited_ns

    def test_a_client_that_leaves_frees_the_model(self, ask: Asking) -> None:
        self._warm(ask, "steady")
        with ask.chatting("steady", a_prompt(), num_predict=900) as (_, lines):
            twenty = list(itertools.islice(lines, 20))
        assert len(twenty) == 20
        left_s = time.monotonic()
        ask.chat("steady", a_prompt(), num_predict=1)
        assert time.monotonic() - left_s < 2.0  # the other 880 tokens take several seconds

    # --- thinking -------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("think", [True, "low"])
    def test_a_model_that_cannot_think_may_not_be_asked_to(self, ask: Asking, think: Any) -> None:
        answer = ask.chat("tiny", a_prompt(), think=think)
        assert answer.status == 400
        assert "does not support thinking" in answer.lines[0]["error"]

    def test_a_model_that_cannot_think_may_be_asked_not_to(self, ask: Asking) -> None:
        assert ask.chat("tiny", a_prompt(), think=False).status == 200

    def test_a_model_that_can_think_is_told_by_the_request(self, served: Served, ask: Asking) -> None:
        thinks, silent = (ask.chat("thinker", "Write a poem about the moon.", think=think) for think in (True, False))
        assert thinks.status == silent.status == 200
        assert silent.thinking == ""
        assert silent.content != ""
        if served.is_new:
            assert thinks.thinking != ""

    def test_unset_thinking_is_on_for_new_servers_only(self, served: Served, ask: Asking) -> None:
        assert bool(ask.chat("thinker", "Write a poem about the moon.").thinking) is served.is_new

    # --- what goes wrong ------------------------------------------------------------------------------------------

    @pytest.mark.parametrize(
        ("body", "status", "words"),
        [
            ({"model": "absent"}, 404, "not found"),
            ({"model": ""}, 400, "model is required"),
            ({"model": "embedder"}, 400, '"embedder" does not support chat'),
            ({"model": "tiny", "keep_alive": "-1"}, 400, "missing unit in duration"),
            ({"model": "tiny", "options": {"num_ctx": "4k"}}, 500, 'option "num_ctx" must be of type integer'),
        ],
    )
    def test_a_request_that_cannot_be_served_is_refused_with_a_sentence(
        self, ask: Asking, body: dict[str, Any], status: int, words: str
    ) -> None:
        response = ask.post("/api/chat", {"messages": [{"role": "user", "content": "x"}]} | body)
        assert response.status_code == status
        assert words in response.json()["error"]

    def test_an_embedding_model_cannot_generate_either(self, ask: Asking) -> None:
        response = ask.post("/api/generate", {"model": "embedder", "prompt": "x"})
        assert response.status_code == 400
        assert "does not support generate" in response.json()["error"]

    def test_an_unknown_option_is_ignored(self, ask: Asking) -> None:
        assert ask.chat("tiny", a_prompt(), options={"no_such_option": 3}).status == 200

    def test_old_servers_end_a_stream_of_equal_pieces_without_a_last_line(self, served: Served, ask: Asking) -> None:
        answer = ask.chat("repeater", a_prompt(), num_predict=100)
        assert answer.status == 200
        assert {line["message"]["content"] for line in answer.chunks} == {" the"}
        if served.is_new:
            assert answer.last["eval_count"] == 100
        else:
            assert not answer.last["done"]
            assert 25 <= len(answer.lines) <= 35

    # --- steps ----------------------------------------------------------------------------------------------------

    def _warm(self, ask: Asking, model: str) -> Line:
        """Load the model with the usual options, and return the counters of a warm answer."""
        ask.chat(model, a_prompt(), num_predict=1)
        answer: Answer = ask.chat(model, a_prompt(), num_predict=1)
        return answer.last

    def _digests_of(self, ask: Asking, model: str) -> set[str]:
        """Return the digests under which a name is in memory."""
        return {str(loaded["digest"]) for loaded in ask.loaded() if loaded["name"] == f"{model}:latest"}

    def _runner(self, ask: Asking, model: str) -> RunnerProcess:
        """Return the process that runs a model, found as by the engine: by the server's blob."""
        place = place_of(httpx.URL(ask.url))
        target = RunnerTarget.of_clue(RunnerClue(place=place, model_argument=ask.blob_of(model)))
        assert target is not None
        return wait_until(lambda: find_runner(target, process_table()).runner)
