"""Files of other programs are recognised by their content; each figure is the file's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtui.core.session import Session, fold
from llmtui.legacy.audit import audit
from llmtui.legacy.events import legacy_events
from llmtui.legacy.readers import read_any
from llmtui.legacy.rows import CannotImport, ImportedFile, Program
from llmtui.legacy.source import file_text

FOREIGN = Path(__file__).parents[3] / "shared" / "data" / "foreign"


def session_of(made: ImportedFile) -> Session:
    found = fold(legacy_events(made, name="x.json", session_id="x", wall_ns=0, version="0"))
    assert found is not None
    return found


def speeds(made: ImportedFile) -> list[float | None]:
    return [row.figures.decode_tps for row in session_of(made).rows]


def example(name: str) -> ImportedFile:
    if not FOREIGN.exists():
        pytest.skip("the files of other programs are not beside this checkout")
    return read_any(file_text(FOREIGN / name), name=name.partition(".")[0])


@pytest.mark.parametrize(
    ("name", "program", "rows"),
    [
        ("llama_bench.json", "llama_bench", 25), ("llama_bench.jsonl", "llama_bench", 25),
        ("llama_bench_older_use_mmap.jsonl", "llama_bench", 10), ("llama_bench.csv", "llama_bench", 5),
        ("llama_bench.sql", "llama_bench", 5), ("llama_bench.md", "llama_bench", 5),
        ("ollama_bench.benchstat.txt", "ollama_bench", 12), ("ollama_bench_new.csv", "ollama_bench", 4),
        ("ollama_bench_older.csv", "ollama_bench", 4), ("ollama_bench_glued_tail.csv", "ollama_bench", 1),
        ("vllm_bench_serve.json", "vllm_bench", 1), ("vllm_bench_serve_detailed.json", "vllm_bench", 4),
        ("sglang_bench_serving.jsonl", "sglang_bench", 3), ("aiperf_profile_export.jsonl", "aiperf", 4),
        ("aiperf_profile_export_aiperf.json", "aiperf", 1), ("guidellm_benchmarks.json", "guidellm", 3),
        ("ollama_profiler_results.json", "ollama_profiler", 4), ("llama_benchy.json", "llama_benchy", 9),
        ("llama_benchy.csv", "llama_benchy", 3), ("localscore_result.json", "localscore", 3),
        ("homebench_run.json", "homebench", 2), ("llmtui_out_proposed.benchstat.txt", "go_benchmark", 12),
    ],
)  # fmt: skip
def test_every_example_is_recognised_and_audited(name: str, program: Program, rows: int) -> None:
    made = example(name)
    assert (made.program, len(made.rows)) == (program, rows)
    found = audit(session_of(made))
    assert found.layout.program == program
    assert not [one for one in found.claims if one.finding == "stands"]
    assert [one.speed for one in found.models if one.speed is not None], "each of them has a speed"


# --- llama-bench --------------------------------------------------------------------------------------------------


def llama(**changes: Any) -> dict[str, Any]:
    return {
        "model_filename": "models/tiny.gguf", "model_type": "example 4B", "n_threads": 8, "type_k": "f16",
        "n_prompt": 0, "n_gen": 128, "n_depth": 0, "avg_ns": 8e9, "avg_ts": 16.0, "samples_ns": [8e9, 4e9],
    } | changes  # fmt: skip


def test_a_row_for_each_sample_of_llama_bench() -> None:
    made = read_any("\n".join(map(json.dumps, (llama(), llama(n_gen=0, n_prompt=512, n_depth=4096)))))
    assert [(row.model, row.category) for row in made.rows] == [("tiny", "tg128")] * 2 + [("tiny", "pp512 @ d4096")] * 2
    # 128 tokens in 128 steps: nothing is taken off, as the first token is decoded like the others.
    assert speeds(made) == [16.0, 32.0, None, None]
    assert [row.figures.prefill_tps for row in session_of(made).rows] == [None, None, 64.0, 128.0]


def test_the_csv_of_llama_bench_has_means_only() -> None:
    cells = {key: str(value) for key, value in llama().items() if key != "samples_ns"} | {"build_commit": "abc"}
    made = read_any(",".join(cells) + "\n" + ",".join(cells.values()) + "\n")
    assert speeds(made) == [16.0]


def test_setups_of_one_model_are_told_apart_by_what_differs() -> None:
    made = read_any(json.dumps([llama(), llama(type_k="q8_0"), llama(model_filename="other.gguf", n_threads=4)]))
    assert [*dict.fromkeys(row.model for row in made.rows)] == ["tiny (type_k=f16)", "tiny (type_k=q8_0)", "other"]


def test_a_mixed_speed_is_left_out() -> None:
    made = read_any(json.dumps([llama(), llama(n_prompt=512)]))
    assert (len(made.rows), made.left_out) == (2, {"prompt_and_text_mixed": 1})


def test_repetitions_in_a_row_are_no_rounds() -> None:
    made = read_any(json.dumps([llama(), llama(model_filename="b.gguf", samples_ns=[9e9, 9e9])]))
    found = audit(session_of(made))
    assert (found.layout.unit, found.layout.repetitions) == ("category", 2)
    assert found.verdicts[0].word not in ("faster", "slightly_faster", "ahead")


# --- Ollama's bench -----------------------------------------------------------------------------------------------

OLLAMA = """NAME,STEP,COUNT,NS_PER_COUNT,TOKEN_PER_SEC,CACHED_PROMPT_COUNT
# Model: tiny:4b | Params: 4.0B
tiny:4b,prefill,1,16000000,62.5,0
tiny:4b,generate,1,62500000,16,0
tiny:4b,ttft,1,8000000000,0,0
tiny:4b,load,1,20000000,0,0
tiny:4b,total,1,16000000000,0,0
"""


def test_an_epoch_of_ollamas_bench_is_a_row() -> None:
    (row,) = read_any(OLLAMA).rows
    of = row.recorded
    assert (row.model, of.decode_tps, of.ttft_s, of.load_s, of.total_s, of.cached_tokens) == (
        "tiny:4b", 16.0, 8.0, 0.02, 16.0, 0,
    )  # fmt: skip
    five = OLLAMA.replace(",CACHED_PROMPT_COUNT", "").replace(",0\ntiny", "\ntiny")
    assert read_any(five).rows[0].recorded.decode_tps == 16.0


def test_the_end_of_an_older_run_is_left_out() -> None:
    made = read_any(OLLAMA + "00,0,0\n" + "\n".join(OLLAMA.splitlines()[2:]) + "\n")
    assert (len(made.rows), made.left_out) == (1, {"stale_lines": 6})


def test_benchstat_lines_say_how_many_tokens_the_prompt_had() -> None:
    text = "\n".join(
        f"BenchmarkModel/name=tiny:4b/step={step} 1 {figures}"
        for step, figures in (
            ("prefill", "16000000 ns/token 62.5 token/sec 500 processed-prompt-token 12 cached-prompt-token"),
            ("generate", "62500000 ns/token 16 token/sec"),
            ("ttft", "8000000000 ns/op"),
        )
    )
    (row,) = session_of(read_any(text)).rows
    assert (row.figures.decode_tps, row.figures.prompt_tokens, row.figures.cached_tokens) == (16.0, 512, 12)
    assert row.figures.prefill_tps == pytest.approx(62.5)


# --- load tests ---------------------------------------------------------------------------------------------------


def vllm(**changes: Any) -> dict[str, Any]:
    return {
        "model_id": "tiny", "tokenizer_id": "tiny", "request_rate": "inf", "max_concurrency": 1, "completed": 2,
        "request_throughput": 0.1, "output_throughput": 15.0, "mean_ttft_ms": 300.0, "mean_tpot_ms": 50.0,
        "mean_e2el_ms": 5250.0,
    } | changes  # fmt: skip


def test_the_short_form_of_vllm_has_means() -> None:
    made = read_any(json.dumps(vllm()) + json.dumps(vllm(max_concurrency=4, mean_tpot_ms=100.0)))
    assert speeds(made) == [20.0, 10.0]
    assert [(row.category, row.recorded.ttft_s) for row in made.rows] == [("c=1", 0.3), ("c=4", 0.3)]
    assert made.left_out == {"throughput": 2}


def test_the_detailed_form_of_vllm_has_requests() -> None:
    gaps = [[0.05] * 99, [0.05] * 49]
    details = {"ttfts": [0.2, 0.4], "output_lens": [100, 50], "itls": gaps, "errors": ["", "cut"], "input_lens": [7, 8]}
    made = read_any(json.dumps(vllm(**details)))
    assert [row.failed for row in made.rows] == [False, True]
    assert speeds(made) == [pytest.approx(20.0), None]


def test_gaps_that_do_not_cover_the_answer_are_left_out_and_the_mean_stays() -> None:
    details = {"ttfts": [0.2, 0.4], "output_lens": [100, 50], "itls": [[0.05] * 6] * 2}
    made = read_any(json.dumps(vllm(**details)))
    assert made.left_out == {"chunk_times": 2, "throughput": 1}
    assert speeds(made) == [None, None, 20.0]
    assert [row.recorded.ttft_s for row in made.rows] == [0.2, 0.4, None]


def test_requests_of_aiperf_that_were_cancelled_are_failed() -> None:
    metrics = {
        "time_to_first_token": {"value": 500, "unit": "ms"}, "request_latency": {"value": 5.5, "unit": "s"},
        "output_sequence_length": {"value": 101, "unit": "tokens"},
    }  # fmt: skip
    good = {"metadata": {"benchmark_phase": "profiling", "was_cancelled": False}, "metrics": metrics, "error": None}
    bad = {"metadata": {"was_cancelled": True}, "metrics": {}, "error": {"code": 499}}
    warmup = good | {"metadata": {"benchmark_phase": "warmup"}}
    made = read_any("\n".join(map(json.dumps, (warmup, good, bad))), name="tiny")
    assert [(row.model, row.failed) for row in made.rows] == [("tiny", False), ("tiny", True)]
    assert speeds(made) == [20.0, None]


def test_requests_of_guidellm_that_the_end_cut_off_are_left_out() -> None:
    def request(tokens: int) -> dict[str, Any]:
        times = {"request_start": 100.0, "first_token_iteration": 100.5, "request_end": 105.5}
        return {"info": {"timings": times}, "output_metrics": {"text_tokens": tokens}}

    requests = {"successful": [request(101)], "errored": [request(5)], "incomplete": [request(3), request(4)]}
    made = read_any(json.dumps({"metadata": {}, "benchmarks": [{"requests": requests}]}), name="tiny")
    assert (speeds(made), made.left_out) == ([20.0, None], {"incomplete_requests": 2})


# --- anything -----------------------------------------------------------------------------------------------------


def test_objects_with_known_keys_are_a_table() -> None:
    made = read_any('[{"model": "a", "eval_count": 101, "eval_duration": 10000000000, "total_duration": 12000000000}]')
    assert (made.program, speeds(made)) == ("table", [10.0])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"model": "a", ', "broken_json"), ("[" * 100_000, "broken_json"), ("[]", "no_rows"), ("[1, 2]", "no_rows"),
        ('{"a": 1}', "no_columns"), ('{"metadata": {}, "benchmarks": []}', "no_rows"),
        ("NAME,STEP,COUNT,NS_PER_COUNT,TOKEN_PER_SEC\n", "no_rows"), ("INSERT INTO llama_bench", "no_rows"),
        ("a" * 2_000_000, "no_columns"), ("model,tokens,total_s\n" + "a," * 600_000, "broken_csv"),
    ],
)  # fmt: skip
def test_what_is_cut_off_or_foreign_is_refused(text: str, code: str) -> None:
    with pytest.raises(CannotImport) as caught:
        read_any(text)
    assert caught.value.code == code


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = [
    ["model_filename", "n_prompt", "n_gen", "avg_ts", "samples_ns", "n_depth"],
    ["model_id", "request_throughput", "mean_ttft_ms", "tokenizer_id", "ttfts", "output_lens", "itls", "errors"],
    ["metadata", "metrics", "error"],
    ["input_config", "request_latency", "time_to_first_token"],
    ["metadata", "benchmarks"],
    ["model", "tokens", "total_s", "ttft_s"],
]


@given(st.sampled_from(KEYS).flatmap(lambda keys: st.fixed_dictionaries(dict.fromkeys(keys, VALUES))))
def test_no_values_do_worse_than_be_refused(of: dict[str, Any]) -> None:
    try:
        made = read_any(json.dumps(of))
    except CannotImport:
        return
    audit(session_of(made))
