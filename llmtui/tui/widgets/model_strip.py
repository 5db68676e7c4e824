"""One row per model above a run's text: rank, rounds done, figures, this round's token rate, current activity."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.widget import Widget

from llmtui.core.live import LiveTrial, RoundRates
from llmtui.core.session import Session
from llmtui.core.standing import Standing, standings
from llmtui.tui.text.strip_rows import QUIET, strip_rows
from llmtui.words import plural


class ModelStrip(Widget):
    """One row per model, up to a limit; the mouse wheel scrolls to the others."""

    DEFAULT_CSS = """
    ModelStrip { height: auto; max-height: 3; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    """
    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__()
        self.with_head = False
        """Whether there is a header row; if not, the units are beside the figures."""
        self.most = 3
        """Largest number of visible models."""
        self._session: Session | None = None
        self._live: LiveTrial | None = None
        self._rates = RoundRates()
        self._standing: tuple[Standing, ...] = ()
        self._known: object = None
        self._first = 0

    @property
    def standing(self) -> tuple[Standing, ...]:
        """The models in the order of their rows."""
        return self._standing

    def set_room(self, *, most: int, with_head: bool) -> None:
        """Set the largest number of visible models, and whether there is a header row."""
        if (most, with_head) != (self.most, self.with_head):
            self.most, self.with_head = most, with_head
            self.styles.max_height = most + with_head
            self.refresh(layout=True)

    def show_session(self, session: Session, live: LiveTrial | None) -> None:
        """Take the newest snapshot of the session, and the trial whose text is arriving."""
        before, self._session = self._session, session
        self._live = live
        known = (session.session_id, len(session.rows), session.current, session.rounds, session.finished)
        if known == self._known:
            return
        self._known = known
        self._standing = standings(session)
        self._keep_current_in_view()
        is_new = before is None or before.session_id != session.session_id
        self.refresh(layout=is_new)

    def keep(self, live: LiveTrial, round_number: int) -> None:
        """Store the token rates of a trial whose text is complete."""
        self._rates.keep(live, round_number)

    def tick(self) -> None:
        """Redraw the token rate of the running trial; called once per second."""
        if self._session is not None and self._session.current is not None:
            self.refresh()

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """Return the number of visible rows, including the header."""
        return min(self.most, max(1, len(self._standing))) + self.with_head

    def render(self) -> Content:
        """Return the visible rows, and the number of models that are not visible."""
        session = self._session
        if session is None:
            return Content("")
        rows = strip_rows(
            session, self._standing, self._rates, self._live, width=self.size.width, with_head=self.with_head
        )
        head, models = (rows[:1], rows[1:]) if self.with_head else ([], rows)
        shown = models[self._first : self._first + self.most]
        hidden = len(models) - len(shown)
        if hidden:
            more = Content.styled(" " + plural("+{n} model", "+{n} models", hidden).format(n=hidden), QUIET)
            room = self.size.width - more.cell_length
            last = shown[-1]
            shown[-1] = last.truncate(room, pad=True).append(more)
        return Content("\n").join([*head, *shown])

    def _keep_current_in_view(self) -> None:
        current = None if self._session is None else self._session.current
        at = next((at for at, one in enumerate(self._standing) if current and one.contender == current.contender), None)
        if at is not None:
            self._first = max(min(self._first, at), at - self.most + 1)
        self._first = max(0, min(self._first, len(self._standing) - self.most))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll down by one model."""
        self._scroll(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll up by one model."""
        self._scroll(-1)

    def _scroll(self, by: int) -> None:
        self._first = max(0, min(self._first + by, len(self._standing) - self.most))
        self.refresh()
