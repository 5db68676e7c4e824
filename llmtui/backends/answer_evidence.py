"""Evidence of text that cannot be seen: chunks without known text, told from the harmless ones by number and pace."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from llmtui.core.records import Evidence

FEWEST_CHUNKS: Final = 8
"""Chunks without text before the first text, from which on they may be text in an unknown field."""
FEWEST_NAMED: Final = 3
"""Chunks with text under one unknown name, from which on it is the model's."""
SLOWER_AT_MOST: Final = 3.0
"""Chunks that keep a connection open come more slowly than text, by more than this factor."""


class SilentChunks:
    """Collects chunks without known text."""

    def __init__(self) -> None:
        self._before_ns: list[int] = []
        self._named: dict[str, list[str]] = {}

    def add(self, unknown: tuple[tuple[str, str], ...], before_text_ns: int | None) -> None:
        """Take a chunk without known text.

        Args:
            unknown: names that the protocol does not have, with the text under each.
            before_text_ns: when it arrived; None if text came before it.
        """
        if before_text_ns is not None:
            self._before_ns.append(before_text_ns)
        for name, said in unknown:
            self._named.setdefault(name, []).append(said)

    def evidence(self, first_text_ns: int | None, usual_ns: float | None) -> Evidence | None:
        """Return what tells of unseen text; None where nothing does.

        Args:
            first_text_ns: arrival of the first known text.
            usual_ns: usual time between chunks with text; None where there are too few.
        """
        for name, said in self._named.items():
            if len(said) >= FEWEST_NAMED and len(set(said)) > 1:
                return Evidence(code="unknown_field", args={"field": name[:40]})
        if len(self._before_ns) < FEWEST_CHUNKS:
            return None
        if first_text_ns is None:
            return Evidence(code="only_silent_chunks", args={"n": len(self._before_ns)})
        if usual_ns is None:
            return None
        gaps = sorted(later - earlier for earlier, later in pairwise((*self._before_ns, first_text_ns)))
        if gaps[len(gaps) // 2] > SLOWER_AT_MOST * usual_ns:
            return None
        return Evidence(code="silent_chunks", args={"n": len(self._before_ns)})
