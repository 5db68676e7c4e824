"""A session's tables as rows of words: what is printed, and what the data frames are made of."""

from __future__ import annotations

from collections.abc import Mapping

from llmtui.core.letters import groups
from llmtui.core.session import Session
from llmtui.core.summary import CategorySummary, ContenderSummary, Spread, summarise
from llmtui.core.verdict import verdicts
from llmtui.words import _
from llmtui.words.figures import gigabytes, rate, rate_range, seconds, significant
from llmtui.words.trials import category_words, note_words

Row = dict[str, str]
"""Cells by their column's title; all rows of a table have the same columns."""


def by_model(session: Session) -> list[Row]:
    """Gives a row a contender, all cells as text: cold, warm and follow-up in columns of their own.

    Columns in which no row has anything are left out. Models share a letter of ``Group`` unless they are told apart.
    """
    letters = groups(session, verdicts(session))
    return _without_empty([_model_cells(line, letters) for line in summarise(session).lines], keep=1)


def by_category(session: Session) -> list[Row]:
    """Gives a row a contender and category, warm tests only, all cells as text."""
    return _without_empty([_category_cells(line) for line in summarise(session).categories], keep=2)


def _model_cells(line: ContenderSummary, letters: Mapping[int, str]) -> Row:
    return {
        _("Model"): line.label if line.note is None else f"{line.label} ({note_words(line.note)})",
        _("First start"): seconds(line.cold_first_ms),
        _("Start again"): _median(line.cold_again),
        _("First word"): _median(line.ttft),
        _("First answer word"): _median(line.ttfo) if line.thinks else "",
        _("In a chat"): _median(line.follow_up),
        _("Speed tok/s"): rate(None if line.decode_tps is None else line.decode_tps.value),
        _("Speed, rounds"): rate_range(line.decode_tps),
        _("Group"): letters.get(line.contender, "").upper(),
        _("Text chars/s"): rate(None if line.decode_cps is None else line.decode_cps.value),
        _("× reading"): "" if line.reading_x is None else significant(line.reading_x, 2),
        _("Memory"): gigabytes(line.memory_peak_bytes),
        _("GPU memory"): gigabytes(line.vram_bytes),
        _("Total time"): seconds(None if line.total_s is None else line.total_s * 1000),
        _("Tests"): _tests(line),
    }


def _category_cells(line: CategorySummary) -> Row:
    return {
        _("Model"): line.label,
        _("Category"): category_words(line.category),
        _("First word"): _median(line.ttft),
        _("Speed tok/s"): rate(None if line.decode_tps is None else line.decode_tps.value),
        _("Text chars/s"): rate(None if line.decode_cps is None else line.decode_cps.value),
        _("Answer, tokens"): "" if line.answer_tokens is None else f"{line.answer_tokens.value:.0f}",
        _("Whole answer"): ("≥ " if line.capped and line.e2e_ms else "") + _median(line.e2e_ms),
        _("Tests"): _tests(line),
    }


def _tests(line: ContenderSummary | CategorySummary) -> str:
    if not line.failed:
        return f"{line.finished}"
    return _("{ok} (+{failed} failed)").format(ok=line.finished, failed=line.failed)


def _median(spread: Spread | None) -> str:
    return "" if spread is None else seconds(spread.value)


def _without_empty(rows: list[Row], *, keep: int) -> list[Row]:
    """Leaves out columns without a single figure; the first ``keep`` name the rows and stay."""
    if not rows:
        return rows
    filled = [name for at, name in enumerate(rows[0]) if at < keep or any(row[name] for row in rows)]
    return [{name: row[name] for name in filled} for row in rows]
