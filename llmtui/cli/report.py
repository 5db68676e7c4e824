"""``llmtui report``: saved sessions in formats for people and for programs."""

from __future__ import annotations

import contextlib
import getpass
import locale
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from llmtui.cli.exits import Exit
from llmtui.cli.output_files import STDOUT, can_be_written, write_output
from llmtui.cli.sessions import journal_of, saved_session
from llmtui.cli.startup import Refused, Startup, cannot_list
from llmtui.config import expanded
from llmtui.core.records import Problem
from llmtui.words import _
from llmtui.words.problems import whole_problem

if TYPE_CHECKING:
    from llmtui.report.saved import Saved


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The arguments of ``llmtui report``."""

    sessions: tuple[str, ...]
    targets: Mapping[str, str]
    """Format → file to write, or ``-`` for stdout; the formats are those of ``report.forms``."""
    summary: bool = False
    anonymous: bool = False
    force: bool = False
    words: bool = False


def report(of: Startup, asked: Asked) -> int:
    """Write every requested format, or print the table if none is requested; return the exit code.

    Raises:
        Refused: a session cannot be read or a file cannot be written.
    """
    targets = _checked(asked)
    sessions = [_read(of, journal_of(of, word), anonymous=asked.anonymous) for word in asked.sessions]
    from llmtui.report.forms import forms, terminal_tables

    known = forms(summary=asked.summary, decimal_comma=has_decimal_comma(of.language))
    made = {}
    for name in targets:
        try:
            made[name] = known[name](sessions)
        except OSError as error:
            problem = Problem(code="file_unreadable", args={"file": str(error.filename)}, detail=error.strerror)
            raise Refused(whole_problem(problem)) from error
    for name, content in made.items():
        write_output(targets[name], content)
    if not targets:
        write_output(None, terminal_tables(sessions, words=asked.words).encode("utf-8", "replace"))
    return Exit.OK


def has_decimal_comma(language: str) -> bool:
    """Return whether numbers have a decimal comma (1,5), according to the locale or, if none is set, the language."""
    before = locale.setlocale(locale.LC_NUMERIC)
    try:
        locale.setlocale(locale.LC_NUMERIC, "")
        if any(os.environ.get(name) for name in ("LC_ALL", "LC_NUMERIC", "LANG")) or os.name == "nt":
            return locale.localeconv()["decimal_point"] == ","
    except locale.Error:
        pass  # the locale is not installed
    finally:
        locale.setlocale(locale.LC_NUMERIC, before)
    return language == "es"


def _checked(asked: Asked) -> dict[str, Path | None]:
    """Return format → file to write, None for stdout.

    Raises:
        Refused: two formats have the same target, or a file exists or cannot be written.
    """
    targets = {name: None if target == STDOUT else _place(target) for name, target in asked.targets.items()}
    if sum(target is None for target in targets.values()) > 1:
        raise Refused(_("Only one format can go to stdout (`-`). Give a file for each of the others."))
    files = [target for target in targets.values() if target is not None]
    for target in files:
        can_be_written(target, may_be_folder=False)
        if files.count(target) > 1:
            raise Refused(_("{path} is used for two formats. Give a different file for each.").format(path=target))
        if not asked.force and target.is_file():
            raise Refused(
                _("{path} already exists. Choose another name, or add --force to replace it.").format(path=target)
            )
    return targets


def _place(target: str) -> Path:
    """Return the path of the file to write; a symbolic link is followed, so that it is not replaced by a file."""
    return expanded(target).absolute().resolve()


def _read(of: Startup, journal: Path, *, anonymous: bool) -> Saved:
    from llmtui.store.earlier import earlier_session

    saved = saved_session(journal)
    try:
        saved = msgspec.structs.replace(saved, earlier=earlier_session(of.results, saved.session))
    except OSError as error:  # the report is written without the comparison
        print(f"llmtui: {cannot_list(of.results, error)}", file=sys.stderr)
    if not anonymous:
        return saved
    from llmtui.report.anonymous import anonymous as without_names

    return without_names(saved, private_words())


def private_words() -> Sequence[str]:
    """Return this computer's name (with and without its domain) and the user's name, as far as they are known."""
    host = socket.gethostname()
    words = [host, host.partition(".")[0], Path.home().name if "HOME" in os.environ else ""]
    with contextlib.suppress(OSError, KeyError, ImportError):
        words.append(getpass.getuser())
    return [word for word in words if word]
