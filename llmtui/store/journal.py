"""The journal of a session, ``events.jsonl``: the primary record, from which every other file can be made again."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final, get_args

import msgspec

from llmtui.core.events import BadLine, Event, TrialFinished, decode_event
from llmtui.core.records import Argument, Problem
from llmtui.store.lock import WriterLock
from llmtui.store.session_folder import JOURNAL, LOCK
from llmtui.store.writing import LineAppender, sync_folder

_READ_BYTES: Final = 1 << 20
_KNOWN_TAGS: Final = frozenset(kind.__name__ for kind in get_args(Event))


class JournalWriter:
    """Writes a session's journal. Only one writer per journal can exist at a time."""

    def __init__(self, folder: Path, *, mend: bool = False) -> None:
        """Acquire the writer's lock and open the journal in a session's folder.

        Args:
            folder: the session's folder.
            mend: remove an unfinished last line, left by a killed process or a power cut.

        Raises:
            JournalBusy: another process writes the journal.
            OSError: the journal cannot be written.
        """
        self._lock = WriterLock(folder / LOCK)
        try:
            self._file = LineAppender(folder / JOURNAL)
            if mend:
                self._file.drop_torn_end()
            sync_folder(folder)
        except OSError:
            self._lock.release()
            raise

    def append(self, line: bytes, *, sync: bool = False) -> None:
        r"""Write one encoded event with its ``\n``, as a whole or not at all.

        Args:
            line: the result of ``core.events.encode``.
            sync: return only when the line is on disk.

        Raises:
            OSError: the disk is full or failed.
        """
        self._file.append(line, sync=sync)

    def close(self) -> None:
        """Close the journal and release the lock; a second call does nothing."""
        self._file.close()
        self._lock.release()


class JournalReader:
    """Reads a journal from its start, even while it is still being written.

    If the last line is incomplete, it is left until the rest of it arrives. Malformed lines are skipped. Events of the
    types in ``without`` are skipped without being decoded.
    """

    def __init__(self, path: Path, *, without: Collection[type[Event]] = ()) -> None:
        self.path = path
        self._skipped = tuple(f'{{"type":"{kind.__name__}"'.encode() for kind in without)
        self.at_bytes = 0
        """Number of bytes read so far."""
        self._rest_bytes = 0
        self._unknown: dict[str, int] = {}
        self._bad = 0
        self._first_bad = ""

    def poll(self) -> tuple[Event, ...]:
        """Return the events of all complete lines since the last call, at most about 1 MiB of them.

        Raises:
            OSError: the file cannot be read.
        """
        with self.path.open("rb") as file:
            file.seek(self.at_bytes)
            lines = file.readlines(_READ_BYTES)
        self._rest_bytes = 0
        if lines and not lines[-1].endswith(b"\n"):
            self._rest_bytes = len(lines.pop())
        self.at_bytes += sum(map(len, lines))
        return tuple(event for line in lines if (event := self._decode(line)) is not None)

    @property
    def torn(self) -> bool:
        """Whether the file ended in the middle of a line at the last ``poll``."""
        return self._rest_bytes > 0

    def problems(self) -> tuple[Problem, ...]:
        """Return one problem per reason for which lines were skipped so far.

        An unfinished last line counts too, so call this only if the journal is no longer being written.
        """
        found = [
            Problem(code="unknown_event", args={"file": self.path.name, "n": count, "tag": tag})
            for tag, count in self._unknown.items()
        ]
        if self._bad:
            args: dict[str, Argument] = {"file": self.path.name, "n": self._bad}
            found.append(Problem(code="bad_lines", args=args, detail=self._first_bad))
        if self.torn:
            found.append(Problem(code="torn_line", args={"file": self.path.name}))
        return tuple(found)

    def _decode(self, line: bytes) -> Event | None:
        if line == b"\n" or line.startswith(self._skipped):
            return None
        try:
            return decode_event(line)
        except BadLine as error:
            tag = _tag_of(line)
            if tag is not None and tag not in _KNOWN_TAGS:
                self._unknown[tag] = self._unknown.get(tag, 0) + 1
            else:
                self._bad += 1
                self._first_bad = self._first_bad or str(error)
        return None


def read_events(path: Path, *, without: Collection[type[Event]] = ()) -> Iterator[Event]:
    """Yield a journal's events up to its present end, except those of the types in ``without``.

    Raises:
        OSError: the file cannot be read.
    """
    reader = JournalReader(path, without=without)
    at_bytes = -1
    while reader.at_bytes > at_bytes:  # a poll may return nothing although there is more: all its events may be skipped
        at_bytes = reader.at_bytes
        yield from reader.poll()


class _Tag(msgspec.Struct):
    type: str


class _TrialId(msgspec.Struct):
    id: str


class _TrialHead(msgspec.Struct):
    type: str
    trial: _TrialId


class TrialIndex:
    """Positions of the finished trials in a file of events, so that one trial can be read without the rest.

    The file may be a journal, or a temporary file of events that arrived through a pipe. It may grow: the new part is
    indexed when it is first needed. Thread-safe.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._at = 0
        self._places: dict[str, tuple[int, int]] = {}

    def read(self, trial_id: str) -> TrialFinished | None:
        """Return the finished trial with its text and chunk times; None if the file has no trial with that id.

        Raises:
            OSError: the file exists but cannot be read.
        """
        with self._lock:
            try:
                if trial_id not in self._places:
                    self._refresh()
                place = self._places.get(trial_id)
                if place is None:
                    return None
                with self.path.open("rb") as file:
                    file.seek(place[0])
                    line = file.read(place[1])
            except FileNotFoundError:
                return None
        event = decode_event(line)
        return event if isinstance(event, TrialFinished) else None

    def _refresh(self) -> None:
        with self.path.open("rb") as file:
            file.seek(self._at)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                trial_id = _finished_id(line)
                if trial_id is not None:
                    self._places[trial_id] = (self._at, len(line))
                self._at += len(line)


def _tag_of(line: bytes) -> str | None:
    try:
        return msgspec.json.decode(line, type=_Tag).type
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _finished_id(line: bytes) -> str | None:
    if b'"TrialFinished"' not in line:
        return None
    try:
        head = msgspec.json.decode(line, type=_TrialHead)
        if head.type != "TrialFinished":
            return None
        decode_event(line)  # a line that readers would skip is not indexed either
    except (msgspec.DecodeError, UnicodeDecodeError, BadLine):
        return None
    return head.trial.id
