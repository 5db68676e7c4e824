"""The rows of the strip of models above a run's text: one per model, fastest first, with its current activity."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from textual.content import Content

from llmtui.core.live import LiveTrial, RoundRates, newest_round
from llmtui.core.measures import measure_of, reading, value_of
from llmtui.core.plan import num_predict
from llmtui.core.session import Session
from llmtui.core.short_names import short_names
from llmtui.core.standing import Standing
from llmtui.tui.text.model_colours import model_colour
from llmtui.tui.text.sparkline import spark
from llmtui.words import _
from llmtui.words.cells import figure_column
from llmtui.words.measures import short_title
from llmtui.words.trials import trial_name

MEDIUM = 110
WIDE = 150
MOST_DOTS = 6
SPARK_CELLS = (8, 30)
NOW_CELLS = 26
NAME_CELLS = {0: 18, MEDIUM: 24, WIDE: 36}
QUIET = "$foreground 60%"
DONE, BEGUN, TO_COME = "●", "◐", "┈"


def strip_rows(
    session: Session,
    standing: Sequence[Standing],
    rates: RoundRates,
    live: LiveTrial | None,
    *,
    width: int,
    with_head: bool,
) -> list[Content]:
    """Return the rows, below a header if requested; without a header the units are beside the figures."""
    names = short_names([one.summary.label for one in standing], _name_cells(width))
    names_width = max([cell_len(name) for name in names.values()] + [cell_len(_("model")) if with_head else 0])
    columns = [_figures(standing, figure, with_head=with_head) for figure in _shown(width)]
    rounds = [rounds_words(one, session) for one in standing]
    rounds_width = max([cell_len(text) for text in rounds] + [cell_len(_("rounds")) if with_head else 0])
    now_width = NOW_CELLS if width >= MEDIUM else 0
    used = 6 + names_width + 2 + rounds_width + sum(cells + 2 for _head, cells, _row in columns) + 2 + now_width
    spark_width = min(SPARK_CELLS[1], width - used - 2)
    lines = [rates.of(session, one.contender, live) for one in standing]
    top = max((rate for line in lines for rate in line), default=0.0)
    made = []
    if with_head:
        heads = "".join(f"  {head:>{cells}}" for head, cells, _cells in columns)
        title = _spark_title(spark_width)
        now = f"  {_('now')}" if now_width else ""
        made.append(
            Content.styled(
                f"      {_('model'):<{names_width}}  {_('rounds'):<{rounds_width}}{heads}  "
                f"{title:<{max(0, spark_width)}}{now}",
                QUIET,
            )
        )
    for at, one in enumerate(standing):
        here = session.current is not None and session.current.contender == one.contender
        quiet = QUIET if one.provisional else "$foreground"
        line = spark(lines[at], spark_width, top) if spark_width >= SPARK_CELLS[0] else ""
        parts: list[tuple[str, str]] = [
            ("▶ " if here else "  ", "$accent"),
            (f"{_rank(one):>3} ", "bold $foreground"),
            (_padded(names[one.summary.label], names_width), "bold $foreground" if here else "$foreground"),
            ("  " + _padded(rounds[at], rounds_width), QUIET),
            *((f"  {cells[at]:>{wide}}", quiet) for _head, wide, cells in columns),
        ]
        if spark_width >= SPARK_CELLS[0]:
            parts.append(("  " + _padded(line, spark_width), model_colour(one.contender)))
        if now_width:
            words, style = now_words(one, session, live)
            parts.append(("  " + words, style))
        made.append(Content.assemble(*parts))
    return made


def rounds_words(one: Standing, session: Session) -> str:
    """Return a model's progress in rounds: a dot per round, or numbers if there are many rounds."""
    most = max(session.rounds, session.plan.max_rounds)
    if session.finished is not None:
        most = max(one.rounds_done + one.round_begun, 1)
    if most > MOST_DOTS:
        return f"{one.rounds_done}/{most}"
    begun = BEGUN * one.round_begun
    return (DONE * one.rounds_done + begun).ljust(most, TO_COME)


def now_words(one: Standing, session: Session, live: LiveTrial | None) -> tuple[str, str]:
    """Return (text, style) of a model's current activity."""
    trial = session.current
    if trial is not None and trial.contender == one.contender:
        name = trial_name(trial, session.plan)
        if live is not None and live.trial_id == trial.id:
            name = f"{name} {live.figures().tokens}/{num_predict(session.plan, trial.kind)}"
        return name, "$accent"
    if one.summary.failed:
        return _("✗ {n} failed").format(n=one.summary.failed), "$text-error"
    if session.finished is not None:
        return "", ""
    if one.rounds_done >= newest_round(session):
        return _("done for this round"), QUIET
    return _("waits"), QUIET


def _shown(width: int) -> tuple[str, ...]:
    more = ("memory_peak_bytes",) if width >= MEDIUM else ()
    return ("decode_tps", "ttft_ms", *more)


def _figures(standing: Sequence[Standing], figure: str, *, with_head: bool) -> tuple[str, int, list[str]]:
    """Return (header, width, cells) of a figure's column, one cell per model with aligned decimal points."""
    one = measure_of(figure)
    assert one is not None, figure
    values = [value_of(reading(one, entry.summary)) for entry in standing]
    unit, cells = figure_column(one, values)
    head = f"{short_title(one)} {unit}" if with_head else ""
    if not with_head:
        wide = max((cell_len(text) for text in cells), default=0)
        label = "" if figure == "decode_tps" else f"{short_title(one)} "
        cells = [f"{label}{cell:>{wide}} {unit}" if cell else "" for cell in cells]
    return head, max([cell_len(text) for text in (head, *cells)]), cells


def _rank(one: Standing) -> str:
    return "" if one.rank is None else f"{one.rank}{'=' if one.shared else ''}"


def _spark_title(width: int) -> str:
    long, short = _("token rate, this round"), _("token rate")
    return next((title for title in (long, short) if cell_len(title) <= width), "")


def _name_cells(width: int) -> int:
    return next(cells for least, cells in sorted(NAME_CELLS.items(), reverse=True) if width >= least)


def _padded(text: str, width: int) -> str:
    return set_cell_size(text, max(0, width))
