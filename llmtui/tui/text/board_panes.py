"""The panes below the scoreboard: figures by category, TTFT, speed by round, pairs, failures, conditions."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content

from llmtui.core.findings import observer_cores, observer_lag_ms
from llmtui.core.flags import counts_for_speed, counts_for_ttft
from llmtui.core.measures import measure_of, reading, value_of
from llmtui.core.pairing import amount_and_seconds
from llmtui.core.session import Session
from llmtui.core.short_names import short_names
from llmtui.core.summary import summarise
from llmtui.core.verdict import SpeedVerdict, verdicts
from llmtui.core.what_holds import holding_mark
from llmtui.tui.text.board_bars import bar_blocks
from llmtui.tui.text.model_colours import model_colour, model_sign
from llmtui.words import _
from llmtui.words.cells import column_unit, figure_column
from llmtui.words.figures import percent, seconds, significant
from llmtui.words.measures import short_title
from llmtui.words.outcomes import outcome_word
from llmtui.words.problems import problem_what
from llmtui.words.ratios import factor
from llmtui.words.session_head import badges
from llmtui.words.trials import category_words
from llmtui.words.what_holds import SIGNS

QUIET = "$foreground 70%"
NAME_CELLS = 16
BY_CATEGORY = ("decode_tps", "ttft_ms")
TICKS = ((1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9), tuple(step / 10 for step in range(10, 100)))
"""Sets of tick values within one power of ten of a log axis, from the coarsest to the finest."""
LEAST_TICKS = 3
PAIR_CELLS = 9
SPARKS = "▁▂▃▄▅▆▇█"
LEAST_DEVIATION = 0.02
"""Smallest relative deviation from a model's mean that may fill the height of a sparkline.

This limit keeps negligible changes from looking large.
"""


def category_lines(session: Session, contender: int, width: int) -> list[Content]:
    """Return a model's speed and TTFT in each category, as figures and bars, below a header."""
    lines = [line for line in summarise(session).categories if line.contender == contender]
    names = [category_words(line.category) for line in lines]
    name_cells = min(max(map(cell_len, names), default=0), NAME_CELLS)
    rows = [[(name[:name_cells].ljust(name_cells), "")] for name in names]
    head = " " * name_cells
    half = (width - name_cells) // len(BY_CATEGORY)
    for figure in BY_CATEGORY:
        one = measure_of(figure)
        assert one is not None, figure
        values = [value_of(reading(one, line)) for line in lines]
        unit, cells = figure_column(one, values)
        wide = max(map(cell_len, cells), default=0)
        title = f"{short_title(one)} {unit}"
        head += f"  {title}".ljust(half)
        most = max((value for value in values if value is not None), default=0.0)
        room = half - wide - 4
        for row, value, cell in zip(rows, values, cells, strict=True):
            bar = "" if value is None or room < 2 else bar_blocks(value / most, room)
            row += [(f"  {cell:>{wide}} ", "bold"), (bar.ljust(half - wide - 3), model_colour(contender))]
    return [Content.styled(head.rstrip(), QUIET), *(Content.assemble(*row) for row in rows)]


