"""Live: the answer as it is written, the machine beside it, and every figure as it comes."""

from __future__ import annotations

from time import monotonic
from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widgets import Static

from llmtui.core.commands import Cancel, Command, ExtendPlan, Pause, Resume, Skip
from llmtui.core.events import CommandFailed, TrialFinished
from llmtui.core.live import LiveTrial, tokens_per_chunk
from llmtui.core.session import Session
from llmtui.tui.background import in_background
from llmtui.tui.feed import Feed, FeedEnded, Replied, SessionChanged, TextArrived
from llmtui.tui.screens.base import BaseScreen
from llmtui.tui.text.demo_pace import DemoPace
from llmtui.tui.text.live_pane import PaneScript, pane_title
from llmtui.tui.text.machine_meters import meter_count
from llmtui.tui.text.plot_axis import phase_legend
from llmtui.tui.widgets.big_figures import BigFigures
from llmtui.tui.widgets.machine_plots import MachinePlots
from llmtui.tui.widgets.phase_bar import PhaseBar
from llmtui.tui.widgets.progress_line import ProgressLine
from llmtui.tui.widgets.token_pane import TokenPane
from llmtui.tui.widgets.trial_table import TrialTable
from llmtui.words import _
from llmtui.words.problems import whole_problem

TICK_S = 1.0
SLACK_S = 0.1
SLOW_TEXT_S = 0.1
COMMANDS = {"pause", "skip", "stop", "one_more"}
PANES = ("text", "machine", "tests")
METERS_WITHOUT_GPU = 2


