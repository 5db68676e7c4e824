"""The demo's text is shown at 1/20 of its speed, and never far behind."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llmtui.core.events import Chunks
from llmtui.tui.text.demo_pace import LONGEST_S, SLOWED, DemoPace

MS = 1_000_000


def text(trial_id: str, *words: str, first_ms: float = 2.0, step_ms: float = 1.0) -> Chunks:
    """Return words of a trial, the first after ``first_ms``, then one each ``step_ms``."""
    chunks = tuple((round((first_ms + at * step_ms) * MS), "a", word) for at, word in enumerate(words))
    return Chunks(trial_id=trial_id, chunks=chunks)


def words_by(pace: DemoPace, now_s: float) -> list[tuple[str, str]]:
    return [(chunks.trial_id, "".join(word for _, _, word in chunks.chunks)) for chunks in pace.due(now_s)]


def test_the_first_word_comes_at_once_and_the_others_twenty_times_as_slowly() -> None:
    pace = DemoPace()
    pace.add(text("a", *"abcde", first_ms=800, step_ms=10), slow=True)
    assert words_by(pace, 100.0) == [("a", "a")], "the wait for it was real already"
    assert words_by(pace, 100.0 + 0.019 * SLOWED) == [("a", "b")]
    assert pace.holds_text
    assert words_by(pace, 100.0 + 0.041 * SLOWED) == [("a", "cde")]
    assert not pace.holds_text


def test_batches_of_one_test_are_one_text() -> None:
    pace = DemoPace()
    pace.add(text("a", "a", "b", step_ms=50), slow=True)
    assert words_by(pace, 0.0) == [("a", "a")]
    pace.add(text("a", "c", first_ms=102), slow=True)
    assert words_by(pace, 1.0) == [("a", "b")]
    assert words_by(pace, 2.0) == [("a", "c")]


def test_after_a_test_the_newest_follows_and_those_between_come_whole() -> None:
    pace = DemoPace()
    for name in "abcd":
        pace.add(text(name, *"123", step_ms=10), slow=True)
        assert (name == "a") == bool(words_by(pace, 0.0))
    assert words_by(pace, 1.0) == [("a", "23"), ("b", "123"), ("c", "123"), ("d", "1")]


def test_a_slow_machines_text_is_cut_short() -> None:
    pace = DemoPace()
    pace.add(text("a", *"1234", step_ms=1000), slow=True)
    assert words_by(pace, 0.0) == [("a", "1")]
    assert words_by(pace, LONGEST_S) == [("a", "234")]


def test_real_models_are_shown_as_they_write_and_nothing_stays_behind_them() -> None:
    pace = DemoPace()
    pace.add(text("real", "x", "y", step_ms=5000), slow=False)
    assert words_by(pace, 0.0) == [("real", "xy")]
    pace.add(text("demo", "1", "2", step_ms=10), slow=True)
    assert words_by(pace, 0.0) == [("demo", "1")]
    pace.add(text("real-2", "z"), slow=False)
    assert words_by(pace, 0.1) == [("demo", "2"), ("real-2", "z")]


def test_another_session_begins_with_nothing_held() -> None:
    pace = DemoPace()
    pace.add(text("a", "1", "2"), slow=True)
    pace.clear()
    assert not pace.holds_text
    assert words_by(pace, 9.0) == []


@given(
    arrivals=st.lists(st.tuples(st.integers(0, 4), st.floats(0, 3000), st.floats(0, 2)), min_size=1, max_size=30).map(
        lambda found: sorted(found, key=lambda one: one[0])
    )
)
def test_all_of_it_is_shown_in_order(arrivals: list[tuple[int, float, float]]) -> None:
    pace = DemoPace()
    now_s, shown = 0.0, []
    for number, (trial, at_ms, wait_s) in enumerate(arrivals):
        pace.add(text(str(trial), f"{number} ", first_ms=at_ms), slow=trial % 2 == 0)
        now_s += wait_s
        shown += words_by(pace, now_s)
    while pace.holds_text:
        now_s += LONGEST_S
        shown += words_by(pace, now_s)
    assert "".join(word for _, word in shown).split() == [str(number) for number in range(len(arrivals))]
    last = int(shown[-1][0])
    assert last == arrivals[-1][0]
    assert now_s <= sum(wait_s for _, _, wait_s in arrivals) + LONGEST_S * 6
