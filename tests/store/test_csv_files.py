from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtui.core.events import Event, Sampled, TrialFinished
from llmtui.core.metrics import Figures
from llmtui.core.records import EndedBy, MachineFigures, Outcome, Problem, ResidentModel, Timeline
from llmtui.core.session import Session, fold
from llmtui.store.csv_cells import cell, csv_line, number_cell, text_cell, utc_cell
from llmtui.store.samples_csv import SamplesCsv
from llmtui.store.session_folder import SAMPLES, TRIALS
from llmtui.store.summary_csv import summary_columns, summary_csv, write_summary
from llmtui.store.trials_csv import TrialsCsv, row_cells, trials_columns, trials_csv
from tests.core.made import MS, WALL_NS, finished, plan, started, trial

PLAN = plan()


def session_of(*events: Event) -> Session:
    session = fold([started(PLAN), *events])
    assert session is not None
    return session


def read(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode())))


# --- cells --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), (0, "0"), (0.0, "0"), (-3, "-3"), (123456789, "123456789"), (0.1 + 0.2, "0.3"),
        (26703.34, "26703.3"),
        (5.833333333, "5.83333"), (1234567.8, "1234570"), (0.0000123456789, "0.0000123457"), (-0.25, "-0.25"),
        (1e22, "10000000000000000000000"), (100.0, "100"), (True, "true"),
    ],
)  # fmt: skip
def test_numbers_are_short_and_without_exponent(value: float | None, text: str) -> None:
    assert number_cell(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=1e-9, max_value=1e15))
def test_numbers_keep_six_digits(value: float) -> None:
    assert float(number_cell(value)) == pytest.approx(value, rel=6e-6)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_text_is_a_formula(text: str) -> None:
    assert text_cell(text)[0] in "' "


def test_negative_numbers_are_not_texts() -> None:
    assert cell(-1.5) == "-1.5"
    assert cell("-1.5") == "'-1.5"


@given(st.lists(st.text(max_size=20), min_size=2, max_size=5))
def test_a_record_is_one_line_and_reads_back(texts: list[str]) -> None:
    cells = [text_cell(text.encode("utf-8", "replace").decode()) for text in texts]
    line = csv_line(cells)
    assert line.count(b"\n") == 1
    assert next(csv.reader(io.StringIO(line.decode(), newline=""))) == cells


def test_utc_has_microseconds_and_z() -> None:
    assert utc_cell(1_795_387_267_123_456_789) == "2026-11-22T22:41:07.123456Z"


# --- trials.csv ---------------------------------------------------------------------------------------------------


def test_the_columns_that_users_are_promised() -> None:
    promised = [
        "round", "model", "variant", "kind", "category", "prompt_id", "outcome", "ended_by", "flags", "tokens",
        "ttft_ms", "ttfo_ms", "decode_tps", "tpot_ms", "decode_cps", "reading_x", "prefill_tps", "load_ms", "e2e_ms",
        "e2e_tps", "gap_p50_ms", "gap_p95_ms", "stalls", "client_lag_ms", "digest", "backend", "order", "tag",
        "prompt_tokens", "cached_tokens", "gap_clock",
    ]  # fmt: skip
    columns = trials_columns()
    assert list(columns[: len(promised)]) == promised
    assert len(set(columns)) == len(columns)
    at = columns.index("missing")  # what was added later follows what was there
    assert columns[at + 1 : at + 5] == ("others_cores", "server", "server_version", "server_address")
    assert set(Figures.__struct_fields__) - set(columns) == {"why", "thinking_inline"}


def test_a_warm_row() -> None:
    machine = MachineFigures(runner_peak_bytes=5_000_000_000, swap_in_bytes=0)
    event = finished(PLAN, machine=machine, resident=ResidentModel(name="llama3", digest="d", context_length=4096))
    session = session_of(event)
    cells = row_cells(session.rows[0], session)
    assert cells["model"] == "llama3"
    assert cells["variant"] == "think=off num_ctx=4096"
    assert (cells["kind"], cells["category"], cells["prompt_id"]) == ("warm", "creativity", "creativity-1")
    assert (cells["ttft_ms"], cells["decode_tps"], cells["tokens"]) == ("500", "10", "128")
    assert cells["started_utc"] == "2026-09-21T14:13:20.000000Z"
    assert cells["runner_peak_bytes"] == "5000000000"
    assert cells["swap_in_bytes"] == "0"
    assert cells["vram_bytes"] == ""
    assert cells["context_length"] == "4096"


