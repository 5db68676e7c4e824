"""The dimensions of the demo model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """Dimensions of a llama-architecture model. Every row length is a multiple of 32, the block of Q8_0."""

    width: int = 192
    layers: int = 4
    heads: int = 6
    kv_heads: int = 2
    feed_forward: int = 512
    context_length: int = 1024
    rope_base: float = 10_000.0
    norm_epsilon: float = 1e-5

    @property
    def head_width(self) -> int:
        """Columns of one head."""
        return self.width // self.heads

    @property
    def kv_width(self) -> int:
        """Columns of all keys, or all values."""
        return self.head_width * self.kv_heads
