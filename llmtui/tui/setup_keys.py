"""Keys of the Setup screen."""

from __future__ import annotations

from textual.binding import Binding

from llmtui.tui.widgets.preset_line import PRESET_WORDS
from llmtui.words import _


def setup_bindings() -> list[Binding]:
    """Return the bindings in the footer's order; those not in the footer are in the help."""
    presets = [
        Binding(str(number), f"preset('{name}')", words[0], id=f"preset_{name}", show=False)
        for number, (name, words) in enumerate(PRESET_WORDS.items(), 1)
    ]
    full = _("Answers up to 1024 tokens")
    return [
        Binding("enter", "start", _("Start"), id="start", show=False),
        Binding("p", "own_prompt", _("Own prompt"), id="own_prompt", tooltip=_("Type a prompt and run it now")),
        Binding("s", "server", _("Server"), id="server", tooltip=_("Use another server")),
        Binding("o", "options", _("Options"), id="options", tooltip=_("Answer length, context, temperature, thinking")),
        Binding("f", "full_answers", _("Full answers"), id="full_answers", show=False, tooltip=full),
        Binding("d", "download", _("Download"), id="download", tooltip=_("Download a model to the server")),
        Binding("r", "look_again", _("Refresh"), id="look_again", tooltip=_("Refresh the server's list of models")),
        Binding("g", "again", _("Last run again"), id="again", tooltip=_("The last run's plan, in another order")),
        Binding("u", "others", _("Unload others"), id="others", show=False),
        *presets,
    ]
