"""The Live screen: the answer while it is written, the machine's load beside it, and the figures as they arrive."""

from __future__ import annotations

from time import monotonic
from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.markup import escape
from textual.timer import Timer
from textual.widgets import Static

from llmtui.core.commands import Cancel, Command, ExtendPlan, Pause, Resume, Skip, StopWaiting
from llmtui.core.events import CommandFailed
from llmtui.core.live import LiveTrial
from llmtui.core.session import Session
from llmtui.tui.background import in_background
from llmtui.tui.feed import Feed, FeedEnded, Replied, SessionChanged, TextArrived
from llmtui.tui.live_keys import live_bindings
from llmtui.tui.screens.base import BaseScreen
from llmtui.tui.text.machine_meters import meter_count
from llmtui.tui.text.plot_axis import phase_legend
from llmtui.tui.text.strip_rows import MEDIUM
from llmtui.tui.widgets.big_figures import BigFigures
from llmtui.tui.widgets.machine_plots import MachinePlots
from llmtui.tui.widgets.model_strip import ModelStrip
from llmtui.tui.widgets.phase_bar import PhaseBar, waits_for_others
from llmtui.tui.widgets.progress_line import ProgressLine
from llmtui.tui.widgets.rate_line import median_tps
from llmtui.tui.widgets.run_pane import RunPane
from llmtui.tui.widgets.trial_table import TrialTable
from llmtui.tui.widgets.verdict_board import VerdictBoard
from llmtui.words import _
from llmtui.words.more_rounds import rounds_price
from llmtui.words.problems import whole_problem
from llmtui.words.session_head import machine_title

TALL, VERY_TALL = 32, 46
"""Screen heights in rows from which the app's style classes ``-tall`` and ``-very-tall`` apply."""
TICK_S = 1.0
SLACK_S = 0.1
COMMANDS = {"pause", "resume", "skip", "stop", "one_more", "start_now"}
PANES = ("text", "machine", "trials")
METERS_WITHOUT_GPU = 2
STRIP_ROWS = {"-short": 3, "-tall": 6, "-very-tall": 10}
"""Largest number of models in the strip above the text, by the style class of the screen's height."""


