"""The result of a finished session in large type: the fastest model's lead, a sentence, and the next step."""

from __future__ import annotations

from collections.abc import Sequence

from textual import getters
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Digits, Static

from llmtui.core.measures import measure_of, reading, value_of
from llmtui.core.session import Session
from llmtui.core.standing import Standing
from llmtui.core.verdict import FINAL, SpeedVerdict, verdicts
from llmtui.core.what_holds import what_holds
from llmtui.words import _, plural
from llmtui.words.cells import value_words
from llmtui.words.measures import short_title
from llmtui.words.ratios import factor
from llmtui.words.verdicts import verdict_sentence
from llmtui.words.what_holds import holding_words


class VerdictBoard(Horizontal):
    """The ratio in large digits beside the sentence; in short terminals, both in one row."""

    DEFAULT_CSS = """
    VerdictBoard {
        height: 4;
        padding: 0 1;
        & Digits { width: auto; min-width: 12; color: $primary; padding: 0 2 0 1; }
        &.-no-number Digits { display: none; }
        & Static { width: 1fr; height: 4; text-overflow: ellipsis; }
    }
    """
    digits = getters.query_one(Digits)
    said = getters.query_one(Static)

    def __init__(self) -> None:
        super().__init__()
        self._shown: object = None

    def compose(self) -> ComposeResult:
        """Yield the digits and the sentence."""
        yield Digits("")
        yield Static()

    def show_session(self, session: Session, standing: Sequence[Standing]) -> None:
        """Show a finished session, with its models ordered by rank."""
        key = (session.session_id, len(session.rows), session.finished)
        if key == self._shown:
            return
        self._shown = key
        number, words = verdict_words(session, standing)
        self.digits.update(number)
        self.set_class(not number, "-no-number")
        hint = Content.assemble(("⏎ ", "bold $accent"), (_("Results"), "bold"))
        self.said.update(Content("\n").join([Content.styled(words, "bold"), hint]))


def verdict_words(session: Session, standing: Sequence[Standing]) -> tuple[str, str]:
    """Return the ratio to show in large digits (empty if there is none), and the sentence.

    Args:
        session: a finished session.
        standing: its models, fastest first.
    """
    if all(row.outcome != "ok" for row in session.rows):
        return "", _("No trial got an answer; the reason is below. F2 returns to Setup.")
    measured = [one for one in standing if one.summary.decode_tps is not None]
    if len(measured) < 2:
        return _figures_of(measured)
    two = {one.contender for one in measured[:2]}
    found = next((one for one in verdicts(session) if {one.first, one.second} == two), None)
    if found is None or found.word == "no_verdict":
        return "", _why_open(session) or _figures_of(measured)[1]
    return _number(found), verdict_sentence(found, session)


def _why_open(session: Session) -> str:
    """Return why no model can be named the fastest, as Results says it; empty if nothing is known about it."""
    names = {contender.label: contender.label for contender in session.plan.contenders}
    lines = [holding_words(one, session, names) for one in what_holds(session) if one.topic == "fastest"]
    return lines[0].said if lines else ""


def _number(found: SpeedVerdict) -> str:
    """Return the fastest model's lead as a ratio; empty if the verdict is not final."""
    ratio = found.smallest_lead if found.word == "ahead" else found.ratio
    return f"{factor(ratio)}×" if ratio is not None and found.word in FINAL else ""


def _figures_of(measured: Sequence[Standing]) -> tuple[str, str]:
    if not measured:
        return "", _("No speed was measured.")
    first = measured[0].summary
    parts = [
        f"{short_title(one)} {value_words(one, value)}"
        for one in map(measure_of, ("decode_tps", "ttft_ms"))
        if one is not None and (value := value_of(reading(one, first))) is not None
    ]
    trials = plural("{n} trial", "{n} trials", first.finished).format(n=first.finished)
    return "", f"{first.label}: {', '.join(parts)} · {trials}"
