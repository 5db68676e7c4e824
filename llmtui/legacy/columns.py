"""Columns of a benchmark table: known spellings of their titles, in English and Spanish, and units."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from llmtui.legacy.rows import CannotImport

Field = Literal[
    "model", "category", "prompt", "run", "ttft", "total", "usual_tps", "ram", "tokens", "load", "prompt_tokens",
    "prompt_time", "decode_time", "cached_tokens", "decode_tps",
]  # fmt: skip

SPELLINGS: dict[Field, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "model": (
        ("model", "model name", "model id", "llm", "name"),
        ("modelo", "nombre del modelo", "nombre modelo", "nombre"),
    ),
    "category": (
        ("category", "cat", "task", "type", "test", "test name", "topic"),
        ("categoría", "tarea", "tipo", "prueba", "tema"),
    ),
    "prompt": (("prompt", "question", "input"), ("pregunta", "entrada", "consulta")),
    "run": (
        ("run", "round", "repetition", "repeat", "iteration", "trial", "epoch", "run no"),
        ("ronda", "repetición", "iteración", "ejecución", "corrida", "vuelta"),
    ),
    "ttft": (
        ("TTFT", "time to first token", "first token", "first token time", "first token latency", "latency",
         "latency TTFT", "TTFT latency", "time to first"),
        ("latencia TTFT", "latencia", "tiempo hasta el primer token", "tiempo hasta primer token",
            "tiempo al primer token",
         "tiempo primer token", "primer token"),
    ),
    "total": (
        ("total time", "total", "time", "duration", "total duration", "seconds", "elapsed", "elapsed time",
         "time total", "wall time", "response time", "e2e", "end to end", "end to end latency", "request latency"),
        ("tiempo total", "tiempo", "duración", "duración total", "segundos", "tiempo de respuesta"),
    ),
    "usual_tps": (
        ("tokens/s", "tok/s", "t/s", "TPS", "tokens per second", "tokens per sec", "tokens/sec", "tokens/second",
         "token/s", "token/sec", "speed", "throughput"),
        ("tokens por segundo", "tokens/seg", "tokens/segundo", "t/seg", "velocidad", "tokens seg"),
    ),
    "ram": (
        ("RAM", "RAM used", "used RAM", "memory", "memory used", "used memory", "RAM usage", "memory usage"),
        ("RAM usada", "memoria", "memoria usada", "uso de RAM", "uso de memoria"),
    ),
    "tokens": (
        ("tokens", "total tokens", "tokens total", "token count", "output tokens", "generated tokens",
         "completion tokens", "n tokens", "num tokens", "no tokens", "number of tokens", "tokens generated",
         "tokens out", "eval count"),
        ("tokens totales", "tokens generados", "nº tokens", "nº de tokens", "núm tokens", "número de tokens",
         "tokens de salida", "cantidad de tokens", "num de tokens"),
    ),
    "load": (("load duration", "load time", "load"), ("tiempo de carga", "carga")),
    "prompt_tokens": (
        ("prompt eval count", "prompt tokens", "input tokens"), ("tokens de entrada", "tokens del prompt"),
    ),
    "prompt_time": (("prompt eval duration", "prompt eval time", "prompt time", "prefill time"), ()),
    "decode_time": (
        ("eval duration", "eval time", "generation time", "decode time"), ("tiempo de generación",),
    ),
    "cached_tokens": (("cached tokens",), ()),
    "decode_tps": (
        ("eval rate", "eval speed", "decode speed", "decode tps", "generation speed", "generation rate", "tg"),
        ("velocidad de escritura", "velocidad de generación"),
    ),
}  # fmt: skip
"""Known titles in English and Spanish, the most common first. Case, accents, spaces and signs are ignored."""
OLLAMA_DURATIONS = frozenset({"totalduration", "loadduration", "promptevalduration", "evalduration"})
"""Ollama's names of its durations, which are in nanoseconds."""
TIMES: tuple[Field, ...] = ("ttft", "total", "load", "prompt_time", "decode_time")
NUMBERS: tuple[Field, ...] = (*TIMES, "usual_tps", "decode_tps", "ram")
COUNTS: tuple[Field, ...] = ("tokens", "prompt_tokens", "cached_tokens", "run")

