"""Editing of the prompts file in the user's editor, which takes over the terminal meanwhile."""

from __future__ import annotations

from typing import Any

from textual.app import App, SuspendNotSupported

from llmtui.config import SettingsError
from llmtui.core.prompts import PromptPack
from llmtui.tui.host import EditFailed, Host
from llmtui.words import _
from llmtui.words.settings import settings_words


def edited_prompts(app: App[Any], host: Host) -> PromptPack | None:
    """Let the user edit the prompts file; return the new prompts, or None after an error.

    After an error, such as an invalid file, a message shows the reason.
    """
    title, problem, pack = _("Prompts not changed"), "", None
    try:
        with app.suspend():
            # No exception may leave this ``with`` statement: the screens would not come back.
            try:
                pack = host.edit_prompts()
            except SettingsError as error:
                problem = settings_words(error)
            except EditFailed as error:
                problem = str(error)
    except SuspendNotSupported:
        problem = _("llmtui cannot open an editor in this terminal: edit the file and restart llmtui.")
    if problem:
        app.notify(problem, title=title, severity="error", timeout=20)
    return pack
