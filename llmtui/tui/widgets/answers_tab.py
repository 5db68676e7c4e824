"""The Answers tab of Results: a prompt, and below it the models' answers side by side, each with its figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, NamedTuple

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.events import Click, Resize
from textual.message import Message
from textual.widgets import Markdown, Static

from llmtui.core.measures import measure_of
from llmtui.core.reading import answer_of
from llmtui.core.session import Session
from llmtui.core.shown import lines_without_controls
from llmtui.core.trial_row import TrialRow
from llmtui.tui.background import in_background
from llmtui.tui.feed import Feed
from llmtui.words import _
from llmtui.words.cells import trial_words
from llmtui.words.outcomes import outcome_sentence, outcome_word
from llmtui.words.problems import problem_what
from llmtui.words.trials import category_words

LEAST_CELLS: Final = 40
"""Width of a column, in cells, below which an answer is hard to read."""
MOST_SIDE_BY_SIDE: Final = 4
MOST_CHARS: Final = 20_000
"""Largest number of characters of an answer that are formatted, since each paragraph is a widget and costs time.

The details of the trial show the whole text.
"""
PROMPT_CHARS: Final = 400


class Answer(NamedTuple):
    """A trial with the text of its answer."""

    row: TrialRow
    text: str


class AnswerColumn(VerticalScroll, can_focus=False):
    """One model's answer, formatted as Markdown. Its links do nothing."""

    markdown = getters.query_one(Markdown)

    def __init__(self, place: int) -> None:
        super().__init__()
        self.place = place
        self._text: str | None = None

    class Clicked(Message):
        """Posted when the user clicks a column, to make it the current one."""

        def __init__(self, place: int) -> None:
            self.place = place
            super().__init__()

    def compose(self) -> ComposeResult:
        """Yield the figures and the text; the figures stay visible when the text is scrolled."""
        yield Static(classes="answer-figures")
        yield Markdown(open_links=False)

    def show_answer(self, answer: Answer, label: str) -> None:
        """Show an answer under its model's name."""
        self.border_title = Content(label)
        self.query_one(".answer-figures", Static).update(_figures(answer.row))
        text = answer.text if len(answer.text) <= MOST_CHARS else f"{answer.text[:MOST_CHARS]}\n\n…"
        if text != self._text:
            self._text = text
            self.markdown.update(text)
            self.scroll_home(animate=False)

    def on_click(self, event: Click) -> None:
        """Make this column the current one."""
        self.post_message(self.Clicked(self.place))


