"""CSV files of the earlier comparison script: read in any spelling of their header, written back in its own.

The script counted every line of the stream as a token, the last one among them, which is what Ollama counts too; so
(tokens − 1) ÷ (total − first word) is its speed. Its ``RAM_Usada`` is the change of the whole machine's used memory.
"""

from __future__ import annotations

import csv
import io
import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from llmtui.core.metrics import quantile

COLD_FACTOR = 5.0
"""A model's first row is a start from off if it waited so many times as long as the middle of its others."""
USUAL_DIGITS = 0.005
"""Tokens a second are written with two decimals: recomputed they may be off by half of the last."""

Field = Literal["model", "category", "prompt", "ttft_s", "total_s", "usual_tps", "ram_mb", "tokens"]
HEADER = (
    "Modelo", "Categoria", "Prompt", "Latencia_TTFT(s)", "Total_Time(s)", "Tokens_Seg(t/s)", "RAM_Usada(MB)",
    "Tokens_Total",
)  # fmt: skip
"""As the script wrote it; also the order in which files are written back."""
REQUIRED: tuple[Field, ...] = ("model", "category", "ttft_s", "total_s", "tokens")
_NUMBERS: tuple[Field, ...] = ("ttft_s", "total_s", "usual_tps", "ram_mb", "tokens")

_NAMES: dict[Field, tuple[str, ...]] = {
    "model": ("modelo", "model", "modelname", "nombremodelo", "nombre", "llm"),
    "category": ("categoria", "category", "cat", "tipo", "type", "tarea", "task"),
    "prompt": ("prompt", "pregunta", "question", "entrada", "input"),
    "ttft_s": (
        "latenciattft", "ttft", "latencia", "latency", "latencyttft", "ttftlatency", "timetofirsttoken", "firsttoken",
        "primertoken", "tiempoprimertoken",
    ),
    "total_s": (
        "totaltime", "total", "tiempototal", "timetotal", "tiempo", "time", "duracion", "duration", "totalduration",
    ),
    "usual_tps": (
        "tokensseg", "tseg", "ts", "toks", "tokss", "tps", "tokenss", "tokenssec", "tokensec", "tokenspersecond",
        "tokenspersec", "tokenssecond", "tokensporsegundo", "tokenssegundo", "speed", "velocidad",
    ),
    "ram_mb": (
        "ramusada", "ram", "ramused", "usedram", "memoria", "memory", "memoryused", "memoriausada", "usedmemory",
    ),
    "tokens": (
        "tokenstotal", "tokens", "totaltokens", "tokenstotales", "tokencount", "ntokens", "numtokens", "outputtokens",
    ),
}  # fmt: skip
_UNITS: dict[Field, dict[str, float]] = {
    "ttft_s": {"": 1, "s": 1, "seg": 1, "sec": 1, "secs": 1, "seconds": 1, "segundos": 1, "ms": 0.001},
    "total_s": {"": 1, "s": 1, "seg": 1, "sec": 1, "secs": 1, "seconds": 1, "segundos": 1, "ms": 0.001},
    "ram_mb": {"": 1, "mb": 1, "mib": 1},
    "usual_tps": {
        "": 1, "ts": 1, "tokens": 1, "tokenss": 1, "toks": 1, "tps": 1, "tseg": 1, "tokensseg": 1, "tsec": 1,
        "tokssec": 1, "tokenssec": 1, "tokss": 1, "s": 1, "seg": 1, "sec": 1,
    },
}  # fmt: skip

RowProblem = Literal["not_a_number", "usual_off", "ttft_not_below_total", "tokens_below_2"]


class NotLegacy(ValueError):
    """The text is not such a file; the message is a sentence that says what is missing."""


class LegacyRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the file. None: the cell is empty or cannot be read."""

    line: int
    """In the file, the header being line 1."""
    model: str
    category: str
    prompt: str = ""
    ttft_s: float | None = None
    total_s: float | None = None
    usual_tps: float | None = None
    """As recorded: tokens ÷ total time."""
    ram_mb: float | None = None
    """As recorded: change of the machine's used memory. It is not the model's."""
    tokens: int | None = None
    cold: bool = False
    """Taken for a start from off."""
    problems: tuple[tuple[RowProblem, str], ...] = ()
    """What is odd about it, with the cell or figure; the row is kept all the same."""

    @property
    def steps(self) -> tuple[int, float] | None:
        """(tokens − 1, seconds after the first word); None where that cannot be told."""
        if self.tokens is None or self.ttft_s is None or self.total_s is None:
            return None
        if self.tokens < 2 or self.total_s <= self.ttft_s:
            return None
        return self.tokens - 1, self.total_s - self.ttft_s

    @property
    def decode_tps(self) -> float | None:
        """Tokens a second while it wrote."""
        steps = self.steps
        return None if steps is None else steps[0] / steps[1]

    @property
    def naive_tps(self) -> float | None:
        """Tokens ÷ total time, recomputed."""
        return self.tokens / self.total_s if self.tokens is not None and self.total_s else None


def parse_legacy(text: str) -> tuple[LegacyRow, ...]:
    """Gives the rows of a file, all of them, those taken for starts from off marked.

    Args:
        text: the file; separated by commas, semicolons (then with decimal commas) or tabs.

    Raises:
        NotLegacy: the header lacks a column, or there is no row.
    """
    text = text.removeprefix("\ufeff")
    head = text.partition("\n")[0]
    separator = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    try:
        places = _places(next(reader, []))
        rows = [
            _row(cells, places, line=reader.line_num, comma=separator == ";")
            for cells in reader
            if any(cell.strip() for cell in cells)
        ]
    except csv.Error as error:
        raise NotLegacy(f"Line {reader.line_num} is not CSV: {error}.") from error
    if not rows:
        raise NotLegacy("The file has a header and no rows.")
    return _with_cold(rows)


def legacy_text(rows: Iterable[LegacyRow]) -> str:
    """Gives the rows as such a file: the script's own eight columns, decimals and line ends."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    for row in rows:
        kept = {name: cell for name, cell in (_kept(problem) for problem in row.problems) if name}
        usual = row.naive_tps if row.usual_tps is None else row.usual_tps
        writer.writerow(
            (
                row.model,
                row.category,
                row.prompt,
                kept.get("ttft_s", _number(row.ttft_s, 4)),
                kept.get("total_s", _number(row.total_s, 4)),
                kept.get("usual_tps", _number(usual, 2)),
                kept.get("ram_mb", _number(row.ram_mb, 2)),
                kept.get("tokens", _number(row.tokens, 0)),
            )
        )
    return out.getvalue()


def _number(value: float | None, decimals: int) -> str:
    return "" if value is None else f"{value:.{decimals}f}"


def _kept(problem: tuple[RowProblem, str]) -> tuple[str, str]:
    """The column and the cell that could not be read, so that it is written back as it was."""
    code, what = problem
    name, _, cell = what.partition("=")
    return (name, cell) if code == "not_a_number" else ("", "")


# --- header -------------------------------------------------------------------------------------------------------


def _places(header: Sequence[str]) -> dict[Field, tuple[int, float]]:
    """Where each column stands, and what its unit has to be multiplied by."""
    places: dict[Field, tuple[int, float]] = {}
    for at, title in enumerate(header):
        found = _field(title)
        if found is not None and found[0] not in places:
            places[found[0]] = (at, found[1])
    missing = [HEADER[list(_NAMES).index(name)] for name in REQUIRED if name not in places]
    if missing:
        raise NotLegacy(f"The header has no column {', '.join(missing)} in any spelling that is known.")
    return places