SECONDS = {
    "s": 1.0, "seg": 1.0, "segs": 1.0, "sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0, "segundo": 1.0,
    "segundos": 1.0, "ms": 1e-3, "msec": 1e-3, "msecs": 1e-3, "milliseconds": 1e-3, "milisegundos": 1e-3,
    "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "microseconds": 1e-6, "microsegundos": 1e-6, "ns": 1e-9, "nsec": 1e-9,
    "nanoseconds": 1e-9, "nanosegundos": 1e-9, "min": 60.0, "minutes": 60.0, "minutos": 60.0,
    "h": 3600.0, "hours": 3600.0, "horas": 3600.0,
}  # fmt: skip
_MEGABYTES = {"mb": 1.0, "mib": 1.048576, "gb": 1000.0, "gib": 1073.741824, "kb": 1e-3, "kib": 0.001024, "bytes": 1e-6}
_PER_SECOND = dict.fromkeys(
    ("t/s", "tok/s", "toks/s", "tps", "tokens", "token/s", "tokens/s", "t/seg", "tokens/seg", "t/sec", "tok/sec",
     "toks/sec", "token/sec", "tokens/sec", "tokens/second", "tokens/segundo", "s", "seg", "sec"), 1.0,
)  # fmt: skip
UNITS: dict[Field, dict[str, float]] = {
    **dict.fromkeys(TIMES, SECONDS), "ram": _MEGABYTES, "usual_tps": _PER_SECOND,
    "decode_tps": _PER_SECOND,
}  # fmt: skip
"""Factors from each unit to seconds, MB or tokens per second."""

ASKED_AS: dict[str, Field] = {
    "model": "model", "category": "category", "prompt": "prompt", "run": "run", "ttft": "ttft", "total": "total",
    "seconds": "total", "tps": "usual_tps", "decode_tps": "decode_tps", "ram": "ram", "tokens": "tokens",
    "load": "load", "prompt_tokens": "prompt_tokens", "prompt_seconds": "prompt_time", "decode_seconds": "decode_time",
}  # fmt: skip
"""Names of the fields on the command line."""


class FileColumn(NamedTuple):
    """Position and unit of the column that contains a field."""

    at: int
    factor: float | None
    """Factor to seconds, MB or tokens per second; None: a time without a stated unit."""
    title: str
    ollama: bool = False
    """Whether the title is one of Ollama's durations in nanoseconds."""


Columns = dict[Field, FileColumn]


def find_columns(titles: Sequence[str], asked: Mapping[str, str] | None = None) -> Columns:
    """Return the columns in a header. If several have the same meaning, the first is used.

    A column of output tokens is preferred to one of all tokens.

    Args:
        titles: titles of the header.
        asked: titles by the field's name on the command line, for columns that the user names.

    Raises:
        CannotImport: ``unknown_unit``, or ``no_such_column`` for a column that the user named.
    """
    found: Columns = {}
    for name, title in (asked or {}).items():
        at = next((at for at, one in enumerate(titles) if plain(one) == plain(title)), None)
        if name not in ASKED_AS or at is None:
            raise CannotImport("no_such_column", name=name, title=title, header=list(titles), known=list(ASKED_AS))
        found[ASKED_AS[name]] = FileColumn(at, _factor_in(ASKED_AS[name], titles[at]), titles[at].strip())
    pointed_out, taken = set(found), {column.at for column in found.values()}
    for at, title in enumerate(titles):
        known = None if at in taken else _known(title)
        if known is None or known[0] in pointed_out:
            continue
        if known[0] not in found or _is_better(title, found[known[0]].title):
            field, factor = known
            found[field] = FileColumn(at, factor, title.strip(), ollama=plain(title) in OLLAMA_DURATIONS)
    if "total" not in found and "ttft" in found and plain(found["ttft"].title).startswith(_LATENCY):
        # "Latency" means TTFT if there is a total time, else the time of the whole answer.
        found["total"] = found.pop("ttft")
    return found


