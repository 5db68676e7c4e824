"""Evidence that an answer contains text the program cannot see.

Some chunks carry no known text. Their number and their pace show whether they are text in an unknown field or harmless
keep-alive messages.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from llmtui.core.records import Evidence

FEWEST_CHUNKS: Final = 8
"""If at least this many chunks arrive before the first known text, they may be text in an unknown field."""
FEWEST_NAMED: Final = 3
"""If at least this many chunks have text in the same unknown field, it counts as the model's text."""
SLOWER_AT_MOST: Final = 3.0
"""Largest ratio of the median gap between chunks without known text to the typical gap between text chunks. If the
ratio is larger, the chunks without known text count as keep-alive messages.
"""


class SilentChunks:
    """Collects the chunks that have no text in any field that llmtui knows."""

    def __init__(self) -> None:
        self._before_ns: list[int] = []
        self._named: dict[str, list[str]] = {}

    def add(self, unknown: tuple[tuple[str, str], ...], before_text_ns: int | None) -> None:
        """Add a chunk without known text.

        Args:
            unknown: (field name, text) of each unknown field.
            before_text_ns: arrival of the chunk; None if text came before it.
        """
        if before_text_ns is not None:
            self._before_ns.append(before_text_ns)
        for name, said in unknown:
            self._named.setdefault(name, []).append(said)

    def evidence(
        self, first_text_ns: int | None, typical_ns: float | None, *, all_counted: bool = False
    ) -> Evidence | None:
        """Return the evidence for unseen text; None if there is none.

        Args:
            first_text_ns: arrival of the first known text; None if there was none.
            typical_ns: typical time between chunks with text; None if there are too few of them.
            all_counted: whether the chunks with text account for all tokens that the server counted.
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
        usual_ns = gaps[len(gaps) // 2]
        if usual_ns > SLOWER_AT_MOST * typical_ns or (all_counted and usual_ns < typical_ns / SLOWER_AT_MOST):
            return None
        return Evidence(code="silent_chunks", args={"n": len(self._before_ns)})
