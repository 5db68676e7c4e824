"""From a link's events to the screen: one thread reads and folds; the screen is updated at most five times per second.

The worker thread only folds and posts; it touches no widget. The first news after a pause is shown at once, what
arrives within the next fifth of a second is shown together at its end, so the last news is never left behind and a
quiet feed runs no timer. Text waits in a queue until a screen takes it: coalescing loses none of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock
from time import monotonic

from textual.message import Message

from llmtui.core.commands import Command
from llmtui.core.events import (
    Chunks,
    EngineReady,
    Event,
    Gap,
    ModelsListed,
    PullProgressed,
    Reply,
    ServerChanged,
    SessionOpened,
    SessionStarted,
    TrialFinished,
    TrialStarted,
)
from llmtui.core.records import Problem
from llmtui.core.session import Session, SessionBuilder
from llmtui.link import Link, LinkLost

SHOW_PERIOD_S = 0.2
"""Shortest time between two posts of session and text."""
SOON_S = 0.05
"""Shortest time between two posts where a trial has just ended, so that its figures appear soon."""


class FeedMessage(Message, bubble=False):
    """Base of a feed's messages.

    The app hands each one to every screen of the current stack, so screens handle them as their own
    (``@on(SessionChanged)``); a screen that comes back reads ``feed.session`` and ``feed.take_text()``.
    """

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        super().__init__()

    def again(self) -> FeedMessage:
        """Return a copy for another receiver: a message belongs to the queue it was put in."""
        return type(self)(self.feed)


class SessionChanged(FeedMessage, bubble=False):
    """The session has changed; ``session`` is the newest snapshot at the time of asking."""

    @property
    def session(self) -> Session:
        """The newest snapshot."""
        assert self.feed.session is not None
        return self.feed.session

    def can_replace(self, message: Message) -> bool:
        """Return whether it replaces an earlier one: only the newest is worth drawing."""
        return isinstance(message, SessionChanged) and message.feed is self.feed


class TextArrived(FeedMessage, bubble=False):
    """Text is waiting: ``feed.take_text()`` returns all that has not been taken yet."""

    def can_replace(self, message: Message) -> bool:
        """Return whether it replaces an earlier one: the text stays in the feed's queue, so one message is enough."""
        return isinstance(message, TextArrived) and message.feed is self.feed


class Replied(FeedMessage, bubble=False):
    """The engine answered a command; ``reply`` is the answer. None is ever dropped."""

    def __init__(self, feed: Feed, reply: Reply) -> None:
        self.reply = reply
        super().__init__(feed)

    def again(self) -> FeedMessage:
        """Return a copy for another receiver."""
        return type(self)(self.feed, self.reply)

    def can_replace(self, message: Message) -> bool:
        """Return whether it replaces an earlier one: of a download's steps only the newest is shown."""
        if not isinstance(message, Replied) or not isinstance(self.reply, PullProgressed):
            return False
        older = message.reply
        return isinstance(older, PullProgressed) and older.name == self.reply.name and not older.done


class FeedEnded(FeedMessage, bubble=False):
    """No more events will come. ``feed.lost`` has the reason where that is a fault."""


