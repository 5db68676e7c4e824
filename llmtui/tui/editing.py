"""The person's editor in the place of the screens, and what they made of the prompts."""

from __future__ import annotations

from typing import Any

from textual.app import App, SuspendNotSupported

from llmtui.config import SettingsError
from llmtui.core.prompts import PromptPack
from llmtui.tui.host import EditFailed, Host
from llmtui.words import _
from llmtui.words.settings import settings_words


def edited_prompts(app: App[Any], host: Host) -> PromptPack | None:
    """Return the prompts as they are after the person's editor has ended; None where they stay as they were.

    Why they stay is shown: the file with line and reason, or the editor that cannot be started.
    """
    title, problem, pack = _("Prompts not changed"), "", None
    try:
        with app.suspend():
            # Nothing may leave this block by an exception: the screens would not come back.
            try:
                pack = host.edit_prompts()
            except SettingsError as error:
                problem = settings_words(error)
            except EditFailed as error:
                problem = str(error)
    except SuspendNotSupported:
        problem = _("This terminal cannot be left for an editor: edit the file and start again.")
    if problem:
        app.notify(problem, title=title, severity="error", timeout=20)
    return pack
