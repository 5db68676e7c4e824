"""``summary.csv``: one row per contender over all categories, then one row per contender and category."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from llmtui.core.measures import measures, reading, value_of
from llmtui.core.session import Session
from llmtui.core.summary import CategorySummary, ContenderSummary, Spread, Summary, summarise
from llmtui.store.csv_cells import cell, csv_line
from llmtui.store.session_folder import SUMMARY
from llmtui.store.writing import replace_file

_RANGES: Final = (
    "ttft_ms", "ttfo_ms", "decode_tps", "decode_cps", "follow_up_ttft_ms", "cold_again_ms", "prefill_tps", "e2e_ms",
    "tokens",
)  # fmt: skip
_VALUES: Final = (
    "cold_first_ms", "cold_first_load_ms", "reading_x", "memory_peak_bytes", "memory_steady_bytes", "vram_bytes",
    "total_s", "usual_tps", "finished", "failed", "disturbed",
)  # fmt: skip
_ENDS: Final = ("", "_low", "_high", "_n")
_FIRST: Final = (
    "model", "variant", "category", *(f"{name}{end}" for name in _RANGES for end in _ENDS), *_VALUES,
    "conditions", "note", "missing", "digest", "session_id", "backend",
)  # fmt: skip


def summary_columns() -> tuple[str, ...]:
    """Return the columns of summary.csv: in the order of the first version, followed by the figures of later versions.

    ``category`` is empty in rows over all categories.
    """
    names = (
        f"{one.id}{end}"
        for one in measures()
        if one.of_model is not None or one.of_category is not None
        for end in (_ENDS if one.has_range else _ENDS[:1])
    )
    return (*_FIRST, *(name for name in names if name not in _FIRST))


def columns_of(kind: type[ContenderSummary] | type[CategorySummary]) -> tuple[str, ...]:
    """Return the columns that a row of the given type can fill."""
    of_models = kind is ContenderSummary
    left_out = {"conditions", "cold_first_load_ms", "disturbed"} if not of_models else set()
    for one in measures():
        if (one.of_model if of_models else one.of_category) is None:
            left_out |= {f"{one.id}{end}" for end in _ENDS}
    return tuple(name for name in summary_columns() if name not in left_out)


def summary_csv(session: Session) -> bytes:
    """Return the content of summary.csv for a session."""
    lines = [csv_line(summary_columns())]
    lines.extend(csv_line(values.values()) for values in summary_cells(summarise(session), session))
    return b"".join(lines)


def summary_cells(summary: Summary, session: Session) -> Iterator[dict[str, str]]:
    """Yield the cells of each row by column name, with all of ``summary_columns()``."""
    for values in summary_values(summary, session):
        yield {name: cell(values[name]) for name in summary_columns()}


def summary_values(summary: Summary, session: Session) -> Iterator[dict[str, str | float | None]]:
    """Yield the unrounded values of each row by column name, with all of ``summary_columns()``."""
    lines: list[ContenderSummary | CategorySummary] = [*summary.lines, *summary.categories]
    for line in lines:
        contender = session.plan.contenders[line.contender]
        yield {
            "model": contender.model.name,
            "variant": contender.variant.canonical,
            "category": line.category if isinstance(line, CategorySummary) else None,
            **_figures(line),
            "cold_first_load_ms": line.cold_first_load_ms if isinstance(line, ContenderSummary) else None,
            "failed": line.failed,
            "disturbed": line.disturbed if isinstance(line, ContenderSummary) else None,
            "conditions": _conditions(line),
            "note": contender.model.note,
            "missing": " ".join(f"{name}:{reason}" for name, reason in sorted(line.why.items())),
            "digest": contender.model.digest,
            "session_id": session.session_id,
            "backend": contender.model.backend,
        }


def _conditions(line: ContenderSummary | CategorySummary) -> str | None:
    """Return the flags of conditions that last for the whole session, separated by spaces; None for a category."""
    if isinstance(line, CategorySummary):
        return None
    return " ".join(one.flag for one in line.conditions if one.lasting)


def write_summary(folder: Path, session: Session) -> None:
    """Write summary.csv of a session; an older file is replaced.

    Raises:
        OSError: the file cannot be written.
    """
    replace_file(folder / SUMMARY, summary_csv(session), private=True)


def _figures(line: ContenderSummary | CategorySummary) -> dict[str, str | float | None]:
    values: dict[str, str | float | None] = {}
    for one in measures():
        found = reading(one, line)
        values[one.id] = value_of(found)
        if one.has_range:
            has_range = found if isinstance(found, Spread) else None
            values[f"{one.id}_low"] = None if has_range is None else has_range.low
            values[f"{one.id}_high"] = None if has_range is None else has_range.high
            values[f"{one.id}_n"] = None if has_range is None else has_range.n
    return values
