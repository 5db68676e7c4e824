"""Writer of the file format of the comparison script that preceded llmtui: its eight columns and decimals."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from llmtui.legacy.rows import FileRow
from llmtui.store.writing import replace_file

HEADER = (
    "Modelo", "Categoria", "Prompt", "Latencia_TTFT(s)", "Total_Time(s)", "Tokens_Seg(t/s)", "RAM_Usada(MB)",
    "Tokens_Total",
)  # fmt: skip


def legacy_text(rows: Iterable[FileRow]) -> str:
    """Return rows in the file format of the comparison script that preceded llmtui.

    Unreadable cells are kept unchanged.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    for row in rows:
        of, kept = row.recorded, row.unreadable
        naive = of.tokens / of.total_s if of.tokens is not None and of.total_s else None
        writer.writerow(
            (
                kept.get("model", row.model),
                row.category,
                row.prompt,
                kept.get("ttft", _number(of.ttft_s, 4)),
                kept.get("total", _number(of.total_s, 4)),
                kept.get("usual_tps", _number(naive if of.overall_tps is None else of.overall_tps, 2)),
                kept.get("ram", _number(of.ram_change_mb, 2)),
                kept.get("tokens", _number(of.tokens, 0)),
            )
        )
    return out.getvalue()


def write_legacy(rows: Iterable[FileRow], target: Path) -> None:
    """Write rows in the file format of the comparison script that preceded llmtui.

    The target's folder is created if missing.

    Raises:
        OSError: the file cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    replace_file(target, legacy_text(rows).encode("utf-8"))


def _number(value: float | None, decimals: int) -> str:
    return "" if value is None else f"{value:.{decimals}f}"