def lacking_fields(columns: Columns) -> tuple[Field, ...]:
    """Return the missing fields without which no row can be measured; empty if the columns suffice.

    Needed are a model's name, and either a speed or the number of tokens with a time.
    """
    lacking: list[Field] = [] if "model" in columns else ["model"]
    if "usual_tps" not in columns and "decode_tps" not in columns:
        lacking += [] if "tokens" in columns else ["tokens"]
        lacking += [] if "total" in columns or "decode_time" in columns else ["total"]
    return tuple(lacking)


def _is_better(title: str, than: str) -> bool:
    """Return whether ``title`` means output tokens only, while ``than`` may include prompt tokens."""
    return plain(title) in _OF_OUTPUT and plain(than) not in _OF_OUTPUT


def plain(title: str) -> str:
    """Return only the letters and digits of a title, in lower case, without accents."""
    bare = unicodedata.normalize("NFKD", title.replace("µ", "u").replace("μ", "u").casefold())
    return re.sub(r"[^a-z0-9]", "", bare)


_FIELDS: dict[str, Field] = {
    plain(spelling): field for field, both in SPELLINGS.items() for spellings in both for spelling in spellings
}
_NO_UNITS = frozenset({"", "avg", "average", "mean", "total", "media", "promedio"})
"""Texts in brackets after a title that are not units."""
_OF_OUTPUT = frozenset({
    "outputtokens", "generatedtokens", "completiontokens", "tokensgenerated", "evalcount", "tokensout",
    "tokensgenerados", "tokensdesalida",
})  # fmt: skip
_LATENCY = ("latency", "latencia")
_ENDINGS: dict[Field, dict[str, float]] = {
    field: {
        plain(before + unit): factor for before in ("", "in", "en") for unit, factor in units.items()
    }
    for field, units in UNITS.items()
}  # fmt: skip


def _known(title: str) -> tuple[Field, float | None] | None:
    """Return the field of a title, and the factor of its unit.

    Raises:
        CannotImport: the field is known, but the unit in brackets is not.
    """
    brackets = re.fullmatch(r"(.*?)[(\[](.*?)[)\]]?\s*", title.strip(), re.DOTALL)
    if brackets is not None:
        field = _FIELDS.get(plain(brackets.group(1)))
        if field is None:
            return None
        unit = plain(brackets.group(2))
        if field not in UNITS:
            return field, 1.0
        if unit in _ENDINGS[field]:
            return field, _ENDINGS[field][unit]
        if unit in _NO_UNITS or _FIELDS.get(unit) == field:
            return field, None if field in TIMES else 1.0
        raise CannotImport("unknown_unit", title=title.strip(), units=list(UNITS[field]))
    whole = plain(title)
    if whole in _FIELDS:
        field = _FIELDS[whole]
        return field, None if field in TIMES and whole not in _ENDINGS[field] else 1.0
    for field, endings in _ENDINGS.items():
        # Without brackets the unit may be at the end: RAM_MB, ttft_ms, "Total time in s".
        for ending in sorted(endings, key=len, reverse=True):
            if whole.endswith(ending) and _FIELDS.get(whole.removesuffix(ending)) == field:
                return field, endings[ending]
    return None


def _factor_in(field: Field, title: str) -> float | None:
    """Return the factor of the unit in a title that the user named."""
    if field not in UNITS:
        return 1.0
    inside = re.search(r"[(\[](.*?)[)\]]", title)
    unit = plain(inside.group(1)) if inside else plain(re.split(r"[_\s/]", title.strip())[-1])
    return _ENDINGS[field].get(unit, None if field in TIMES else 1.0)
