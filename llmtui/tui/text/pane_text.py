"""Growing text cut into rows of a width: the content of the token pane, without any widget.

Complete rows are never processed again: an append wraps from the start of the last row, however long the paragraph is.
Wrapping depends on the text alone, so a text has the same rows whatever spans it arrives in.
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
"""Above this the oldest lines are dropped, in blocks, so that a long session's memory stays constant."""
KEEP_ROWS = 5_000

_JOINER = "\N{ZERO WIDTH JOINER}"
_WIDENER = "\N{VARIATION SELECTOR-16}"
_LINE_ENDS = {"\n", "\u2028", "\u2029"}
_WORDS = re.compile(r" +|[^ ]+")


@dataclass(slots=True)
class PaneLine:
    """One line of text between line ends, with the kinds of its parts and the beginnings of its rows."""

    text: str = ""
    runs: list[tuple[int, Kind]] = field(default_factory=list)
    """(first character, kind), in order."""
    rows: list[tuple[int, int]] = field(default_factory=lambda: [(0, 0)])
    """(first, after the last shown character) of each row; blanks between rows are not shown."""

    def spans(self, row: int) -> Iterator[tuple[str, Kind]]:
        """Yield a row's text, cut where the kind changes."""
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
    """The first row that is new or different."""
    dropped_rows: int
    """Number of rows dropped at the top to make room."""


class GrowingText:
    """Lines and their rows. ``append`` is enough for a stream; ``set_width`` wraps everything again."""

    def __init__(self, width: int = 80) -> None:
        self.width = max(1, width)
        self.lines: list[PaneLine] = [PaneLine()]
        self.row_count = 1
        self.rows_wrapped = 0
        """Number of rows made by wrapping so far, for tests: an append costs its own rows and one, not the text's."""
        self._index: list[tuple[int, int]] = [(0, 0)]
        """(line, row in it) of each row."""
        self._held = ""

    def __len__(self) -> int:
        return sum(len(line.text) for line in self.lines)

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been written yet."""
        return len(self.lines) == 1 and not self.lines[0].text and not self._held

    def row(self, number: int) -> tuple[PaneLine, int]:
        """Return a row as its line and the row's index within it."""
        line, row = self._index[number]
        return self.lines[line], row

    def append(self, text: str, kind: Kind) -> RowsChanged:
        """Add text at the end."""
        first = self.row_count - 1
        if self._held:
            text, self._held = self._held + text, ""
        if text.endswith("\r"):
            # The second half of a line end may still arrive.
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
        """Forget everything."""
        self.lines = [PaneLine()]
        self._index = [(0, 0)]
        self.row_count = 1
        self._held = ""

    def extract(self, start: tuple[int, int], end: tuple[int, int] | None) -> str:
        """Return the text from (row, character in it) to another, with rows of one line joined as they were written."""
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
        """Wrap a line from the start of its last row."""
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
    """Yield rows of at most ``width`` cells of ``text[start:]``, cut at blanks, beside wide characters, else anywhere.

    Greedy, from left to right, so that no row but the last can change when text is added.
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
        # Longer than a row: broken between clusters, from the beginning of the row.
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
    """Yield (first, after the last, cells, is blank) of the parts that a row should not cut."""
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
    """Yield the parts between wide characters, beside which a row may end: CJK has no blanks."""
    begin = at
    cells = 0
    for cluster_at, cluster_behind, cluster_cells in _clusters(text, at, behind):
        # By the base alone: a variation selector that follows later must not change what was decided before.
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
    """Yield (first, after the last, cells) of what one cursor step covers: a base, its marks, what a joiner joins."""
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
