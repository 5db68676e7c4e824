"""A session's tables as rows of text, for printed output."""

from __future__ import annotations

from collections.abc import Mapping

from llmtui.core.letters import groups
from llmtui.core.measures import measures
from llmtui.core.session import Session
from llmtui.core.summary import CategorySummary, ContenderSummary, summarise
from llmtui.core.verdict import verdicts
from llmtui.words import _
from llmtui.words.cells import printed, printed_head
from llmtui.words.figures import rate_range
from llmtui.words.trials import category_words, note_words

Row = dict[str, str]
"""Column title → cell; all rows of a table have the same columns."""


def by_model(session: Session) -> list[Row]:
    """Return one row per model, all cells as text; cold, warm and follow-up trials have separate columns.

    Columns without any value are left out. Models share a letter in ``Group`` unless a verdict separates them.
    """
    letters = groups(session, verdicts(session))
    return _without_empty([_model_cells(line, letters) for line in summarise(session).lines], keep=1)


def by_category(session: Session) -> list[Row]:
    """Return one row per model and category, all cells as text; only warm trials are included."""
    return _without_empty([_category_cells(line) for line in summarise(session).categories], keep=2)


def _model_cells(line: ContenderSummary, letters: Mapping[int, str]) -> Row:
    cells = {_("Model"): line.label if line.note is None else f"{line.label} ({note_words(line.note)})"}
    for one in measures("models"):
        cells[printed_head(one)] = _trials(line) if one.id == "finished" else printed(one, line)
        if one.id == "decode_tps":
            cells[_("Round speeds")] = rate_range(line.decode_tps)
            cells[_("Group")] = letters.get(line.contender, "").upper()
        elif one.id == "ttfo_ms" and not line.thinks:
            cells[printed_head(one)] = ""
    return cells


def _category_cells(line: CategorySummary) -> Row:
    cells = {_("Model"): line.label, _("Category"): category_words(line.category)}
    for one in measures("categories"):
        same = one.id == "ttfo_ms" and line.ttfo == line.ttft
        cells[printed_head(one)] = "" if same else _trials(line) if one.id == "finished" else printed(one, line)
    return cells


def _trials(line: ContenderSummary | CategorySummary) -> str:
    if not line.failed:
        return f"{line.finished}"
    return _("{ok} (+{failed} failed)").format(ok=line.finished, failed=line.failed)


def _without_empty(rows: list[Row], *, keep: int) -> list[Row]:
    """Return the rows without the columns that have no figure, but always with the first ``keep`` columns."""
    if not rows:
        return rows
    filled = [name for at, name in enumerate(rows[0]) if at < keep or any(row[name] for row in rows)]
    return [{name: row[name] for name in filled} for row in rows]
