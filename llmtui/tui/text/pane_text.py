"""Growing text wrapped into rows of a given width: the content of the token pane, independent of widgets.

Complete rows are never processed again: an append wraps from the start of the last row, however long the paragraph is.
Wrapping depends on the text alone, so the rows do not depend on the spans in which the text arrives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from rich.cells import cell_len

from llmtui.core.shown import ODD, visible

Kind = str
"""The source of a span of text: a name that the pane maps to a style, such as ``thinking``."""

TAB = 4
MAX_ROWS = 6_000
"""Above this number of rows the oldest lines are dropped, many at once.

This limits the memory for a long session.
"""
KEEP_ROWS = 5_000

_JOINER = "\N{ZERO WIDTH JOINER}"
_WIDENER = "\N{VARIATION SELECTOR-16}"
_LINE_ENDS = {"\n", "\u2028", "\u2029"}
_WORDS = re.compile(r" +|[^ ]+")


@dataclass(slots=True)
class PaneLine:
    """One line of text between line ends, with the kinds of its parts and the bounds of its rows."""

    text: str = ""
    runs: list[tuple[int, Kind]] = field(default_factory=list)
    """(index of the first character, kind) of each part, in order."""
    rows: list[tuple[int, int]] = field(default_factory=lambda: [(0, 0)])
    """(start, end) of each row; ``end`` is exclusive. Blanks between rows are not shown."""

    def spans(self, row: int) -> Iterator[tuple[str, Kind]]:
        """Yield (text, kind) for each part of a row."""
        start, end = self.rows[row]
        if start == end:
            return
        for number, (at, kind) in enumerate(self.runs):
            until = self.runs[number + 1][0] if number + 1 < len(self.runs) else len(self.text)
            cut = self.text[max(at, start) : min(until, end)]
            if cut:
                yield cut, kind


@dataclass(frozen=True, slots=True)
class RowsChanged:
    """The effect of an append on the rows."""

    first_row: int
    """Number of the first row that is new or different."""
    dropped_rows: int
    """Number of rows dropped at the top to limit the memory."""


class GrowingText:
    """Lines of text and their rows. ``append`` adds text; ``set_width`` wraps all lines again."""

    def __init__(self, width: int = 80) -> None:
        self.width = max(1, width)
        self.lines: list[PaneLine] = [PaneLine()]
        self.row_count = 1
        self.rows_wrapped = 0
        """Number of rows wrapped so far. Tests check that an append wraps only its own rows and one more."""
        self._index: list[tuple[int, int]] = [(0, 0)]
        """(index of the line, index of the row within it) of each row."""
        self._held = ""

    def __len__(self) -> int:
        return sum(len(line.text) for line in self.lines)

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been written yet."""
        return len(self.lines) == 1 and not self.lines[0].text and not self._held

    def row(self, number: int) -> tuple[PaneLine, int]:
        """Return (line, index of the row within it) of a row."""
        line, row = self._index[number]
        return self.lines[line], row

    def append(self, text: str, kind: Kind) -> RowsChanged:
        """Add text at the end; return which rows changed."""
        first = self.row_count - 1
        if self._held:
            text, self._held = self._held + text, ""
        if text.endswith("\r"):
            # The second half of the line end "\r\n" may still arrive.
            text, self._held = text[:-1], "\r"
        if not ODD.search(text):
            self._extend(text, kind)
        else:
            self._append_odd(text.replace("\r\n", "\n"), kind)
        return self._changed(first)

    def set_width(self, width: int) -> None:
        """Wrap all lines to another width."""
        width = max(1, width)
        if width == self.width:
            return
        self.width = width
        self._index.clear()
        for number, line in enumerate(self.lines):
            line.rows = [(0, 0)]
            self._wrap(line)
            self._index.extend((number, row) for row in range(len(line.rows)))
        self.row_count = len(self._index)

    def clear(self) -> None:
        """Remove all text."""
        self.lines = [PaneLine()]
        self._index = [(0, 0)]
        self.row_count = 1
        self._held = ""

    def extract(self, start: tuple[int, int], end: tuple[int, int] | None) -> str:
        """Return the text between two positions; rows of one line are joined as they were written.

        Args:
            start: (row, index of the character in it).
            end: the same, exclusive; None for the end of the text.
        """
        last_row = self.row_count - 1
        end_row, end_at = end if end is not None else (last_row, None)
        parts: list[str] = []
        for number in range(max(0, start[0]), min(end_row, last_row) + 1):
            line, row = self.row(number)
            first, behind = line.rows[row]
            is_last = number == end_row
            until = min(first + end_at, behind) if is_last and end_at is not None else behind
            begin = min(first + start[1], behind) if number == start[0] else first
            parts.append(line.text[begin:until])
            if not is_last and number != last_row:
                follows = row + 1 < len(line.rows)
                parts.append(line.text[behind : line.rows[row + 1][0]] if follows else "\n")
        return "".join(parts)

    # --- inside ---

    def _append_odd(self, text: str, kind: Kind) -> None:
        at = 0
        for match in ODD.finditer(text):
            self._extend(text[at : match.start()], kind)
            at = match.end()
            character = match.group()
            if character in _LINE_ENDS:
                self._new_line()
            elif character == "\t":
                self._extend(" " * (TAB - cell_len(self.lines[-1].text) % TAB), kind)
            else:
                self._extend(visible(character), kind)
        self._extend(text[at:], kind)

    def _extend(self, text: str, kind: Kind) -> None:
        if not text:
            return
        line = self.lines[-1]
        if not line.runs or line.runs[-1][1] != kind:
            line.runs.append((len(line.text), kind))
        line.text += text
        before = len(line.rows)
        self._wrap(line)
        number = len(self.lines) - 1
        self._index.extend((number, row) for row in range(before, len(line.rows)))
        self.row_count = len(self._index)

    def _new_line(self) -> None:
        self.lines.append(PaneLine())
        self._index.append((len(self.lines) - 1, 0))
        self.row_count += 1

    def _wrap(self, line: PaneLine) -> None:
        """Wrap a line again from the start of its last row."""
        start = line.rows.pop()[0]
        made = list(_rows(line.text, start, self.width))
        self.rows_wrapped += len(made)
        line.rows.extend(made)

    def _changed(self, first_row: int) -> RowsChanged:
        dropped = self._drop_oldest()
        return RowsChanged(max(0, first_row - dropped), dropped)

    def _drop_oldest(self) -> int:
        if self.row_count <= MAX_ROWS:
            return 0
        gone = lines = 0
        while self.row_count - gone > KEEP_ROWS and lines < len(self.lines) - 1:
            gone += len(self.lines[lines].rows)
            lines += 1
        del self.lines[:lines]
        self._index = [(number, row) for number, line in enumerate(self.lines) for row in range(len(line.rows))]
        self.row_count = len(self._index)
        return gone


