"""The JSON document: its published schema holds, and its figures are those of the summary."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from llmtui.core.events import SessionFinished
from llmtui.core.measures import measure_of, measures, reading
from llmtui.core.summary import Spread, summarise
from llmtui.core.verdict import verdicts
from llmtui.core.waits import WAITS, wait_verdicts
from llmtui.legacy.events import legacy_events
from llmtui.legacy.readers import read_any
from llmtui.report.anonymous import anonymous
from llmtui.report.document import ReportDocument
from llmtui.report.json_form import file_unit, json_form
from llmtui.report.saved import Saved, read_saved
from llmtui.store.journal import JournalWriter
from llmtui.words.reasons import known_codes
from tests.core.compared import compared_plan
from tests.core.made import started
from tests.report.recorded import recorded_events, saved, write_recorded
from tools.report_schema import schemas

PUBLISHED = Path(__file__).parents[2] / "docs" / "report.schema.json"


@pytest.fixture
def one(tmp_path: Path) -> Saved:
    return saved(tmp_path / "session")


def validate(document: Any) -> None:
    validator = pytest.importorskip("jsonschema").Draft202012Validator
    schema = json.loads(PUBLISHED.read_text("utf-8"))
    validator.check_schema(schema)
    validator(schema).validate(document)


def test_the_published_schemas_are_those_of_the_program() -> None:
    for name, content in schemas().items():
        assert (PUBLISHED.parent / name).read_bytes() == content, "run python -m tools.report_schema"


def test_a_document_is_valid_whole_anonymous_and_of_several_sessions(one: Saved) -> None:
    for sessions in ([one], [anonymous(one)], [one, one], []):
        validate(json.loads(json_form(sessions)))


def test_a_document_of_a_session_that_has_just_begun_is_valid(tmp_path: Path) -> None:
    begun = read_saved(write_recorded(tmp_path, [started(compared_plan("a", "b"))]))
    document = json.loads(json_form([begun]))
    validate(document)
    (session,) = document["sessions"]
    assert session["state"] == "interrupted"
    assert {figure["missing"] for model in session["models"] for figure in model["figures"].values()} == {"not_yet"}


def test_the_schema_refuses_what_is_not_a_document(one: Saved) -> None:
    exceptions = pytest.importorskip("jsonschema").exceptions
    document = json.loads(json_form([one]))
    for broken in (document | {"version": 2}, document | {"sessions": [{}]}, {**document, "format": "x"}):
        with pytest.raises(exceptions.ValidationError):
            validate(broken)


def test_every_figure_of_the_summary_is_in_it_to_the_last_digit(one: Saved) -> None:
    (session,) = json.loads(json_form([one]))["sessions"]
    summary = summarise(one.session)
    assert len(session["models"]) == len(summary.lines) == 3
    for model, line in zip(session["models"], summary.lines, strict=True):
        assert model["label"] == line.label
        for figure, value in model["figures"].items():
            same(value, reading(known(figure), line))
        mine = [category for category in summary.categories if category.contender == line.contender]
        assert [one["category"] for one in model["categories"]] == [one.category for one in mine]
        for found, category in zip(model["categories"], mine, strict=True):
            for figure, value in found["figures"].items():
                same(value, reading(known(figure), category))
    wanted = {one.id for one in measures() if one.of_model is not None} - {"finished"}
    assert set(session["models"][0]["figures"]) == wanted


def known(figure: str) -> Any:
    found = measure_of(figure)
    assert found is not None
    return found


def same(value: dict[str, Any], wanted: Any) -> None:
    if isinstance(wanted, Spread):
        assert (value["value"], value["low"], value["high"], value["n"]) == (
            wanted.value, wanted.low, wanted.high, wanted.n,
        )  # fmt: skip
        assert value["over"] in ("rounds", "trials")
    else:
        assert value["value"] == wanted
    assert (value["value"] is None) is (value["missing"] is not None)
    assert value["missing"] is None or value["missing"] in known_codes()


def test_a_figures_unit_is_that_of_its_number() -> None:
    ends = {"_ms": "ms", "_bytes": "byte", "_s": "s"}
    for one in measures():
        for end, unit in ends.items():
            if one.id.endswith(end):
                assert file_unit(one) == unit, one.id


def test_verdicts_are_data(one: Saved) -> None:
    (session,) = json.loads(json_form([one]))["sessions"]
    label = [contender.label for contender in one.session.plan.contenders]
    speeds = [found for found in session["verdicts"] if found["figure"] == "decode_tps"]
    for found, wanted in zip(speeds, verdicts(one.session), strict=True):
        assert (found["first"], found["second"]) == (label[wanted.first], label[wanted.second])
        assert (found["word"], found["ratio"], found["low"], found["high"], found["rounds"]) == (
            wanted.word, wanted.ratio, wanted.low, wanted.high, wanted.rounds,
        )  # fmt: skip
    for wait in WAITS:
        words = [found["word"] for found in session["verdicts"] if found["figure"] == wait]
        assert words == [wanted.word for wanted in wait_verdicts(one.session, wait)]


def test_it_says_plan_machine_server_and_digests(one: Saved) -> None:
    (session,) = json.loads(json_form([one]))["sessions"]
    assert session["machine"]["cpu"] == "AMD Ryzen 7 | 5800X"
    assert session["servers"][0]["version"] == "0.12.3"
    assert [model["digest"] for model in session["models"]] == ["sha256:0", "sha256:1", "sha256:2"]
    assert session["plan"]["rounds"] == 5
    assert [failure["trial_id"] for failure in session["failures"]] == [None, "r5-m3-warm-p3"]


def test_it_is_read_back_as_the_same_record(one: Saved) -> None:
    content = json_form([one])
    again = msgspec.json.decode(content, type=ReportDocument)
    assert msgspec.json.decode(msgspec.json.encode(again)) == json.loads(content)
    assert again.sessions[0].trials[0].figures["ttft_ms"] == one.session.rows[0].figures.ttft_ms


@pytest.mark.parametrize("how", ["complete", "cancelled", "failed", None])
def test_how_a_session_ended_is_its_state(tmp_path: Path, how: Any) -> None:
    events = recorded_events(finish=False)
    if how is not None:
        events.append(SessionFinished(t_ns=10**13, wall_ns=10**18, how=how))
    assert read_saved(write_recorded(tmp_path, events)).state == (how or "interrupted")


def test_a_session_that_is_being_written_is_running_and_its_last_line_on_its_way(tmp_path: Path) -> None:
    journal = write_recorded(tmp_path, recorded_events(finish=False))
    with journal.open("ab") as file:
        file.write(b'{"type":"TrialFini')
    assert [one.code for one in read_saved(journal).problems] == ["torn_line"]
    writer = JournalWriter(tmp_path)
    try:
        running = read_saved(journal)
    finally:
        writer.close()
    assert (running.state, running.problems) == ("running", ())
    assert len(running.session.rows) == 60


def test_an_imported_file_has_verdicts_on_its_one_speed(tmp_path: Path) -> None:
    each = [(name, total, category) for name, total in (("a", 9), ("b", 19)) for category in "xyz"]
    rows = "".join(f"{name},{category},1,{total},5,100,101\n" for name, total, category in each)
    file = read_any(f"Modelo,Categoria,TTFT(s),Total(s),t/s,RAM_MB,Tokens\n{rows}")
    events = legacy_events(file, name="old.csv", session_id="x", wall_ns=0, version="0")
    document = json.loads(json_form([read_saved(write_recorded(tmp_path, list(events)))]))
    validate(document)
    assert [found["figure"] for found in document["sessions"][0]["verdicts"]] == ["decode_tps"]
