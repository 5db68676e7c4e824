"""Choice of the reader for an imported file, by the file's content."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from llmtui.legacy import aiperf, desk_bench, go_bench, guidellm, llama_bench, ollama_bench, serving_bench
from llmtui.legacy.rows import CannotImport, ImportedFile, Stated
from llmtui.legacy.table import MOST_ROWS, read_records, read_table

Objects = list[dict[str, Any]]

_JSON: tuple[tuple[frozenset[str], Callable[[Objects, str], ImportedFile]], ...] = (
    (llama_bench.KEYS, llama_bench.llama_bench_objects),
    (serving_bench.VLLM_KEYS, serving_bench.vllm_levels),
    (serving_bench.SGLANG_KEYS, serving_bench.sglang_levels),
    (aiperf.REQUEST_KEYS, aiperf.aiperf_requests),
    (aiperf.SUMMARY_KEYS, aiperf.aiperf_summary),
    (desk_bench.BENCHY_KEYS, desk_bench.benchy_runs),
    (desk_bench.LOCALSCORE_KEYS, desk_bench.localscore_shapes),
    (desk_bench.HOMEBENCH_KEYS, desk_bench.homebench_models),
    (desk_bench.PROFILER_KEYS, desk_bench.profiler_runs),
    (guidellm.KEYS, guidellm.guidellm_requests),
)
"""Keys that the first object of each format has, and the format's reader."""


def read_any(text: str, stated: Stated | None = None, *, name: str = "") -> ImportedFile:
    """Return the content of a result file of any known program.

    Args:
        text: text of the file.
        stated: the user's statements about the units and columns of a table.
        name: the model's name if the file has none.

    Raises:
        CannotImport: the file cannot be used.
    """
    start = text.lstrip("\ufeff \t\r\n")[:65536]
    if start[:1] in ("{", "["):
        return _from_json(text, stated or Stated(), name)
    if "INSERT INTO llama_bench" in start:
        return llama_bench.llama_bench_sql(text, name)
    if re.search(r"^BenchmarkModel/name=", start, re.MULTILINE):
        return ollama_bench.ollama_bench_benchstat(text)
    if go_bench.LINE.search(start):
        return go_bench.go_bench(text)
    head = start.partition("\n")[0].strip().strip('"')
    if head.startswith("NAME,STEP,COUNT"):
        return ollama_bench.ollama_bench_csv(text)
    if head.startswith(desk_bench.BENCHY_HEAD):
        return desk_bench.benchy_csv(text)
    if "build_commit" in head and "avg_ts" in head:
        return llama_bench.llama_bench_csv(text, name)
    if re.match(r"\|\s*model\s*\|\s*size\s*\|\s*params\s*\|", head):
        return llama_bench.llama_bench_markdown(text, name)
    return ImportedFile(rows=read_table(text, stated))


def _from_json(text: str, stated: Stated, name: str) -> ImportedFile:
    objects = _objects(text)
    for keys, reader in _JSON:
        if keys <= objects[0].keys():
            made = reader(objects, name)
            if not made.rows:
                raise CannotImport("no_rows")
            return made
    return ImportedFile(rows=read_records(_records(objects), stated))


def _records(objects: Objects) -> Objects:
    """Return the objects; if the only one has lists of trials by model, return those trials instead."""
    results = objects[0].get("results")
    if len(objects) == 1 and isinstance(results, dict):
        return [
            {"model": model, **trial}
            for model, trials in results.items()
            for trial in (trials if isinstance(trials, list) else [trials])
            if isinstance(trial, dict)
        ]
    return objects


def _objects(text: str) -> Objects:
    """Return all JSON objects in a text.

    The text may be one object, a list of objects, one object per line, or concatenated objects.

    Raises:
        CannotImport: ``broken_json``, ``no_rows`` or ``too_many_rows``.
    """
    decoder = json.JSONDecoder(parse_constant=lambda _: None)
    found: list[Any] = []
    at = len(text) - len(text.lstrip("\ufeff \t\r\n"))
    try:
        while at < len(text):
            value, at = decoder.raw_decode(text, at)
            found += value if isinstance(value, list) else [value]
            while at < len(text) and text[at] in " \t\r\n,\x1e":
                at += 1
    except (ValueError, RecursionError) as error:
        raise CannotImport("broken_json", line=text.count("\n", 0, at) + 1) from error
    objects = [one for one in found if isinstance(one, dict)]
    if not objects:
        raise CannotImport("no_rows")
    if len(objects) > MOST_ROWS:
        raise CannotImport("too_many_rows", most=MOST_ROWS)
    return objects
