"""The progress of a run: round, trial, time left, and a bar of all rounds that the plan allows."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from llmtui.core.live import newest_round, run_left_s, share_done
from llmtui.core.session import Session
from llmtui.words import _, plural
from llmtui.words.figures import duration

SHORTEST_BAR = 8
LONGEST_BAR = 60
DONE, PROMISED, POSSIBLE = "━", "━", "╌"
ROUND_ENDS = "┿"


class ProgressLine(Widget):
    """One row, empty until there is a session."""

    DEFAULT_CSS = """
    ProgressLine { height: 1; padding: 0 1; color: $foreground; text-wrap: nowrap; text-overflow: ellipsis; }
    """
    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__()
        self._session: Session | None = None
        self._paused = False

    def show_session(self, session: Session, *, paused: bool = False) -> None:
        """Take the newest snapshot of the session, and whether the run is paused or about to pause."""
        key = _key(session)
        if self._session is None or key != _key(self._session) or paused != self._paused:
            self._session, self._paused = session, paused
            self.refresh()

    def render(self) -> Content:
        """Return the text, followed by the bar if there is room for it."""
        session = self._session
        if session is None:
            return Content("")
        width = self.content_size.width
        said = progress_words(session, paused=self._paused)
        words = next((words for words in said if words.cell_length + SHORTEST_BAR + 2 <= width), said[-1])
        room = width - words.cell_length - 2
        if room < SHORTEST_BAR:
            return words
        return Content("  ").join([words, bar(session, room)])


def _key(session: Session) -> object:
    return (session.session_id, session.order, len(session.rows), session.rounds, session.finished)


def progress_words(session: Session, *, paused: bool = False) -> tuple[Content, ...]:
    """Return "Round 2 of 2–5 · trial 26 of 36–90 · about 2–4 min left", and shorter forms, longest first."""
    if session.finished is not None:
        said = {"complete": _("Finished"), "cancelled": _("Stopped"), "failed": _("Interrupted")}[session.finished]
        done = _("{done} of {total} trials").format(done=len(session.rows), total=session.total)
        if session.finished == "complete":
            rounds = plural("{n} round", "{n} rounds", session.rounds).format(n=session.rounds)
        else:
            rounds = _("round {n} of {of}").format(n=newest_round(session), of=session.rounds)
        return (
            Content.assemble((said, "bold"), f" · {done} · {rounds}"),
            Content.assemble((said, "bold"), f" · {done}"),
        )
    most = max(session.rounds, session.plan.max_rounds)
    per_round = session.total // max(1, session.rounds)
    round_words = _("Round {n} of {rounds}").format(n=newest_round(session), rounds=_range(session.rounds, most))
    trials = _range(session.total, per_round * most)
    trial = _("trial {n} of {total}").format(n=max(1, session.order), total=trials)
    state = _("pauses after this trial") if paused and session.current else _("paused") if paused else None
    left = run_left_s(session)
    time = _("time left: known after the first trial") if left is None else left_words(*left)
    whole = [trial, *([] if state else [time]), *([state] if state else [])]
    return tuple(
        Content.assemble((round_words, "bold"), "".join(f" · {part}" for part in parts))
        for parts in (whole, whole[-1:] if left is None and not state else whole, whole[:1])
    )


def left_words(least_s: float, most_s: float) -> str:
    """Return the wording of a remaining time, rounded: "about 40 s left", "about 2–4 min left".

    Args:
        least_s: seconds until the end of the smallest number of rounds that the plan allows.
        most_s: seconds until the end of the largest number of rounds that the plan allows.
    """
    low, unit = _rough(least_s)
    high, high_unit = _rough(most_s)
    if (low, unit) == (high, high_unit):
        return _("about {time} left").format(
            time=f"{low} {unit}" if unit != "h" else duration(60 * round(least_s / 60))
        )
    if unit == high_unit:
        return _("about {time} left").format(time=f"{low}–{high} {unit}")
    ends = [duration(60 * round(at / 60)) if at >= 50 else f"{_rough(at)[0]} s" for at in (least_s, most_s)]
    return _("about {time} left").format(time=f"{ends[0]}–{ends[1]}")


def _rough(left_s: float) -> tuple[int, str]:
    if left_s < 50:
        return max(5, round(left_s / 5) * 5), "s"
    minutes = max(1, round(left_s / 60))
    return (minutes, "min") if minutes < 60 else (minutes, "h")


def _range(least: int, most: int) -> str:
    return f"{least}" if least == most else f"{least}–{most}"


def bar(session: Session, room: int) -> Content:
    """Return the bar: finished, planned and possible rounds, with a mark at the end of each round.

    Args:
        session: the session.
        room: available width in cells.
    """
    width = min(room, LONGEST_BAR)
    most = max(session.rounds, session.plan.max_rounds)
    ran = session.finished is not None
    rounds = session.rounds if ran else most
    done = round(width * share_done(session))
    promised = round(width * session.rounds / rounds)
    cells = [PROMISED if ran or at < promised else POSSIBLE for at in range(width)]
    cells[:done] = DONE * done
    if rounds <= width // 3:
        for number in range(1, rounds):
            cells[min(width - 1, round(width * number / rounds))] = ROUND_ENDS
    row = "".join(cells)
    return Content.assemble(
        (row[:done], "$text-error" if session.finished == "failed" else "$text-success"), (row[done:], "$border")
    )
