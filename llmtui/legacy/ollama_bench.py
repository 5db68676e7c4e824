"""Reader of Ollama's own benchmark: benchstat lines or csv with five or six columns, one group of lines per epoch.

The program overwrites older files without truncating them. After the newest results, the end of older ones may follow,
and the first line of that rest is usually cut in the middle.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from llmtui.core.records import Recorded
from llmtui.legacy.rows import CannotImport, FileRow, ImportedFile
from llmtui.legacy.values import count_of, number_of, positive

STEPS = ("prefill", "generate", "ttft", "load", "total")
_BENCHSTAT = re.compile(r"BenchmarkModel/name=(.+)/step=(\w+)\s+\d+\s+(.*)")


class _Line(NamedTuple):
    line: int
    model: str
    step: str
    ns: float
    """Nanoseconds per token, or of the whole step."""
    prompt_tokens: int | None = None
    cached: int | None = None


def ollama_bench_csv(text: str) -> ImportedFile:
    """Return one row per epoch of a csv file.

    Raises:
        CannotImport: the file has no complete line.
    """
    return _file(_csv_lines(text))


def ollama_bench_benchstat(text: str) -> ImportedFile:
    """Return one row per epoch of a file in Go's benchmark format.

    Raises:
        CannotImport: the file has no complete line.
    """
    return _file(_benchstat_lines(text))


def _csv_lines(text: str) -> Iterator[_Line | None]:
    for at, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith(("#", "NAME,")):
            continue
        # A name may have commas, the figures do not.
        found = re.fullmatch(r"(.+?),(\w+),\d+,([\d.]+),[\d.]+(?:,(\d+))?", line.strip())
        ns = None if found is None else number_of(found.group(3))
        if found is None or found.group(2) not in STEPS or ns is None:
            yield None
            continue
        yield _Line(at, found.group(1), found.group(2), ns, cached=count_of(found.group(4)))


def _benchstat_lines(text: str) -> Iterator[_Line | None]:
    for at, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        found = _BENCHSTAT.fullmatch(line.strip())
        if found is None or found.group(2) not in STEPS:
            yield None
            continue
        parts = found.group(3).split()
        told = dict(zip(parts[1::2], parts[::2], strict=False))
        ns = number_of(told.get("ns/token", told.get("ns/op")))
        if ns is None:
            yield None
            continue
        yield _Line(
            at, found.group(1), found.group(2), ns,
            prompt_tokens=count_of(told.get("processed-prompt-token")),
            cached=count_of(told.get("cached-prompt-token")),
        )  # fmt: skip


def _file(lines: Iterable[_Line | None]) -> ImportedFile:
    whole = [*lines]
    # Everything from the first cut line on is from an older run.
    end = next((at for at, line in enumerate(whole) if line is None), len(whole))
    rows = tuple(_rows([line for line in whole[:end] if line is not None]))
    if not rows:
        raise CannotImport("no_rows")
    stale = len(whole) - end
    return ImportedFile(rows=rows, program="ollama_bench", left_out={"stale_lines": stale} if stale else {})


def _rows(lines: list[_Line]) -> Iterator[FileRow]:
    epoch: dict[str, _Line] = {}
    runs: dict[str, int] = {}
    for at, line in enumerate(lines):
        epoch[line.step] = line
        following = lines[at + 1] if at + 1 < len(lines) else None
        if following is None or following.model != line.model or following.step in epoch:
            runs[line.model] = runs.get(line.model, 0) + 1
            yield _row(epoch, line.model, runs[line.model])
            epoch = {}


def _row(epoch: dict[str, _Line], model: str, run: int) -> FileRow:
    def seconds(step: str) -> float | None:
        return None if step not in epoch or not (ns := positive(epoch[step].ns)) else ns / 1e9

    per_token = seconds("generate")
    prefill = epoch.get("prefill")
    fresh = None if prefill is None else prefill.prompt_tokens
    per_prompt_token = seconds("prefill")
    return FileRow(
        model=model,
        category="bench",
        run=run,
        recorded=Recorded(
            line=min(line.line for line in epoch.values()),
            program="ollama_bench",
            repetition=True,
            decode_tps=None if per_token is None else 1 / per_token,
            ttft_s=seconds("ttft"),
            load_s=seconds("load"),
            total_s=seconds("total"),
            prompt_tokens=None if fresh is None or prefill is None else fresh + (prefill.cached or 0),
            cached_tokens=None if prefill is None else prefill.cached,
            prompt_s=None if fresh is None or per_prompt_token is None else fresh * per_prompt_token,
        ),
    )
