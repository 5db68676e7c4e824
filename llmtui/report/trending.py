"""A figure over several sessions, as printed rows and as a JSON document."""

from __future__ import annotations

from typing import IO, Final, Literal

import msgspec
from rich.text import Text

from llmtui import __version__
from llmtui.core.trend import FigureTrend
from llmtui.report.json_form import file_unit
from llmtui.report.terminal import WIDTH, plain_console
from llmtui.words.trending import trend_measure, trend_rows

VERSION: Final = 1
"""Version of the JSON document: increased when a field is removed or changes its meaning."""


class TrendDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON document that ``llmtui trend --json`` prints; values are unrounded."""

    format: Literal["llmtui-trend"] = "llmtui-trend"
    version: Literal[1] = VERSION
    written_by: str = __version__
    unit: str
    trend: FigureTrend


def trend_json(found: FigureTrend) -> bytes:
    """Return the JSON document, indented, as bytes."""
    made = TrendDocument(unit=file_unit(trend_measure(found)), trend=found)
    return msgspec.json.format(msgspec.json.encode(made), indent=1) + b"\n"


def print_trend(found: FigureTrend, out: IO[str]) -> None:
    """Print each model's figure: one row with an interval per session, and between sessions the changed conditions."""
    console = plain_console(out)
    for row in trend_rows(found, WIDTH):
        console.print(Text(row), overflow="ellipsis", no_wrap=True)
