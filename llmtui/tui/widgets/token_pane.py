"""A pane that shows a model's text while it is written.

New text waits in a list until the next flush. Flushes happen at most five times per second, less often while frames are
late, and not while the pane is hidden. A flush wraps and paints the changed rows, and causes no layout.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from time import monotonic
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.timer import Timer

from llmtui.tui._textual_hacks import grow_without_layout
from llmtui.tui.text.pane_pace import FlushPace
from llmtui.tui.text.pane_text import GrowingText, Kind
from llmtui.words import _, plural

SLACK_S = 0.05
"""A flush that is due within this many seconds is done at once, to be painted in the same frame as other changes."""
FOLLOW_ROWS = 1
"""The pane follows the text again once the user has scrolled to within this many rows of the end."""


class TokenPane(ScrollView, can_focus=True):
    """Text that grows at its end; the pane scrolls with it unless the user has scrolled up."""

    ALLOW_SELECT = True
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "token-pane--head", "token-pane--prompt", "token-pane--tag", "token-pane--thinking", "token-pane--answer",
        "token-pane--note",
    }  # fmt: skip
    DEFAULT_CSS = """
    TokenPane {
        border: round $border;
        border-title-color: $text;
        border-subtitle-color: $text-muted;
        padding: 0 0 0 1;
        background: $background;
        color: $foreground;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        &:focus { border: round $primary; }
        & > .token-pane--head { color: $primary; text-style: bold; }
        & > .token-pane--prompt { color: $text-muted; }
        & > .token-pane--tag { color: $text-muted; text-style: italic; }
        & > .token-pane--thinking { color: $text-muted; text-style: italic; }
        & > .token-pane--answer { color: $foreground; }
        & > .token-pane--note { color: $warning; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("end", "follow", _("Follow the text"), id="pane.follow", show=False),
        Binding("j", "scroll_down", show=False),
        Binding("k", "scroll_up", show=False),
    ]

    def __init__(
        self, *, name: str | None = None, id: str | None = None, classes: str | None = None,  # noqa: A002  # as Textual
        grows: bool = True, clock: Callable[[], float] = monotonic,
    ) -> None:  # fmt: skip
        super().__init__(name=name, id=id, classes=classes)
        self.grows = grows
        """Whether more text may come; if so, the lower border shows whether the pane follows it."""
        self.text = GrowingText()
        self.following = True
        self.unseen_rows = 0
        """Number of rows added since the user scrolled up."""
        self.flushes = 0
        self.pace = FlushPace()
        self._clock = clock
        self._waiting: list[tuple[str, Kind]] = []
        self._flush_timer: Timer | None = None
        self._flushed_at = float("-inf")
        self._seen = False
        self._moving_myself = False
        self._styles: dict[Kind, Style] = {}
        self._width = 0

    # --- writing ---

    def write(self, spans: Iterable[tuple[str, Kind]]) -> None:
        """Add spans of (text, kind); they are painted with the next flush."""
        self._waiting.extend(spans)
        self._flush_when_due()

    def show_now(self) -> None:
        """Paint the waiting text at once; used at the end of a trial."""
        if self._seen:
            self.flush()

    def clear(self) -> None:
        """Empty the pane and follow the end again."""
        self._waiting.clear()
        self.text.clear()
        self._become_follower()
        self._grow(0)
        self.refresh()

    def flush(self) -> None:
        """Wrap and paint the waiting text now."""
        if self._flush_timer is not None:
            self._flush_timer.stop()
            self._flush_timer = None
        if not self._waiting:
            return
        before = self.text.row_count
        first, dropped = self._take_waiting()
        self.flushes += 1
        self._flushed_at = self._clock()
        self._grow(dropped)
        if not self.following:
            self.unseen_rows += max(0, self.text.row_count + dropped - before)
            self._tell()
        if dropped:
            self.refresh()
        else:
            self.refresh_lines(first, self.text.row_count - first)
        self.call_after_refresh(self._frame_done, self._flushed_at)

    def _take_waiting(self) -> tuple[int, int]:
        """Append the waiting spans to the text; return the first changed row and the number of dropped rows."""
        first = self.text.row_count - 1
        dropped = 0
        for text, kind in _joined(self._waiting):
            change = self.text.append(text, kind)
            dropped += change.dropped_rows
            first = min(first, change.first_row)
        self._waiting.clear()
        return first, dropped

    def _flush_when_due(self) -> None:
        if not self._waiting or not self._seen or self._flush_timer is not None:
            return
        wait_s = self._flushed_at + self.pace.period_s - self._clock()
        if wait_s <= SLACK_S:
            self.flush()
        else:
            self._flush_timer = self.set_timer(wait_s, self.flush, name="flush")

    def _frame_done(self, flushed_at: float) -> None:
        self.pace.frame(self._clock() - flushed_at)

    def read_from_the_top(self) -> None:
        """Show the text from its beginning, for text that is complete."""
        self.grows = False
        self.following = False
        self.border_subtitle = ""

    # --- following ---

    def action_follow(self) -> None:
        """Scroll to the end and follow it."""
        self._become_follower()
        self._to_end()

    def _become_follower(self) -> None:
        self.following = True
        self.unseen_rows = 0
        self._tell()

    def _tell(self) -> None:
        if not self.grows:
            return
        if self.following:
            self.border_subtitle = _("following")
            return
        rows = self.unseen_rows
        news = plural("{n} new line", "{n} new lines", rows).format(n=rows) + " · " if rows else ""
        self.border_subtitle = news + _("End: follow")

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Stop following when the user scrolls up, and follow again when scrolled to the end."""
        super().watch_scroll_y(old_value, new_value)
        if self._moving_myself or new_value == old_value:
            return
        if new_value < old_value:
            # At the end, but at a smaller offset: the pane became taller, the user did not scroll.
            if self.following and new_value < self.max_scroll_y:
                self.following = False
                self._tell()
        elif not self.following and self.max_scroll_y - new_value <= FOLLOW_ROWS:
            self._become_follower()

    def _grow(self, dropped: int) -> None:
        """Set the scrollbar to the new height without a layout, since no other widget changes."""
        self._moving_myself = True
        size = Size(self._width, self.text.row_count)
        try:
            if size != self.virtual_size:
                grow_without_layout(self, size)
            if self.following:
                self._to_end()
            elif dropped:
                self.scroll_to(y=max(0, self.scroll_offset.y - dropped), animate=False)
        finally:
            self._moving_myself = False

    def _to_end(self) -> None:
        if self.scroll_offset.y != self.max_scroll_y:
            self.scroll_to(y=self.max_scroll_y, animate=False, force=True)

    # --- visibility ---

    def on_mount(self) -> None:
        """Show in the border that the pane follows the text."""
        self._tell()

    def on_show(self) -> None:
        """Paint the text that was written while the pane was hidden."""
        self._seen = True
        self.flush()

    def on_hide(self) -> None:
        """Stop painting while hidden."""
        self._seen = False

    def on_resize(self, event: events.Resize) -> None:
        """Wrap all text to the new width."""
        self._seen = True
        self._width = self.scrollable_content_region.width
        if self._width and self._width != self.text.width:
            self.text.set_width(self._width)
            # The layout has already painted the rows as wrapped to the old width.
            self.refresh()
        self._grow(0)
        self._flush_when_due()

    # --- painting ---

    def notify_style_update(self) -> None:
        """Forget the cached styles, so that rows are painted in the new colours."""
        super().notify_style_update()
        self._styles.clear()

    def render_line(self, y: int) -> Strip:
        """Return one visible row."""
        base = self._style("")
        number = self.scroll_offset.y + y
        if number >= self.text.row_count or not self._width:
            return Strip.blank(self.size.width, base)
        line, row = self.text.row(number)
        segments = [Segment(text, self._style(kind)) for text, kind in line.spans(row)]
        selection = self.text_selection
        if selection is not None:
            segments = self._with_selection(segments, selection.get_span(number))
        strip = Strip(segments).crop_extend(0, self._width, base)
        return strip.apply_offsets(0, number)

    def _style(self, kind: Kind) -> Style:
        style = self._styles.get(kind)
        if style is None:
            style = self.get_component_rich_style(f"token-pane--{kind}") if kind else self.rich_style
            self._styles[kind] = style
        return style

    def _with_selection(self, segments: list[Segment], span: tuple[int, int] | None) -> list[Segment]:
        if span is None:
            return segments
        start, end = span
        selected = self.screen.get_component_rich_style("screen--selection")
        marked: list[Segment] = []
        at = 0
        for text, style, _control in segments:
            left = min(max(start - at, 0), len(text))
            right = len(text) if end < 0 else min(max(end - at, left), len(text))
            for part, is_selected in ((text[:left], False), (text[left:right], True), (text[right:], False)):
                if part:
                    marked.append(Segment(part, (style or Style()) + selected if is_selected else style))
            at += len(text)
        return marked

    # --- selecting ---

    @property
    def allow_select(self) -> bool:
        """Always True: text can be selected, although the pane scrolls by itself."""
        return True

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return (selected text, line end); wrapped lines are joined as they were written."""
        start = (0, 0) if selection.start is None else (selection.start.y, selection.start.x)
        end = None if selection.end is None else (selection.end.y, selection.end.x)
        return self.text.extract(start, end), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Repaint with the new selection."""
        self.refresh()


def _joined(spans: Iterable[tuple[str, Kind]]) -> Iterable[tuple[str, Kind]]:
    """Yield the spans with adjacent spans of the same kind joined, to append them in one step."""
    parts: list[str] = []
    last: Kind | None = None
    for text, kind in spans:
        if kind != last and last is not None:
            yield "".join(parts), last
            parts.clear()
        parts.append(text)
        last = kind
    if last is not None:
        yield "".join(parts), last
