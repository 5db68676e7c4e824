"""The text of the live pane, trial by trial; drawing is the token pane's task."""

from __future__ import annotations

from collections.abc import Sequence

from llmtui.core.events import Chunks, Event, TrialFinished
from llmtui.core.session import Session, SessionBuilder
from llmtui.tui.text.live_pane import PaneScript, ending_words, pane_title
from tests.tui.sessions import a_plan, a_session, start_of, until

EVENTS = a_session()


def told(events: Sequence[Event], *, at_a_time: int) -> str:
    """Play events like a feed: facts folded and text queued, both shown after every given number of events."""
    script, builder = PaneScript(), SessionBuilder()
    waiting: list[Chunks] = []
    written: list[str] = []
    for number, event in enumerate(events, start=1):
        if isinstance(event, Chunks):
            waiting.append(event)
        else:
            builder.apply(event)
        if number % at_a_time and number != len(events):
            continue
        session = builder.snapshot()
        assert session is not None
        script.begin(session)
        for chunks in waiting:
            written += [text for text, _kind in script.text(chunks, session)]
        waiting.clear()
        written += [text for text, _kind in script.news(session)]
    return "".join(written)


def heads_and_ends(text: str) -> str:
    """Return one letter per line that is a head or an end, in order."""
    models = ("llama3:8b · ", "mistral:7b · ", "qwen3:4b thinking · ")
    return "".join(
        "h" if line.startswith(models) else "e" for line in text.split("\n") if line.startswith((*models, "— ", "✗ "))
    )


def test_each_answer_stands_under_its_own_head_with_its_end_below() -> None:
    assert heads_and_ends(told(EVENTS, at_a_time=1)) == "he" * 18


def test_however_news_and_text_come_together_the_order_is_the_same() -> None:
    one_by_one = told(EVENTS, at_a_time=1)
    for at_a_time in (2, 7, 40):
        assert told(EVENTS, at_a_time=at_a_time) == one_by_one


def test_every_answer_is_complete() -> None:
    events = a_session(a_plan("llama3:8b", "mistral:7b"))
    text = told(events, at_a_time=7)
    answers = [event.text for event in events if isinstance(event, TrialFinished)]
    assert len(answers) == 12
    assert all(answer in text for answer in answers)


def test_between_thinking_and_answer_a_line_is_free() -> None:
    text = told(a_session(a_plan("qwen3:4b")), at_a_time=5)
    assert "before writing.\n\nThe lamp" in text


def test_a_failed_test_says_what_happened_and_what_to_do() -> None:
    said = "✗ The server broke the answer off after 31 chunks. Look at the server's log; the other tests go on."
    assert said in told(EVENTS, at_a_time=5)


def test_an_end_names_tokens_time_and_speed() -> None:
    assert ending_words(session_at(10_000).rows[1]) == "— 113 tokens in 11.8 s, 9.88 tok/s, ended by the model"


def test_the_title_names_who_writes_what() -> None:
    assert pane_title(session_at(start_of(EVENTS, "r1-m1-warm-p1"))) == "llama3:8b · Creativity"
    assert pane_title(session_at(3)) == "qwen3:4b thinking · cold start"
    assert pane_title(session_at(0)) == "Answer"


def session_at(seconds: float) -> Session:
    builder = SessionBuilder()
    for event in until(EVENTS, seconds):
        builder.apply(event)
    session = builder.snapshot()
    assert session is not None
    return session
