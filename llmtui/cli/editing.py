"""The user's text editor: which program it is, and running it until it exits."""

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
    """No editor could be started; the message is a sentence that says what to do."""


def editor_command(env: Mapping[str, str]) -> list[str]:
    """Return the editor's command: from ``VISUAL`` or ``EDITOR``, else the first usual editor that is installed.

    Raises:
        NoEditor: neither variable is set and no usual editor is installed, or a variable cannot be parsed.
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
        raise NoEditor(_("No editor is set. Set EDITOR, for example EDITOR=nano."))
    return [found]


def edit(path: Path, env: Mapping[str, str]) -> None:
    """Run the editor on a file in this terminal and return when it has exited.

    Raises:
        NoEditor: the editor cannot be started.
    """
    command = editor_command(env)
    # The terminal sends Ctrl+C to this process too, which must not end by it. A handler that does nothing is reset to
    # the default in the editor's process; an ignored signal would be ignored there too.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        subprocess.run([*command, os.fspath(path)], check=False)
    except OSError as error:
        words = _("{editor} cannot be started: {why}. Set EDITOR to another one.")
        raise NoEditor(words.format(editor=command[0], why=error.strerror or error)) from error
    finally:
        signal.signal(signal.SIGINT, before)
