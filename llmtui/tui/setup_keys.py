"""Keys of the Setup screen."""

from __future__ import annotations

from textual.binding import Binding

from llmtui.tui.widgets.preset_line import PRESET_WORDS
from llmtui.words import _


def setup_bindings() -> list[Binding]:
    """Return the key bindings in the footer's order; those not in the footer are listed in the help."""
    presets = [
        Binding(
            str(number),
            f"preset('{name}')",
            words[0],
            id=f"preset_{name}",
            show=False,
            tooltip=_("Choose the preset {name}").format(name=words[0]),
        )
        for number, (name, words) in enumerate(PRESET_WORDS.items(), 1)
    ]
    full = _("Switch between answers of up to 1024 tokens and the set length")
    others = _("Unload models in memory that are not picked, or keep them")
    return [
        Binding("enter", "start", _("Start"), id="start", show=False),
        Binding("p", "own_prompt", _("Your prompt"), id="own_prompt", tooltip=_("Type a prompt and run it now")),
        Binding("v", "prompts", _("Prompts"), id="prompts", tooltip=_("Read, pick or edit the prompts")),
        Binding(
            "o",
            "options",
            _("Options"),
            id="options",
            tooltip=_("Set answer length, context, temperature and thinking"),
        ),
        Binding(
            "i",
            "details",
            _("Details"),
            id="model_details",
            tooltip=_("Show all details of the model under the cursor"),
        ),
        Binding(
            "comma", "sort_models", _("Sort"), id="sort_models", key_display=",", tooltip=_("Sort by the next column")
        ),
        Binding("s", "server", _("Server"), id="server", tooltip=_("Use another server")),
        Binding("b", "builtin", _("Built-in"), id="builtin", tooltip=_("Use the built-in server")),
        Binding("d", "download", _("Download"), id="download", tooltip=_("Download a model to the server")),
        Binding(
            "r", "refresh_models", _("Refresh"), id="refresh_models", tooltip=_("Refresh the server's list of models")
        ),
        Binding(
            "g", "run_again", _("Again"), id="run_again", tooltip=_("Show the last plan, and run it in a new order")
        ),
        Binding("f", "full_answers", _("Full answers"), id="full_answers", show=False, tooltip=full),
        Binding("u", "others", _("Unload others"), id="others", show=False, tooltip=others),
        *presets,
    ]
