from __future__ import annotations

from llmtui.core.commands import SetServer
from llmtui.core.events import ServerChanged
from llmtui.core.records import Problem
from llmtui.tui.connection import BUILTIN, ServerConnection
from tests.tui.fakes import ollama_up, refused

USUAL = SetServer(address="http://127.0.0.1:11434", kind="ollama")
OTHER = SetServer(address="http://box:11434", kind="ollama")


def test_the_usual_server_is_tried_unasked_and_the_built_in_one_stands_in_for_it() -> None:
    connection = ServerConnection(builtin_available=True)
    assert connection.begin(USUAL) == USUAL
    assert connection.heard(refused()) == BUILTIN
    assert connection.instead_of == refused()
    assert connection.heard(ServerChanged(address="builtin", kind="builtin", version="1")) is None
    assert connection.instead_of == refused()


def test_without_a_built_in_server_nothing_stands_in() -> None:
    connection = ServerConnection(builtin_available=False)
    connection.begin(USUAL)
    assert connection.heard(refused()) is None
    assert connection.instead_of is None


def test_a_server_that_the_person_named_is_never_replaced() -> None:
    connection = ServerConnection(builtin_available=True)
    connection.begin(USUAL)
    connection.choose(OTHER)
    assert connection.heard(refused()) is None
    assert connection.wanted == OTHER


def test_one_that_answers_is_kept_also_with_a_problem_of_another_kind() -> None:
    connection = ServerConnection(builtin_available=True)
    connection.begin(USUAL)
    assert connection.heard(ollama_up()) is None
    old = ServerChanged(
        address=USUAL.address, kind="ollama", problem=Problem(code="not_ollama", args={"where": USUAL.address})
    )
    assert connection.heard(old) is None


def test_looking_again_asks_the_wanted_server_and_may_fall_back_once_more() -> None:
    connection = ServerConnection(builtin_available=True)
    connection.begin(USUAL)
    connection.heard(refused())
    assert connection.begin(OTHER) == USUAL
    assert connection.instead_of is None
    assert connection.heard(refused()) == BUILTIN


def test_a_new_engine_is_told_the_server_that_was_chosen_before() -> None:
    connection = ServerConnection(builtin_available=True)
    connection.begin(USUAL)
    connection.choose(OTHER)
    assert connection.begin(USUAL) == OTHER
