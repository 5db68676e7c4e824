from __future__ import annotations

from llmtui.simulator import SimulatedModel
from llmtui.simulator.replies import Counters, Replies
from llmtui.simulator.requests import parse_ask

NOTHING = Counters(total_ns=0, load_ns=0, prompt_tokens=0, cached=0, prompt_ns=0, eval_count=0, eval_ns=0)
MODEL = SimulatedModel(name="m")


def test_a_figure_of_zero_is_left_out_but_for_the_cached_tokens_of_the_new_dialect() -> None:
    ask = parse_ask("chat", {"model": "m"}, "0.34.4")
    new = Replies(ask, "0.34.4", MODEL).last("stop", NOTHING, conversation="")
    old = Replies(ask, "0.11.4", MODEL).last("stop", NOTHING, conversation="")
    assert list(new) == ["model", "created_at", "message", "done", "done_reason", "prompt_eval_cached_count"]
    assert list(old) == ["model", "created_at", "message", "done_reason", "done"]


def test_the_models_name_is_echoed_as_the_client_wrote_it() -> None:
    ask = parse_ask("generate", {"model": "m:latest", "prompt": "p"}, "0.34.4")
    assert Replies(ask, "0.34.4", MODEL).text(answer="x")["model"] == "m:latest"


def test_raw_answers_have_no_context() -> None:
    for raw in (True, False):
        ask = parse_ask("generate", {"model": "m", "prompt": "p", "raw": raw}, "0.34.4")
        body = Replies(ask, "0.34.4", MODEL).last("stop", NOTHING, conversation="p")
        assert ("context" in body) is not raw
