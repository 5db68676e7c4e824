"""Reader of AIPerf's exports: one line per request (``profile_export.jsonl``) or means of a run (``…_aiperf.json``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llmtui.core.records import Recorded
from llmtui.legacy.rows import FileRow, ImportedFile
from llmtui.legacy.values import count_of, inside, list_of, positive

REQUEST_KEYS = frozenset({"metadata", "metrics"})
SUMMARY_KEYS = frozenset({"input_config", "request_latency"})
_SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "sec": 1.0, "seconds": 1.0}


def aiperf_requests(objects: Sequence[Mapping[str, Any]], name: str) -> ImportedFile:
    """Return one row per request, without warm-up. Cancelled and failed ones are marked as failed.

    Args:
        objects: the lines of the file.
        name: the model's name if a line has none.
    """
    rows = tuple(
        FileRow(
            model=str(inside(one, "metadata", "model_name") or name),
            category=str(inside(one, "metadata", "benchmark_phase") or "profiling"),
            run=line,
            failed=one.get("error") is not None or bool(inside(one, "metadata", "was_cancelled")),
            recorded=Recorded(
                line=line,
                program="aiperf",
                repetition=True,
                tokens=count_of(inside(one, "metrics", "output_sequence_length", "value")),
                prompt_tokens=count_of(inside(one, "metrics", "input_sequence_length", "value")),
                ttft_s=_seconds(inside(one, "metrics", "time_to_first_token"), "value"),
                total_s=_seconds(inside(one, "metrics", "request_latency"), "value"),
            ),
        )
        for line, one in enumerate(objects, 1)
        if inside(one, "metadata", "benchmark_phase") != "warmup"
    )
    return ImportedFile(rows=rows, program="aiperf")


def aiperf_summary(objects: Sequence[Mapping[str, Any]], name: str) -> ImportedFile:
    """Return one row per run, with the means over its requests.

    Args:
        objects: the objects of the file.
        name: the model's name if an object has none.
    """
    rows: list[FileRow] = []
    for line, one in enumerate(objects, 1):
        models = list_of(inside(one, "input_config", "endpoint", "model_names"))
        per_token_s = _seconds(one.get("inter_token_latency"), "avg")
        rows.append(
            FileRow(
                model=str(models[0]) if models else name,
                category="profiling",
                recorded=Recorded(
                    line=line,
                    program="aiperf",
                    repetition=True,
                    mean_of=count_of(inside(one, "request_latency", "count")),
                    ttft_s=_seconds(one.get("time_to_first_token"), "avg"),
                    total_s=_seconds(one.get("request_latency"), "avg"),
                    decode_tps=None if per_token_s is None else 1 / per_token_s,
                ),
            )
        )
    return ImportedFile(rows=tuple(rows), program="aiperf", left_out={"throughput": len(rows)})


def _seconds(of: object, key: str) -> float | None:
    value, factor = positive(inside(of, key)), _SECONDS.get(str(inside(of, "unit")))
    return None if value is None or factor is None else value * factor
