"""A person's editor: which program it is, and waiting for its end."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from llmtui.words import _


class NoEditor(Exception):
    """No editor could be started; the message is a sentence with what to do."""


def editor_command(env: Mapping[str, str]) -> list[str]:
    """Return the command of the editor: of ``VISUAL``, ``EDITOR``, else one that is there.

    Raises:
        NoEditor: none is named and none of the usual ones is there.
    """
    for name in ("VISUAL", "EDITOR"):
        if env.get(name, "").strip():
            try:
                return shlex.split(env[name], posix=sys.platform != "win32")
            except ValueError as error:
                raise NoEditor(_("{name} cannot be read: {why}.").format(name=name, why=error)) from error
    usual = ("notepad",) if sys.platform == "win32" else ("sensible-editor", "nano", "vi")
    found = next((name for name in usual if shutil.which(name)), None)
    if found is None:
        raise NoEditor(_("No editor is named: set EDITOR, such as EDITOR=nano."))
    return [found]


def edit(path: Path, env: Mapping[str, str]) -> None:
    """Run the editor on a file in this terminal and return when it has ended.

    Raises:
        NoEditor: it cannot be started.
    """
    command = editor_command(env)
    # The terminal sends ctrl+c to the editor and to this process alike: here it means nothing meanwhile. A handler is
    # put back to the default in the child; an ignored signal would stay ignored.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        subprocess.run([*command, os.fspath(path)], check=False)
    except OSError as error:
        words = _("{editor} cannot be started: {why}. Set EDITOR to another one.")
        raise NoEditor(words.format(editor=command[0], why=error.strerror or error)) from error
    finally:
        signal.signal(signal.SIGINT, before)
