"""The replay of two answers side by side, each appearing at its original speed."""

from __future__ import annotations

from time import monotonic
from typing import ClassVar, NamedTuple

from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Static

from llmtui.core.events import TrialFinished
from llmtui.core.reading import chunk_texts
from llmtui.core.session import Session
from llmtui.core.trial_row import TrialRow
from llmtui.tui.background import in_background
from llmtui.tui.feed import Feed
from llmtui.tui.shell import ShellOf
from llmtui.tui.text.live_pane import CHANNELS
from llmtui.tui.widgets.key_line import KeyLine
from llmtui.tui.widgets.token_pane import TokenPane
from llmtui.words import _
from llmtui.words.figures import seconds
from llmtui.words.outcomes import outcome_word
from llmtui.words.trials import trial_name

TICK_S = 0.1
FAST = 8
"""Factor by which the fast replay is faster than the original, shown in the title."""


class ReplayChunk(NamedTuple):
    """A chunk of text with its channel and its time after the request."""

    at_ns: int
    channel: str
    text: str


class Side(Vertical):
    """One of the two answers: its clock, its state and its text."""

    clock = getters.query_one(".side-clock", Static)
    pane = getters.query_one(TokenPane)

    def __init__(self, row: TrialRow, session: Session, *, id: str) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id, classes="side")
        self._row = row
        self._label = session.contender(row.trial).label
        self._what = trial_name(row.trial, session.plan)
        self._chunks: tuple[ReplayChunk, ...] = ()
        self._done_ns = 0
        self._next = 0

    def compose(self) -> ComposeResult:
        """Yield the clock above the text."""
        yield Static(classes="side-clock")
        yield TokenPane()

    def load(self, finished: TrialFinished | None) -> None:
        """Take the answer with its times; ``finished`` is None if the trial cannot be read."""
        self.pane.border_title = f"{self._label} · {self._what}"
        if finished is None:
            self.pane.write([(_("The text of this trial cannot be read."), "note")])
            return
        times, channels = finished.timeline.t_ns, finished.timeline.channels
        self._chunks = tuple(map(ReplayChunk, times, channels, chunk_texts(finished)))
        self._done_ns = finished.done_ns or (times[-1] if times else 0)

    @property
    def over(self) -> bool:
        """Whether the whole answer is shown."""
        return self._next >= len(self._chunks)

    def restart(self) -> None:
        """Go back to the time of the request."""
        self._next = 0
        self.pane.clear()
        self.show_until(0)

    def show_until(self, now_ns: int) -> None:
        """Show the text that had arrived at a time (ns after the request), and the clock."""
        came: list[tuple[str, str]] = []
        while self._next < len(self._chunks) and self._chunks[self._next].at_ns <= now_ns:
            chunk = self._chunks[self._next]
            before = self._chunks[self._next - 1].channel if self._next else chunk.channel
            if chunk.channel != before:
                came.append(("\n\n", "answer"))
            came.append((chunk.text, CHANNELS.get(chunk.channel, "answer")))
            self._next += 1
        if came:
            self.pane.write(came)
        self.clock.update(self._words(now_ns))

    def _words(self, now_ns: int) -> Content:
        shown_ns = min(now_ns, self._done_ns) if self._chunks else now_ns
        parts: list[str | tuple[str, str]] = [(f"{shown_ns / 1e9:6.1f} s  ", "bold $primary")]
        if not self._chunks:
            return Content.assemble(*parts, (_("no text"), "$foreground 60%"))
        first = self._chunks[0].at_ns
        if now_ns < first:
            parts.append((_("waiting for the first token"), "$foreground 60%"))
            return Content.assemble(*parts)
        doing = outcome_word(self._row.outcome, self._row.ended_by) if now_ns >= self._done_ns else _("writing")
        if self._next and now_ns < self._done_ns and self._chunks[self._next - 1].channel == "t":
            doing = _("thinking")
        # TTFT is first, since in a narrow terminal the end of the line is cut off.
        parts += [
            (f"{_('TTFT {time}').format(time=seconds(first / 1e6))}  ", "$foreground 60%"),
            (doing, "bold"),
        ]
        return Content.assemble(*parts)


