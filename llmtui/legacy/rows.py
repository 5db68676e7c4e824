"""The one shape into which every reader turns its file."""

from __future__ import annotations

from typing import Literal

import msgspec

from llmtui.core.records import Recorded

Oddity = Literal["usual_off", "ttft_not_below_total", "tokens_below_2"]
"""What is strange about a row that is kept all the same."""
Refusal = Literal[
    "cannot_read", "not_a_file", "too_large", "not_text", "empty", "broken_csv", "broken_json", "no_rows",
    "too_many_rows", "too_many_models", "too_many_categories", "no_columns", "no_such_column", "unknown_unit",
    "unit_not_stated", "nothing_measured",
]  # fmt: skip
"""Why a file is not imported. The sentences are in ``llmtui.words.imports``."""


Program = Literal["table", "llama_bench", "ollama_bench", "vllm_bench", "sglang_bench", "aiperf", "guidellm"]
"""Whose format a file has."""
LeftOut = Literal["prompt_and_text_mixed", "stale_lines", "chunk_times", "throughput", "incomplete_requests"]
"""Figures that mean something else here, or nothing."""


class CannotImport(Exception):
    """The file cannot be used.

    Args:
        code: why.
        args: what the sentence names: numbers, columns, cells.
    """

    def __init__(self, code: Refusal, **args: object) -> None:
        super().__init__(code)
        self.code: Refusal = code
        self.told = args


class FileRow(msgspec.Struct, frozen=True, kw_only=True):
    """One trial of the file."""

    model: str
    category: str = ""
    prompt: str = ""
    recorded: Recorded
    run: int | None = None
    """Number of the repetition, where the file states one."""
    cold: bool = False
    """Taken for a cold start."""
    unreadable: dict[str, str] = {}
    """Cells that hold no number, as they were, by field."""
    oddities: tuple[Oddity, ...] = ()
    failed: bool = False
    """The file says that this trial failed."""


class ImportedFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader makes of a file."""

    rows: tuple[FileRow, ...]
    program: Program = "table"
    left_out: dict[LeftOut, int] = {}
    """What the file has that does not carry over, and how often."""


class Stated(msgspec.Struct, frozen=True, kw_only=True):
    """What the person says of the file, where the file does not say it."""

    unit: str | None = None
    """Of times without a unit: ``s``, ``ms``, ``us``, ``ns``."""
    columns: dict[str, str] = {}
    """Field → title of the column that holds it."""
