"""Delivery of the engine's events to the screens, which are updated at most five times per second.

A worker thread reads the events, applies them to the session and posts messages; it touches no widget. The first change
after a pause is shown at once. Changes within the next 0.2 s are shown together at the end of that time, so the last
change is always shown, and no timer runs while no events arrive. Live text waits in a queue until a screen takes it, so
none is lost.
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
"""Shortest time between two updates of the screens, in seconds."""
SOON_S = 0.05
"""Shortest time in seconds between two updates if a trial has just ended, so that its figures appear soon."""


class FeedMessage(Message, bubble=False):
    """Base class of the messages that a feed posts.

    The app passes each one to every screen of the current stack, so screens handle them as their own
    (``@on(SessionChanged)``). A screen that is shown again reads ``feed.session`` and ``feed.take_text()``.
    """

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        super().__init__()

    def again(self) -> FeedMessage:
        """Return a copy for another receiver, since Textual delivers a message object only once."""
        return type(self)(self.feed)


class SessionChanged(FeedMessage, bubble=False):
    """Posted when the session has changed; ``session`` is the newest snapshot at the time it is read."""

    @property
    def session(self) -> Session:
        """The newest snapshot of the session."""
        assert self.feed.session is not None
        return self.feed.session

    def can_replace(self, message: Message) -> bool:
        """Return True if the earlier message is of this kind, too: only the newest snapshot is worth drawing."""
        return isinstance(message, SessionChanged) and message.feed is self.feed


class TextArrived(FeedMessage, bubble=False):
    """Posted when live text has arrived; ``feed.take_text()`` returns all text not taken yet."""

    def can_replace(self, message: Message) -> bool:
        """Return True if the earlier message is of this kind, too: one is enough, as the feed keeps the text."""
        return isinstance(message, TextArrived) and message.feed is self.feed


class Replied(FeedMessage, bubble=False):
    """Posted when the engine has replied to a command; of these, only those about download progress can be dropped."""

    def __init__(self, feed: Feed, reply: Reply) -> None:
        self.reply = reply
        super().__init__(feed)

    def again(self) -> FeedMessage:
        """Return a copy for another receiver."""
        return type(self)(self.feed, self.reply)

    def can_replace(self, message: Message) -> bool:
        """Return True if both messages are about the progress of the same download: only the newer one matters."""
        if not isinstance(message, Replied) or not isinstance(self.reply, PullProgressed):
            return False
        older = message.reply
        return isinstance(older, PullProgressed) and older.name == self.reply.name and not older.done


class FeedEnded(FeedMessage, bubble=False):
    """Posted when no more events will come; ``feed.lost`` has the reason if that is due to a fault."""


class Feed:
    """Reader of one source of events. A worker thread runs ``read``; the app and its screens call the other methods."""

    def __init__(
        self,
        open_link: Callable[[], Link],
        post: Callable[[Message], object],
        later: Callable[[float, Callable[[], None]], object],
    ) -> None:
        """Create a feed; reading starts with ``read``.

        Args:
            open_link: opens the source and returns it, or raises LinkLost; called by ``read``, since it may take long.
            post: thread-safe function for messages: ``app.post_message``.
            later: function that starts a one-shot timer in the app's thread: ``app.set_timer``.
        """
        self.session: Session | None = None
        """The newest snapshot of the session that has been posted; None before the first one."""
        self.engine: EngineReady | None = None
        self.server: ServerChanged | None = None
        self.models: ModelsListed | None = None
        self.pull: PullProgressed | None = None
        self.folder: str | None = None
        """Path of the running session's folder; None if it is not known."""
        self.gap_chunks = 0
        """Number of batches of live text that the engine dropped in this session."""
        self.lost: Problem | None = None
        """Why the source could not be opened, or why it ended early; None if neither happened."""
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
        """Whether the session itself has changed since the last update; if not, only text is waiting."""
        self._urgent = False
        self._shown_at = float("-inf")

    # --- the reader's side ---

    def read(self) -> None:
        """Open the source and read it to its end; everything that arrived is shown, also after a fault."""
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
        """Drop the waiting text of all trials but the last; the dropped text can be read again through the link."""
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
        """The open source; None before it is open."""
        return self._link

    @property
    def source(self) -> str:
        """Path of the session's folder or journal; empty before the source is open."""
        return self.folder or ("" if self._link is None else self._link.name)

    @property
    def is_live(self) -> bool:
        """Whether more events can come."""
        return self._link is not None and self._link.is_live and not self.ended

    def send(self, command: Command) -> None:
        """Send a command to the engine.

        Raises:
            LinkLost: the engine has not started, or has ended.
            ReadOnly: the source is a file or a pipe.
        """
        if self._link is None or self.ended:
            raise LinkLost(Problem(code="engine_not_running"))
        self._link.send(command)

    def trial(self, trial_id: str) -> TrialFinished | None:
        """Return a finished trial with its text and timeline; None if there is no such trial.

        Blocks: run it in a worker.
        """
        return None if self._link is None else self._link.trial(trial_id)

    def close(self) -> None:
        """Close the source, even while it is being opened. Blocks for up to 2 s: run it in a worker."""
        with self._lock:
            self._closed = True
            link = self._link
        if link is not None:
            link.close()

    def show_when_due(self) -> None:
        """Update the screens now, or as soon as enough time has passed since the last update."""
        period_s = SOON_S if self._urgent else SHOW_PERIOD_S
        wait_s = self._shown_at + period_s - monotonic()
        if wait_s <= 0 or self.ended:
            self.show()
        else:
            self._later(wait_s, self.show)

    def show(self) -> None:
        """Post the newest snapshot if it changed, and a message if text is waiting."""
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
        """Whether live text is waiting to be taken."""
        with self._lock:
            return bool(self._text)

    def take_text(self) -> tuple[Chunks, ...]:
        """Return all waiting live text in order of arrival, and remove it from the queue."""
        with self._lock:
            taken = tuple(self._text)
            self._text.clear()
        return taken


class ShowDue(FeedMessage, bubble=False):
    """Posted to the app alone when screens need an update; the app calls ``feed.show_when_due()``."""
