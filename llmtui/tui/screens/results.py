"""Results: what the session says, then the figures by model, by category, as bars, and every test."""

from __future__ import annotations

from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import ContentSwitcher, Static

from llmtui.core.across import Earlier
from llmtui.core.commands import ExtendPlan
from llmtui.core.findings import seconds_a_round
from llmtui.core.measures import measures
from llmtui.core.pairing import is_imported
from llmtui.core.rounds import rounds_to_tell
from llmtui.core.session import Session
from llmtui.core.summary import summarise
from llmtui.core.trial_row import TrialRow
from llmtui.core.verdict import verdicts
from llmtui.tui.background import in_background
from llmtui.tui.feed import Feed, FeedEnded, SessionChanged
from llmtui.tui.screens.base import BaseScreen
from llmtui.tui.screens.results_dialogs import Reading, SaveDialog, columns_explained, line_explained, line_title
from llmtui.tui.widgets.bars import Bars
from llmtui.tui.widgets.conclusions_panel import ConclusionsPanel
from llmtui.tui.widgets.result_tables import CategoryTable, ModelTable, ResultTable
from llmtui.tui.widgets.trial_table import TrialTable, row_key
from llmtui.words import _, plural
from llmtui.words.figures import duration
from llmtui.words.problems import whole_problem
from llmtui.words.verdicts import banners

PARTS = ("models", "categories", "bars", "tests")
ROOMY_CELLS = (100, 150)
"""Widths from which tables have wider gaps, and wider still."""


