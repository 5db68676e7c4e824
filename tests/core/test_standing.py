"""Where the models of a running session are: ranks and figures over complete rounds, rounds done and begun."""

from __future__ import annotations

from llmtui.core.session import Session, SessionBuilder
from llmtui.core.standing import Standing, standings
from tests.tui.sessions import a_plan, a_session, until

EVENTS = a_session(a_plan(rounds=3))
NAMES = ("llama3:8b", "mistral:7b", "qwen3:4b thinking")


def session_at(seconds: float) -> Session:
    builder = SessionBuilder()
    for event in until(EVENTS, seconds):
        builder.apply(event)
    session = builder.snapshot()
    assert session is not None
    return session


def by_name(seconds: float) -> dict[str, Standing]:
    return {NAMES[one.contender]: one for one in standings(session_at(seconds))}


def test_before_the_first_trial_has_ended_the_order_is_the_plans() -> None:
    assert [one.contender for one in standings(session_at(3))] == [0, 1, 2]


def test_in_the_first_round_figures_are_provisional_and_nobody_has_a_rank() -> None:
    found = by_name(60)
    assert all(one.provisional and one.rank is None for one in found.values())
    assert found["qwen3:4b thinking"].round_begun


def test_a_model_that_had_its_turn_in_a_running_round_keeps_the_figures_of_complete_ones() -> None:
    one_round = by_name(300)
    later = by_name(400)
    assert later["mistral:7b"].rounds_done == 2
    assert later["llama3:8b"].round_begun
    assert later["mistral:7b"].summary.decode_tps == one_round["mistral:7b"].summary.decode_tps
    assert not later["mistral:7b"].provisional


def test_at_the_end_ranks_are_those_that_verdicts_make() -> None:
    found = standings(session_at(100_000))
    assert [(NAMES[one.contender], one.rank, one.shared) for one in found] == [
        ("qwen3:4b thinking", 1, False),
        ("mistral:7b", 2, False),
        ("llama3:8b", 3, False),
    ]
    assert {one.rounds_done for one in found} == {3}
