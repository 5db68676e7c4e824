"""``summary.csv``: a row a contender over everything, then a row a contender and category."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from llmtui.core.session import Session
from llmtui.core.summary import CategorySummary, ContenderSummary, Spread, Summary, summarise
from llmtui.store.csv_cells import cell, csv_line
from llmtui.store.session_folder import SUMMARY
from llmtui.store.writing import replace_file

_SPREADS: Final = {
    "ttft": "ttft_ms", "ttfo": "ttfo_ms", "decode_tps": "decode_tps", "decode_cps": "decode_cps",
    "follow_up": "follow_up_ttft_ms", "cold_again": "cold_again_ms", "prefill_tps": "prefill_tps", "e2e_ms": "e2e_ms",
    "answer_tokens": "tokens",
}  # fmt: skip
"""Fields that are a value with its range, and the column that each begins with."""
_PLAIN: Final = (
    "cold_first_ms", "cold_first_load_ms", "reading_x", "memory_peak_bytes", "memory_steady_bytes", "vram_bytes",
    "total_s", "usual_tps", "finished", "failed", "disturbed",
)  # fmt: skip

COLUMNS: Final = (
    "model", "variant", "category",
    *(f"{column}{end}" for column in _SPREADS.values() for end in ("", "_low", "_high", "_n")),
    *_PLAIN, "conditions", "note", "missing", "digest", "session_id", "backend",
)  # fmt: skip
"""Fixed order; ``category`` is empty where a row is about all of them."""


def columns_of(kind: type[ContenderSummary] | type[CategorySummary]) -> tuple[str, ...]:
    """Return the columns that a row of a kind can fill."""
    left_out = {column for field, column in _SPREADS.items() if field not in kind.__struct_fields__}
    left_out |= {f"{column}{end}" for column in left_out for end in ("_low", "_high", "_n")}
    left_out |= {name for name in (*_PLAIN, "conditions") if name not in kind.__struct_fields__}
    return tuple(name for name in COLUMNS if name not in left_out)


def summary_csv(session: Session) -> bytes:
    """Gives the whole file's content."""
    lines = [csv_line(COLUMNS)]
    lines.extend(csv_line(values.values()) for values in summary_cells(summarise(session), session))
    return b"".join(lines)


def summary_cells(summary: Summary, session: Session) -> Iterator[dict[str, str]]:
    """Return each row's cells by column, all of ``COLUMNS``."""
    for values in summary_values(summary, session):
        yield {name: cell(values[name]) for name in COLUMNS}


def summary_values(summary: Summary, session: Session) -> Iterator[dict[str, str | float | None]]:
    """Return each row's values by column, all of ``COLUMNS``, before anything is rounded."""
    lines: list[ContenderSummary | CategorySummary] = [*summary.lines, *summary.categories]
    for line in lines:
        contender = session.plan.contenders[line.contender]
        yield {
            "model": contender.model.name,
            "variant": contender.variant.canonical,
            "category": line.category if isinstance(line, CategorySummary) else None,
            **_spreads(line),
            **{name: getattr(line, name, None) for name in _PLAIN},
            "conditions": " ".join(one.flag for one in line.conditions if one.lasting)
            if isinstance(line, ContenderSummary)
            else None,
            "note": contender.model.note,
            "missing": " ".join(f"{name}:{reason}" for name, reason in sorted(line.why.items())),
            "digest": contender.model.digest,
            "session_id": session.session_id,
            "backend": contender.model.backend,
        }


def _conditions(line: ContenderSummary | CategorySummary) -> str | None:
    """Lasting conditions; a model's line has them, a category's does not."""
    if isinstance(line, CategorySummary):
        return None
    return " ".join(one.flag for one in line.conditions if one.lasting)


def write_summary(folder: Path, session: Session) -> None:
    """Writes the file; an older one is replaced.

    Raises:
        OSError: it cannot be written.
    """
    replace_file(folder / SUMMARY, summary_csv(session))


def _spreads(line: ContenderSummary | CategorySummary) -> dict[str, str | float | None]:
    values: dict[str, str | float | None] = {}
    for field, column in _SPREADS.items():
        found: Spread | None = getattr(line, field, None)
        values[column] = None if found is None else found.value
        values[f"{column}_low"] = None if found is None else found.low
        values[f"{column}_high"] = None if found is None else found.high
        values[f"{column}_n"] = None if found is None else found.n
    return values
