"""Which model's details are asked for: one at a time, the one under the cursor first."""

from __future__ import annotations

from llmtui.core.commands import ShowModel
from llmtui.core.events import ListedModel, ModelShown
from llmtui.tui.model_details import ModelDetails
from tests.tui.fakes import a_model

A, B, C = (a_model(name) for name in "abc")
INSIDE = a_model("demo", backend="builtin")
LISTED = tuple(ListedModel(model=model) for model in (A, B, C))


def test_one_after_the_other_until_all_are_known() -> None:
    details = ModelDetails()
    assert details.list(LISTED) == ShowModel(name="a")
    assert details.heard(ModelShown(model=A, template="t")) == ShowModel(name="b")
    assert details.failed() == ShowModel(name="c")
    assert details.heard(ModelShown(model=C)) is None
    shown = details.of(A)
    assert shown is not None
    assert shown.template == "t"
    assert details.of(B) is None


def test_the_model_under_the_cursor_comes_first_and_what_it_overtook_comes_again() -> None:
    details = ModelDetails()
    details.list(LISTED)
    assert details.look_at(C) == ShowModel(name="c")
    assert details.look_at(C) is None, "it is asked for already"
    assert details.heard(ModelShown(model=A)) is None, "an answer that came before it was taken back"
    assert details.heard(ModelShown(model=C)) == ShowModel(name="a")
    assert details.look_at(C) is None, "it is known"


def test_another_list_keeps_what_is_known_and_tries_again_what_failed() -> None:
    details = ModelDetails()
    details.list(LISTED)
    details.heard(ModelShown(model=A))
    details.failed()
    assert details.list(LISTED) == ShowModel(name="b")


def test_a_model_of_the_built_in_server_is_asked_there() -> None:
    details = ModelDetails()
    assert details.list((ListedModel(model=INSIDE),)) == ShowModel(name="demo", backend="builtin")