def _field(title: str) -> tuple[Field, float] | None:
    """Which column a title means, whatever its case, spaces, accents and signs, and the factor of its unit.

    Raises:
        NotLegacy: the column is known, its unit is not.
    """
    name, _, unit = title.partition("(") if "(" in title else title.partition("[")
    for field, names in _NAMES.items():
        units = _UNITS.get(field, {"": 1})
        whole = _plain(title)
        if "(" not in title and "[" not in title:
            # A unit may stand at the end without brackets: RAM_MB, ttft_ms, t/s.
            for ending in sorted(units, key=len, reverse=True):
                if whole.removesuffix(ending) in names and whole.endswith(ending):
                    return field, units[ending]
            continue
        if _plain(name) in names:
            if _plain(unit) not in units:
                raise NotLegacy(f"The unit of the column {title.strip()} is not known.")
            return field, units[_plain(unit)]
    return None


def _plain(title: str) -> str:
    """Letters and digits only, small, without accents."""
    bare = unicodedata.normalize("NFKD", title.casefold())
    return re.sub(r"[^a-z0-9]", "", bare)


# --- rows ---------------------------------------------------------------------------------------------------------


def _row(cells: Sequence[str], places: dict[Field, tuple[int, float]], *, line: int, comma: bool) -> LegacyRow:
    def cell(name: Field) -> str:
        at = places.get(name, (len(cells), 1.0))[0]
        return cells[at].strip() if at < len(cells) else ""

    numbers: dict[Field, float | None] = {}
    problems: list[tuple[RowProblem, str]] = []
    for name in _NUMBERS:
        text = cell(name)
        value = _read(text, comma=comma)
        if value is None and (text or name in REQUIRED):
            problems.append(("not_a_number", f"{name}={text}"))
        numbers[name] = None if value is None else value * places.get(name, (0, 1.0))[1]
    tokens = numbers["tokens"]
    if tokens is not None and not tokens.is_integer():
        problems.append(("not_a_number", f"tokens={cell('tokens')}"))
        tokens = None
    row = LegacyRow(
        line=line,
        model=cell("model"),
        category=cell("category"),
        prompt=cell("prompt"),
        ttft_s=numbers["ttft_s"],
        total_s=numbers["total_s"],
        usual_tps=numbers["usual_tps"],
        ram_mb=numbers["ram_mb"],
        tokens=None if tokens is None else int(tokens),
    )
    return msgspec.structs.replace(row, problems=(*problems, *_odd(row)))


def _read(text: str, *, comma: bool) -> float | None:
    try:
        value = float(text.replace(",", ".") if comma else text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _odd(row: LegacyRow) -> list[tuple[RowProblem, str]]:
    found: list[tuple[RowProblem, str]] = []
    naive = row.naive_tps
    # A hair of room: the file's decimals are not exact in binary.
    if naive is not None and row.usual_tps is not None and abs(naive - row.usual_tps) > USUAL_DIGITS + 1e-9:
        found.append(("usual_off", f"{naive:.2f}"))
    if row.ttft_s is not None and row.total_s is not None and row.ttft_s >= row.total_s:
        found.append(("ttft_not_below_total", ""))
    if row.tokens is not None and row.tokens < 2:
        found.append(("tokens_below_2", str(row.tokens)))
    return found


def _with_cold(rows: Sequence[LegacyRow]) -> tuple[LegacyRow, ...]:
    return tuple(msgspec.structs.replace(row, cold=_is_cold(rows, at)) for at, row in enumerate(rows))


def _is_cold(rows: Sequence[LegacyRow], at: int) -> bool:
    """The first of a run of rows of its model, and much slower to start than the middle of its other rows."""
    row = rows[at]
    if row.ttft_s is None or (at > 0 and rows[at - 1].model == row.model):
        return False
    others = sorted(
        other.ttft_s
        for place, other in enumerate(rows)
        if place != at and other.model == row.model and other.ttft_s is not None
    )
    return bool(others) and row.ttft_s > COLD_FACTOR * quantile(others, 0.5)
