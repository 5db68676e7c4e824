"""The recorder: writes each event to the journal, to a CSV file and to the reader, in this order, on its own thread.

The measuring loop only encodes events and queues them, so that a slow disk affects no figure.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from llmtui.core.events import (
    JOURNALED,
    Chunks,
    Event,
    Noted,
    Paused,
    Resumed,
    Sampled,
    SessionFinished,
    SessionResumed,
    SessionStarted,
    TrialFinished,
    TrialStarted,
    decode_event,
    encode,
)
from llmtui.core.records import Level, Problem
from llmtui.core.session import Session, SessionBuilder
from llmtui.engine.outbox import Outbox, Stream
from llmtui.store.journal import JournalWriter
from llmtui.store.pairs_csv import write_pairs
from llmtui.store.samples_csv import SamplesCsv
from llmtui.store.summary_csv import write_summary
from llmtui.store.trials_csv import TrialsCsv

HIDDEN: Final = b"[hidden]"
"""Replaces a key that a server repeated in an answer."""
_SYNCED: Final = (SessionStarted, SessionResumed, TrialFinished, SessionFinished)
_NOT_REPLAYED: Final = (SessionFinished, Paused, Resumed)
"""Events of an interrupted session that are not sent again, because they would end or pause the resumed session."""


class SessionFiles:
    """The files of one session, and the Session from which the CSV rows are made.

    Events that cannot be written wait in memory, in order. Writing is retried when the next trial ends. So no trial is
    lost if the disk is full for a while, and the run continues.
    """

    def __init__(self, folder: Path, started: SessionStarted, *, so_far: Sequence[Event] = ()) -> None:
        """Open the files.

        Args:
            folder: the session's folder.
            started: the session's first event.
            so_far: all events of the session so far, if it is resumed.

        Raises:
            JournalBusy: another process writes to the folder.
            OSError: the folder cannot be written.
        """
        self._folder = folder
        self._started = started
        self._builder = SessionBuilder()
        self._trial_id: str | None = None
        self._waiting: deque[Callable[[], None]] = deque()
        for event in so_far:
            self._builder.apply(event)
        self._open(mend=bool(so_far))

    def _open(self, *, mend: bool = False) -> None:
        folder, started = self._folder, self._started
        self._journal = JournalWriter(folder, mend=mend)
        try:
            self._trials = TrialsCsv(folder)
            self._samples = SamplesCsv(folder, start_t_ns=started.t_ns, start_wall_ns=started.wall_ns)
        except OSError:
            self._journal.close()
            raise

    def reopen(self) -> None:
        """Open the files again after ``close``, to append to them.

        Raises:
            JournalBusy: another process writes to the folder.
            OSError: the folder cannot be written.
        """
        self._open()

    @property
    def is_behind(self) -> bool:
        """Whether an event is not on disk yet because a write failed."""
        return bool(self._waiting)

    def keep(self, event: Event, line: bytes) -> None:
        """Write an event to the files, after any events that still wait.

        Raises:
            OSError: the disk is full or failed. The event waits for the next attempt.
        """
        was_behind = self.is_behind
        if was_behind and isinstance(event, Sampled):
            return  # while events wait, machine readings are dropped
        self._builder.apply(event)
        self._waiting.extend(self._writes(event, line))
        if was_behind and not isinstance(event, _SYNCED):
            return
        while self._waiting:
            self._waiting[0]()
            self._waiting.popleft()

    def _writes(self, event: Event, line: bytes) -> Iterator[Callable[[], None]]:
        """Yield one function per write that an event needs.

        A failed write leaves its file unchanged, and can be repeated even after the files were reopened.
        """
        yield lambda: self._journal.append(line, sync=isinstance(event, _SYNCED))
        if isinstance(event, TrialFinished):
            session = self.session()
            yield lambda: self._trials.append(session.rows[-1], session)
        elif isinstance(event, Sampled):
            trial_id = self._trial_id
            yield lambda: self._samples.append(event, trial_id)
        elif isinstance(event, SessionResumed):
            session = self.session()
            yield lambda: self._trials.rewrite(session)  # a killed process may have left the table without its last row
        elif isinstance(event, SessionFinished):
            session = self.session()
            yield lambda: self._trials.rewrite(session)
            yield lambda: write_summary(self._folder, session)
            yield lambda: write_pairs(self._folder, session)
        if isinstance(event, TrialStarted | TrialFinished):
            self._trial_id = event.trial.id if isinstance(event, TrialStarted) else None

    def close(self) -> None:
        """Close the files and release the writer's lock.

        Raises:
            OSError: a file cannot be closed properly, as on a network file system. The others are closed nevertheless.
        """
        with ExitStack() as files:
            for one in (self._journal, self._trials, self._samples):
                files.callback(one.close)

    def session(self) -> Session:
        """Return the session so far. To be called in the thread of ``keep``, or after the session has ended."""
        session = self._builder.snapshot()
        assert session is not None
        return session


class Recorder:
    """Accepts events from any thread, in order. The caller never waits for a disk or a reader."""

    def __init__(
        self,
        outbox: Outbox,
        *,
        secrets: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        """Start the recording thread.

        Args:
            outbox: receives every event after it is on disk, or after writing it failed.
            secrets: returns texts to replace everywhere, such as a key that a server repeats.
        """
        self._secrets = secrets
        self._outbox = outbox
        self._files: SessionFiles | None = None
        self._shift_ns = 0
        """Difference between the session's clock and this engine's clock in ns, added to the times of events."""
        self._work: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def emit(self, event: Event) -> None:
        """Report an event.

        Raises:
            ValueError: the event has a non-finite number, or a text that is not Unicode.
        """
        if self._shift_ns and isinstance(event, JOURNALED):
            event = _shifted(event, self._shift_ns)
        line = encode(event)
        for secret in self._secrets():
            written = msgspec.json.encode(secret)[1:-1]
            if written in line:
                line = line.replace(written, HIDDEN)
                event = decode_event(line)
        self._work.put((event, line))

    def open_session(self, folder: Path, started: SessionStarted) -> SessionFiles:
        """Open a session's files and write its first event. Its SessionFinished event closes them.

        Raises:
            JournalBusy: another process writes to the folder.
            OSError: the folder cannot be written.
        """
        files = SessionFiles(folder, started)
        self._shift_ns = 0
        self._work.put(files)
        self.emit(started)
        return files

    def resume_session(
        self, folder: Path, started: SessionStarted, so_far: Sequence[Event], *, shift_ns: int
    ) -> SessionFiles:
        """Open the files of an interrupted session and send its events so far to the reader.

        Args:
            folder: the session's folder.
            started: the session's first event.
            so_far: the events in the session's journal.
            shift_ns: added to the times of all further events.

        Raises:
            JournalBusy: another process writes to the folder.
            OSError: the folder cannot be written.
        """
        files = SessionFiles(folder, started, so_far=so_far)
        self._shift_ns = shift_ns
        self._work.put(files)
        for event in so_far:
            if not isinstance(event, _NOT_REPLAYED):
                self._work.put(_Replayed(encode(event)))
        return files

    def reopen_session(self, files: SessionFiles) -> None:
        """Open the files of a finished session again. Later events belong to it.

        Raises:
            JournalBusy: another process writes to the folder.
            OSError: the folder cannot be written.
        """
        files.reopen()
        self._work.put(files)

    def session(self) -> Future[Session | None]:
        """Return a future of the session with everything reported so far. Its result is None if no session is open."""
        asked: _SessionRequest = _SessionRequest()
        self._work.put(asked)
        return asked

    def mark(self) -> Future[None]:
        """Return a future that is done when everything reported so far has been written and is in the outbox."""
        done: Future[None] = Future()
        self._work.put(done)
        return done

    def _run(self) -> None:
        while True:
            item = self._work.get()
            if isinstance(item, Future) and not item.set_running_or_notify_cancel():
                continue  # the caller has been cancelled
            if isinstance(item, _SessionRequest):
                item.set_result(None if self._files is None else self._files.session())
            elif isinstance(item, Future):
                item.set_result(None)
            elif isinstance(item, SessionFiles):
                self._files = item
            elif isinstance(item, _Replayed):
                self._outbox.put(item.line, "facts")
            else:
                self._record(*item)

    def _record(self, event: Event, line: bytes) -> None:
        if self._files is not None and isinstance(event, JOURNALED):
            self._keep(self._files, event, line)
        stream: Stream = "chunks" if isinstance(event, Chunks) else "samples" if isinstance(event, Sampled) else "facts"
        self._outbox.put(line, stream)

    def _keep(self, files: SessionFiles, event: Event, line: bytes) -> None:
        was_behind = files.is_behind
        try:
            files.keep(event, line)
        except OSError as error:
            if not was_behind:
                self._note(files, "error", Problem(code="disk", detail=error.strerror or str(error)))
        if was_behind and not files.is_behind:
            self._note(files, "info", Problem(code="disk_again"))
        if isinstance(event, SessionFinished):
            self._files = None
            try:
                files.close()
            except OSError as error:
                self._say("error", Problem(code="disk", detail=error.strerror or str(error)))

    def _note(self, files: SessionFiles, level: Level, problem: Problem) -> None:
        """Report a message to the reader at once, and to the journal as soon as it can be written."""
        noted = Noted(t_ns=time.perf_counter_ns(), level=level, problem=problem)
        with suppress(OSError):  # then it waits with the other events
            files.keep(noted, encode(noted))
        self._outbox.put(encode(noted), "facts")

    def _say(self, level: Level, problem: Problem) -> None:
        """Report a message to the reader only."""
        self._outbox.put(encode(Noted(t_ns=time.perf_counter_ns(), level=level, problem=problem)), "facts")


class _Replayed(NamedTuple):
    """An event that is already in the journal, and is only sent to the reader."""

    line: bytes


def _shifted(event: Event, shift_ns: int) -> Event:
    times = {name: at + shift_ns for name in ("t_ns", "t0_ns") if (at := getattr(event, name, None)) is not None}
    return msgspec.structs.replace(event, **times)


class _SessionRequest(Future[Session | None]):
    """A request for the session as of this position in the queue."""


_Item = tuple[Event, bytes] | _Replayed | SessionFiles | _SessionRequest | Future[None]
