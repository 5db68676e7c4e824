"""The last line of every screen: the working keys by rank, as many as fit whole, and the key for all others."""

from __future__ import annotations

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.events import Resize
from textual.widgets import Footer

from llmtui.tui._textual_hacks import FooterKey
from llmtui.words import _

AROUND = 3
"""Number of blanks before, within and after a key with its words."""
_FIRST = ("escape", "enter")
"""The way back and the way on come before all others; these keep the order of their bindings."""


class KeyLine(Footer):
    """Textual's footer without the palette and without cut keys at the edge."""

    def __init__(self) -> None:
        """Make the line; the keys are those of the screen it is on."""
        super().__init__(show_command_palette=False)
        self._made_for = 0

    def compose(self) -> ComposeResult:
        """Yield the keys from the left until one does not fit, then the one that lists all."""
        self._made_for = self.app.size.width
        more = FooterKey("ctrl+p", "^p", _("More"), "app.command_palette", tooltip=_("All commands"))
        more.compact = False
        room = self._made_for - _cells(more)
        keys = [key for key in super().compose() if isinstance(key, FooterKey)]
        for key in sorted(keys, key=_rank):
            # The bindings were made when their module was imported, the language may have been chosen since.
            key.description = _(key.description)
            room -= _cells(key)
            if room < 0:
                break
            yield key
        yield more

    def on_resize(self, event: Resize) -> None:
        """Choose the keys that fit."""
        if self.app.size.width != self._made_for:
            self.call_after_refresh(self.recompose)


def _cells(key: FooterKey) -> int:
    return cell_len(key.key_display) + cell_len(key.description) + AROUND


def _rank(key: FooterKey) -> int:
    return _FIRST.index(key.key) if key.key in _FIRST else len(_FIRST)