class ReplayScreen(Screen[None]):
    """Replay of two answers on one time axis; both requests are sent at time 0."""

    CSS_PATH = "../styles/replay.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", _("Back"), id="replay.back"),
        Binding("space", "pause", _("Pause"), id="replay.pause", priority=True),
        Binding("r", "restart", _("From the start"), id="replay.restart", tooltip=_("Replay from the start")),
        Binding(
            "f", "fast", _("8 × faster"), id="replay.fast", tooltip=_("Switch between 8 times and the original speed")
        ),
    ]
    HELP = _(
        """
        # Replay
        Both answers again at their original speed: the wait for the first token, the thinking, the writing.
        """
    )

    shell = ShellOf()

    def __init__(self, feed: Feed, session: Session, rows: tuple[TrialRow, TrialRow]) -> None:
        """Create the screen for two trials of a session."""
        super().__init__()
        self._feed = feed
        self._session = session
        self._both = rows
        self._timer: Timer | None = None
        self._past_s = 0.0
        self._since: float | None = None
        self._factor = 1

    def compose(self) -> ComposeResult:
        """Yield the title and the two answers."""
        yield Static(id="replay-title")
        with Horizontal(id="sides"):
            for name, row in zip(("left", "right"), self._both, strict=True):
                yield Side(row, self._session, id=name)
        yield KeyLine()

    def on_mount(self) -> None:
        """Read both answers, then start the replay."""
        self._timer = self.set_interval(TICK_S, self._tick, pause=True, name="replay")
        self._tell()
        self._read()

    @property
    def sides(self) -> tuple[Side, ...]:
        """The left and the right answer."""
        return tuple(self.query(Side))

    @property
    def now_s(self) -> float:
        """Time of the replay, in seconds after both requests."""
        running = 0.0 if self._since is None else (monotonic() - self._since) * self._factor
        return self._past_s + running

    @property
    def playing(self) -> bool:
        """Whether the replay is running, not paused."""
        return self._since is not None

    @in_background("read_answers")
    def _read(self) -> None:
        found = tuple(self._feed.trial(row.trial.id) for row in self._both)
        self.app.call_from_thread(self._begin, found)

    def _begin(self, found: tuple[TrialFinished | None, ...]) -> None:
        for side, finished in zip(self.sides, found, strict=True):
            side.load(finished)
        self._go_on()

    def _tick(self) -> None:
        now_ns = round(self.now_s * 1e9)
        for side in self.sides:
            side.show_until(now_ns)
        if all(side.over for side in self.sides):
            self._stop()

    def _go_on(self) -> None:
        self._since = monotonic()
        if self._timer is not None:
            self._timer.resume()
        self._tell()

    def _stop(self) -> None:
        self._past_s = self.now_s
        self._since = None
        if self._timer is not None:
            self._timer.pause()
        self._tell()

    def _tell(self) -> None:
        state = _("playing") if self.playing else _("paused")
        pace = _("at original speed") if self._factor == 1 else _("at {n} × the original speed").format(n=self._factor)
        self.query_one("#replay-title", Static).update(
            Content.assemble((_("Replay"), "bold $primary"), f" · {state} · {pace}")
        )

    def action_pause(self) -> None:
        """Pause or continue; after the end, start again."""
        if self.playing:
            self._stop()
        elif all(side.over for side in self.sides):
            self.action_restart()
        else:
            self._go_on()

    def action_restart(self) -> None:
        """Start again from the beginning."""
        self._past_s = 0.0
        for side in self.sides:
            side.restart()
        self._go_on()

    def action_fast(self) -> None:
        """Switch between the original speed and the fast replay."""
        if self.playing:
            self._past_s = self.now_s
            self._since = monotonic()
        self._factor = 1 if self._factor != 1 else FAST
        self._tell()

    def action_back(self) -> None:
        """Close the replay."""
        self.dismiss(None)
