"""The small tables in the last panes below the scoreboard: one figure of all models by category or by round."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.cells import cell_len
from textual.content import Content

from llmtui.core.flags import counts_for_ttft
from llmtui.core.measures import Measure, measure_of, reading, value_of
from llmtui.core.session import Session
from llmtui.core.short_names import short_names
from llmtui.core.summary import summarise
from llmtui.tui.text.model_colours import model_colour
from llmtui.words import _
from llmtui.words.cells import column_unit, value_in
from llmtui.words.figures import decimals_aligned
from llmtui.words.measures import short_title
from llmtui.words.trials import category_words

NAME_CELLS = 16
HEAD_CELLS = 12
GAP = 2
QUIET = "$foreground 70%"


def figure_by_category(session: Session, figure: str, width: int) -> tuple[str, list[Content]]:
    """Return the title and the rows of a table of one figure: a row per model, a column per category.

    There are no rows if there is only one category, or only one model: the first pane already shows the categories of
    a single model.
    """
    one = _measure(figure)
    values: dict[int, dict[str, float]] = {}
    for line in summarise(session).categories:
        value = value_of(reading(one, line))
        if value is not None:
            values.setdefault(line.contender, {})[line.category] = value
    found = dict.fromkeys(prompt.category for prompt in session.plan.prompts)
    heads = {name: category_words(name) for name in found}
    enough = len(values) > 1 and len(heads) > 1
    title = _("{figure} by category").format(figure=_figure_title(one, values))
    return title, _table(session, one, values, heads, width) if enough else []


def cold_starts_by_round(session: Session, width: int) -> tuple[str, list[Content]]:
    """Return the title and the rows of a table of the cold starts: a row per model, a column per round."""
    one = _measure("cold_first_ms")
    values: dict[int, dict[str, float]] = {}
    for row in session.rows:
        if row.trial.kind == "cold" and counts_for_ttft(row) and row.figures.ttft_ms is not None:
            values.setdefault(row.trial.contender, {})[f"r{row.trial.round}"] = row.figures.ttft_ms
    rounds = sorted({row.trial.round for row in session.rows})
    heads = {f"r{number}": f"r{number}" for number in rounds}
    title = _("{figure} by round").format(figure=_figure_title(one, values))
    return title, _table(session, one, values, heads, width) if values and len(rounds) > 1 else []


def _measure(figure: str) -> Measure:
    one = measure_of(figure)
    assert one is not None, figure
    return one


def _figure_title(one: Measure, values: Mapping[int, Mapping[str, float]]) -> str:
    return f"{short_title(one)} {column_unit(one, _every(values))}"


def _every(values: Mapping[int, Mapping[str, float]]) -> list[float | None]:
    return [value for mine in values.values() for value in mine.values()]


def _table(
    session: Session, one: Measure, values: Mapping[int, Mapping[str, float]], heads: Mapping[str, str], width: int
) -> list[Content]:
    """Return a header and a row per model, in one unit; columns that do not fit are left out."""
    unit = column_unit(one, _every(values))
    order = _fastest_first(session, values)
    texts = {name: _column(one, [values[index].get(name) for index in order], unit) for name in heads}
    short = short_names([session.plan.contenders[index].label for index in order], NAME_CELLS)
    labels = [short[session.plan.contenders[index].label] for index in order]
    taken = max(map(cell_len, labels), default=0)
    head = " " * taken
    rows = [[(label.ljust(taken), model_colour(index))] for label, index in zip(labels, order, strict=True)]
    for name, said in heads.items():
        cells = max(map(cell_len, (said[:HEAD_CELLS], *texts[name])))
        taken += GAP + cells
        if taken > width:
            break
        head += " " * GAP + said[:HEAD_CELLS].rjust(cells)
        for row, text in zip(rows, texts[name], strict=True):
            row.append((" " * GAP + text.rjust(cells), ""))
    return [Content.styled(head, QUIET), *(Content.assemble(*row) for row in rows)]


def _fastest_first(session: Session, contenders: Iterable[int]) -> list[int]:
    speeds = {line.contender: line.decode_tps.value for line in summarise(session).lines if line.decode_tps is not None}
    return sorted(contenders, key=lambda index: -speeds.get(index, 0.0))


def _column(one: Measure, values: Sequence[float | None], unit: str) -> list[str]:
    return decimals_aligned(["" if value is None else value_in(one, value, unit) for value in values])
