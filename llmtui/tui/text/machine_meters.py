"""The meters of the machine's plots: per resource its texts, its two series of values, and their scale."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import msgspec
from rich.cells import cell_len

from llmtui.core.session import SamplePoint, Session
from llmtui.core.time_axis import per_column
from llmtui.tui.text.plot_axis import Window, ceiling
from llmtui.tui.text.plot_canvas import Run
from llmtui.words import _
from llmtui.words.figures import Spoken, fixed, gigabytes, significant, with_mark

OWN_SCALE_BELOW = 0.15
"""A model's line that would stay below this share of the plot's height is drawn with a scale of its own."""

BLOCKS = "▁▂▃▄▅▆▇█"

_Value = Callable[[SamplePoint], float | None]


class Meter(msgspec.Struct, frozen=True, kw_only=True):
    """The use of one resource over time, by the whole machine and by the model."""

    name: str
    whole_words: str
    """Wording of the whole machine's current value."""
    model_words: str
    """Wording of the model's current value, or why there is none.

    Empty if the resource cannot be measured per model.
    """
    scale_words: str
    """Range of the model's line, if it has a scale of its own."""
    sensor_words: str
    """Temperature, clock and power, if known."""
    core_blocks: str = ""
    """The newest load of each core as a block character, for the CPU; empty if unknown."""
    whole: tuple[float | None, ...]
    """The whole machine's values, one per column of the plot."""
    model: tuple[float | None, ...]
    """The model's values, one per column, scaled to be drawn on the axis of ``whole``."""
    top: float
    """Value at the upper edge of the plot; the lower edge is 0."""


def meters(session: Session, window: Window) -> tuple[Meter, ...]:
    """Return the meters of CPU and memory, and of the GPU if its load is known."""
    made = [_processor(session, window), _memory(session, window)]
    if any(sample.gpu_busy is not None for sample in session.samples):
        made.append(_graphics(session, window))
    return tuple(made)


def meter_count(session: Session) -> int:
    """Return the number of meters that ``meters`` would return, at less cost."""
    return 3 if any(sample.gpu_busy is not None for sample in session.samples) else 2


def heading_words(meter: Meter, whole_mark: str, width: int = 0) -> list[Run]:
    """Return a meter's heading in one line: its name, the model's value and the whole machine's value.

    If they fit into ``width`` cells, the loads of the single cores follow.
    """
    words: list[Run] = [(f"{meter.name}  ", "text")]
    if meter.model_words:
        mark = "━ " if any(value is not None for value in meter.model) else ""
        scale = f" ({_('scale')} {meter.scale_words})" if meter.scale_words else ""
        words.append((f"{mark}{_('model')} {meter.model_words}{scale}  ", "model" if mark else "all"))
    if meter.whole_words:
        words.append((f"{whole_mark} {meter.whole_words}", "all"))
    if meter.sensor_words:
        words.append((f" · {meter.sensor_words}", "all"))
    cores = f"  {_('cores')} {meter.core_blocks}"
    if meter.core_blocks and sum(cell_len(text) for text, _role in words) + cell_len(cores) <= width:
        words.append((cores, "all"))
    return words


def words_beside(meter: Meter, whole_mark: str, rows: int) -> list[list[Run]]:
    """Return the lines beside a meter's plot: the whole machine's use, then the model's use or the sensors' values."""
    if rows == 1:
        return [heading_words(meter, whole_mark)]
    first: list[Run] = [(f"{meter.name}  ", "text"), (f"{whole_mark} {meter.whole_words}", "all")]
    second: list[Run] = [(" " * (len(meter.name) + 2), "")]
    if meter.model_words:
        seen = any(value is not None for value in meter.model)
        scale = f" ({meter.scale_words})" if meter.scale_words else ""
        second.append((f"{'━ ' if seen else ''}{_('model')} {meter.model_words}{scale}", "model" if seen else "all"))
    elif meter.sensor_words:
        second.append((meter.sensor_words, "all"))
    return [first, second]


def _processor(session: Session, window: Window) -> Meter:
    last = _last(session)
    cores = session.fingerprint.cores_logical
    whole = "" if last is None else _of(significant(last.cores_busy, 2), None if cores is None else str(cores))
    made = _meter(
        session,
        window,
        name=_("CPU"),
        whole_words=whole,
        sensors=_sensor_words,
        now="" if last is None or last.runner_cores is None else significant(last.runner_cores, 2),
        model=lambda sample: sample.runner_cores,
        whole=lambda sample: sample.cores_busy,
        scale=lambda top: with_mark(f"{top:g}"),
    )
    return msgspec.structs.replace(made, core_blocks="".join(map(_block, session.per_core)))


def _block(share: float) -> str:
    """Return a block character whose height is a core's load, from 0 to 1."""
    return BLOCKS[min(max(int(share * len(BLOCKS)), 0), len(BLOCKS) - 1)]


