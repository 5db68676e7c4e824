"""The common form into which all imported files are converted."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from llmtui.core.records import Recorded

Oddity = Literal["usual_off", "ttft_not_below_total", "tokens_below_2"]
"""Implausible values in a row that is still imported."""
Refusal = Literal[
    "cannot_read", "not_a_file", "too_large", "not_text", "empty", "broken_csv", "broken_json", "no_rows",
    "too_many_rows", "too_many_models", "too_many_categories", "no_columns", "no_such_column", "unknown_unit",
    "unit_not_stated", "nothing_measured",
]  # fmt: skip
"""Reasons for which a file is not imported. The sentences are in ``llmtui.words.imports``."""


Program = Literal[
    "table", "llama_bench", "ollama_bench", "vllm_bench", "sglang_bench", "aiperf", "guidellm", "llama_benchy",
    "localscore", "homebench", "ollama_profiler", "go_benchmark",
]  # fmt: skip
"""Programs whose file formats are known."""
LeftOut = Literal[
    "prompt_and_text_mixed", "stale_lines", "chunk_times", "throughput", "incomplete_requests", "own_scores",
]  # fmt: skip
"""Contents of a file that are not imported, because llmtui has no comparable figure."""


class CannotImport(Exception):
    """The file cannot be used.

    Args:
        code: the reason.
        args: arguments for the sentence of the reason: numbers, columns, cells.
    """

    def __init__(self, code: Refusal, **args: object) -> None:
        super().__init__(code)
        self.code: Refusal = code
        self.told = args


class FileRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of an imported file, which becomes a trial."""

    model: str
    category: str = ""
    prompt: str = ""
    recorded: Recorded
    run: int | None = None
    """Number of the repetition, if the file has one."""
    cold: bool = False
    """Whether the row counts as a cold start."""
    unreadable: dict[str, str] = {}
    """Text of the cells that should have a number but do not, by field."""
    oddities: tuple[Oddity, ...] = ()
    failed: bool = False
    """Whether the file marks the row as failed."""


MOST_SECONDS: Final = 1e9
"""Longest plausible time (31 years). A longer one is an error in the file, and would exceed the clock's range."""
MOST: Final = 1e15
"""Largest plausible value of any figure other than a time."""


def believable(row: FileRow) -> FileRow:
    """Return the row with implausible figures removed and listed in ``unreadable``."""
    of = row.recorded
    odd = {
        name: value
        for name in of.__struct_fields__
        if isinstance(value := getattr(of, name), int | float)
        and not abs(value) <= (MOST_SECONDS if name.endswith("_s") else MOST)
    }
    if not odd:
        return row
    told = {name: f"{value:.4g}" for name, value in odd.items()}
    recorded = msgspec.structs.replace(of, **dict.fromkeys(odd))
    return msgspec.structs.replace(row, recorded=recorded, unreadable=row.unreadable | told)


class ImportedFile(msgspec.Struct, frozen=True, kw_only=True):
    """The content of an imported file."""

    rows: tuple[FileRow, ...]
    program: Program = "table"
    left_out: dict[LeftOut, int] = {}
    """Number of items that are not imported, by kind of content."""


class Stated(msgspec.Struct, frozen=True, kw_only=True):
    """The user's statements about a file, used if the file itself does not state these things."""

    unit: str | None = None
    """Unit of times without one: ``s``, ``ms``, ``us``, ``ns``."""
    columns: dict[str, str] = {}
    """Titles of columns, by the field's name on the command line."""