def ttft_dots(session: Session, width: int) -> list[Content]:
    """Return the TTFT of each warm trial as dots on a log axis, with the median marked: one row per model."""
    times = {
        index: sorted(
            row.figures.ttft_ms
            for row in session.rows
            if row.trial.contender == index and row.trial.kind == "warm" and counts_for_ttft(row)
            if row.figures.ttft_ms
        )
        for index in range(len(session.plan.contenders))
    }
    every = [value for values in times.values() for value in values]
    if not every:
        return []
    order = sorted((index for index in times if times[index]), key=lambda index: times[index][len(times[index]) // 2])
    short = short_names([session.plan.contenders[index].label for index in order], NAME_CELLS)
    name_cells = max(cell_len(short[session.plan.contenders[index].label]) for index in order)
    room = width - name_cells - 3
    low, high = min(every) / 1.1, max(every) * 1.1

    def place(value: float) -> int:
        return min(room - 1, int(math.log(value / low) / math.log(high / low) * room))

    tens = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks: list[float] = []
    for steps in TICKS:
        ticks = [step * 10.0**ten for ten in tens for step in steps if low <= step * 10.0**ten <= high]
        if len(ticks) >= LEAST_TICKS:
            break
    axis = _axis([(tick, place(tick)) for tick in ticks], room, in_seconds=dots_in_seconds(session))
    rows = [Content.styled(" " * (name_cells + 2) + axis, QUIET)]
    for index in order:
        marks = [" "] * room
        for value in times[index]:
            marks[place(value)] = "∙"
        middle = summarise(session).lines[index].ttft
        if middle is not None:
            marks[place(middle.value)] = model_sign(index)
        label = short[session.plan.contenders[index].label]
        rows.append(
            Content.assemble((label.ljust(name_cells), ""), "  ", ("".join(marks).rstrip(), model_colour(index)))
        )
    return rows


def dots_in_seconds(session: Session) -> bool:
    """Return whether the TTFT axis is in seconds, like the TTFT column; if not, it is in milliseconds."""
    one = measure_of("ttft_ms")
    assert one is not None, "it is a measure"
    return column_unit(one, [value_of(reading(one, line)) for line in summarise(session).lines]) == "s"


def speed_by_round(session: Session, width: int, running: int | None = None) -> list[Content]:
    """Return each model's speed in each round, after a sparkline of all rounds.

    The sparklines of all models have the same scale.

    Args:
        session: the session, including the trials of the round that is running.
        width: width in cells.
        running: number of the round that is running; its figures are dim.
    """
    speeds = round_speeds(session)
    numbers = sorted({number for mine in speeds.values() for number in mine})
    if not numbers:
        return []
    order = sorted(speeds, key=lambda index: -max(speeds[index].values(), default=0.0))
    short = short_names([session.plan.contenders[index].label for index in order], NAME_CELLS)
    name_cells = max(cell_len(name) for name in short.values())
    one = measure_of("decode_tps")
    assert one is not None, "it is a measure"
    tables = {index: figure_column(one, [speeds[index].get(number) for number in numbers])[1] for index in order}
    cell = max(4, *(cell_len(text) for cells in tables.values() for text in cells))
    fits = max(1, (width - name_cells - 2 - len(numbers)) // (cell + 2))
    shown = numbers[-fits:]
    heads = "".join(f"  {f'r{number}':>{cell}}" for number in shown)
    rows = [Content.styled(" " * (name_cells + 2 + len(numbers)) + heads, QUIET)]
    widest = max((abs(deviation) for mine in speeds.values() for deviation in _deviations(mine).values()), default=0.0)
    for index in order:
        deviations = _deviations(speeds[index])
        spark = "".join(_spark(deviations.get(number), max(widest, LEAST_DEVIATION)) for number in numbers)
        label = short[session.plan.contenders[index].label]
        parts = [(label.ljust(name_cells), ""), ("  ", ""), (spark, model_colour(index))]
        for number in shown:
            text = tables[index][numbers.index(number)]
            parts.append((f"  {text:>{cell}}", QUIET if number == running else ""))
        rows.append(Content.assemble(*parts))
    return rows


def pair_matrix(session: Session, width: int) -> list[Content]:
    """Return a table of the ratio of each model to each slower one, with the sign of the verdict."""
    found = [one for one in verdicts(session) if one.ratio is not None]
    if not found:
        return []
    pairs = {frozenset((one.first, one.second)): one for one in found}
    tps = {line.contender: line.decode_tps.value for line in summarise(session).lines if line.decode_tps is not None}
    order = sorted(tps, key=lambda index: -tps[index])
    columns = min(len(order) - 1, max(1, (width - NAME_CELLS) // (PAIR_CELLS + 2)))
    labels = [session.plan.contenders[index].label for index in order]
    row_names, column_names = short_names(labels, NAME_CELLS), short_names(labels, PAIR_CELLS)
    name_cells = max(cell_len(row_names[label]) for label in labels)
    heads = "".join(f"  {column_names[label]:>{PAIR_CELLS}}" for label in labels[1 : columns + 1])
    rows = [Content.styled(" " * name_cells + heads, QUIET)]
    for at, index in enumerate(order[:columns]):
        parts = [(row_names[labels[at]].ljust(name_cells), "")]
        for number, other in enumerate(order[1 : columns + 1], start=1):
            one = pairs.get(frozenset((index, other))) if number > at else None
            parts.append((f"  {'' if one is None else _pair(one):>{PAIR_CELLS}}", "" if one is None else _colour(one)))
        rows.append(Content.assemble(*parts))
    if columns < len(order) - 1:
        rows.append(Content.styled(_("and {n} more").format(n=len(order) - 1 - columns), QUIET))
    return rows


def failed_models(session: Session, width: int) -> list[Content]:
    """Return a line per model with failed trials: failed/all trials, and the first failure's reason."""
    rows: list[Content] = []
    for index, contender in enumerate(session.plan.contenders):
        mine = [row for row in session.rows if row.trial.contender == index]
        failed = sum(row.outcome != "ok" for row in mine)
        if failed:
            head = f"✗ {contender.label}  {failed}/{len(mine)}  "
            line = Content.assemble((head, "$text-error"), first_failure(session, index))
            rows.append(line.truncate(width, ellipsis=True))
    return rows


def first_failure(session: Session, contender: int) -> str:
    """Return the reason of a model's first failed trial, without the model's name; empty if none has failed."""
    for row in session.rows:
        if row.trial.contender == contender and row.outcome != "ok":
            said = outcome_word(row.outcome) if row.problem is None else problem_what(row.problem)
            return said.removeprefix(f"{session.plan.contenders[contender].label} ")
    return ""


def conditions(session: Session) -> list[Content]:
    """Return the flags, the checks that found no disturbance, and llmtui's own CPU load and delay."""
    rows = [Content.styled(f"! {badge.said}", "bold $warning") for badge in badges(session)]
    clean = [text for text in _not_seen(session) if text]
    if clean:
        rows.append(Content("   ".join(f"✓ {text}" for text in clean)))
    cores, lag = observer_cores(session), observer_lag_ms(session)
    own = [
        "" if cores is None else _("llmtui: {share} of a core").format(share=percent(cores)),
        "" if lag is None else _("receives text {lag} late").format(lag=seconds(lag)),
    ]
    if any(own):
        rows.append(Content.styled(", ".join(filter(None, own)), QUIET))
    return rows


def round_speeds(session: Session) -> dict[int, dict[int, float]]:
    """Return {contender: {round: decode speed in tok/s}}, from all trials that count for speed."""
    parts: dict[int, dict[int, list[tuple[int, float]]]] = {}
    for row in session.rows:
        if counts_for_speed(row):
            mine = parts.setdefault(row.trial.contender, {})
            mine.setdefault(row.trial.round, []).append(amount_and_seconds(row, "decode_tps"))
    return {
        index: {number: sum(n for n, _s in done) / math.fsum(s for _n, s in done) for number, done in mine.items()}
        for index, mine in parts.items()
    }


def _not_seen(session: Session) -> Sequence[str]:
    flags = {flag for row in session.rows for flag in row.flags}
    swap = any(row.machine is not None and row.machine.swap_in_bytes is not None for row in session.rows)
    clocks = any(row.figures.server_decode_tps is not None for row in session.rows)
    return (
        _("no swap") if swap and "swapped" not in flags else "",
        _("no reload") if "cold" in session.plan.kinds and "unexpected_reload" not in flags else "",
        _("clocks agree") if clocks and not flags & {"clock_disagreement", "clocks_apart"} else "",
        _("order balanced") if len({row.trial.round for row in session.rows}) % 2 == 0 else "",
    )


def _axis(ticks: Sequence[tuple[float, int]], room: int, *, in_seconds: bool) -> str:
    """Return the labels of a log axis; a label is left out if it would overlap the previous one."""
    axis = ""
    for value, at in ticks:
        label = significant(value / 1000 if in_seconds else value, 2)
        start = at - len(label) // 2
        if start >= len(axis) + bool(axis) and start + len(label) <= room:
            axis = axis.ljust(start) + label
    return axis


def _deviations(mine: dict[int, float]) -> dict[int, float]:
    middle = math.fsum(mine.values()) / len(mine) if mine else 1.0
    return {number: value / middle - 1 for number, value in mine.items()}


def _spark(deviation: float | None, widest: float) -> str:
    if deviation is None:
        return " "
    return SPARKS[round((deviation / widest + 1) / 2 * (len(SPARKS) - 1))]


def _pair(one: SpeedVerdict) -> str:
    return f"{SIGNS[holding_mark(one.word)]} {factor(one.ratio or 1.0)}"


def _colour(one: SpeedVerdict) -> str:
    return {"told": "bold", "ahead": "", "equal": "", "open": QUIET}[holding_mark(one.word)]
