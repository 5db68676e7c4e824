"""Where the run is: which test of how many, which round, how long still, and a bar with the rounds marked on it."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from llmtui.core.live import time_left_s
from llmtui.core.session import Session
from llmtui.words import _

SHORTEST_BAR = 8


class ProgressLine(Widget):
    """One row. Empty until a session is known."""

    DEFAULT_CSS = """
    ProgressLine { height: 1; padding: 0 1; color: $foreground; }
    """
    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__()
        self._session: Session | None = None
        self._paused = False

    def show_session(self, session: Session, *, paused: bool = False) -> None:
        """Takes the newest session."""
        key = _key(session)
        if self._session is None or key != _key(self._session) or paused != self._paused:
            self._session, self._paused = session, paused
            self.refresh()

    def render(self) -> Content:
        """Gives words on the left and the bar in what room is left."""
        session = self._session
        if session is None:
            return Content("")
        words = progress_words(session, paused=self._paused)
        room = self.size.width - words.cell_length - 2
        if room < SHORTEST_BAR:
            return words
        return Content("  ").join([words, bar(session, room)])


def _key(session: Session) -> object:
    return (session.session_id, session.order, len(session.rows), session.rounds, session.finished)


def progress_words(session: Session, *, paused: bool = False) -> Content:
    """Gives "Test 7 of 18 · round 1 · about 4 min left"."""
    if session.finished is not None:
        said = {"complete": _("Finished"), "cancelled": _("Stopped"), "failed": _("Broken off")}[session.finished]
        tests = _("{done} of {total} tests").format(done=len(session.rows), total=session.total)
        return Content.assemble((said, "bold"), f" · {tests}")
    round_number = _round(session)
    parts = [_("round {n}").format(n=round_number)]
    if session.rounds > 1:
        parts = [_("round {n} of {rounds}").format(n=round_number, rounds=session.rounds)]
    left_s = time_left_s(session)
    parts.append(_("time left: known after the first test") if left_s is None else time_left_words(left_s))
    if paused:
        parts.append(_("paused"))
    test = _("Test {n} of {total}").format(n=max(1, session.order), total=session.total)
    return Content.assemble((test, "bold"), "".join(f" · {part}" for part in parts))


def time_left_words(left_s: float) -> str:
    """Gives a remaining time as rough as it is known."""
    if left_s < 50:
        return _("about {n} s left").format(n=max(5, round(left_s / 5) * 5))
    minutes = round(left_s / 60)
    if minutes < 60:
        return _("about {n} min left").format(n=max(1, minutes))
    return _("about {h} h {m} min left").format(h=minutes // 60, m=minutes % 60)


def bar(session: Session, room: int) -> Content:
    """Gives the bar: done, to do, and where rounds end; after every second round the order is balanced."""
    width = min(room, 60)
    total = max(1, session.total)
    done = round(width * min(len(session.rows), total) / total)
    cells = ["━"] * width
    for number in range(1, session.rounds):
        cells[min(width - 1, round(width * number / session.rounds))] = "┿" if number % 2 else "╋"
    row = "".join(cells)
    return Content.assemble(
        (row[:done], "$error" if session.finished == "failed" else "$success"), (row[done:], "$border")
    )


def _round(session: Session) -> int:
    if session.current is not None:
        return session.current.round
    return session.rows[-1].trial.round if session.rows else 1
