"""A saved session as data frames."""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pytest

import llmtui
from benchmarks.made_session import sampled
from llmtui.core.events import Event, SessionFinished, encode
from llmtui.core.session import fold
from llmtui.report.frames import read_session
from llmtui.report.saved import NoSession
from llmtui.store.csv_cells import cell
from llmtui.store.samples_csv import SamplesCsv
from llmtui.store.summary_csv import summary_csv
from llmtui.store.trials_csv import trials_csv
from tests.core.compared import compared_plan, other, warm
from tests.core.made import started

UNITS = ("_ms", "_tps", "_cps", "_bytes", "_s", "_x", "_n", "_cores")
CHECKOUT = Path(__file__).parents[2]
RATES = {"a:7b": (10.0, 10.3, 9.8, 10.1, 10.02), "b:7b": (12.0, 12.1, 11.7, 12.4, 12.2), "c:7b": (8.0,) * 5}


def events_of(rates: Mapping[str, Sequence[float]]) -> list[Event]:
    of = compared_plan(*rates)
    events: list[Event] = [started(of)]
    for contender, per_round in enumerate(rates.values()):
        for number, rate in enumerate(per_round, 1):
            events.append(other(of, "cold", contender, number))
            events += [warm(of, contender, number, which, rate) for which in range(len(of.prompts))]
    return events


def saved(folder: Path, events: Sequence[Event]) -> Path:
    """Write a session's folder as the engine does."""
    session = fold(events)
    assert session is not None
    (folder / "events.jsonl").write_bytes(b"".join(map(encode, events)))
    (folder / "trials.csv").write_bytes(trials_csv(session))
    (folder / "summary.csv").write_bytes(summary_csv(session))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return saved(tmp_path, events_of(RATES))


def cells(frame: pd.DataFrame, name: str) -> list[str]:
    """Return a column as a CSV file would have it."""
    return ["" if pd.isna(value) else cell(value) for value in frame[name].tolist()]


def csv_rows(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.read_text("utf-8"))))


def whole(text: str) -> str:
    """Return a number as a float of the same value is written."""
    return cell(float(text)) if re.fullmatch(r"-?\d+(\.\d+)?", text) else text


@pytest.mark.parametrize(("name", "by_category"), [("models", False), ("categories", True)])
def test_every_figure_of_the_summary_is_equal_to_the_last_digit(folder: Path, name: str, by_category: bool) -> None:
    frame: pd.DataFrame = getattr(llmtui.read_session(folder), name)
    rows = [row for row in csv_rows(folder / "summary.csv") if bool(row["category"]) == by_category]
    assert len(frame) == len(rows) == (9 if by_category else 3)
    shared = [column for column in frame.columns if not column.startswith("missing_")]
    assert {"model", "decode_tps", "decode_tps_low", "ttft_ms", "finished"} <= set(shared)
    for column in shared:
        assert list(map(whole, cells(frame, column))) == [whole(row[column]) for row in rows], column


def test_every_figure_of_the_trials_is_equal_to_the_last_digit(folder: Path) -> None:
    frame = llmtui.read_session(folder).trials
    rows = csv_rows(folder / "trials.csv")
    assert len(frame) == len(rows) == 3 * 5 * 4
    texts = {"started_utc", "weights_in_anon", "on_battery"}
    shared = [name for name in frame.columns if not name.startswith("missing_") and name not in texts]
    for column in shared:
        assert list(map(whole, cells(frame, column))) == [whole(row[column]) for row in rows], column


def test_figures_are_numbers_and_times_are_times(folder: Path) -> None:
    session = read_session(folder)
    for frame in (session.trials, session.rounds, session.models, session.categories, session.samples):
        figures = [str(name) for name in frame if str(name).endswith(UNITS)]
        reasons = [name for name in figures if name.startswith("missing_")]
        assert {name: str(frame[name].dtype) for name in reasons} == dict.fromkeys(reasons, "string")
        measured = [name for name in figures if not name.startswith("missing_")]
        assert {name: str(frame[name].dtype) for name in measured} == dict.fromkeys(measured, "float64")
    assert isinstance(session.trials["started_utc"].dtype, pd.DatetimeTZDtype)


