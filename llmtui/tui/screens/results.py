"""The Results screen: the session, its conclusions, and tabs with its figures, its answers and its results in words."""

from __future__ import annotations

from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import ContentSwitcher, Static

from llmtui.core.across import Earlier
from llmtui.core.commands import ExtendPlan
from llmtui.core.measures import measures
from llmtui.core.pairing import is_imported
from llmtui.core.rivals import rivals
from llmtui.core.session import Session
from llmtui.core.trial_row import TrialRow
from llmtui.core.what_holds import Holding, what_holds
from llmtui.core.whole_rounds import of_whole_rounds
from llmtui.tui.background import in_background
from llmtui.tui.feed import Feed, FeedEnded, SessionChanged
from llmtui.tui.results_keys import results_bindings
from llmtui.tui.screens.base import BaseScreen
from llmtui.tui.screens.export import copy_llama_bench, copy_text, export_sessions
from llmtui.tui.screens.results_dialogs import (
    Reading,
    columns_explained,
    evidence,
    flags_explained,
    line_explained,
    line_title,
)
from llmtui.tui.widgets.answers_tab import AnswersTab
from llmtui.tui.widgets.category_table import CategoryTable
from llmtui.tui.widgets.holds_panel import HoldsPanel
from llmtui.tui.widgets.models_tab import ModelsTab
from llmtui.tui.widgets.result_table import ResultTable
from llmtui.tui.widgets.tab_line import TabLine
from llmtui.tui.widgets.title_line import TitleLine
from llmtui.tui.widgets.trial_table import TrialTable, row_key
from llmtui.tui.widgets.words_tab import WordsTab
from llmtui.words import _
from llmtui.words.more_rounds import rounds_price, rounds_purpose, rounds_to_settle
from llmtui.words.problems import whole_problem
from llmtui.words.session_head import Badge
from llmtui.words.verdicts import banners

OWN_PROMPT = "free"
"""Category of a prompt that the user typed on Setup."""


