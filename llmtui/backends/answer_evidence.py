"""Evidence for unseen text: chunks without known text, separated from harmless ones by number and pace."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from llmtui.core.records import Evidence

FEWEST_CHUNKS: Final = 8
"""Number of chunks before the first text from which they may be text in an unknown field."""
FEWEST_NAMED: Final = 3
"""Number of chunks with text in one unknown field from which it counts as the model's text."""
SLOWER_AT_MOST: Final = 3.0
"""Keep-alive chunks are slower than text by more than this factor."""


class SilentChunks:
    """The chunks without known text."""

    def __init__(self) -> None:
        self._before_ns: list[int] = []
        self._named: dict[str, list[str]] = {}

    def add(self, unknown: tuple[tuple[str, str], ...], before_text_ns: int | None) -> None:
        """Add a chunk without known text.

        Args:
            unknown: unknown fields, with the text of each.
            before_text_ns: arrival of the chunk; None if text came before it.
        """
        if before_text_ns is not None:
            self._before_ns.append(before_text_ns)
        for name, said in unknown:
            self._named.setdefault(name, []).append(said)

    def evidence(self, first_text_ns: int | None, typical_ns: float | None) -> Evidence | None:
        """Return the evidence for unseen text; None where there is none.

        Args:
            first_text_ns: arrival of the first known text.
            typical_ns: typical time between chunks with text; None where there are too few.
        """
        for name, said in self._named.items():
            if len(said) >= FEWEST_NAMED and len(set(said)) > 1:
                return Evidence(code="unknown_field", args={"field": name[:40]})
        if len(self._before_ns) < FEWEST_CHUNKS:
            return None
        if first_text_ns is None:
            return Evidence(code="only_silent_chunks", args={"n": len(self._before_ns)})
        if typical_ns is None:
            return None
        gaps = sorted(later - earlier for earlier, later in pairwise((*self._before_ns, first_text_ns)))
        if gaps[len(gaps) // 2] > SLOWER_AT_MOST * typical_ns:
            return None
        return Evidence(code="silent_chunks", args={"n": len(self._before_ns)})