def test_a_missing_figure_is_nan_and_its_reason_stands_beside_it(tmp_path: Path) -> None:
    of = compared_plan("a")
    trials = read_session(
        saved(tmp_path, [started(of), warm(of, 0, 1, 0, 10.0), warm(of, 0, 1, 1, 10.0, tokens=10)])
    ).trials
    assert trials["decode_tps"].isna().tolist() == [False, True]
    assert trials["decode_tps"].mean() == 10
    assert trials["missing_decode_tps"].isna().tolist() == [True, False]
    assert trials["missing_decode_tps"].tolist()[1] == "too_short"


def test_a_round_is_one_observation_of_each_model(folder: Path) -> None:
    rounds = read_session(folder).rounds
    assert len(rounds) == 3 * 5
    speed = rounds.pivot(index="round", columns="model", values="decode_tps")
    assert speed["b:7b"].round(6).tolist() == list(RATES["b:7b"])
    assert rounds["cold_ttft_ms"].notna().all()


def test_a_round_that_has_not_begun_for_a_model_is_no_row(tmp_path: Path) -> None:
    events = events_of({"a": (10.0, 10.0), "b": (12.0,)})
    rounds = read_session(saved(tmp_path, events)).rounds
    assert sorted(zip(rounds["round"], rounds["model"], strict=True)) == [(1, "a"), (1, "b"), (2, "a")]


def test_a_session_without_a_trial_has_empty_frames_with_all_columns(tmp_path: Path, folder: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    one, other_one = read_session(saved(empty, [started(compared_plan("a"))])), read_session(folder)
    assert (len(one.trials), len(one.rounds), len(one.samples)) == (0, 0, 0)
    for name in ("trials", "rounds", "models", "samples"):
        assert set(getattr(one, name).columns) == set(getattr(other_one, name).columns)


def looks(tmp_path: Path) -> list[Event]:
    begin, *rest = events_of({"a": (10.0,)})
    return [begin, *(sampled(number * 500_000_000) for number in range(1, 5)), *rest, SessionFinished(
        t_ns=10**12, wall_ns=10**18, how="complete")]  # fmt: skip


def test_samples_are_the_same_from_their_file_and_from_the_events(tmp_path: Path) -> None:
    events = looks(tmp_path)
    folder = saved(tmp_path, events)
    bare = read_session(folder / "events.jsonl").samples
    session = fold(events)
    assert session is not None
    file = SamplesCsv(folder, start_t_ns=session.t_ns, start_wall_ns=session.wall_ns)
    for event in events[1:5]:
        file.append(event, None)  # type: ignore[arg-type]
    file.close()
    pd.testing.assert_frame_equal(read_session(folder).samples, bare)
    assert len(bare) == 4
    assert bare["cores_busy"].notna().all()
    assert bare["gpu_watts"].isna().all()


@pytest.mark.parametrize("content", [None, b"", b"{}\n"])
def test_what_is_no_session_is_refused(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "events.jsonl").write_bytes(content)
    with pytest.raises(NoSession, match="no session"):
        _ = read_session(tmp_path).trials


def test_the_example_in_the_documentation_answers_its_question(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (CHECKOUT / "docs" / "frames.md").read_text("utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(example.splitlines()) == 5
    code = (
        re.sub(r'"results/[^"]+"', repr(str(folder)), example)
        .replace("mistral:7b", "b:7b")
        .replace("llama3.1:8b", "a:7b")
    )
    exec(compile(code, "example", "exec"), {})
    assert "1.2" in capsys.readouterr().out


@pytest.mark.timed
def test_a_million_looks_load_within_three_seconds(folder: Path) -> None:
    file = SamplesCsv(folder, start_t_ns=0, start_wall_ns=0)
    file.append(sampled(1), "r1-m1-warm-p1")
    file.close()
    head, line = (folder / "samples.csv").read_bytes().splitlines(keepends=True)
    (folder / "samples.csv").write_bytes(head + line * 1_000_000)
    session = read_session(folder)
    began_s = time.perf_counter()
    assert len(session.samples) == 1_000_000
    assert time.perf_counter() - began_s < 3