def _rows(text: str, start: int, width: int) -> Iterator[tuple[int, int]]:
    """Wrap ``text[start:]`` into rows of at most ``width`` cells; yield (start, end) of each row.

    Rows end at blanks or beside wide characters; only words longer than a row are broken. Wrapping is greedy from left
    to right, so only the last row can change when text is added.
    """
    end = start
    used = 0
    only_blanks = True
    for at, behind, cells, is_blank in _words(text, start):
        if is_blank:
            room = max(0, width - used)
            end, used = (behind, used + cells) if cells <= room else (at + room, width)
            continue
        too_many_blanks = end < at
        if too_many_blanks or (used + cells > width and not only_blanks and end > start):
            yield start, end if only_blanks else _without_blanks(text, start, end)
            start, end, used, only_blanks = at, at, 0, True
        if used + cells <= width:
            end, used, only_blanks = behind, used + cells, False
            continue
        # Longer than a row: it is broken between clusters, from the beginning of the row.
        for cluster_at, cluster_behind, cluster_cells in _clusters(text, at, behind):
            if used + cluster_cells > width and end > start:
                yield start, end
                start, used = cluster_at, 0
            end, used = cluster_behind, used + cluster_cells
        only_blanks = False
    yield start, end


def _without_blanks(text: str, start: int, end: int) -> int:
    while end > start and text[end - 1] == " ":
        end -= 1
    return end


def _words(text: str, start: int) -> Iterator[tuple[int, int, int, bool]]:
    """Yield (start, end, width in cells, is blank) of each run of blanks and of each word that should not be broken."""
    for match in _WORDS.finditer(text, start):
        at, behind = match.span()
        word = match.group()
        if word[0] == " ":
            yield at, behind, behind - at, True
        elif word.isascii():
            yield at, behind, behind - at, False
        else:
            yield from _wide_words(text, at, behind)


def _wide_words(text: str, at: int, behind: int) -> Iterator[tuple[int, int, int, bool]]:
    """Split a word before and after each wide character, since CJK text has no blanks to break at; yield its parts."""
    begin = at
    cells = 0
    for cluster_at, cluster_behind, cluster_cells in _clusters(text, at, behind):
        # Only by the base character: a variation selector that arrives later must not change earlier rows.
        if cell_len(text[cluster_at]) == 2:
            if cluster_at > begin:
                yield begin, cluster_at, cells, False
            yield cluster_at, cluster_behind, cluster_cells, False
            begin, cells = cluster_behind, 0
        else:
            cells += cluster_cells
    if behind > begin:
        yield begin, behind, cells, False


def _clusters(text: str, at: int, behind: int) -> Iterator[tuple[int, int, int]]:
    """Yield (start, end, width in cells) of each cluster: a base character with its marks and joined characters."""
    begin = at
    while begin < behind:
        end = begin + 1
        joined = text[begin] == _JOINER
        while end < behind:
            character = text[end]
            if not (joined or character in (_JOINER, _WIDENER) or cell_len(character) == 0):
                break
            joined = character == _JOINER and not joined
            end += 1
        yield begin, end, cell_len(text[begin:end])
        begin = end