class ResultsScreen(BaseScreen):
    """Results of the session that is being followed, or of a saved session opened for reading."""

    PLACE = "results"
    CSS_PATH = "../styles/results.tcss"
    AUTO_FOCUS = "Scoreboard"
    BINDINGS: ClassVar[list[BindingType]] = [*results_bindings()]
    HELP = _(
        """
        # Results
        The first lines are the conclusions; **e** shows the figures behind them. Below are the figures: **1** by model,
        **2** by category, **3** every trial, **4** the answers, **5** everything in words. **Enter** on a line shows
        its details, **?** explains the columns. **,** sorts by the next column; a click on a column header sorts by
        that column. **!** lists the trials that have a flag. Pick two trials with **Space** and press **r** to see both
        answers side by side.

        **+** runs as many more rounds as should settle the open pairs. **g** runs the same plan again and compares it
        with this session.
        """
    )

    title_line = getters.query_one(TitleLine)
    holds = getters.query_one(HoldsPanel)
    tab_line = getters.query_one(TabLine)
    tabs = getters.query_one(ContentSwitcher)
    models = getters.query_one(ModelsTab)
    categories = getters.query_one(CategoryTable)
    trials = getters.query_one(TrialTable)
    answers = getters.query_one(AnswersTab)
    words = getters.query_one(WordsTab)

    def __init__(self, feed: Feed | None = None, title: str = "") -> None:
        """Create the screen.

        Args:
            feed: reader of a saved session's events; None for the session that the app follows.
            title: title of the saved session.
        """
        super().__init__()
        self._opened = feed
        self.inside = title
        self._shown: object = None
        self._earlier: Earlier | None = None
        self._earlier_of: str | None = None
        """Id of the session for which the search for an earlier session of the same plan was last made."""
        self._opened_tab: str | None = None

    @property
    def feed(self) -> Feed:
        """The reader of the events of the session shown."""
        return self._opened or self.shell.feed

    def compose_body(self) -> ComposeResult:
        """Yield the title line, the conclusions and the tabs."""
        yield Static(id="results-empty")
        yield TitleLine()
        yield HoldsPanel()
        yield TabLine()
        with ContentSwitcher(initial="models", id="tabs"):
            yield ModelsTab(id="models")
            yield CategoryTable(id="categories")
            yield TrialTable(id="trials")
            yield AnswersTab(id="answers")
            yield WordsTab(id="words")

    def on_mount(self) -> None:
        """Show the newest snapshot."""
        self._look()

    def on_unmount(self) -> None:
        """Stop reading a saved session; another program may still be running it."""
        if self._opened is not None:
            self._opened.close()

    def on_screen_resume(self) -> None:
        """Show the newest snapshot, since messages were missed while another screen was shown."""
        super().on_screen_resume()
        self._look()

    @on(SessionChanged)
    @on(FeedEnded)
    def _changed(self, message: SessionChanged | FeedEnded) -> None:
        if message.feed is self.feed:
            self._look()

    # --- showing ---

    def _look(self) -> None:
        """Show the newest snapshot, if trials or other shown data have changed."""
        session = self.feed.session
        self.set_class(session is None, "-empty")
        if session is None:
            self._say_empty()
            return
        self._look_for_earlier(session)
        key = (session.session_id, len(session.rows), session.rounds, session.finished, self._earlier, self._may_go_on)
        if key == self._shown:
            return
        self._shown = key
        self.title_line.show_session(session, is_live=self.feed.is_live)
        self._show_what_holds(session)
        whole = self._whole(session)
        self.models.show(session, whole)
        self.categories.show(whole)
        self.trials.show_session(session)
        self.answers.show_session(session, self.feed)
        self.words.show_session(session, self._earlier)
        if self._opened_tab is None:
            own = all(prompt.category == OWN_PROMPT for prompt in session.plan.prompts)
            self._opened_tab = "answers" if own else "models"
            if own:
                self.action_tab("answers")
        self._warn_of_drift(session)
        self.refresh_bindings()

    def _show_what_holds(self, session: Session) -> None:
        """Show the conclusions above the tabs; while the session runs, they are drawn from complete rounds only."""
        whole = self._whole(session)
        waits = _("The first round is running. Conclusions appear when it is complete.")
        many = len(session.plan.contenders) > 1
        self.holds.show(
            what_holds(whole),
            whole,
            key="+" if self._may_go_on else "",
            instead=waits if self._is_running and not whole.rows and many else "",
        )

    def _look_for_earlier(self, session: Session) -> None:
        if session.session_id != self._earlier_of:
            self._earlier_of = session.session_id
            self._earlier = None
            self._read_earlier(session)

    @in_background("earlier")
    def _read_earlier(self, session: Session) -> None:
        earlier = self.shell.host.earlier_session(session)
        if earlier is not None:
            self.app.call_from_thread(self._take_earlier, session.session_id, earlier)

    def _take_earlier(self, session_id: str, earlier: Earlier) -> None:
        if session_id == self._earlier_of:
            self._earlier = earlier
            self._look()

    @property
    def _is_running(self) -> bool:
        session = self.feed.session
        return session is not None and session.finished is None and self.feed.is_live

    def _whole(self, session: Session) -> Session:
        """Return the session to draw conclusions from: while it runs, only its complete rounds."""
        return of_whole_rounds(session) if self._is_running else session

    @property
    def _may_go_on(self) -> bool:
        """Whether rounds can be added: the engine still has the session, and the session was not stopped."""
        session = self.feed.session
        if self.feed is not self.shell.feed or self.shell.read_only or not self.feed.is_live:
            return False
        return session is not None and session.finished in (None, "complete")

    def _say_empty(self) -> None:
        lost = self.feed.lost
        words = _("No results yet. Start a run in Setup (F2).")
        if lost is not None:
            words = whole_problem(lost)
        elif self._opened is not None and not self.feed.ended:
            words = _("Reading the session …")
        self.query_one("#results-empty", Static).update(Content(words))

    def _warn_of_drift(self, session: Session) -> None:
        said = " ".join(banners(session))
        if said:
            self.banner.say(said, code="drift")
        elif self.banner.code == "drift":
            self.banner.hush()

    # --- keys ---

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a key can do something now."""
        session = self.feed.session
        if action == "back":
            return self._opened is not None
        if action == "more_rounds":
            return self._may_go_on
        if action == "run_again":
            may = not self.shell.read_only and not self.shell.running
            return may and session is not None and not is_imported(session.plan)
        if action == "pick":
            return self.is_mounted and self.tabs.current == "trials"
        if action == "evidence":
            return self.is_mounted and bool(self.holds.holdings)
        if action == "flags":
            return self.is_mounted and bool(self.title_line.badges)
        if action in ("replay", "export", "copy", "explain", "maximise"):
            return session is not None and bool(session.rows)
        return True

    def action_tab(self, tab: str) -> None:
        """Open a tab."""
        self._opened_tab = tab
        self.tabs.current = tab
        self.tab_line.show_open(tab)
        if tab == "answers":
            self.answers.read()
        (self.models.board if tab == "models" else self.tabs.get_child_by_id(tab)).focus()
        self.refresh_bindings()

    def action_maximise(self) -> None:
        """Show only the tab, or everything again."""
        self.toggle_class("-only-tab")

    def action_flags(self) -> None:
        """Show the session's flags with their trials."""
        self._show_badges(self.title_line.badges)

    def action_evidence(self) -> None:
        """Show the evidence for all conclusions."""
        self._show_evidence(self.holds.holdings)

    @on(HoldsPanel.Asked)
    def _evidence_asked(self, message: HoldsPanel.Asked) -> None:
        self._show_evidence((message.holding,))

    def _show_evidence(self, shown: tuple[Holding, ...]) -> None:
        session = self.feed.session
        assert session is not None, "lines are of a session"
        self.app.push_screen(Reading(_("Evidence"), evidence(shown, self._whole(session))))

    @on(TitleLine.BadgeClicked)
    def _badge_clicked(self, message: TitleLine.BadgeClicked) -> None:
        self._show_badges((message.badge,))

    def _show_badges(self, shown: tuple[Badge, ...]) -> None:
        session = self.feed.session
        assert session is not None, "badges are of a session"
        self.app.push_screen(Reading(_("Flags"), flags_explained(shown, session)))

    def action_back(self) -> None:
        """Close the screen, if it shows a saved session."""
        if self._opened is not None:
            self.dismiss(None)

    def action_export(self) -> None:
        """Open the export dialog for the session and the current tab's table."""
        tables = {"models": self.models.board, "categories": self.categories, "trials": self.trials}
        export_sessions(self, [self.feed.source], tables.get(self.tabs.current or ""))

    def action_copy(self) -> None:
        """On the Answers tab, copy the current answer; on the other tabs, the session's llama-bench table."""
        answer = self.answers.current if self.tabs.current == "answers" else None
        if answer is None:
            copy_llama_bench(self, self.feed.source)
        else:
            copy_text(self, answer[1], _("the answer of {model}").format(model=answer[0]))

    def action_explain(self) -> None:
        """Explain the columns of the current tab."""
        shown = {"models": self.models.board.shown_columns, "categories": self.categories.shown_columns}
        columns = shown.get(self.tabs.current or "", tuple(one.id for one in measures("trials")))
        self.app.push_screen(Reading(_("What the columns mean"), columns_explained(columns)))

    def action_more_rounds(self) -> None:
        """Add as many rounds as are expected to settle the comparison, after a confirmation."""
        from llmtui.tui.screens.dialogs import ConfirmDialog

        session = self.feed.session
        if session is None:
            return
        rounds = rounds_to_settle(session)
        words = "\n".join(filter(None, (rounds_price(session, rounds), rounds_purpose(session))))
        dialog = ConfirmDialog(_("More rounds"), words, yes=_("Run"), no=_("Back"), is_harmless=True)
        self.app.push_screen(dialog, lambda yes: self._add_rounds(rounds) if yes else None)

    def _add_rounds(self, rounds: int) -> None:
        session = self.feed.session
        if self.shell.send(ExtendPlan(rounds=rounds)) and session is not None and session.finished is not None:
            self.shell.show("live")

    def action_run_again(self) -> None:
        """Run the same plan again, in another order."""
        session = self.feed.session
        if session is not None:
            self.shell.run_again(session.plan)

    def action_pick(self) -> None:
        """Pick or unpick the trial under the cursor for the replay; a third pick replaces the first."""
        row = self.trials.trial_row
        if row is None or self.tabs.current != "trials":
            return
        key = row_key(row)
        picked = self.trials.picked
        self.trials.pick(tuple(one for one in picked if one != key) if key in picked else (*picked, key)[-2:])

    def action_replay(self) -> None:
        """Replay two answers side by side.

        These are the two picked trials. If fewer are picked, one is the picked trial or, on the Trials tab, the trial
        under the cursor; the other is another model's trial of the same prompt.
        """
        from llmtui.tui.screens.replay import ReplayScreen

        session = self.feed.session
        if session is None:
            return
        pair = self._pair(session)
        if pair is None:
            self.notify(
                _("A replay needs two answers: pick them in the list of trials with Space."), severity="warning"
            )
        else:
            self.app.push_screen(ReplayScreen(self.feed, session, pair))

    def _pair(self, session: Session) -> tuple[TrialRow, TrialRow] | None:
        picked = [row for row in map(self.trials.row_of, self.trials.picked) if row is not None]
        if len(picked) == 2:
            return picked[0], picked[1]
        chosen = picked[0] if picked else self.trials.trial_row if self.tabs.current == "trials" else None
        return rivals(session, chosen)

    @on(ResultTable.Opened)
    def _open_line(self, message: ResultTable.Opened) -> None:
        session = self.feed.session
        if session is not None:
            words = line_explained(message.line, session)
            self.app.push_screen(Reading(line_title(message.line), words))

    @on(TrialTable.Opened)
    def _open_trial(self, message: TrialTable.Opened) -> None:
        from llmtui.tui.screens.answers import AnswerScreen

        session = self.feed.session
        if session is not None:
            self.app.push_screen(AnswerScreen(self.feed, session, message.row))
