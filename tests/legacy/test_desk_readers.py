"""Benchmarks for one's own desk and Go benchmark lines: each figure is the file's, and traps are seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llmtui.core.metrics import Figures
from llmtui.legacy.keeping import read_file
from llmtui.legacy.readers import read_any
from llmtui.legacy.rows import CannotImport, ImportedFile
from llmtui.report.benchstat import benchstat
from tests.legacy.test_readers import session_of
from tests.report.recorded import NAMES, saved


def figures(made: ImportedFile) -> list[Figures]:
    return [row.figures for row in session_of(made).rows]


def benchy(**shape: Any) -> dict[str, Any]:
    usual = {
        "concurrency": 1, "context_size": 0, "prompt_size": 2048, "response_size": 128,
        "pp_req_throughput": {"values": [64.0, 32.0]}, "tg_req_throughput": {"values": [16.0, 15.0]},
        "e2e_ttft": {"values": [32000.0, 64000.0]},
    }  # fmt: skip
    return {"latency_mode": "none", "model": "tiny", "prefix_caching_enabled": False, "benchmarks": [usual | shape]}


def test_a_run_of_llama_benchy_is_a_row() -> None:
    found = figures(read_any(json.dumps(benchy())))
    assert [(one.decode_tps, one.ttft_ms, one.prefill_tps) for one in found] == [
        (16.0, 32000, 64.0),
        (15.0, 64000, 32.0),
    ]


def test_a_missing_figure_of_llama_benchy_is_missing() -> None:
    (row,) = read_any(
        json.dumps(benchy(e2e_ttft=None, pp_req_throughput={"values": []}, tg_req_throughput={"values": [9]}))
    ).rows
    assert (row.recorded.ttft_s, row.recorded.prompt_s, row.recorded.decode_tps) == (None, None, 9.0)
    cached = benchy() | {"prefix_caching_enabled": True}
    assert [one.prefill_tps for one in figures(read_any(json.dumps(cached)))] == [None, None]
    assert read_any(json.dumps(benchy(concurrency=4, context_size=4096))).rows[0].category == "pp6144 tg128 × 4"


def test_the_csv_of_llama_benchy_has_means_and_empty_cells() -> None:
    head = "model,test_name,t_s_mean,t_s_req_mean,e2e_ttft_mean"
    made = read_any(f"{head}\nx,pp2048,61.0,61.0,33536\nx,tg32,15.8,,\nx,odd,1,1,1\n")
    assert [(row.category, row.recorded.decode_tps, row.recorded.ttft_s) for row in made.rows] == [
        ("pp2048", None, 33.536), ("tg32", 15.8, None),
    ]  # fmt: skip
    with pytest.raises(CannotImport):
        read_any(f"{head}\nx,odd,1,1,1\n")


def test_a_shape_of_localscore_is_a_row_and_its_score_is_left_out() -> None:
    shape = {"name": "pp64+tg128", "model_name": "tiny", "n_prompt": 64, "n_gen": 128, "prompt_tps": 32.0,
             "gen_tps": 16.0, "ttft_ms": 2000.0, "avg_time_ms": 10000.0}  # fmt: skip
    made = read_any(json.dumps({"runtime_info": {}, "results_summary": {"performance_score": 9}, "results": [shape]}))
    (found,) = figures(made)
    assert (found.decode_tps, found.prefill_tps, found.ttft_ms, found.tokens) == (16.0, 32.0, 2000.0, 128)
    assert made.left_out == {"own_scores": 1}


def test_zeros_of_homebench_are_missing_and_its_total_is_of_another_run() -> None:
    speed = {"ttft_s": 0.5, "output_tokens": 129, "eval_s": 8.0, "prompt_eval_s": 0.0, "load_s": 0.0, "total_s": 9.0}
    reports = [{"model": {"name": "a"}, "speed": speed, "quality_score": 7.5}, {"model": {"name": "b"}, "error": "no"}]
    made = read_any(json.dumps({"provider": "ollama", "environment": {}, "reports": reports}))
    first, second = session_of(made).rows
    assert (first.figures.decode_tps, first.figures.ttft_ms, first.figures.load_ms, first.figures.e2e_ms) == (
        16.0, 500.0, None, None,
    )  # fmt: skip
    assert (second.outcome, made.left_out) == ("error", {"own_scores": 1})


def test_a_null_run_of_ollama_profiler_failed() -> None:
    run = {"ttft_ms": 345, "eval_count": 129, "total_duration_ms": 8345, "eval_duration_ms": 8000}
    made = read_any(json.dumps({"meta": {"runs": 2}, "results": {"a": [run, None]}}))
    assert [row.outcome for row in session_of(made).rows] == ["ok", "error"]
    assert [one.decode_tps for one in figures(made)] == [16.0, None]


def test_what_llmtui_writes_for_benchstat_comes_back(tmp_path: Path) -> None:
    made = read_any(benchstat([saved(tmp_path)]).decode())
    assert made.program == "go_benchmark"
    assert {row.model for row in made.rows} == set(NAMES)
    assert {row.run for row in made.rows} == {1, 2, 3, 4, 5}
    assert all(not row.recorded.repetition for row in made.rows), "a line is a round"


def test_go_lines_of_another_unit() -> None:
    (row,) = read_any("BenchmarkX/model=a%20b/kind=cold/category=code 1 50 ms/token 500 ms/ttft\n").rows
    assert (row.model, row.category, row.cold, row.recorded.decode_tps, row.recorded.ttft_s) == (
        "a b", "code", True, 20.0, 0.5,
    )  # fmt: skip
    with pytest.raises(CannotImport):
        read_any("BenchmarkX/model=a 1 50 B/op\n")


@pytest.mark.parametrize(
    "made", [benchy(), {"meta": {}, "results": {}}, {"provider": "", "environment": {}, "reports": [1, None]}]
)
def test_a_cut_or_hollow_file_is_one_refusal(made: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "cut.json"
    path.write_text(json.dumps(made)[:-9])
    with pytest.raises(CannotImport):
        read_file(path)
    hollow = {name: [] if isinstance(value, list) else value for name, value in made.items()}
    path.write_text(json.dumps(hollow))
    with pytest.raises(CannotImport):
        read_file(path)
