"""The current activity of a run: model, prompt, step and its duration, updated every second."""

from __future__ import annotations

from time import monotonic

from textual.content import Content
from textual.widget import Widget

from llmtui.core.live import loading
from llmtui.core.session import PhaseMark, Session
from llmtui.tui.text.loading import waiting_words
from llmtui.words import _
from llmtui.words.figures import duration, fixed
from llmtui.words.trials import trial_name

_MARKS = "◐◓◑◒"


class PhaseBar(Widget):
    """One row. ``tick`` updates the duration once per second; a new step is shown at once."""

    DEFAULT_CSS = """
    PhaseBar { height: 1; padding: 0 1; color: $foreground; text-wrap: nowrap; text-overflow: ellipsis; }
    """
    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__()
        self._session: Session | None = None
        self._seen_at = 0.0
        self._ticks = 0

    def show_session(self, session: Session) -> None:
        """Take the newest snapshot of the session."""
        before = self._session
        if before is None or session.last_t_ns != before.last_t_ns:
            self._seen_at = monotonic()
        self._session = session
        if before is None or _step(session) != _step(before):
            self.refresh()

    def tick(self) -> None:
        """Update the duration."""
        self._ticks += 1
        self.refresh()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the step began: by the engine's clock up to its newest event, then by this process's clock."""
        session = self._session
        if session is None or not session.phases:
            return 0.0
        return (session.last_t_ns - session.phases[-1].t_ns) / 1e9 + max(0.0, monotonic() - self._seen_at)

    @property
    def asked_s(self) -> float | None:
        """The seconds since the current trial's request; None before the request and once text has arrived."""
        session = self._session
        if session is None or not session.phases or not asked(session, session.phases[-1]):
            return None
        return self.elapsed_s

    def render(self) -> Content:
        """Return model and prompt, then the step with its duration."""
        session = self._session
        if session is None:
            return Content("")
        words = self._now_words(session)
        if session.finished is not None:
            return Content.styled(words, "$foreground 60%")
        mark = _MARKS[self._ticks % len(_MARKS)]
        step = Content.assemble((f"{mark} ", "$accent"), (words, "$accent"))
        if session.current is None or loading_now(session):
            # While a model is loaded, the step itself names it.
            return step
        contender = session.contender(session.current).label
        what = trial_name(session.current, session.plan)
        return Content.assemble((contender, "bold"), f" · {what} · ", step)

    def _now_words(self, session: Session) -> str:
        if session.finished is not None:
            if all(row.outcome != "ok" for row in session.rows):
                return _("No trial got an answer; the reason is below. F2 returns to Setup.")
            return _("Press Enter for the results.")
        if not session.phases:
            return _("Getting ready")
        return step_words(session, session.phases[-1], self.elapsed_s)


def _step(session: Session) -> object:
    """Return a value that differs between two different steps."""
    return (session.session_id, len(session.phases), session.current, session.finished, loading_now(session))


def loading_now(session: Session) -> bool:
    """Return whether the current trial's model is being loaded."""
    mark = session.phases[-1] if session.phases else None
    if mark is None or mark.phase != "waiting" or mark.step in ("waiting_for_others", "waiting_for_server"):
        return False
    if mark.trial_id is not None and session.current is not None and not asked(session, mark):
        return True
    return loading(session, mark.t_ns) is not None


def step_words(session: Session, mark: PhaseMark, elapsed_s: float) -> str:
    """Return the wording of the step that began with ``mark``, with its duration."""
    if asked(session, mark):
        return waiting_words(session, mark.t_ns, elapsed_s)
    if waits_for_others(session):
        left_s = max(session.plan.options.quiet_wait_s - elapsed_s, 0.0)
        return _("{busy} · waits at most {time} more").format(busy=busy_words(session), time=duration(int(left_s)))
    if mark.step == "waiting_for_server":
        left_s = max(session.plan.options.server_wait_s - elapsed_s, 0.0)
        return _("The server does not answer. Waiting {time} more.").format(time=duration(int(left_s)))
    return f"{_plain_words(session, mark)} · {duration(int(elapsed_s))}"


def waits_for_others(session: Session) -> bool:
    """Return whether a cold start is waiting for other programs to stop using the CPU."""
    return session.finished is None and bool(session.phases) and session.phases[-1].step == "waiting_for_others"


def busy_words(session: Session) -> str:
    """Return the wording of the CPU load in the newest sample: "machine busy 2.0/2 cores"."""
    cores = session.fingerprint.cores_logical
    if not session.samples or cores is None:
        return _("busy at start")
    busy = min(session.samples[-1].cores_busy, cores)
    return _("machine busy {busy}/{cores} cores").format(busy=fixed(busy, 1), cores=cores)


def asked(session: Session, mark: PhaseMark) -> bool:
    """Return whether the step is the wait for the current trial's first text, which is part of TTFT."""
    if mark.phase != "waiting" or mark.trial_id is None or session.current is None:
        return False
    # Before a trial that is not a cold start, the model is loaded without the trial's request.
    return mark.step is None or session.current.kind == "cold"


def _plain_words(session: Session, mark: PhaseMark) -> str:
    """Return the wording of a step, without its duration."""
    match mark.phase:
        case "unload":
            if mark.names:
                return _("Unloading {names}").format(names=", ".join(mark.names))
            return _("Making room in memory")
        case "waiting" if mark.step == "waiting_for_others":
            return busy_words(session)
        case "waiting" if session.current is not None and mark.trial_id is not None:
            return _("Loading {name}").format(name=session.contender(session.current).label)
        case "waiting":
            again = mark.step == "loading_again"
            return _("Loading the models that were in memory before") if again else _("Waiting for the server")
        case "thinking":
            return _("Thinking")
        case "answer":
            return _("Writing the answer")
        case _:
            return _("Paused") if mark.step == "paused" else _("Getting ready")