def _memory(session: Session, window: Window) -> Meter:
    last = _last(session)
    total = session.fingerprint.ram_total_bytes
    now = ""
    if last is not None and last.runner_bytes is not None:
        now = gigabytes(last.runner_bytes)
    elif last is not None and session.fingerprint.server_is_local is False:
        now = _("not visible from here")
    whole = ""
    if last is not None and last.used_bytes is not None:
        used = fixed(last.used_bytes / 1e9, 1)
        whole = f"{used} GB" if total is None else _of(used, f"{total / 1e9:.0f} GB")
    return _meter(
        session,
        window,
        name=_("RAM"),
        whole_words=whole,
        sensors=lambda _sample: None,
        now=now,
        model=lambda sample: None if sample.runner_bytes is None else sample.runner_bytes / 1e9,
        whole=lambda sample: None if sample.used_bytes is None else sample.used_bytes / 1e9,
        scale=_round_memory,
    )


def _round_memory(gigabytes_: float) -> str:
    """Return a round amount of memory without decimals that are 0: ``50 MB``."""
    return with_mark(f"{gigabytes_:g} GB" if gigabytes_ >= 1 else f"{1000 * gigabytes_:g} MB")


def _graphics(session: Session, window: Window) -> Meter:
    parts = [_last_known(session, words) for words in (_gpu_words, _vram_words)]
    return _meter(
        session,
        window,
        name=_("GPU"),
        whole_words=" · ".join(part for part in parts if part),
        sensors=_gpu_sensor_words,
        now="",
        model=lambda _sample: None,
        whole=lambda sample: None if sample.gpu_busy is None else 100 * sample.gpu_busy,
        scale=lambda top: f"{Spoken(top):g} %",
    )


def _meter(
    session: Session,
    window: Window,
    *,
    name: str,
    whole_words: str,
    sensors: Callable[[SamplePoint], str | None],
    now: str,
    model: _Value,
    whole: _Value,
    scale: Callable[[float], str],
) -> Meter:
    of_whole, of_model = _columns(session, window, whole), _columns(session, window, model)
    most, most_of_model = _most(of_whole), _most(of_model)
    top = ceiling(max(most, most_of_model) or 1.0)
    own_scale = ""
    if 0 < most_of_model < OWN_SCALE_BELOW * top:
        own = ceiling(most_of_model)
        of_model = [None if value is None else value * top / own for value in of_model]
        own_scale = f"0–{scale(own)}" if now else ""
    return Meter(
        name=name,
        whole_words=whole_words,
        model_words=now,
        scale_words=own_scale,
        sensor_words=_last_known(session, sensors) or "",
        whole=tuple(of_whole),
        model=tuple(of_model),
        top=top,
    )


def _sensor_words(sample: SamplePoint) -> str | None:
    frequency = None if sample.frequency_mhz is None else f"{significant(sample.frequency_mhz / 1000, 2)} GHz"
    power = None if sample.watts is None else f"{sample.watts:.0f} W"
    return _joined(_celsius(sample.temperature_c), frequency, power)


def _gpu_sensor_words(sample: SamplePoint) -> str | None:
    clock = None if sample.gpu_clock_mhz is None else f"{significant(sample.gpu_clock_mhz / 1000, 3)} GHz"
    power = None if sample.gpu_watts is None else f"{sample.gpu_watts:.0f} W"
    return _joined(_celsius(sample.gpu_temperature_c), clock, power)


def _gpu_words(sample: SamplePoint) -> str | None:
    return None if sample.gpu_busy is None else f"{100 * sample.gpu_busy:.0f} %"


def _vram_words(sample: SamplePoint) -> str | None:
    return None if sample.vram_bytes is None else f"VRAM {gigabytes(sample.vram_bytes)}"


def _celsius(value: float | None) -> str | None:
    return None if value is None else f"{value:.0f} °C"


def _joined(*parts: str | None) -> str | None:
    return " ".join(part for part in parts if part) or None


def _last(session: Session) -> SamplePoint | None:
    return session.samples[-1] if session.samples else None


def _last_known(session: Session, words: Callable[[SamplePoint], str | None], readings: int = 20) -> str | None:
    """Return the newest known value in words; the newest reading may lack it, as some sensors are read less often."""
    told = (words(sample) for sample in reversed(session.samples[-readings:]))
    return next((text for text in told if text), None)


def _of(value: str, total: str | None) -> str:
    return value if total is None else _("{value} of {total}").format(value=value, total=total)


def _columns(session: Session, window: Window, value: _Value) -> list[float | None]:
    return joined(
        per_column(session.samples, value, start_ns=window.start_ns, column_ns=window.column_ns, columns=window.columns)
    )


def joined(values: Sequence[float | None], at_most: int = 4) -> list[float | None]:
    """Return the series with gaps of up to ``at_most`` columns filled by interpolation, for an unbroken line."""
    filled = list(values)
    known = [at for at, value in enumerate(values) if value is not None]
    for before, after in pairwise(known):
        start, end = values[before], values[after]
        if start is None or end is None or after - before - 1 > at_most:
            continue
        for at in range(before + 1, after):
            filled[at] = start + (end - start) * (at - before) / (after - before)
    return filled


def _most(values: Sequence[float | None]) -> float:
    return max((value for value in values if value is not None), default=0.0)
