"""The feed between a link and the screens, without an app: messages and timers are collected by hand."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread

import pytest
from textual.message import Message

from llmtui.core.commands import ListModels
from llmtui.core.events import Chunks, Event, Gap, PullProgressed, TrialStarted
from llmtui.core.plan import contender_block
from llmtui.core.records import Problem
from llmtui.link import Link, LinkLost
from llmtui.tui.feed import SOON_S, Feed, FeedEnded, Replied, SessionChanged, ShowDue, TextArrived
from llmtui.words.problems import problem_remedy, problem_what
from tests.core import made
from tests.tui.fakes import FakeLink, models, ollama_up, ready

PLAN = made.plan()
FIRST, SECOND = contender_block(PLAN, 1, 0).trials[:2]


def started_trial(trial: object = FIRST, order: int = 1) -> TrialStarted:
    return TrialStarted(t_ns=2_000, trial=trial, order=order, total=24)  # type: ignore[arg-type]


def chunks(text: str, trial_id: str = FIRST.id) -> Chunks:
    return Chunks(trial_id=trial_id, chunks=tuple((n, "a", letter) for n, letter in enumerate(text)))


class CommandRunner:
    """Where a feed's messages and timers arrive; the app's part is played by ``turn``."""

    def __init__(self, open_link: Callable[[], Link]) -> None:
        self.posted: list[Message] = []
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.feed = Feed(open_link, self.posted.append, lambda wait_s, call: self.timers.append((wait_s, call)))

    def read(self) -> None:
        self.feed.read()

    def turn(self) -> None:
        """Let the app handle its pending messages."""
        for message in [one for one in self.posted if isinstance(one, ShowDue)]:
            self.posted.remove(message)
            message.feed.show_when_due()

    def kinds(self) -> list[str]:
        return [type(message).__name__ for message in self.posted]


def desk_of(*batches: tuple[Event, ...]) -> CommandRunner:
    """Return a runner whose source has ended after some batches."""
    link = FakeLink(is_live=True)
    for batch in batches:
        link.play(*batch)
    link.close()
    return CommandRunner(lambda: link)


class TestShowing:
    def test_all_events_of_a_quick_source_become_one_post(self) -> None:
        desk = desk_of((made.started(PLAN),), (started_trial(),), (chunks("ab"),), (chunks("cd"),))
        desk.read()
        desk.turn()
        assert desk.kinds().count("SessionChanged") == 1
        assert desk.feed.session is not None
        assert desk.feed.session.current == FIRST

    def test_the_first_news_is_shown_at_once_and_the_next_at_the_end_of_a_fifth_of_a_second(self) -> None:
        desk = desk_of()
        desk.feed._fold((made.started(PLAN),))
        desk.feed._arm()
        desk.turn()
        assert desk.kinds() == ["SessionChanged"]
        desk.posted.clear()
        desk.feed._fold((started_trial(),))
        desk.feed._arm()
        desk.feed._fold((chunks("a"),))
        desk.feed._arm()
        assert desk.kinds() == ["ShowDue"]
        desk.turn()
        assert desk.posted == []
        [(wait_s, call)] = desk.timers
        assert 0 < wait_s <= 0.2
        call()
        assert desk.kinds() == ["SessionChanged", "TextArrived"]

    def test_the_end_of_a_test_waits_for_no_fifth_of_a_second(self) -> None:
        desk = desk_of()
        desk.feed._fold((made.started(PLAN),))
        desk.feed._arm()
        desk.turn()
        desk.posted.clear()
        for event in (chunks("a"), made.finished(PLAN, FIRST)):
            desk.feed._fold((event,))
            desk.feed._arm()
            desk.turn()
        assert [wait_s > SOON_S for wait_s, _ in desk.timers] == [True, False]
        desk.timers[-1][1]()
        assert desk.kinds() == ["SessionChanged", "TextArrived"]
        desk.timers[0][1]()
        assert desk.kinds() == ["SessionChanged", "TextArrived"], "the timer of before finds nothing to show"

    def test_more_text_alone_is_no_change_of_the_session(self) -> None:
        desk = desk_of()
        desk.feed._fold((made.started(PLAN),))
        desk.feed.show()
        before = desk.feed.session
        desk.posted.clear()
        desk.feed._fold((chunks("a"),))
        desk.feed.show()
        assert desk.kinds() == ["TextArrived"]
        assert desk.feed.session is before

    def test_without_news_there_is_neither_post_nor_timer(self) -> None:
        desk = desk_of((Gap(chunks=3, samples=0),))
        desk.read()
        assert desk.kinds() == ["FeedEnded"]
        assert desk.timers == []
        assert desk.feed.gap_chunks == 3

    def test_what_arrived_last_is_shown_also_when_the_source_ends_at_once(self) -> None:
        desk = desk_of((made.started(PLAN), started_trial()))
        desk.read()
        assert desk.kinds() == ["ShowDue", "FeedEnded"]
        desk.turn()
        assert desk.feed.session is not None
        assert desk.feed.session.order == 1

    def test_a_newer_post_takes_an_older_ones_place_but_not_another_feeds(self) -> None:
        one, other = desk_of().feed, desk_of().feed
        assert SessionChanged(one).can_replace(SessionChanged(one))
        assert not SessionChanged(one).can_replace(SessionChanged(other))
        assert not SessionChanged(one).can_replace(TextArrived(one))


class TestText:
    def test_none_is_lost_however_rarely_it_is_taken(self) -> None:
        desk = desk_of((made.started(PLAN), started_trial()), (chunks("ab"),), (chunks("c"),))
        desk.read()
        desk.turn()
        taken = desk.feed.take_text()
        assert "".join(text for batch in taken for _t, _channel, text in batch.chunks) == "abc"
        assert desk.feed.take_text() == ()

    def test_text_that_nobody_takes_is_kept_for_the_last_trials_only(self) -> None:
        desk = desk_of(
            (made.started(PLAN), started_trial(), chunks("ab")),
            (started_trial(SECOND, 2), chunks("cd", SECOND.id)),
            (started_trial(FIRST, 3), chunks("ef", "third")),
        )
        desk.read()
        assert {batch.trial_id for batch in desk.feed.take_text()} == {SECOND.id, "third"}

    def test_a_new_session_begins_without_the_old_ones_text(self) -> None:
        desk = desk_of((made.started(PLAN), started_trial(), chunks("ab")), (made.started(PLAN),))
        desk.read()
        assert desk.feed.take_text() == ()
        desk.turn()
        assert desk.feed.session is not None
        assert desk.feed.session.current is None


class TestReplies:
    def test_each_is_a_message_of_its_own_in_order_and_the_last_of_each_kind_is_kept(self) -> None:
        desk = desk_of((ready(), ollama_up("1"), ollama_up("2"), models()))
        desk.read()
        replies = [message.reply for message in desk.posted if isinstance(message, Replied)]
        assert replies == [ready(), ollama_up("1"), ollama_up("2"), models()]
        assert (desk.feed.engine, desk.feed.server, desk.feed.models) == (ready(), ollama_up("2"), models())

    def test_steps_of_a_download_take_each_others_place_until_it_is_done(self) -> None:
        feed = desk_of().feed

        def step(name: str, done: bool = False) -> Replied:
            return Replied(feed, PullProgressed(name=name, status="s", done=done))

        assert step("a").can_replace(step("a"))
        assert not step("a").can_replace(step("b"))
        assert not step("a").can_replace(step("a", done=True))
        assert not Replied(feed, ready()).can_replace(Replied(feed, ready()))

    def test_a_copy_for_another_screen_says_the_same(self) -> None:
        feed = desk_of().feed
        copy = Replied(feed, ready()).again()
        assert isinstance(copy, Replied)
        assert (copy.feed, copy.reply) == (feed, ready())
        assert isinstance(FeedEnded(feed).again(), FeedEnded)


class TestEnds:
    def test_a_lost_engine_leaves_a_reason_and_a_remedy(self) -> None:
        link = FakeLink(made.started(PLAN))
        link.break_off("The measuring process has gone. Its log: engine.log")
        desk = CommandRunner(lambda: link)
        desk.read()
        assert desk.feed.ended
        assert desk.feed.lost is not None
        assert "engine.log" in problem_what(desk.feed.lost)
        assert "ctrl+r" in problem_remedy(desk.feed.lost)
        assert desk.kinds() == ["ShowDue", "FeedEnded"]

    def test_a_source_that_cannot_be_opened_is_a_lost_one(self) -> None:
        def refuse() -> Link:
            raise LinkLost(Problem(code="engine_not_started", detail="Python is not there"))

        desk = CommandRunner(refuse)
        desk.read()
        assert desk.feed.lost is not None
        assert problem_what(desk.feed.lost) == "The measuring process cannot be started: Python is not there."
        with pytest.raises(LinkLost):
            desk.feed.send(ListModels())

    def test_a_source_that_ends_in_order_is_not_lost(self) -> None:
        desk = desk_of((ready(),))
        desk.read()
        assert desk.feed.ended
        assert desk.feed.lost is None
        assert not desk.feed.is_live

    def test_closing_a_feed_that_is_still_opening_closes_the_link_as_soon_as_it_is_there(self) -> None:
        link = FakeLink()
        desk = CommandRunner(lambda: link)
        desk.feed.close()
        reader = Thread(target=desk.read)
        reader.start()
        reader.join(10)
        assert not reader.is_alive()
        assert link.closed.is_set()

    def test_a_trial_is_read_through_the_link(self) -> None:
        done = made.finished(PLAN, FIRST)
        link = FakeLink(made.started(PLAN), done)
        link.close()
        desk = CommandRunner(lambda: link)
        assert desk.feed.trial(FIRST.id) is None
        desk.read()
        assert desk.feed.trial(FIRST.id) == done