class AnswersTab(Vertical, can_focus=True):
    """The newest answers to one prompt; one of them is the current one, which keys scroll and copy.

    The texts are read from files only while the tab is visible.
    """

    DEFAULT_CSS = """
    AnswersTab {
        height: 1fr;
        & > #answers-prompt { height: auto; max-height: 4; padding: 0 1; }
        & > #answers-columns { height: 1fr; }
        & AnswerColumn {
            width: 1fr;
            height: 1fr;
            border: round $border-blurred;
            border-title-color: $text-muted;
            padding: 0 1;
            scrollbar-size-vertical: 1;
            & > .answer-figures { dock: top; height: auto; color: $text-muted; background: $background; }
            & > Markdown { background: transparent; padding: 0; margin: 1 0 0 0; }
            &.-current { border: round $border; border-title-color: $text; border-title-style: bold; }
        }
        &:focus AnswerColumn.-current { border: round $primary; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "model(-1)", _("Previous model"), id="answers.before", show=False),
        Binding("right", "model(1)", _("Next model"), id="answers.next", key_display="←→"),
        Binding("left_square_bracket", "prompt(-1)", _("Previous prompt"), id="answers.prompt_before", show=False),
        Binding(
            "right_square_bracket",
            "prompt(1)",
            _("Prompts"),
            id="answers.prompt_next",
            key_display="[ ]",
            tooltip=_("Next prompt"),
        ),
        Binding("up,k", "scroll(-1)", show=False),
        Binding("down,j", "scroll(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "edge(-1)", show=False),
        Binding("end", "edge(1)", show=False),
    ]
    HELP = _(
        """
        # Answers
        What the models answered to one prompt, with the time to first token, the speed and the number of tokens of
        that answer. **←** and **→** go to another model, **[** and **]** to another prompt; **y** copies the answer
        with the bright frame. Links in an answer do nothing.
        """
    )

    columns_box = getters.query_one("#answers-columns", Horizontal)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self._feed: Feed | None = None
        self._session: Session | None = None
        self._read: object = None
        self._prompt = 0
        self._current = 0
        """Index of the current answer among the prompt's answers."""
        self._first = 0
        """Index of the leftmost visible answer."""
        self._answers: tuple[Answer, ...] = ()

    def compose(self) -> ComposeResult:
        """Yield the prompt, then as many columns as can ever be visible side by side."""
        yield Static(id="answers-prompt")
        with Horizontal(id="answers-columns"):
            for place in range(MOST_SIDE_BY_SIDE):
                yield AnswerColumn(place)

    # --- reading ---

    def show_session(self, session: Session, feed: Feed) -> None:
        """Take the newest snapshot of the session; its texts are read once the tab is visible."""
        self._session, self._feed = session, feed
        if self.display:
            self.read()

    def read(self) -> None:
        """Read the answers of the current session, unless they are shown already."""
        if self._session is None or self._feed is None:
            return
        self._prompt = min(self._prompt, max(0, len(self._session.plan.prompts) - 1))
        rows = newest_answers(self._session, self._prompt)
        wanted = (self._session.session_id, self._prompt, tuple((row.trial.id, row.t_ns) for row in rows))
        if wanted != self._read:
            self._read = wanted
            self._read_texts(self._session, self._feed, rows, wanted)

    @in_background("read_answers")
    def _read_texts(self, session: Session, feed: Feed, rows: Sequence[TrialRow], wanted: object) -> None:
        answers = []
        for row in rows:
            found = feed.trial(row.trial.id)
            answers.append(Answer(row, "" if found is None else lines_without_controls(answer_of(found)).strip()))
        self.app.call_from_thread(self._take, session, tuple(answers), wanted)

    def _take(self, session: Session, answers: tuple[Answer, ...], wanted: object) -> None:
        if wanted == self._read:
            self._answers = answers
            self._current = min(self._current, max(0, len(answers) - 1))
            self._show(session)

    # --- showing ---

    @property
    def current(self) -> tuple[str, str] | None:
        """The current answer: (model, text); None if there are no answers."""
        if self._session is None or not self._answers:
            return None
        answer = self._answers[self._current]
        return self._session.contender(answer.row.trial).label, answer.text

    @property
    def side_by_side(self) -> int:
        """Number of answers that fit side by side in the tab's width."""
        return max(1, min(MOST_SIDE_BY_SIDE, len(self._answers), self.size.width // LEAST_CELLS))

    @on(Resize)
    def _resized(self) -> None:
        if self._session is not None and self._answers:
            self._show(self._session)

    def _show(self, session: Session) -> None:
        self.query_exactly_one("#answers-prompt", Static).update(self._prompt_words(session))
        room = self.side_by_side
        self._first = max(0, min(self._first, self._current, len(self._answers) - room))
        self._first = max(self._first, self._current - room + 1)
        for column in self.query(AnswerColumn):
            place = self._first + column.place
            column.display = column.place < room and place < len(self._answers)
            if column.display:
                answer = self._answers[place]
                column.set_class(place == self._current, "-current")
                text = answer.text or f"*{_plain(_why_empty(answer.row))}*"
                column.show_answer(answer._replace(text=text), self._label(session, place, room))

    def _label(self, session: Session, place: int, room: int) -> str:
        label = session.contender(self._answers[place].row.trial).label
        return label if room == len(self._answers) else f"{label} · {place + 1}/{len(self._answers)}"

    def _prompt_words(self, session: Session) -> Content:
        prompt = session.plan.prompts[self._prompt]
        head = category_words(prompt.category)
        if len(session.plan.prompts) > 1:
            head += f" {self._prompt + 1}/{len(session.plan.prompts)}"
        text = lines_without_controls(prompt.text).strip()
        text = text if len(text) <= PROMPT_CHARS else text[:PROMPT_CHARS] + " …"
        if not self._answers:
            return Content.assemble((head, "bold $primary"), "  ", text, ("\n" + _("No answer yet."), "$text-muted"))
        return Content.assemble((head, "bold $primary"), "  ", text)

    # --- keys ---

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a key can do something now."""
        if action == "model":
            return len(self._answers) > 1
        if action == "prompt":
            return self._session is not None and len(self._session.plan.prompts) > 1
        return True

    def action_model(self, step: int) -> None:
        """Go to the answer of the next (1) or previous (-1) model."""
        self._go_to(self._current + step)

    @on(AnswerColumn.Clicked)
    def _clicked(self, message: AnswerColumn.Clicked) -> None:
        message.stop()
        self.focus()
        self._go_to(self._first + message.place)

    def _go_to(self, place: int) -> None:
        if self._session is not None and 0 <= place < len(self._answers):
            self._current = place
            self._show(self._session)

    def action_prompt(self, step: int) -> None:
        """Show the answers to the next (1) or previous (-1) prompt; the last is followed by the first."""
        if self._session is not None:
            self._prompt = (self._prompt + step) % len(self._session.plan.prompts)
            self.read()

    def _column(self) -> AnswerColumn:
        return self.query(AnswerColumn)[self._current - self._first]

    def action_scroll(self, by: int) -> None:
        """Scroll the current answer by a number of lines."""
        self._column().scroll_relative(y=by, animate=False)

    def action_page(self, pages: int) -> None:
        """Scroll the current answer by a number of pages."""
        column = self._column()
        column.scroll_relative(y=pages * max(1, column.size.height - 2), animate=False)

    def action_edge(self, edge: int) -> None:
        """Scroll the current answer to its beginning (negative) or its end."""
        column = self._column()
        if edge < 0:
            column.scroll_home(animate=False)
        else:
            column.scroll_end(animate=False)


def newest_answers(session: Session, prompt: int) -> tuple[TrialRow, ...]:
    """Return each model's newest warm trial of a prompt, in the plan's order of models.

    Args:
        session: the session.
        prompt: index of the prompt in the plan.
    """
    newest = {
        row.trial.contender: row for row in session.rows if row.trial.kind == "warm" and row.trial.prompt == prompt
    }
    return tuple(newest[index] for index in sorted(newest))


def _figures(row: TrialRow) -> Content:
    """Return TTFT, speed and tokens of an answer; missing figures are left out, as the trial's details explain them."""
    said = {name: trial_words(one, row) if (one := measure_of(name)) else "" for name in ("ttft_ms", "decode_tps")}
    parts = [f"TTFT {said['ttft_ms']}" if said["ttft_ms"] else "", said["decode_tps"]]
    if row.figures.tokens is not None:
        parts.append(_("{n} tok").format(n=row.figures.tokens))
    line = Content(" · ".join(part for part in parts if part))
    if row.outcome == "ok" and row.ended_by != "length":
        return line
    return Content.assemble(line, " · " if line else "", (outcome_word(row.outcome, row.ended_by), "$warning"))


def _why_empty(row: TrialRow) -> str:
    return outcome_sentence(row.outcome, row.ended_by) if row.problem is None else problem_what(row.problem)


def _plain(text: str) -> str:
    """Return a text with Markdown's special characters escaped."""
    return "".join(f"\\{one}" if one in "\\`*_{}[]<>()#+-!|~" else one for one in text)
