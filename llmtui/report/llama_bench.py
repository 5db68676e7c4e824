"""A table for forums and issues with the columns of llama-bench, but with the actual lengths of prompts and answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from llmtui.core.flags import counts_for_speed
from llmtui.core.plan import Contender
from llmtui.core.session import Session
from llmtui.core.stats import deviation, mean
from llmtui.core.summary import prefill_kind
from llmtui.core.trial_row import TrialRow
from llmtui.report.by_round import summaries_by_round
from llmtui.report.markdown import as_text
from llmtui.report.saved import Saved
from llmtui.words.figures import gigabytes

HEAD: Final = ("model", "size", "params", "backend", "test", "t/s")
GIBIBYTE: Final = 2**30


def llama_bench(sessions: Sequence[Saved]) -> bytes:
    """Return one Markdown table per session, each followed by a line with server, machine and version.

    ``pp`` is the prompt processing speed and ``tg`` the decode speed, both in tokens per second. Both are mean ±
    standard deviation over rounds.
    """
    return "\n".join(_table(saved.session) for saved in sessions).encode("utf-8", "replace")


def _table(session: Session) -> str:
    lines = [_line(HEAD), "| --- | ---: | ---: | --- | ---: | ---: |"]
    lines.extend(_line([as_text(cell) for cell in cells]) for cells in _rows(session))
    return "\n".join([*lines, "", as_text(footer(session)), ""])


def footer(session: Session) -> str:
    """Return server, CPU, memory, GPU, system and llmtui on one line, with versions and sizes."""
    seen = session.fingerprint
    servers = [" ".join(filter(None, (one.product or one.kind, one.version))) for one in seen.servers]
    if not servers:
        servers = [" ".join(filter(None, (seen.server_kind, seen.server_version)))]
    parts = [
        *servers,
        seen.cpu,
        None if seen.ram_total_bytes is None else f"{gigabytes(seen.ram_total_bytes)} RAM",
        seen.gpu,
        seen.os,
        f"llmtui {seen.llmtui}",
    ]
    return " · ".join(part for part in parts if part)


def _rows(session: Session) -> Iterator[tuple[str, ...]]:
    kind = prefill_kind(session)
    reading, writing = summaries_by_round(session, (kind,)), summaries_by_round(session)
    for index, contender in enumerate(session.plan.contenders):
        mine = [row for row in session.rows if row.trial.contender == index]
        read = [row for row in mine if row.trial.kind == kind and row.figures.prefill_tps is not None]
        written = [row for row in mine if row.trial.kind == "warm" and counts_for_speed(row)]
        tests = (
            ("pp" + _length(map(_tokens_read, read)), [one.lines[index].prefill_tps for one in reading.values()]),
            (
                "tg" + _length(row.figures.tokens for row in written),
                [one.lines[index].decode_tps for one in writing.values()],
            ),
        )
        for test, rates in tests:
            known = [rate.value for rate in rates if rate is not None]
            if known:
                yield (*_what(session, contender), test, _mean(known))


def _what(session: Session, contender: Contender) -> tuple[str, ...]:
    """Return the cells of the columns model, size, params and backend."""
    model = contender.model
    server = session.fingerprint.server_of(model.backend)
    quantisation = model.quantisation or ""
    return (
        contender.label if quantisation in contender.label else f"{contender.label} {quantisation}",
        _size(model.size_bytes),
        model.parameters or "",
        model.backend if server is None or server.product is None else server.product,
    )


def _size(size_bytes: int | None) -> str:
    if size_bytes is None:
        return ""
    if size_bytes < GIBIBYTE:
        return f"{size_bytes / GIBIBYTE * 1024:.2f} MiB"
    return f"{size_bytes / GIBIBYTE:.2f} GiB"


def _tokens_read(row: TrialRow) -> int | None:
    """Return the number of prompt tokens that were processed, without those from the prompt cache."""
    tokens = row.figures.prompt_tokens
    return None if tokens is None else tokens - (row.figures.cached_tokens or 0)


def _length(lengths: Iterable[int | None]) -> str:
    """Return the lengths in tokens as text: ``128``, or ``97-128`` if the trials differ."""
    known = sorted({one for one in lengths if one is not None})
    return "-".join(str(one) for one in dict.fromkeys((known[0], known[-1]))) if known else ""


def _mean(rates: Sequence[float]) -> str:
    return f"{mean(rates):.2f}" + (f" ± {deviation(rates):.2f}" if len(rates) > 1 else "")


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
