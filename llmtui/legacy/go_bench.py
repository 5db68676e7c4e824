"""Reader of Go benchmark lines with a model in their name, such as those of ``llmtui report --benchstat``.

Format: https://go.dev/design/14313-benchmark-format.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote

from llmtui.core.records import Recorded
from llmtui.legacy.rows import CannotImport, FileRow, ImportedFile
from llmtui.legacy.values import positive, scaled

LINE = re.compile(r"^Benchmark\w*/(?:\S+/)?model=\S+\s+\d+\s+\S", re.MULTILINE)
_PARTS = re.compile(r"Benchmark\w*/(\S+)\s+\d+\s+(.*)")


def go_bench(text: str) -> ImportedFile:
    """Return one row per line that has a decode speed or a time to first token.

    Raises:
        CannotImport: no line has either.
    """
    rows: list[FileRow] = []
    runs: dict[tuple[str, str], int] = {}
    for at, line in enumerate(text.splitlines(), 1):
        found = _PARTS.fullmatch(line.strip())
        if found is None:
            continue
        keys = {name: value for name, _equals, value in (part.partition("=") for part in found[1].split("/"))}
        figures = found[2].split()
        told = dict(zip(figures[1::2], figures[::2], strict=False))
        place = unquote(keys.get("model", "")), keys.get("category", keys.get("by", ""))
        runs[place] = runs.get(place, 0) + 1
        recorded = _recorded(told, at, is_round=keys.get("by") == "round")
        if place[0] and (recorded.decode_tps is not None or recorded.ttft_s is not None):
            rows.append(
                FileRow(
                    model=place[0],
                    category=place[1],
                    run=runs[place],
                    cold=keys.get("kind") == "cold",
                    recorded=recorded,
                )
            )
    if not rows:
        raise CannotImport("no_rows")
    return ImportedFile(rows=tuple(rows), program="go_benchmark")


def _recorded(told: Mapping[str, str], line: int, *, is_round: bool) -> Recorded:
    per_token_ms = positive(told.get("ms/token"))
    return Recorded(
        line=line,
        program="go_benchmark",
        repetition=not is_round,
        decode_tps=positive(told.get("token/s")) or (None if per_token_ms is None else 1000 / per_token_ms),
        ttft_s=positive(told.get("ttft-s")) or scaled(positive(told.get("ms/ttft")), 1e-3),
    )
