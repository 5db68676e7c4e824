"""From one finished trial to its figures.

Every formula stands beside the words in which it is shown to users (core.columns). Source of the rules: docs/method.md.
"""

from __future__ import annotations

import msgspec


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """One trial's figures. None means missing; ``why`` then has the reason under the field's name."""

    ttft_ms: float | None = None
    ttfo_ms: float | None = None
    decode_tps: float | None = None
    tps_source: str | None = None
    """``client`` (our clock) or ``server`` (its counters), where decode_tps is present."""
    tpot_ms: float | None = None
    decode_cps: float | None = None
    reading_x: float | None = None
    prefill_tps: float | None = None
    load_ms: float | None = None
    e2e_ms: float | None = None
    e2e_tps: float | None = None
    gap_p50_ms: float | None = None
    gap_p95_ms: float | None = None
    longest_gap_ms: float | None = None
    stalls: int | None = None
    gap_clock: str | None = None
    """``server`` (its stamps) or ``arrival``."""
    client_lag_ms: float | None = None
    """Median of arrival − server stamp; local servers only."""
    tokens: int | None = None
    """Output tokens by the server's count, thinking among them."""
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    chunks: int = 0
    answer_chars: int = 0
    thinking_chars: int = 0
    words: int = 0
    decode_steps: int | None = None
    """n − k1: numerator of decode_tps, for pooling."""
    decode_s: float | None = None
    """Its denominator."""
    decode_chars: int | None = None
    """Numerator of decode_cps."""
    server_decode_tps: float | None = None
    """The same rate by the server's own counters."""
    thinking_inline: bool = False
    why: dict[str, str] = {}
