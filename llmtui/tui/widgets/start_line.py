"""The last line of Setup: a start button, the number of trials, and the expected time."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

from llmtui.core.estimate import Estimate
from llmtui.core.plan import Plan
from llmtui.tui.text.setup_times import again_words, counts_words, plan_rounds, plan_time, preset_time
from llmtui.words import _


class StartLine(Static):
    """Line that shows the effect of Enter; a click on it has the same effect."""

    DEFAULT_CSS = """
    StartLine {
        height: auto; padding: 0 1; background: $panel;
        link-style: none; link-color: $text; link-background: transparent;
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._parts: tuple[Content, ...] = ()
        self._again: Plan | None = None
        self._short_time = Content()
        """The plan's time in short, shown if the full sentence does not fit; empty if nothing can be started."""

    def ready(self, plan: Plan, expected: Estimate) -> None:
        """Show that Enter starts the plan."""
        time = Content.styled(plan_time(plan, expected), "bold")
        self._short_time = Content.styled(f"≈ {preset_time(plan, expected)}", "bold")
        self._show(_button(_("Start")), Content(counts_words(plan)), time, Content.styled(plan_rounds(plan), "dim"))

    def not_ready(self, why: str) -> None:
        """Show that nothing can be started, and why."""
        self._short_time = Content()
        self._show(Content.styled(f" {_('Start')} ", "dim on $surface"), Content.styled(why, "$warning"))

    def running(self) -> None:
        """Show that a run is in progress and Enter goes to it."""
        self._short_time = Content()
        self._show(_button(_("Watch")), Content(_("A run is in progress.")))

    def offer_again(self, plan: Plan) -> None:
        """Offer to run the last session's plan again, if there is room for it."""
        self._again = plan
        self._show(*self._parts)

    def _show(self, *parts: Content) -> None:
        """Show the parts, most important first; the last ones are left out if they do not fit."""
        self._parts = parts
        again = [] if self._again is None else [_again(self._again)]
        room = self.content_size.width
        shown = [*parts, *again]
        while room and len(shown) > 2 and _width(shown) > room:
            shown = shown[:-1]
        if len(shown) == 2 and self._short_time and _width([*shown, self._short_time]) <= room:
            shown.append(self._short_time)
        self.update(Content("  ").join(shown))

    def on_resize(self) -> None:
        """Choose the parts that fit."""
        self._show(*self._parts)


def _width(parts: Sequence[Content]) -> int:
    return sum(part.cell_length + 2 for part in parts) - 2


def _button(word: str) -> Content:
    return Content.from_markup("[@click=screen.start][bold $text on $success 40%] ▶ $word ⏎ [/][/]", word=word)


def _again(plan: Plan) -> Content:
    return Content.from_markup("[@click=screen.run_again][bold $accent]g[/] $words[/]", words=again_words(plan))