class Feed:
    """One source. ``read`` belongs to a worker thread; everything else to the app's."""

    def __init__(
        self,
        open_link: Callable[[], Link],
        post: Callable[[Message], object],
        later: Callable[[float, Callable[[], None]], object],
    ) -> None:
        """Create a feed that has not begun.

        Args:
            open_link: returns the source or raises LinkLost; called by ``read``, since it may take long.
            post: thread-safe function for messages: ``app.post_message``.
            later: one-shot timer of the app's thread: ``app.set_timer``.
        """
        self.session: Session | None = None
        """The newest snapshot that was posted."""
        self.engine: EngineReady | None = None
        self.server: ServerChanged | None = None
        self.models: ModelsListed | None = None
        self.pull: PullProgressed | None = None
        self.folder: str | None = None
        """Folder of the running session."""
        self.gap_chunks = 0
        """Number of batches of this session's live text that the engine dropped."""
        self.lost: Problem | None = None
        """Why the source could not be opened, or ended early."""
        self.ended = False
        self._open_link = open_link
        self._post = post
        self._later = later
        self._link: Link | None = None
        self._closed = False
        self._builder: SessionBuilder | None = None
        self._text: deque[Chunks] = deque()
        self._lock = Lock()
        self._armed = False
        self._dirty = False
        self._changed = False
        """The session itself has changed; else there is only more text."""
        self._urgent = False
        self._shown_at = float("-inf")

    # --- the reader's side ---

    def read(self) -> None:
        """Open the source and read it to its end; everything that arrived is shown, whatever ended it."""
        try:
            link = self._open_link()
            with self._lock:
                self._link = link
                closed = self._closed
            if closed:
                link.close()
            for batch in link.batches():
                self._fold(batch)
                self._arm()
        except LinkLost as error:
            self.lost = Problem(code="link_lost", cause=error.problem)
        finally:
            self.ended = True
            self._arm()
            self._post(FeedEnded(self))

    def _fold(self, batch: tuple[Event, ...]) -> None:
        with self._lock:
            for event in batch:
                if isinstance(event, Reply):
                    self._note_reply(event)
                elif isinstance(event, Gap):
                    self.gap_chunks += event.chunks
                elif isinstance(event, Chunks):
                    self._text.append(event)
                    self._dirty = True
                else:
                    self._fold_session_event(event)

    def _fold_session_event(self, event: Event) -> None:
        if isinstance(event, SessionStarted):
            self._builder = SessionBuilder()
            self._text.clear()
            self.gap_chunks = 0
        elif isinstance(event, TrialStarted):
            self._forget_text_before(event.trial.id)
        if self._builder is None:
            return
        self._builder.apply(event)
        self._dirty = self._changed = True
        if isinstance(event, TrialFinished):
            self._urgent = True

    def _forget_text_before(self, trial_id: str) -> None:
        """Drop untaken text except the last trial's: all of it can be read back through the link."""
        newest = self._text[-1].trial_id if self._text else trial_id
        while self._text and self._text[0].trial_id != newest:
            self._text.popleft()

    def _note_reply(self, reply: Reply) -> None:
        match reply:
            case EngineReady():
                self.engine = reply
            case ServerChanged():
                self.server = reply
            case ModelsListed():
                self.models = reply
            case PullProgressed():
                self.pull = reply
            case SessionOpened():
                self.folder = reply.folder
            case _:
                pass
        self._post(Replied(self, reply))

    def _arm(self) -> None:
        with self._lock:
            if not self._dirty or (self._armed and not self._urgent):
                return
            self._armed = True
        self._post(ShowDue(self))

    # --- the app's side ---

    @property
    def link(self) -> Link | None:
        """The source; None before it is open."""
        return self._link

    @property
    def source(self) -> str:
        """Where the session is kept: its folder or its journal."""
        return self.folder or ("" if self._link is None else self._link.name)

    @property
    def is_live(self) -> bool:
        """Whether more events can come."""
        return self._link is not None and self._link.is_live and not self.ended

    def send(self, command: Command) -> None:
        """Send a command to the engine.

        Raises:
            LinkLost: it has not started, or is gone.
            ReadOnly: the source is a file or a pipe.
        """
        if self._link is None or self.ended:
            raise LinkLost(Problem(code="engine_not_running"))
        self._link.send(command)

    def trial(self, trial_id: str) -> TrialFinished | None:
        """Return a finished trial with its text and timeline; None if there is none. Blocks: call it from a worker."""
        return None if self._link is None else self._link.trial(trial_id)

    def close(self) -> None:
        """Close the source, also one that is still being opened. May block up to two seconds: call it from a worker."""
        with self._lock:
            self._closed = True
            link = self._link
        if link is not None:
            link.close()

    def show_when_due(self) -> None:
        """Show the news now, or as soon as a fifth of a second has passed since the last time."""
        period_s = SOON_S if self._urgent else SHOW_PERIOD_S
        wait_s = self._shown_at + period_s - monotonic()
        if wait_s <= 0 or self.ended:
            self.show()
        else:
            self._later(wait_s, self.show)

    def show(self) -> None:
        """Post the newest snapshot, and report waiting text."""
        with self._lock:
            self._armed = False
            if not self._dirty:
                return
            builder = self._builder if self._changed else None
            self._dirty = self._changed = self._urgent = False
            session = None if builder is None else builder.snapshot()
            has_text = bool(self._text)
        self._shown_at = monotonic()
        if session is not None:
            self.session = session
            self._post(SessionChanged(self))
        if has_text:
            self._post(TextArrived(self))

    @property
    def has_text(self) -> bool:
        """Live text waits to be taken."""
        with self._lock:
            return bool(self._text)

    def take_text(self) -> tuple[Chunks, ...]:
        """Return all untaken live text in order of arrival, and forget it."""
        with self._lock:
            taken = tuple(self._text)
            self._text.clear()
        return taken


class ShowDue(FeedMessage, bubble=False):
    """Sent to the app alone: there is something to show. It calls ``feed.show_when_due()``."""