def test_a_cold_row_has_no_category() -> None:
    session = session_of(finished(PLAN, trial(PLAN, kind="cold"), tokens=16, cold_source="disk"))
    cells = row_cells(session.rows[0], session)
    assert (cells["kind"], cells["category"], cells["prompt_id"], cells["tag"]) == ("cold", "", "", "")
    assert cells["cold_source"] == "disk"


@pytest.mark.parametrize(
    ("outcome", "ended_by", "missing"),
    [
        ("error", None, "decode_tps:not_finished"),
        ("stalled", None, "decode_tps:not_finished"),
        ("no_final", None, "decode_tps:no_count"),
    ],
)
def test_a_missing_figure_is_empty_and_its_reason_kept(
    outcome: Outcome, ended_by: EndedBy | None, missing: str
) -> None:
    problem = Problem(code="cut", what="=The stream\nbroke off.", remedy="Try again.")
    event = finished(PLAN, outcome=outcome, ended_by=ended_by, counters=None, problem=problem)
    session = session_of(event)
    cells = row_cells(session.rows[0], session)
    assert cells["outcome"] == outcome
    assert cells["decode_tps"] == cells["tokens"] == cells["prefill_tps"] == ""
    assert missing in cells["missing"].split()
    assert cells["problem"] == "'=The stream broke off. Try again."


def test_nothing_sent_leaves_every_figure_empty() -> None:
    event = finished(PLAN, outcome="skipped", t0_ns=None, done_ns=None, counters=None, ended_by=None, text="",
                     timeline=Timeline())  # fmt: skip
    session = session_of(event)
    cells = row_cells(session.rows[0], session)
    assert {cells[name] for name in ("ttft_ms", "ttfo_ms", "decode_tps", "e2e_ms", "load_ms", "tokens")} == {""}


def test_rows_are_appended_as_they_come_and_rewritten_alike(tmp_path: Path) -> None:
    file = TrialsCsv(tmp_path)
    events: list[TrialFinished] = []
    for order, event in enumerate((finished(PLAN), finished(PLAN, trial(PLAN, kind="cold"), tokens=16)), 1):
        events.append(event)
        session = session_of(*events)
        file.append(session.rows[-1], session)
        assert len(read((tmp_path / TRIALS).read_bytes())) == order
    appended = (tmp_path / TRIALS).read_bytes()
    assert appended == trials_csv(session)
    file.rewrite(session)
    assert (tmp_path / TRIALS).read_bytes() == appended
    file.append(session.rows[-1], session)
    file.close()
    assert len(read((tmp_path / TRIALS).read_bytes())) == 3


# --- samples.csv and summary.csv ----------------------------------------------------------------------------------


def test_samples_stand_in_session_time_and_utc(tmp_path: Path) -> None:
    file = SamplesCsv(tmp_path, start_t_ns=500, start_wall_ns=WALL_NS)
    file.append(Sampled(t_ns=500 + 1500 * MS, cores_busy=1.25, per_core=(1.0, 0.25), available_bytes=7), "r1-m1-cold")
    file.append(Sampled(t_ns=500 + 2000 * MS, cores_busy=0.0), None)
    file.close()
    first, second = read((tmp_path / SAMPLES).read_bytes())
    assert (first["session_s"], first["utc"]) == ("1.500", "2026-09-21T14:13:21.500000Z")
    assert (first["cores_busy"], first["per_core"], first["available_bytes"]) == ("1.25", "1 0.25", "7")
    assert first["trial_id"] == "r1-m1-cold"
    assert (second["cores_busy"], second["gpu_busy"], second["trial_id"]) == ("0", "", "")


def test_the_summary_has_a_row_a_model_and_a_row_a_model_and_category(tmp_path: Path) -> None:
    session = session_of(finished(PLAN), finished(PLAN, trial(PLAN, kind="cold"), tokens=16, ttft_ms=9000))
    write_summary(tmp_path, session)
    rows = read((tmp_path / "summary.csv").read_bytes())
    assert [(row["model"], row["category"]) for row in rows] == [
        ("llama3", ""), ("mistral", ""), ("llama3", "creativity"), ("llama3", "coding"), ("mistral", "creativity"),
        ("mistral", "coding"),
    ]  # fmt: skip
    assert rows[0]["decode_tps"] == rows[2]["decode_tps"] == "10"
    assert rows[0]["cold_first_ms"] == "9000"
    assert rows[1]["decode_tps"] == ""
    assert "decode_tps:not_yet" in rows[1]["missing"]
    assert tuple(rows[0]) == summary_columns()
    assert summary_csv(session) == (tmp_path / "summary.csv").read_bytes()
