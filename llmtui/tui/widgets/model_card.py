"""The card of the model under the cursor, beside the list."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static


class ModelCard(VerticalScroll, can_focus=False):
    """What is known of one model."""

    DEFAULT_CSS = """
    ModelCard { padding: 0 1; scrollbar-size-vertical: 1; & > Static { width: 1fr; } }
    """

    def compose(self) -> ComposeResult:
        """Return the text."""
        yield Static(id="model-card-text")

    def show(self, name: str, text: Content) -> None:
        """Show a model; its name is the title of the frame."""
        self.border_title = name
        self.query_exactly_one("#model-card-text", Static).update(text)
