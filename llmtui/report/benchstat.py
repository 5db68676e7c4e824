"""Sessions as lines of a Go benchmark, one per model and round, for ``benchstat OLD NEW``.

The format is defined in https://go.dev/design/14313-benchmark-format. Facts about the machine and the server are
written as comments. As configuration lines, they would make benchstat put sessions with different servers into separate
tables, which are not compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from llmtui.core.measures import Measure, measure_of, shown_value
from llmtui.core.summary import ContenderSummary
from llmtui.report.by_round import summaries_by_round
from llmtui.report.llama_bench import footer
from llmtui.report.saved import Saved

_UNITS: Final = {
    "decode_tps": "token/s",
    "prefill_tps": "prompt-token/s",
    "decode_cps": "char/s",
    "ttft_ms": "ttft-s",
    "follow_up_ttft_ms": "follow-up-ttft-s",
}
"""Id of a figure → its unit in benchstat."""
_UNSAFE: Final = re.compile(r"[^\w.:+@,()\[\]-]", re.ASCII)
"""Characters that would end a name, begin another key, or cannot be shown by every terminal."""


def benchstat(sessions: Sequence[Saved]) -> bytes:
    """Return the lines of all sessions, preceded by the units and by whether higher or lower is better."""
    lines = [f"Unit {unit} better={_measure(figure).better}" for figure, unit in _UNITS.items()]
    for saved in sessions:
        lines += ["", f"# session {saved.session.session_id}", f"# {' '.join(footer(saved.session).split())}"]
        lines.extend(_lines(saved))
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")


def benchmark_name(label: str) -> str:
    """Return the benchmark name of a model, as one word.

    It ends in ``/by=round``, because benchstat would take a number at the end for a number of processors.
    """
    return f"BenchmarkWarm/model={_UNSAFE.sub(_code, label)}/by=round"


def _lines(saved: Saved) -> Iterator[str]:
    for summary in summaries_by_round(saved.session).values():
        for line in summary.lines:
            figures = list(_figures(line))
            if figures:
                yield f"{benchmark_name(line.label)} {max(line.finished, 1)} {' '.join(figures)}"


def _figures(line: ContenderSummary) -> Iterator[str]:
    for figure, unit in _UNITS.items():
        value = shown_value(_measure(figure), line)
        if value is not None:
            yield f"{value:.6g} {unit}"


def _measure(figure: str) -> Measure:
    found = measure_of(figure)
    assert found is not None
    return found


def _code(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "replace"))
