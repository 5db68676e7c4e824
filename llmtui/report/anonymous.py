"""Removal of personal data from a session: host name, user name, paths, prompts and answers.

Every report format is made from the resulting session, so none of them has to remove anything itself. Problems keep
their codes and numbers. Messages of servers and of the system are dropped, because they may contain anything.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import PurePosixPath, PureWindowsPath
from typing import Final

import msgspec

from llmtui.core.across import Earlier
from llmtui.core.pairing import is_imported
from llmtui.core.plan import DEMO_NOTE, SPEED_NOTE, Contender, Plan
from llmtui.core.records import Argument, Evidence, Fingerprint, FlagEvidence, Problem
from llmtui.core.session import Note, Session
from llmtui.core.trial_row import TrialRow
from llmtui.report.saved import Saved

HIDDEN: Final = "…"
"""Shown instead of a text that is left out."""
_PATH: Final = re.compile(r"^(?:file:)?(?:[/~.\\]|[A-Za-z]:[/\\])|[/\\].*\.gguf$", re.IGNORECASE)
_WORDS: Final = re.compile(r"[^\s/\\:@,;()]+")


def anonymous(saved: Saved, private: Collection[str] = ()) -> Saved:
    """Return a session without host name, user name, paths, prompts and answers.

    Args:
        saved: the session as read.
        private: words to remove from model names: the name of this computer and of its user.
    """
    hide = _Names(private)
    earlier = saved.earlier
    return msgspec.structs.replace(
        saved,
        session=_session(saved.session, hide),
        problems=tuple(map(_problem, saved.problems)),
        earlier=None if earlier is None else Earlier(session=_session(earlier.session, hide), noise=earlier.noise),
        anonymous=True,
    )


class _Names:
    """Removes paths and private words, such as the computer's and the user's name, from model names."""

    def __init__(self, private: Collection[str]) -> None:
        self._private = frozenset(word.casefold() for word in private if word)

    def name(self, name: str) -> str:
        """Return the name without private words, and without its folders if it is a path."""
        if _PATH.search(name):
            name = PureWindowsPath(name).name if "\\" in name else PurePosixPath(name).name
        return _WORDS.sub(lambda word: HIDDEN if word[0].casefold() in self._private else word[0], name)

    def label(self, contender: Contender) -> str:
        """Return a contender's label with its model's name replaced by the result of ``name``."""
        if contender.model.name not in contender.label:
            return self.name(contender.label)
        return contender.label.replace(contender.model.name, self.name(contender.model.name))


def _session(session: Session, hide: _Names) -> Session:
    return msgspec.structs.replace(
        session,
        plan=_plan(session.plan, hide),
        fingerprint=_fingerprint(session.fingerprint),
        rows=tuple(map(_row, session.rows)),
        notes=tuple(Note(note.t_ns, note.level, _problem(note.problem)) for note in session.notes),
        phases=(),
    )


def _plan(plan: Plan, hide: _Names) -> Plan:
    return msgspec.structs.replace(
        plan,
        server="",
        contenders=_contenders(plan, hide),
        prompts=tuple(msgspec.structs.replace(one, title=one.category, text="", sha256="") for one in plan.prompts),
        cold_text="",
        follow_up_text="",
        pack=HIDDEN if is_imported(plan) or plan.pack != "llmtui" else plan.pack,
    )


def _contenders(plan: Plan, hide: _Names) -> tuple[Contender, ...]:
    """Return the contenders with unique labels; files of the same name in different folders are numbered."""
    made: list[Contender] = []
    taken: set[str] = set()
    for one in plan.contenders:
        label = wanted = hide.label(one)
        number = 2
        while label in taken:
            label, number = f"{wanted} #{number}", number + 1
        taken.add(label)
        note = one.model.note if one.model.note in (DEMO_NOTE, SPEED_NOTE) else None
        model = msgspec.structs.replace(one.model, name=hide.name(one.model.name), note=note)
        made.append(msgspec.structs.replace(one, model=model, label=label))
    return tuple(made)


def _fingerprint(seen: Fingerprint) -> Fingerprint:
    servers = tuple(msgspec.structs.replace(one, address="") for one in seen.servers)
    return msgspec.structs.replace(seen, server_address="", servers=servers, host=None)


def _row(row: TrialRow) -> TrialRow:
    problem = None if row.problem is None else _problem(row.problem)
    resident = None if row.resident is None else msgspec.structs.replace(row.resident, name="")
    return msgspec.structs.replace(row, problem=problem, evidence=tuple(map(_seen, row.evidence)), resident=resident)


def _problem(problem: Problem) -> Problem:
    cause = None if problem.cause is None else _problem(problem.cause)
    return Problem(code=problem.code, args=_figures(problem.args), cause=cause)


def _seen(seen: FlagEvidence) -> FlagEvidence:
    return Evidence(code=seen.code, args=_figures(seen.args)) if isinstance(seen, Evidence) else ""


def _figures(args: dict[str, Argument]) -> dict[str, Argument]:
    return {name: HIDDEN if isinstance(value, str) else value for name, value in args.items()}
