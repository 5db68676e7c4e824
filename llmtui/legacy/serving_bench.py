"""Readers for vLLM's (json, short or detailed) and SGLang's (jsonl) serving benchmarks: one object per load level."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from llmtui.core.records import Recorded
from llmtui.legacy.rows import FileRow, ImportedFile, LeftOut, Program
from llmtui.legacy.values import count_of, list_of, number_of, positive, scaled

VLLM_KEYS = frozenset({"model_id", "request_throughput", "mean_ttft_ms", "tokenizer_id"})
SGLANG_KEYS = frozenset({"backend", "request_throughput", "mean_ttft_ms"})
NEAR = 0.05
"""Tolerance for a request's own times: their mean may differ by this fraction from the mean stated in the file."""


def vllm_levels(objects: Sequence[Mapping[str, Any]], name: str) -> ImportedFile:
    """Return one row per request of vLLM's detailed file, or per load level of its short file, which has only means.

    Args:
        objects: the load levels.
        name: the model's name if an object has none.
    """
    return _file(objects, name, "vllm_bench")


def sglang_levels(objects: Sequence[Mapping[str, Any]], name: str) -> ImportedFile:
    """Return one row per load level of SGLang's file, with the means.

    Args:
        objects: the load levels.
        name: the model's name if an object has none.
    """
    return _file(objects, name, "sglang_bench")


def _file(objects: Sequence[Mapping[str, Any]], name: str, program: Program) -> ImportedFile:
    rows: list[FileRow] = []
    left_out: dict[LeftOut, int] = {}
    for line, one in enumerate(objects, 1):
        model = str(one.get("model_id") or one.get("model") or one.get("tag") or name or one.get("backend") or "")
        category = _level(one)
        means = _means(one, model, category, line, program)
        requests = [*_requests(one, model, category, line, program, left_out)]
        rows += requests or [means]
        if requests and all(row.recorded.total_s is None for row in requests):
            # The requests keep their own TTFT; of their speed only the mean is known.
            speed = Recorded(
                line=line, program=program, repetition=True, mean_of=len(requests), decode_tps=means.recorded.decode_tps
            )
            rows.append(msgspec.structs.replace(means, recorded=speed))
        if number_of(one.get("output_throughput")) is not None:
            left_out["throughput"] = left_out.get("throughput", 0) + 1
    return ImportedFile(rows=tuple(rows), program=program, left_out=left_out)


def _level(one: Mapping[str, Any]) -> str:
    """Return the load as text: the largest number of simultaneous requests, or requests per second."""
    users = count_of(one.get("max_concurrency"))
    rate = number_of(one.get("request_rate"))
    if users is not None:
        return f"c={users}"
    return f"{rate:g}/s" if rate is not None else "load"


def _means(one: Mapping[str, Any], model: str, category: str, line: int, program: Program) -> FileRow:
    per_token_ms = positive(one.get("mean_tpot_ms"))
    return FileRow(
        model=model,
        category=category,
        recorded=Recorded(
            line=line,
            program=program,
            repetition=True,
            mean_of=count_of(one.get("completed")),
            ttft_s=scaled(positive(one.get("mean_ttft_ms")), 1e-3),
            total_s=scaled(positive(one.get("mean_e2el_ms", one.get("mean_e2e_latency_ms"))), 1e-3),
            decode_tps=None if per_token_ms is None else 1000 / per_token_ms,
        ),
    )


def _requests(
    one: Mapping[str, Any], model: str, category: str, line: int, program: Program, left_out: dict[LeftOut, int]
) -> Iterator[FileRow]:
    waits, lengths = list_of(one.get("ttfts")), list_of(one.get("output_lens"))
    if not waits or len(waits) != len(lengths):
        return
    gaps = [
        [gap for value in list_of(gap_list) if (gap := number_of(value)) is not None]
        for gap_list in list_of(one.get("itls"))
    ]
    whole = _whole(gaps, lengths, number_of(one.get("mean_tpot_ms")))
    if gaps and not whole:
        left_out["chunk_times"] = left_out.get("chunk_times", 0) + len(gaps)
    errors, prompts = list_of(one.get("errors")), list_of(one.get("input_lens"))
    for at, (wait, length) in enumerate(zip(waits, lengths, strict=True)):
        tokens, ttft_s = count_of(length), positive(wait)
        over_s = sum(gaps[at]) if whole and at < len(gaps) else None
        yield FileRow(
            model=model,
            category=category,
            run=at + 1,
            failed=bool(errors[at]) if at < len(errors) else False,
            recorded=Recorded(
                line=line,
                program=program,
                repetition=True,
                tokens=tokens,
                ttft_s=ttft_s,
                total_s=None if over_s is None or ttft_s is None else ttft_s + over_s,
                prompt_tokens=count_of(prompts[at]) if at < len(prompts) else None,
            ),
        )


def _whole(gaps: Sequence[Sequence[float]], lengths: Sequence[Any], mean_tpot_ms: float | None) -> bool:
    """Return whether the gaps between chunks cover the whole answers.

    If they do, their sums agree with the mean time per token stated in the file.
    """
    if not gaps or len(gaps) != len(lengths) or not mean_tpot_ms:
        return False
    each = [sum(one) / (n - 1) for one, length in zip(gaps, lengths, strict=True) if (n := count_of(length) or 0) > 1]
    return bool(each) and abs(1000 * statistics.fmean(each) / mean_tpot_ms - 1) <= NEAR
