from __future__ import annotations

from typing import Any

import pytest

from llmtui.core.records import Evidence, ServerCounters
from llmtui.engine.judging import InMemory, others_evidence, reload_evidence, says_something, split
from tests.engine.fake_server import resident

OWN = resident("llama3")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("yes", True), ("", False), ("  \n", False), ("<think>hm", False), ("<think>hm</think>", False),
        ("<think>hm</think>\n", False), ("<think>hm</think> yes", True), ("\n<think>a</think>b", True),
        ("a <think>b</think> c", True),
        ("a <think>b</think>", False),  # a preamble of its thinking: the answer begins after the end mark
    ],
)  # fmt: skip
def test_what_says_something(text: str, says: bool) -> None:
    assert says_something(text) is says


def evidence(before: InMemory, **changes: Any) -> Evidence | None:
    known: dict[str, Any] = {
        "num_ctx": 4096, "expected_pid": None, "pid_after": None, "counters": None, "shortest_cold_load_ns": None,
    }  # fmt: skip
    return reload_evidence(before, **(known | changes))


def load(ms: int) -> ServerCounters:
    return ServerCounters(load_duration_ns=ms * 1_000_000)


def test_a_model_that_is_there_as_it_was_is_no_reload() -> None:
    assert evidence(InMemory(own=OWN, pid=7), expected_pid=7, pid_after=7, counters=load(5)) is None


def test_what_is_not_known_is_no_evidence() -> None:
    assert evidence(InMemory(own=resident("llama3", num_ctx=None)), counters=load(900)) is None
    assert evidence(InMemory(own=OWN, pid=7)) is None


@pytest.mark.parametrize(
    ("load_ms", "cold_ms", "is_reload"),
    [(99, 100, False), (100, 200, True), (100, 201, False), (5_000, 20_000, False), (10_000, 20_000, True)],
)
def test_a_load_of_100_ms_and_half_the_shortest_cold_one_is_a_reload(
    load_ms: int, cold_ms: int, is_reload: bool
) -> None:
    found = evidence(InMemory(own=OWN), counters=load(load_ms), shortest_cold_load_ns=cold_ms * 1_000_000)
    assert (found is not None) is is_reload


@pytest.mark.parametrize(("expected", "before", "after"), [(1, 2, 2), (1, 1, 2), (None, 1, 2), (1, None, 2)])
def test_a_change_of_process_is_a_reload(expected: int | None, before: int | None, after: int | None) -> None:
    found = evidence(InMemory(own=OWN, pid=before), expected_pid=expected, pid_after=after)
    assert found == Evidence(code="reload_process", args={"old": 1, "new": 2})


def test_memory_is_joined_by_digest_and_not_by_name() -> None:
    old, new = resident("llama3"), resident("other")
    look = split((new, old), old.digest, None)
    assert (look.own, look.others) == (old, (new,))


def test_a_pid_that_the_server_tells_is_taken() -> None:
    assert split((resident("llama3", pid=9),), OWN.digest, 5).pid == 9
    assert split((OWN,), OWN.digest, 5).pid == 5


def test_others_are_named_once() -> None:
    look = InMemory(others=(resident("b"), resident("a")))
    assert others_evidence((look, look, None)) == Evidence(
        code="other_models", args={"names": "a (4.0 GB), b (4.0 GB)"}
    )
    assert others_evidence((None, InMemory(own=OWN))) is None
