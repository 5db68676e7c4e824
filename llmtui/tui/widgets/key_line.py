"""The last line of every screen: the available keys, as many as fit, and the key that lists all commands."""

from __future__ import annotations

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.events import Resize
from textual.widgets import Footer

from llmtui.tui._textual_hacks import FooterKey
from llmtui.words import _

AROUND = 3
"""Total number of blanks around a key and its description: before, between and after them."""
_FIRST = ("escape", "enter")
"""Keys that are shown before all others; the others keep the order of their bindings."""


class KeyLine(Footer):
    """Textual's footer, without its palette key and without keys that are cut off at the edge."""

    def __init__(self) -> None:
        """Create the line; it shows the keys of its screen."""
        super().__init__(show_command_palette=False)
        self._made_for = 0

    def compose(self) -> ComposeResult:
        """Yield the keys from the left until one does not fit, then the key that lists all commands."""
        self._made_for = self.app.size.width
        more = FooterKey("ctrl+p", "^p", _("More"), "app.command_palette", tooltip=_("All commands"))
        more.compact = False
        room = self._made_for - _cells(more)
        keys = [key for key in super().compose() if isinstance(key, FooterKey)]
        for key in sorted(keys, key=_rank):
            # The bindings were created when their module was imported; the language may have been set later.
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