class LiveScreen(BaseScreen):
    """The main screen of a session: live while it runs, and its final state afterwards."""

    PLACE = "live"
    CSS_PATH = "../styles/live.tcss"
    AUTO_FOCUS = "TokenPane"
    BINDINGS: ClassVar[list[BindingType]] = [*live_bindings()]
    HELP = _(
        """
        # Live
        The strip on top has a row per model: its rank and its figures over complete rounds, the rounds done
        (● done, ◐ under way, ┈ to come), and the token rate of this round.

        **TTFT** is the time to the first token, **Speed** how fast the answer is written: ≈ while it comes, exact
        when it is complete. The line beside them is the token rate of this answer; ┄ is the model's median. The
        graphs show processor, memory and, where there is one, GPU; the colours below them are the phases.

        Scroll up in the text to stop following it, **End** to follow again.
        """
    )

    progress = getters.query_one(ProgressLine)
    strip = getters.query_one(ModelStrip)
    board = getters.query_one(VerdictBoard)
    phase = getters.query_one(PhaseBar)
    figures = getters.query_one(BigFigures)
    pane = getters.query_one(RunPane)
    plots = getters.query_one(MachinePlots)
    table = getters.query_one(TrialTable)

    def __init__(self) -> None:
        """Create an empty screen; the session arrives with the messages of the feed (the reader of events)."""
        super().__init__()
        self._rows = 0
        self._keys: object = None
        self._median_of: tuple[object, float | None] = (None, None)
        self._seconds: Timer | None = None
        self._ticked_at = 0.0
        self._machine = _("Machine")

    def compose_body(self) -> ComposeResult:
        """Yield progress, models, activity and figures; below them text and machine; then the trials."""
        yield Static(_("Nothing is running. Choose models in Setup (F2), then press Enter."), id="empty")
        yield ProgressLine()
        yield ModelStrip()
        yield PhaseBar()
        yield BigFigures()
        yield VerdictBoard()
        with Horizontal(id="middle"):
            yield RunPane(id="text")
            with Vertical(id="machine") as box:
                box.border_title = _("Machine")
                box.border_subtitle = phase_legend()
                yield MachinePlots()
        yield TrialTable(id="trials", follows=True)

    def on_mount(self) -> None:
        """Create the one-second timer, paused, and show the newest snapshot of the session."""
        self._seconds = self.set_interval(TICK_S, self._tick, pause=True, name="seconds")
        self._look()

    def on_screen_resume(self) -> None:
        """Show the newest snapshot, since messages were missed while another screen was shown."""
        super().on_screen_resume()
        self._look()

    def on_resize(self) -> None:
        """Set how many rows the strip of models may take, by the height of the screen."""
        size = self.size
        height = "-very-tall" if size.height >= VERY_TALL else "-tall" if size.height >= TALL else "-short"
        self.strip.set_room(most=STRIP_ROWS[height], with_head=height != "-short" and size.width >= MEDIUM)

    def draw_all_now(self) -> None:
        """Draw at once everything that would otherwise wait for its turn; used for screenshots."""
        self.pane.flush()
        self._second_passed()
        self.plots.draw_now()

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
        """Show the newest snapshot of the session."""
        session = self.shell.feed.session
        self.set_class(session is None, "-empty")
        if session is None:
            return
        self.set_class(meter_count(session) > METERS_WITHOUT_GPU, "-with-gpu")
        self._begin(session)
        moving = self.shell.feed.is_live and session.finished is None
        self.set_class(session.finished is not None, "-finished")
        self.set_class(_writes(session), "-writing")
        self.progress.show_session(session, paused=session.paused and moving)
        self.phase.show_session(session)
        self._name_machine(session)
        self.plots.show_session(session)
        self.table.show_session(session)
        self._take_text()
        self.strip.show_session(session, self.pane.live)
        if session.finished is not None:
            self.board.show_session(session, self.strip.standing)
        if len(session.rows) != self._rows:
            self._rows = len(session.rows)
            self.pane.show_now()
        self._show_figures(session, moving=moving)
        self._let_time_pass(moving=moving)
        self._show_missed_text(session)
        self._show_keys()

    def _show_keys(self) -> None:
        """Redraw the line of keys, but only if the available keys have changed, since this is slow."""
        keys = [self.check_action(action, ()) for action in ("pause", "resume", "start_now", "results", "restore")]
        if keys != self._keys:
            self._keys = keys
            self.refresh_bindings()

    def _begin(self, session: Session) -> None:
        """Remove the previous session's data if this snapshot is of another session."""
        if self.pane.begin(session):
            self.figures.clear()
            self._rows = 0

    def _take_text(self) -> None:
        session = self.shell.feed.session
        if session is None:
            return
        self._begin(session)
        for complete in self.pane.take(self.shell.feed.take_text(), session):
            self._keep_line(complete, session)

    def _keep_line(self, live: LiveTrial, session: Session) -> None:
        """Pass the token rates of a trial whose text is complete to the strip of models."""
        number = next((row.trial.round for row in reversed(session.rows) if row.trial.id == live.trial_id), None)
        if number is not None:
            self.strip.keep(live, number)

    def _name_machine(self, session: Session) -> None:
        """Show the machine's name in the title of the plots, if the session runs on another machine."""
        title = escape(machine_title(session))
        if title != self._machine:
            self._machine = title
            self.query_one("#machine").border_title = title

    # --- figures ---

    def _show_figures(self, session: Session, *, moving: bool) -> None:
        """Show a running clock before the first text, then estimates, and exact figures at the end."""
        trial = session.current
        last = session.rows[-1] if session.rows else None
        thinks = trial is not None and session.contender(trial).variant.think is not False
        live = self.pane.live
        if trial is not None and live is not None and live.trial_id == trial.id:
            self.figures.show_kind(trial.kind)
            self.figures.show_live(live.figures(), thinks=thinks)
            self.figures.rate.show(live, self._median(session, trial.contender))
        elif trial is not None and moving:
            self.figures.show_kind(trial.kind)
            self.figures.show_waiting(self.phase.asked_s, last, thinks=thinks)
        elif last is not None:
            self.figures.show_kind(last.trial.kind)
            self.figures.show_final(last, thinks=bool(last.figures.thinking_chars))

    def _median(self, session: Session, contender: int) -> float | None:
        """Return the model's median token rate, computed once per finished trial."""
        key = (session.session_id, len(session.rows), contender)
        if self._median_of[0] != key:
            self._median_of = (key, median_tps(session, contender))
        return self._median_of[1]

    def _let_time_pass(self, *, moving: bool) -> None:
        """Run the one-second timer only during a run.

        If a tick is due when a snapshot arrives, it is handled at once, so that both are painted in one frame.
        """
        if self._seconds is None:
            return
        (self._seconds.resume if moving else self._seconds.pause)()
        if moving and monotonic() - self._ticked_at >= TICK_S - SLACK_S:
            self._seconds.reset()
            self._second_passed()

    def _second_passed(self) -> None:
        self._ticked_at = monotonic()
        self.phase.tick()
        self.strip.tick()
        self.figures.rate.tick()

    def _tick(self) -> None:
        """Update the parts that change without new data, such as running clocks; called once per second."""
        session = self.shell.feed.session
        self._second_passed()
        if session is not None:
            self._show_figures(session, moving=self.shell.feed.is_live and session.finished is None)

    # --- text that did not arrive live: from a file, or from a pipe that was opened late ---

    def _show_missed_text(self, session: Session) -> None:
        if self.shell.feed.is_live or not session.rows or self.pane.saw_text:
            return
        self._read_last(self.shell.feed, session)

    @in_background("read_answers")
    def _read_last(self, feed: Feed, session: Session) -> None:
        for row in reversed(session.rows):
            finished = feed.trial(row.trial.id)
            if finished is not None and finished.text:
                self.app.call_from_thread(self.pane.show_whole, finished, session)
                return

    # --- keys ---

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a key can do something now."""
        session = self.shell.feed.session
        is_alone = any(self.has_class(f"-only-{pane}") for pane in PANES)
        if action == "results":
            over = session is not None and session.finished is not None and bool(session.rows)
            return over and not isinstance(self.focused, TrialTable)  # in the table, Enter opens the trial
        if action in ("enlarge", "restore"):
            return bool(parameters) or is_alone == (action == "restore")
        if action not in COMMANDS:
            return True
        if self.shell.read_only or not self.shell.feed.is_live or session is None or session.finished is not None:
            return False
        if action in ("pause", "resume"):
            return session.paused == (action == "resume")
        return waits_for_others(session) if action == "start_now" else True

    def action_pause(self) -> None:
        """Pause after the current trial."""
        self._tell(Pause(), _("Pauses after this trial"))

    def action_resume(self) -> None:
        """Continue a paused run."""
        self.shell.send(Resume())

    def action_start_now(self) -> None:
        """Stop waiting for other programs, and start the trial."""
        self.shell.send(StopWaiting())

    def action_skip(self, what: str) -> None:
        """Skip the current trial, or all remaining trials of its model."""
        self._tell(Skip(what="model" if what == "model" else "trial"), _("Skipping …"))

    def action_copy(self) -> None:
        """Copy the selected text; without a selection, all text of the pane."""
        text = self.get_selected_text() or self.pane.text.extract((0, 0), None)
        if text.strip():
            self.app.copy_to_clipboard(text)
            self.notify(_("Copied"), timeout=2)

    def action_one_more(self) -> None:
        """Add one round to the plan."""
        session = self.shell.feed.session
        self._tell(ExtendPlan(rounds=1), _("One more round") if session is None else rounds_price(session, 1))

    def action_stop(self) -> None:
        """Stop the run after a confirmation."""
        from llmtui.tui.screens.dialogs import ConfirmDialog

        dialog = ConfirmDialog(
            _("Stop the run?"),
            _("Finished trials are kept and can be compared."),
            yes=_("Stop"),
            no=_("Keep running"),
        )
        self.app.push_screen(dialog, lambda stop: self._tell(Cancel(), _("Stopping …")) if stop else None)

    def _tell(self, command: Command, said: str) -> None:
        if self.shell.send(command):
            self.notify(said, timeout=2)

    def action_enlarge(self, pane: str = "") -> None:
        """Show one pane alone; if it is alone already, show all panes again.

        Args:
            pane: ``text``, ``machine`` or ``trials``; empty for the focused pane.
        """
        wanted = pane or self._focused_pane()
        alone = self.has_class(f"-only-{wanted}")
        for name in PANES:
            self.set_class(name == wanted and not alone, f"-only-{name}")
        if wanted != "machine":
            self.query_one(f"#{wanted}").focus()
        self._show_keys()

    def _focused_pane(self) -> str:
        focused = self.focused
        return "trials" if isinstance(focused, TrialTable) else "text"

    def action_restore(self) -> None:
        """Show all panes."""
        for name in PANES:
            self.remove_class(f"-only-{name}")
        self._show_keys()

    def action_toggle_pane(self, pane: str) -> None:
        """Show or hide a pane."""
        self.toggle_class(f"-without-{pane}")

    def action_results(self) -> None:
        """Switch to the Results screen."""
        self.shell.show("results")

    def action_window(self) -> None:
        """Switch the plots between the last two minutes and the whole session."""
        self.plots.toggle_window()

    @on(TrialTable.Opened)
    def _open_trial(self, message: TrialTable.Opened) -> None:
        from llmtui.tui.screens.answers import AnswerScreen

        session = self.shell.feed.session
        if session is not None:
            self.app.push_screen(AnswerScreen(self.shell.feed, session, message.row))


def _writes(session: Session) -> bool:
    """Return whether text of the current trial is arriving."""
    return bool(session.phases) and session.phases[-1].phase in ("thinking", "answer")
