"""Readers for benchmarks of a personal computer: llama-benchy, LocalScore, homebench and ollama-profiler."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from llmtui.core.records import Recorded
from llmtui.legacy.rows import CannotImport, FileRow, ImportedFile
from llmtui.legacy.values import count_of, inside, list_of, number_of, positive, scaled

BENCHY_KEYS = frozenset({"latency_mode", "model", "benchmarks"})
BENCHY_HEAD = "model,test_name,t_s_mean"
LOCALSCORE_KEYS = frozenset({"runtime_info", "results_summary", "results"})
HOMEBENCH_KEYS = frozenset({"provider", "environment", "reports"})
PROFILER_KEYS = frozenset({"meta", "results"})
_TEST = re.compile(r"(pp|tg)(\d+)(?: @ d(\d+))?")


def benchy_runs(objects: Sequence[Mapping[str, Any]], name: str) -> ImportedFile:
    """Return one row per run of each combination of prompt and answer length.

    Speeds are those of one request, not the sum of simultaneous ones.

    Args:
        objects: the objects of llama-benchy's JSON file.
        name: the model's name if an object has none.
    """
    rows: list[FileRow] = []
    for one in objects:
        for shape in list_of(one.get("benchmarks")):
            cached = 0 if one.get("prefix_caching_enabled") is False else None
            rows += _benchy_rows(shape, str(one.get("model") or name), len(rows), cached)
    return ImportedFile(rows=tuple(rows), program="llama_benchy")


def _benchy_rows(shape: object, model: str, before: int, cached: int | None) -> Iterator[FileRow]:
    asked = (count_of(inside(shape, "prompt_size")) or 0) + (count_of(inside(shape, "context_size")) or 0)
    tokens = count_of(inside(shape, "response_size"))
    users = count_of(inside(shape, "concurrency")) or 1
    category = f"pp{asked} tg{tokens or 0}" + (f" × {users}" if users > 1 else "")

    def runs(*names: str) -> list[float | None]:
        """Return the values of the first of the named figures that has any."""
        told = (list_of(inside(shape, each, "values")) for each in names)
        return [positive(value) for value in next((values for values in told if values), [])]

    speeds, prompts = runs("tg_req_throughput", "tg_throughput"), runs("pp_req_throughput", "pp_throughput")
    waits = runs("e2e_ttft")
    for at in range(max(map(len, (speeds, prompts, waits)))):
        speed, prompt, wait = (values[at] if at < len(values) else None for values in (speeds, prompts, waits))
        yield FileRow(
            model=model,
            category=category,
            run=at + 1,
            recorded=Recorded(
                line=before + at + 1,
                program="llama_benchy",
                repetition=True,
                decode_tps=speed,
                ttft_s=scaled(wait, 1e-3),
                prompt_tokens=asked or None,
                cached_tokens=cached,
                prompt_s=asked / prompt if asked and prompt else None,
            ),
        )


def benchy_csv(text: str) -> ImportedFile:
    """Return one row per test of llama-benchy's CSV file, which has only means and may leave cells empty.

    Raises:
        CannotImport: the CSV is malformed, or has no usable row.
    """
    rows: list[FileRow] = []
    try:
        lines = list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"), newline="")))
    except csv.Error as error:
        raise CannotImport("broken_csv", line=0, why=str(error)) from error
    for line, cells in enumerate(lines, 2):
        found = _TEST.fullmatch((cells.get("test_name") or "").strip())
        rate = positive(cells.get("t_s_req_mean")) or positive(cells.get("t_s_mean"))
        if found is None or rate is None:
            continue
        kind, tokens = found[1], int(found[2]) + int(found[3] or 0)
        rows.append(
            FileRow(
                model=cells.get("model") or "",
                category=found[0],
                recorded=Recorded(
                    line=line,
                    program="llama_benchy",
                    repetition=True,
                    decode_tps=rate if kind == "tg" else None,
                    ttft_s=scaled(positive(cells.get("e2e_ttft_mean")), 1e-3),
                    prompt_tokens=tokens if kind == "pp" else None,
                    prompt_s=tokens / rate if kind == "pp" else None,
                ),
            )
        )
    if not rows:
        raise CannotImport("no_rows")
    return ImportedFile(rows=tuple(rows), program="llama_benchy")


def localscore_shapes(objects: Sequence[Mapping[str, Any]], name: str) -> ImportedFile:
    """Return one row per pair of prompt and answer lengths. LocalScore's overall score is left out.

    Args:
        objects: the objects of LocalScore's file.
        name: the model's name if a result has none.
    """
    rows: list[FileRow] = []
    for one in objects:
        for shape in list_of(one.get("results")):
            read, made = count_of(inside(shape, "n_prompt")), count_of(inside(shape, "n_gen"))
            prompt_tps, text_tps = positive(inside(shape, "prompt_tps")), positive(inside(shape, "gen_tps"))
            rows.append(
                FileRow(
                    model=str(inside(shape, "model_name") or name),
                    category=str(inside(shape, "name") or ""),
                    recorded=Recorded(
                        line=len(rows) + 1,
                        program="localscore",
                        tokens=made,
                        decode_tps=text_tps,
                        cached_tokens=0,
                        ttft_s=scaled(positive(inside(shape, "ttft_ms")), 1e-3),
                        total_s=scaled(positive(inside(shape, "avg_time_ms")), 1e-3),
                        prompt_tokens=read,
                        prompt_s=read / prompt_tps if read and prompt_tps else None,
                    ),
                )
            )
    return ImportedFile(rows=tuple(rows), program="localscore", left_out={"own_scores": len(objects)})


def homebench_models(objects: Sequence[Mapping[str, Any]], name: str) -> ImportedFile:
    """Return one row per model; a model with an error is marked as failed.

    A zero means "not measured". Each figure is the best of several runs. The total time is left out, because it may
    come from a different run than the time to first token.

    Args:
        objects: the objects of homebench's file.
        name: the model's name if a report has none.
    """
    rows: list[FileRow] = []
    scores = 0
    for one in objects:
        for report in list_of(one.get("reports")):
            scores += number_of(inside(report, "quality_score")) is not None
            rows.append(
                FileRow(
                    model=str(inside(report, "model", "name") or name),
                    category="speed",
                    failed=inside(report, "error") is not None,
                    recorded=Recorded(
                        line=len(rows) + 1,
                        program="homebench",
                        repetition=True,
                        tokens=count_of(positive(inside(report, "speed", "output_tokens"))),
                        prompt_tokens=count_of(positive(inside(report, "speed", "prompt_tokens"))),
                        decode_s=positive(inside(report, "speed", "eval_s")),
                        prompt_s=positive(inside(report, "speed", "prompt_eval_s")),
                        ttft_s=positive(inside(report, "speed", "ttft_s")),
                        load_s=positive(inside(report, "speed", "load_s")),
                    ),
                )
            )
    return ImportedFile(rows=tuple(rows), program="homebench", left_out={"own_scores": scores} if scores else {})


def profiler_runs(objects: Sequence[Mapping[str, Any]], name: str) -> ImportedFile:
    """Return one row per run; a run that is null is marked as failed.

    The prompt's speed is left out, because ollama-profiler sends a prompt that is already cached.

    Args:
        objects: the objects of ollama-profiler's file.
        name: not used, since the file always names its models.
    """
    del name
    rows: list[FileRow] = []
    for one in objects:
        results = one.get("results")
        for model, runs in results.items() if isinstance(results, dict) else ():
            for number, run in enumerate(list_of(runs), 1):
                rows.append(
                    FileRow(
                        model=str(model),
                        category="prompt",
                        run=number,
                        failed=run is None,
                        recorded=Recorded(
                            line=len(rows) + 1,
                            program="ollama_profiler",
                            repetition=True,
                            tokens=count_of(inside(run, "eval_count")),
                            prompt_tokens=count_of(inside(run, "prompt_eval_count")),
                            decode_s=scaled(positive(inside(run, "eval_duration_ms")), 1e-3),
                            ttft_s=scaled(positive(inside(run, "ttft_ms")), 1e-3),
                            load_s=scaled(positive(inside(run, "load_duration_ms")), 1e-3),
                            total_s=scaled(positive(inside(run, "total_duration_ms")), 1e-3),
                        ),
                    )
                )
    return ImportedFile(rows=tuple(rows), program="ollama_profiler")
