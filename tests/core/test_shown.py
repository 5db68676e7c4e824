"""Nothing that a server or a journal says steers a terminal."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtui.core import events
from llmtui.core.events import Chunks, ListedModel, ModelsListed, Noted, decode_event, encode
from llmtui.core.plan import Model
from llmtui.core.records import Problem, ResidentModel
from llmtui.core.shown import ODD, lines_without_controls, shown_event, without_controls
from tests.core.made import finished, plan, started

CONTROLS = "\x1b[31m \x1b]0;title\x07 \x9b31m \x00 \x7f \u202e \u2066 \u2028"


def texts_in(value: object, name: str = "") -> list[tuple[str, str]]:
    """All texts of a record with the names of their fields."""
    if isinstance(value, str):
        return [(name, value)]
    if isinstance(value, msgspec.Struct):
        return [found for field in value.__struct_fields__ for found in texts_in(getattr(value, field), field)]
    if isinstance(value, tuple):
        return [found for item in value for found in texts_in(item, name)]
    if isinstance(value, dict):
        return [found for pair in value.items() for item in pair for found in texts_in(item, name)]
    return []


def test_controls_are_shown_by_other_characters() -> None:
    assert (
        without_controls("\x1b[31mred\x07\n\x9b\u202e\ud83d") == "␛[31mred␇␊<U+009B><U+202E>\N{REPLACEMENT CHARACTER}"
    )
    assert lines_without_controls("a\tb\r\n\x1b[2J") == "a\tb\r\n␛[2J"
    assert without_controls("日本語 é 👩‍🚀") == "日本語 é 👩‍🚀"


@given(st.text())
def test_what_is_shown_has_no_control_and_is_shown_as_it_is(text: str) -> None:
    assert not ODD.search(without_controls(text))
    assert without_controls(without_controls(text)) == without_controls(text)


MODEL = Model(name=f"red{CONTROLS}:1b", digest="d", family="x\x07", quantisation="\x1b[2J")
PROBLEM = Problem(
    code="refused", args={"where": "\x1b[31m"}, detail="\x9b2J", what="boom \x1b[31m", remedy="\x9b2J \u202e"
)
RECORDS = (
    ModelsListed(
        address="http://\x1b[31m",
        models=(ListedModel(model=MODEL, why_not=PROBLEM),),
        resident=(ResidentModel(name="\x1b]0;t\x07", digest="d"),),
    ),
    events.ServerChanged(address="a", kind="openai", version="1\x1b[31m", problem=PROBLEM),
    events.ModelShown(model=MODEL, template="a\n\x1b[2J", parameters="\x07", license="b\n\x9b"),
    events.PullProgressed(name="\x1b", status="\x07", problem=PROBLEM),
    events.CommandFailed(command="start", problem=PROBLEM),
    Noted(t_ns=1, level="error", problem=PROBLEM),
    events.PhaseChanged(t_ns=1, phase="idle", detail="\x1b[31m"),
    started(plan("red\x1b[31m", "b\x07")),
    finished(plan(), problem=PROBLEM, flags=("busy",), evidence=("in memory too: \x1b[31mred",)),
)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_no_text_of_an_event_has_controls_when_it_is_read(record: events.Event) -> None:
    read = decode_event(encode(record))
    for name, text in texts_in(read):
        assert not ODD.search(text.replace("\n", "").replace("\t", "")), name
        assert "\n" not in text or name in ("template", "license", "text", "cold_text"), name


def test_the_text_of_an_answer_stays_as_it_came() -> None:
    answer = finished(plan(), text="a\x1b[31mb")
    assert decode_event(encode(answer)) == answer
    chunks = Chunks(trial_id="t", chunks=((1, "a", "\x1b[31m"),))
    assert decode_event(encode(chunks)) == chunks


def test_a_record_without_controls_is_the_same_object() -> None:
    of = started(plan())
    assert shown_event(of) is of
