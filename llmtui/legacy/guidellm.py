"""Reader of GuideLLM's ``benchmarks.json``: requests with the times of their first and last token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from llmtui.core.records import Recorded
from llmtui.legacy.rows import FileRow, ImportedFile
from llmtui.legacy.values import count_of, inside, list_of, number_of

KEYS = frozenset({"metadata", "benchmarks"})


def guidellm_requests(objects: Sequence[Mapping[str, Any]], name: str) -> ImportedFile:
    """Return one row per finished request; failed ones are marked as failed.

    Requests cut off at the end of the benchmark are left out.

    Args:
        objects: the objects of the file.
        name: the model's name if a benchmark has none.
    """
    rows: list[FileRow] = []
    cut = 0
    for one in objects:
        for benchmark in list_of(one.get("benchmarks")):
            rows += _rows(benchmark, name, len(rows))
            cut += len(list_of(inside(benchmark, "requests", "incomplete")))
    return ImportedFile(rows=tuple(rows), program="guidellm", left_out={"incomplete_requests": cut} if cut else {})


def _rows(benchmark: object, name: str, before: int) -> Iterator[FileRow]:
    model = inside(benchmark, "config", "backend", "model") or inside(benchmark, "config", "model") or name
    category = str(inside(benchmark, "config", "strategy", "type_") or "load")
    streams = count_of(inside(benchmark, "config", "strategy", "streams"))
    category = category if streams is None else f"{category} {streams}"
    at = before
    for kind in ("successful", "errored"):
        for request in list_of(inside(benchmark, "requests", kind)):
            at += 1
            yield FileRow(
                model=str(model),
                category=category,
                run=at,
                failed=kind == "errored",
                recorded=_recorded(request, at),
            )


def _recorded(request: object, line: int) -> Recorded:
    times = inside(request, "info", "timings")
    begun = number_of(inside(times, "request_start"))
    first = number_of(inside(times, "first_token_iteration"))
    ended = number_of(inside(times, "request_end"))
    return Recorded(
        line=line,
        program="guidellm",
        repetition=True,
        tokens=count_of(inside(request, "output_metrics", "text_tokens")),
        prompt_tokens=count_of(inside(request, "input_metrics", "text_tokens")),
        cached_tokens=count_of(inside(request, "input_metrics", "cached_tokens")),
        ttft_s=None if begun is None or first is None else first - begun,
        total_s=None if begun is None or ended is None else ended - begun,
    )