class ResultsScreen(BaseScreen):
    """The session of the feed that is followed, or of another feed that was opened for reading."""

    PLACE = "results"
    CSS_PATH = "../styles/results.tcss"
    AUTO_FOCUS = "ModelTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "part('models')", _("By model"), id="results.models", show=False),
        Binding("2", "part('categories')", _("By category"), id="results.categories", show=False),
        Binding("3", "part('bars')", _("Bars"), id="results.bars", show=False),
        Binding("4", "part('tests')", _("Tests"), id="results.tests", show=False),
        Binding("r", "replay", _("Replay"), id="results.replay", tooltip=_("Two answers at their true speed")),
        Binding("space", "pick", _("Pick"), id="results.pick", tooltip=_("Pick this test for the replay")),
        Binding("s", "save", _("Save CSV"), id="results.save", tooltip=_("The table of all tests, where you say")),
        Binding("question_mark", "explain", _("Columns"), id="results.explain", tooltip=_("Formula and source")),
        Binding("m", "maximise", _("Conclusions"), id="results.maximise", tooltip=_("Only the conclusions, or all")),
        Binding(
            "plus",
            "more_rounds",
            _("More rounds"),
            id="results.more_rounds",
            tooltip=_("As many as should tell the models apart"),
        ),
        Binding("g", "again", _("Run again"), id="results.again", tooltip=_("The same test, in another order")),
        Binding("escape", "back", _("Back"), id="results.back"),
    ]
    HELP = _(
        """
        # Results
        The conclusions say what can be told and what cannot. Below stand the figures they rest on: **1** by model,
        **2** by category, **3** as bars, **4** every test. **Enter** on a line shows what stands behind it, **?**
        explains the columns. **,** sorts by the next column, a click on a column's head by that one. Pick two tests
        with **Space** and press **r** to see both answers appear side by side.

        **+** runs as many further rounds as should tell the models apart; how many, and how long they take, stands
        below the conclusions. **g** runs the same test again: its results say first what changed since this one.
        """
    )

    conclusions = getters.query_one(ConclusionsPanel)
    parts = getters.query_one(ContentSwitcher)
    models = getters.query_one(ModelTable)
    categories = getters.query_one(CategoryTable)
    bars = getters.query_one(Bars)
    tests = getters.query_one(TrialTable)

    def __init__(self, feed: Feed | None = None) -> None:
        """Makes the screen for a feed; without one for whatever the app follows."""
        super().__init__()
        self._opened = feed
        self._shown: object = None
        self._earlier: Earlier | None = None
        self._earlier_of: str | None = None
        """The session whose earlier one was looked for."""

    @property
    def feed(self) -> Feed:
        """Where the session comes from."""
        return self._opened or self.shell.feed

    def compose_body(self) -> ComposeResult:
        """Conclusions, the names of the parts, the parts."""
        yield Static(id="results-empty")
        yield ConclusionsPanel(id="conclusions-panel")
        yield Static(id="parts-line")
        with ContentSwitcher(initial="models", id="parts"):
            yield ModelTable(id="models")
            yield CategoryTable(id="categories")
            yield Bars(id="bars")
            yield TrialTable(id="tests")

    def on_mount(self) -> None:
        """Shows what is there."""
        self._name_parts()
        self._look()

    def on_screen_resume(self) -> None:
        """Shows what was missed."""
        super().on_screen_resume()
        self._look()

    def on_resize(self) -> None:
        """Other widths fit."""
        self._look()

    @on(SessionChanged)
    @on(FeedEnded)
    def _changed(self, message: SessionChanged | FeedEnded) -> None:
        if message.feed is self.feed:
            self._look()

    # --- showing ---

    def _look(self) -> None:
        """Shows the newest snapshot, where a test was added to it."""
        session = self.feed.session
        self.set_class(session is None, "-empty")
        if session is None:
            self._say_empty()
            return
        self._look_for_earlier(session)
        room = sum(self.size.width >= cells for cells in ROOMY_CELLS)
        key = (session.session_id, len(session.rows), session.rounds, session.finished, room, self._earlier)
        if key == self._shown:
            return
        self._shown = key
        summary = summarise(session)
        self.conclusions.show_session(session, self._earlier)
        state = _state_words(session, is_live=self.feed.is_live)
        price = _price(session) if self._may_go_on else ""
        self.conclusions.border_subtitle = f"{price} · {state}" if price else state
        self.models.show(session, summary.lines, room=room)
        self.categories.show(session, summary.categories, room=room)
        self.bars.show(session, summary)
        self.tests.show_session(session)
        self._warn_of_drift(session)
        self.refresh_bindings()

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
    def _may_go_on(self) -> bool:
        """Rounds may be added: the engine has the session, and it was not stopped."""
        session = self.feed.session
        if self.feed is not self.shell.feed or self.shell.read_only or not self.feed.is_live:
            return False
        return session is not None and session.finished in (None, "complete")

    def _say_empty(self) -> None:
        lost = self.feed.lost
        words = _("No results yet: start a test on the first screen (F2).")
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

    def _name_parts(self) -> None:
        names = {"models": _("By model"), "categories": _("By category"), "bars": _("Bars"), "tests": _("Tests")}
        parts: list[Content] = []
        for number, (part, name) in enumerate(names.items(), start=1):
            if part == self.parts.current:
                parts.append(Content.styled(f" {number} {name} ", "bold $text on $primary 35%"))
            else:
                parts.append(
                    Content.from_markup(f"[@click=screen.part('{part}')] {number} $name [/]", name=name).stylize(
                        "not underline"
                    )
                )
        self.query_one("#parts-line", Static).update(Content(" ").join(parts))

    # --- keys ---

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what can be done now."""
        session = self.feed.session
        if action == "back":
            return self._opened is not None
        if action == "more_rounds":
            return self._may_go_on
        if action == "again":
            may = not self.shell.read_only and not self.shell.running
            return may and session is not None and not is_imported(session.plan)
        if action == "pick":
            return self.is_mounted and self.parts.current == "tests"
        if action in ("replay", "save", "explain", "maximise"):
            return session is not None and bool(session.rows)
        return True

    def action_part(self, part: str) -> None:
        """Shows another part."""
        self.parts.current = part
        self._name_parts()
        self.parts.get_child_by_id(part).focus()
        self.refresh_bindings()

    def action_maximise(self) -> None:
        """Shows the conclusions alone, or everything."""
        self.toggle_class("-only-conclusions")
        if self.has_class("-only-conclusions"):
            self.conclusions.focus()

    def action_back(self) -> None:
        """Leaves a session that was opened for reading."""
        if self._opened is not None:
            self.dismiss(None)

    def action_save(self) -> None:
        """Asks where to save."""
        session = self.feed.session
        if session is not None:
            self.app.push_screen(SaveDialog(session.session_id))

    def action_explain(self) -> None:
        """Explains the columns of the part on show."""
        shown = {"models": self.models.shown_columns, "categories": self.categories.shown_columns}
        columns = shown.get(self.parts.current or "", tuple(one.id for one in measures("trials")))
        self.app.push_screen(Reading(_("What the columns mean"), columns_explained(columns)))

    def action_more_rounds(self) -> None:
        """Adds the rounds after which the comparison is expected to say more."""
        session = self.feed.session
        if session is None:
            return
        rounds = rounds_wanted(session)
        if self.shell.send(ExtendPlan(rounds=rounds)):
            self.notify(_rounds_words(session, rounds), timeout=4)
            if session.finished is not None:
                self.shell.show("live")

    def action_again(self) -> None:
        """Runs the same plan again, in another order."""
        session = self.feed.session
        if session is not None:
            self.shell.run_again(session.plan)

    def action_pick(self) -> None:
        """Picks the test under the cursor for the replay, or lets go of it; the third replaces the first."""
        row = self.tests.trial_row
        if row is None or self.parts.current != "tests":
            return
        key = row_key(row)
        picked = self.tests.picked
        self.tests.pick(tuple(one for one in picked if one != key) if key in picked else (*picked, key)[-2:])

    def action_replay(self) -> None:
        """Shows two answers beside each other: the picked ones, else the one under the cursor and its rival."""
        from llmtui.tui.screens.replay import ReplayScreen

        session = self.feed.session
        if session is None:
            return
        pair = self._pair(session)
        if pair is None:
            self.notify(
                _("A replay needs two answers: pick them in the list of tests (4) with Space."), severity="warning"
            )
        else:
            self.app.push_screen(ReplayScreen(self.feed, session, pair))

    def _pair(self, session: Session) -> tuple[TrialRow, TrialRow] | None:
        picked = [row for row in map(self.tests.row_of, self.tests.picked) if row is not None]
        if len(picked) == 2:
            return picked[0], picked[1]
        chosen = picked[0] if picked else self.tests.trial_row if self.parts.current == "tests" else None
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


def rivals(session: Session, chosen: TrialRow | None) -> tuple[TrialRow, TrialRow] | None:
    """Gives two answers to one question by two models: to the chosen one's, else to the newest that two answered."""
    complete = [row for row in session.rows if row.figures.chunks]
    candidates = [chosen] if chosen is not None else [row for row in reversed(complete) if row.trial.kind == "warm"]
    for row in candidates:
        others = [
            other
            for other in complete
            if (other.trial.kind, other.trial.prompt) == (row.trial.kind, row.trial.prompt)
            and other.trial.contender != row.trial.contender
        ]
        if others:
            same_round = [other for other in others if other.trial.round == row.trial.round]
            return tuple(sorted((row, (same_round or others)[-1]), key=lambda one: one.trial.contender))  # type: ignore[return-value]  # two of two
    return None


def rounds_wanted(session: Session) -> int:
    """Gives after how many rounds the pairs that are not told apart are expected to be; one where none names any."""
    return rounds_to_tell(verdicts(session)) or 1


def _price(session: Session) -> str:
    """Gives what ``+`` runs and how long that takes, where that should tell models apart; else nothing."""
    rounds = rounds_to_tell(verdicts(session)) if session.rows else None
    return "" if rounds is None else _("+ to tell them apart: {rounds}").format(rounds=_rounds_words(session, rounds))


def _rounds_words(session: Session, rounds: int) -> str:
    said = plural("{n} more round", "{n} more rounds", rounds).format(n=rounds)
    round_s = seconds_a_round(session)
    return said if round_s is None else f"{said}, {duration(round_s * rounds)}"


def _state_words(session: Session, *, is_live: bool) -> str:
    tests = _("{done} of {total} tests").format(done=len(session.rows), total=session.total)
    if session.finished is None:
        return f"{_('running') if is_live else _('interrupted')} · {tests}"
    return tests if session.finished == "complete" else f"{_('stopped')} · {tests}"
