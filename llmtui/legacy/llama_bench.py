"""Reader of llama-bench's results (jsonl, json, csv, sql, md): speeds of prompt processing and of decoding.

Columns differ by version; only those that all versions have are needed. A test ``tg`` with n tokens takes n decoding
steps, without a prompt, sampling or a server.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from llmtui.core.records import Recorded
from llmtui.legacy.rows import CannotImport, FileRow, ImportedFile, LeftOut
from llmtui.legacy.values import count_of, list_of, positive

KEYS = frozenset({"model_filename", "n_prompt", "n_gen", "avg_ts"})
_PER_TEST = frozenset({
    "n_prompt", "n_gen", "n_depth", "test_time", "avg_ns", "stddev_ns", "avg_ts", "stddev_ts", "samples_ns",
    "samples_ts", "model_filename", "model_type", "model_size", "model_n_params", "cpu_info", "gpu_info",
})  # fmt: skip
"""Fields that do not distinguish two configurations of a model."""
_TEST = re.compile(r"(pp|tg)(\d+)(?: @ d(\d+))?")
_INSERT = re.compile(r"INSERT INTO llama_bench\s*\(([^)]*)\)\s*VALUES\s*\((.*)\);?\s*$", re.MULTILINE)


def llama_bench_objects(objects: Sequence[Mapping[str, Any]], name: str) -> ImportedFile:
    """Return one row per sample of each test, or one row with the mean if the samples are missing.

    Args:
        objects: the tests.
        name: not used, since each test names its model.
    """
    del name
    labels = _labels(objects)
    rows: list[FileRow] = []
    left_out: dict[LeftOut, int] = {}
    for line, (one, label) in enumerate(zip(objects, labels, strict=True), 1):
        made = tuple(_rows(one, label, line))
        if not made:
            left_out["prompt_and_text_mixed"] = left_out.get("prompt_and_text_mixed", 0) + 1
        rows += made
    return ImportedFile(rows=tuple(rows), program="llama_bench", left_out=left_out)


def llama_bench_csv(text: str, name: str) -> ImportedFile:
    """Return the rows of the csv format, which has only means.

    Raises:
        CannotImport: the CSV is malformed.
    """
    try:
        return llama_bench_objects(list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"), newline=""))), name)
    except csv.Error as error:
        raise CannotImport("broken_csv", line=0, why=str(error)) from error


def llama_bench_sql(text: str, name: str) -> ImportedFile:
    """Return the rows of the sql format, which has only means.

    Raises:
        CannotImport: there is no INSERT statement of llama-bench, or its values are malformed.
    """
    objects: list[dict[str, Any]] = []
    for columns, values in _INSERT.findall(text):
        try:
            cells = next(csv.reader([values], quotechar="'", skipinitialspace=True), [])
        except csv.Error as error:
            raise CannotImport("broken_csv", line=0, why=str(error)) from error
        objects.append(dict(zip((one.strip() for one in columns.split(",")), cells, strict=False)))
    if not objects:
        raise CannotImport("no_rows")
    return llama_bench_objects(objects, name)


def llama_bench_markdown(text: str, name: str) -> ImportedFile:
    """Return the rows of the Markdown table that llama-bench prints, which has means rounded to two decimals.

    Raises:
        CannotImport: the table has no usable row.
    """
    lines = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in text.splitlines() if "|" in line]
    objects: list[dict[str, Any]] = []
    for cells in lines[1:]:
        told = dict(zip(lines[0], cells, strict=False))
        test = _TEST.fullmatch(told.pop("test", ""))
        rate = positive(told.pop("t/s", "").partition("±")[0])
        if test is None or rate is None:
            continue
        n = int(test.group(2))
        told |= {"model_type": told.pop("model", ""), "n_depth": test.group(3) or "0", "avg_ns": f"{1e9 * n / rate}"}
        told["n_prompt" if test.group(1) == "pp" else "n_gen"] = test.group(2)
        objects.append({key: value for key, value in told.items() if key not in ("size", "params")})
    if not objects:
        raise CannotImport("no_rows")
    return llama_bench_objects(objects, name)


def _rows(one: Mapping[str, Any], label: str, line: int) -> Iterator[FileRow]:
    prompt, made, depth = (
        count_of(one.get("n_prompt")) or 0,
        count_of(one.get("n_gen")) or 0,
        count_of(one.get("n_depth")) or 0,
    )
    if (prompt and made) or not (prompt or made):
        return
    test = f"pp{prompt}" if prompt else f"tg{made}"
    test = f"{test} @ d{depth}" if depth else test
    samples = [ns for value in list_of(one.get("samples_ns")) if (ns := positive(value)) is not None]
    mean_ns = positive(one.get("avg_ns"))
    for run, over_ns in enumerate(samples or ([] if mean_ns is None else [mean_ns]), 1):
        over_s = over_ns / 1e9
        figures: dict[str, Any] = (
            {"prompt_tokens": prompt, "prompt_s": over_s, "cached_tokens": 0}
            if prompt
            else {"tokens": made, "steps": made, "decode_s": over_s}
        )
        yield FileRow(
            model=label,
            category=test,
            run=run,
            recorded=Recorded(line=line, program="llama_bench", repetition=True, **figures),
        )


def _labels(objects: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a label for each test: the model, and the settings in which the tests of that model differ."""
    names = [
        PurePosixPath(str(one.get("model_filename") or one.get("model_type") or "").replace("\\", "/")).stem
        for one in objects
    ]
    labels: list[str] = []
    for one, name in zip(objects, names, strict=True):
        same = [other for other, its in zip(objects, names, strict=True) if its == name]
        differing = [key for key in one if key not in _PER_TEST and len({str(other.get(key)) for other in same}) > 1]
        setup = ", ".join(f"{key}={one[key]}" for key in differing)
        labels.append(f"{name} ({setup})" if setup else name)
    return labels
