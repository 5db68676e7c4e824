"""What is going on now: who is asked what, which step of it, and for how long; moves every second."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget

from llmtui.core.live import loading
from llmtui.core.session import PhaseMark, Session
from llmtui.tui.widgets.loading import waiting_words
from llmtui.words import _
from llmtui.words.figures import duration
from llmtui.words.trials import test_words

TICK_S = 1.0
_MARKS = "◐◓◑◒"


class PhaseBar(Widget):
    """One row. Its timer runs only while a session does."""

    DEFAULT_CSS = """
    PhaseBar { height: 1; padding: 0 1; color: $foreground; text-wrap: nowrap; text-overflow: ellipsis; }
    """
    ALLOW_SELECT = False

    def __init__(self, *, clock: Callable[[], float] = monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._session: Session | None = None
        self._seen_at = 0.0
        self._timer: Timer | None = None
        self._ticks = 0
        self._words = ""

    def on_mount(self) -> None:
        """The second hand waits for a run."""
        self._timer = self.set_interval(TICK_S, self._tick, pause=True, name="seconds")

    def show_session(self, session: Session, *, moving: bool = True) -> None:
        """Takes the newest session; ``moving`` while more can come of it."""
        if self._session is None or session.last_t_ns != self._session.last_t_ns:
            self._seen_at = self._clock()
        self._session = session
        if self._timer is not None:
            if moving and session.finished is None:
                self._timer.resume()
            else:
                self._timer.pause()
        self._refresh_when_changed()

    def _tick(self) -> None:
        self._ticks += 1
        self.refresh()

    def _refresh_when_changed(self) -> None:
        words = self._now_words()
        if words != self._words:
            self._words = words
            self.refresh()

    @property
    def elapsed_s(self) -> float:
        """How long the step has lasted: by the engine's clock up to its newest event, by ours since then."""
        session = self._session
        if session is None or not session.phases:
            return 0.0
        return (session.last_t_ns - session.phases[-1].t_ns) / 1e9 + max(0.0, self._clock() - self._seen_at)

    def render(self) -> Content:
        """Gives who and what, then the step."""
        session = self._session
        if session is None:
            return Content("")
        self._words = self._now_words()
        if session.finished is not None:
            return Content.styled(self._words, "$foreground 60%")
        mark = _MARKS[self._ticks % len(_MARKS)]
        step = Content.assemble((f"{mark} ", "$accent"), (self._words, "$accent"))
        if session.current is None or loading_now(session):
            # While a model is loaded, the step itself names it.
            return step
        who = session.contender(session.current).label
        what = test_words(session.current, session.plan)
        return Content.assemble((who, "bold"), f" · {what} · ", step)

    def _now_words(self) -> str:
        session = self._session
        if session is None:
            return ""
        if session.finished is not None:
            return _("The results are on the next screen: F4")
        if not session.phases:
            return _("Getting ready")
        return step_words(session, session.phases[-1], self.elapsed_s)


def loading_now(session: Session) -> bool:
    """Whether the model of the test under way is being loaded."""
    mark = session.phases[-1] if session.phases else None
    return mark is not None and mark.phase == "waiting" and loading(session, mark.t_ns) is not None


def step_words(session: Session, mark: PhaseMark, elapsed_s: float) -> str:
    """Gives the step that began with ``mark``, with its seconds."""
    if mark.phase == "waiting" and mark.trial_id is not None and session.current is not None:
        return waiting_words(session, mark.t_ns, elapsed_s)
    if mark.detail:
        return f"{mark.detail} · {duration(int(elapsed_s))}"
    words = {
        "unload": _("Making room in memory"),
        "waiting": _("Waiting for the server"),
        "thinking": _("Thinking"),
        "answer": _("Writing the answer"),
        "idle": _("Paused"),
    }[mark.phase]
    return f"{words} · {duration(int(elapsed_s))}"