class LiveScreen(BaseScreen):
    """A run while it goes on, or the last moment of one that is over."""

    PLACE = "live"
    CSS_PATH = "../styles/live.tcss"
    AUTO_FOCUS = "TokenPane"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pause", _("Pause"), id="live.pause", tooltip=_("Pause after this test; again: go on")),
        Binding("n", "skip('trial')", _("Next test"), id="live.skip", tooltip=_("Leave this test out")),
        Binding("N", "skip('model')", _("Skip model"), id="live.skip_model", tooltip=_("Leave this model out")),
        Binding("x", "stop", _("Stop"), id="live.stop", tooltip=_("End the run; what is finished is kept")),
        Binding("plus", "one_more", _("One more round"), id="live.one_more", show=False),
        Binding("m", "maximise", _("Enlarge"), id="live.maximise", tooltip=_("Only the pane that has the focus")),
        Binding("1", "maximise('text')", _("Only the text"), id="live.text", show=False),
        Binding("2", "maximise('machine')", _("Only the machine"), id="live.machine", show=False),
        Binding("3", "maximise('tests')", _("Only the tests"), id="live.tests", show=False),
        Binding("escape", "restore", _("All panes"), id="live.restore", show=False),
        Binding("g", "toggle_pane('machine')", _("Show or hide the graphs"), id="live.graphs", show=False),
        Binding("t", "toggle_pane('tests')", _("Show or hide the tests"), id="live.table", show=False),
        Binding("w", "window", _("Graphs: 2 minutes, or all"), id="live.window", show=False),
        Binding("r", "results", _("Results"), id="live.results", tooltip=_("Compare what was measured")),
    ]
    HELP = _(
        """
        # Live
        Watch the answer as it is written. **First word** is how long you wait for it, **Speed** how fast it is
        written: ≈ while it is being written, exact when it is done. The graphs show what the model takes of your
        processor and memory; below them stands what was going on.

        **1**, **2**, **3** show one pane alone, **Esc** all of them. Scroll up in the text to stop following it,
        **End** to follow again.
        """
    )

    progress = getters.query_one(ProgressLine)
    phase = getters.query_one(PhaseBar)
    figures = getters.query_one(BigFigures)
    pane = getters.query_one(TokenPane)
    plots = getters.query_one(MachinePlots)
    table = getters.query_one(TrialTable)

    def __init__(self) -> None:
        """Makes the screen; the session comes with the feed's messages."""
        super().__init__()
        self._script = PaneScript()
        self._pace = DemoPace()
        self._slow: Timer | None = None
        self._live: LiveTrial | None = None
        self._rows = 0
        self._title = ""
        self._keys: object = None
        self._seconds: Timer | None = None
        self._ticked_at = 0.0

    def compose_body(self) -> ComposeResult:
        """Where we are, what goes on, figures; text and machine; tests."""
        yield Static(_("Nothing runs. Choose models on the first screen (F2), then press Enter."), id="empty")
        yield ProgressLine()
        yield PhaseBar()
        yield BigFigures()
        with Horizontal(id="middle"):
            yield TokenPane(id="text")
            with Vertical(id="machine") as box:
                box.border_title = _("Machine")
                box.border_subtitle = phase_legend()
                yield MachinePlots()
        yield TrialTable(id="tests", follows=True)

    def on_mount(self) -> None:
        """Nothing moves before a run."""
        self._seconds = self.set_interval(TICK_S, self._tick, pause=True, name="seconds")
        self._slow = self.set_interval(SLOW_TEXT_S, self._write_due, pause=True, name="slow text")
        self._look()

    def on_screen_resume(self) -> None:
        """What was missed is shown, all at once."""
        super().on_screen_resume()
        self._look()

    # --- what the feed brings ---

    @on(SessionChanged)
    def _session_changed(self, message: SessionChanged) -> None:
        if message.feed is self.shell.feed:
            self._look()

    @on(TextArrived)
    def _text_waits(self, message: TextArrived) -> None:
        if message.feed is self.shell.feed:
            self._take_text()

    @on(Replied)
    def _answered(self, message: Replied) -> None:
        if isinstance(message.reply, CommandFailed):
            problem = message.reply.problem
            self.notify(whole_problem(problem), title=_("Not possible now"), severity="error")

    @on(FeedEnded)
    def _ended(self) -> None:
        self._look()

    def _look(self) -> None:
        """Shows the newest snapshot."""
        session = self.shell.feed.session
        self.set_class(session is None, "-empty")
        if session is None:
            return
        self.set_class(meter_count(session) > METERS_WITHOUT_GPU, "-with-gpu")
        if self._script.begin(session):
            self._start_over()
        moving = self.shell.feed.is_live and session.finished is None
        self.progress.show_session(session, paused=session.paused and moving)
        self.phase.show_session(session)
        self.plots.show_session(session)
        self.table.show_session(session)
        self._take_text()
        if len(session.rows) != self._rows:
            self._rows = len(session.rows)
            self.pane.show_now()
        self._show_figures(session, moving=moving)
        self._let_time_pass(moving=moving)
        self._show_missed_text(session)
        self._show_keys()

    def _show_keys(self) -> None:
        """Makes the line of keys anew where they changed: that takes as long as all else that is drawn."""
        keys = (self.check_action("pause", ()), self.check_action("results", ()))
        if keys != self._keys:
            self._keys = keys
            self.refresh_bindings()

    def _start_over(self) -> None:
        self.pane.clear()
        self._pace.clear()
        self.figures.clear()
        self._live = None
        self._rows = 0

    def _take_text(self) -> None:
        session = self.shell.feed.session
        if session is None:
            return
        self._script.begin(session)
        for chunks in self.shell.feed.take_text():
            if self._live is None or self._live.trial_id != chunks.trial_id:
                trial = session.current
                mine = trial is not None and trial.id == chunks.trial_id
                per_chunk = tokens_per_chunk(session, trial.contender) if mine and trial is not None else 1.0
                self._live = LiveTrial(chunks.trial_id, per_chunk)
            self._live.add(chunks)
            self._pace.add(chunks, slow=self._script.is_demo(chunks.trial_id, session))
        self._write_due()

    def _write_due(self) -> None:
        """Writes what is to be shown by now: all there is, but for the demo's text, which would be over in a moment."""
        session = self.shell.feed.session
        if session is None:
            return
        for chunks in self._pace.due(monotonic()):
            self.pane.write(list(self._script.text(chunks, session)))
        behind = self._pace.holds_text
        if not behind:
            self.pane.write(list(self._script.news(session)))
        self._show_title(pane_title(session, self._script.open_trial if behind else None))
        if self._slow is not None:
            (self._slow.resume if behind else self._slow.pause)()

    def _show_title(self, title: str) -> None:
        """Changes the pane's title where it is another one: setting it paints the whole pane."""
        if title != self._title:
            self._title = title
            self.pane.border_title = title

    # --- figures ---

    def _show_figures(self, session: Session, *, moving: bool) -> None:
        """Counting before the first text, estimates while it comes, exact figures at its end."""
        trial = session.current
        last = session.rows[-1] if session.rows else None
        thinks = trial is not None and session.contender(trial).variant.think is not False
        if trial is not None and self._live is not None and self._live.trial_id == trial.id:
            self.figures.show_kind(trial.kind)
            self.figures.show_live(self._live.figures(), thinks=thinks)
        elif trial is not None and moving:
            self.figures.show_kind(trial.kind)
            self.figures.show_waiting(self.phase.asked_s, last, thinks=thinks)
        elif last is not None:
            self.figures.show_kind(last.trial.kind)
            self.figures.show_final(last, thinks=bool(last.figures.thinking_chars))

    def _let_time_pass(self, *, moving: bool) -> None:
        """Lets the second hand go while a run does. News that comes when it is due takes the tick along: one frame."""
        if self._seconds is None:
            return
        (self._seconds.resume if moving else self._seconds.pause)()
        if moving and monotonic() - self._ticked_at >= TICK_S - SLACK_S:
            self._seconds.reset()
            self._ticked_at = monotonic()
            self.phase.tick()

    def _tick(self) -> None:
        """The second hand, for everything that moves without news."""
        session = self.shell.feed.session
        self._ticked_at = monotonic()
        self.phase.tick()
        if session is not None:
            self._show_figures(session, moving=self.shell.feed.is_live and session.finished is None)

    # --- text that was not seen live: a file, or a pipe that came late ---

    def _show_missed_text(self, session: Session) -> None:
        if self.shell.feed.is_live or not session.rows or self._script.saw_text:
            return
        self._read_last(self.shell.feed, session)

    @in_background("read_answers")
    def _read_last(self, feed: Feed, session: Session) -> None:
        answered = next((row for row in reversed(session.rows) if row.trial.kind == "warm"), session.rows[-1])
        finished = feed.trial(answered.trial.id)
        if finished is not None:
            self.app.call_from_thread(self._show_whole, finished, session)

    def _show_whole(self, finished: TrialFinished, session: Session) -> None:
        if not self._script.saw_text:
            self.pane.write(list(self._script.whole(finished, session)))

    # --- keys ---

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Commands exist only where there is somebody to take them, and something to do."""
        session = self.shell.feed.session
        if action == "results":
            return session is not None and bool(session.rows)
        if action not in COMMANDS:
            return True
        return not self.shell.read_only and self.shell.feed.is_live and session is not None and session.finished is None

    def action_pause(self) -> None:
        """Pauses after the test under way, or goes on."""
        session = self.shell.feed.session
        self.shell.send(Resume() if session is not None and session.paused else Pause())

    def action_skip(self, what: str) -> None:
        """Leaves out this test, or what is left of its model."""
        self._tell(Skip(what="model" if what == "model" else "trial"), _("Skipping …"))

    def action_one_more(self) -> None:
        """Adds a round."""
        self._tell(ExtendPlan(rounds=1), _("One round more"))

    def action_stop(self) -> None:
        """Ends the run, if that is meant."""
        from llmtui.tui.screens.dialogs import ConfirmDialog

        question = ConfirmDialog(
            _("Stop the run?"),
            _("What is finished is kept and can be compared."),
            yes=_("Stop"),
            no=_("Go on testing"),
        )
        self.app.push_screen(question, lambda stop: self._tell(Cancel(), _("Stopping …")) if stop else None)

    def _tell(self, command: Command, said: str) -> None:
        if self.shell.send(command):
            self.notify(said, timeout=2)

    def action_maximise(self, pane: str = "") -> None:
        """Shows one pane alone: the named one, else that with the focus; again shows all."""
        wanted = pane or self._focused_pane()
        alone = self.has_class(f"-only-{wanted}")
        for name in PANES:
            self.set_class(name == wanted and not alone, f"-only-{name}")
        if wanted != "machine":
            self.query_one(f"#{wanted}").focus()

    def _focused_pane(self) -> str:
        focused = self.focused
        return "tests" if isinstance(focused, TrialTable) else "text"

    def action_restore(self) -> None:
        """Shows all panes."""
        for name in PANES:
            self.remove_class(f"-only-{name}")

    def action_toggle_pane(self, pane: str) -> None:
        """Shows or hides a pane."""
        self.toggle_class(f"-without-{pane}")

    def action_results(self) -> None:
        """Shows the results, also of a run under way."""
        self.shell.show("results")

    def action_window(self) -> None:
        """Changes between the last two minutes and the whole session."""
        self.plots.toggle_window()

    @on(TrialTable.Opened)
    def _open_trial(self, message: TrialTable.Opened) -> None:
        from llmtui.tui.screens.answers import AnswerScreen

        session = self.shell.feed.session
        if session is not None:
            self.app.push_screen(AnswerScreen(self.shell.feed, session, message.row))
