"""The last line of Setup: a button, what it will run, and the expected duration."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from llmtui.core.estimate import Estimate
from llmtui.core.plan import Plan
from llmtui.words import _, plural


class StartLine(Static):
    """Shows what Enter does now; a click does the same."""

    DEFAULT_CSS = """
    StartLine { height: auto; padding: 0 1; background: $panel; }
    """

    def __init__(self) -> None:
        """Create an empty line."""
        super().__init__()
        self._parts: tuple[Content, ...] = ()

    def ready(self, plan: Plan, expected: Estimate) -> None:
        """Show that Enter starts the plan."""
        self._show(_button(_("Start")), Content(_counts(plan)), *_time(plan, expected))

    def not_ready(self, why: str) -> None:
        """Show why Enter does nothing."""
        self._show(Content.styled(f" {_('Start')} ", "dim on $surface"), Content.styled(why, "$warning"))

    def running(self) -> None:
        """Show that Enter goes to the current run."""
        self._show(_button(_("Watch")), Content(_("A run is in progress.")))

    def _show(self, *parts: Content) -> None:
        """Show the parts by importance; the last ones are left out where they would be cut."""
        self._parts = parts
        room = self.content_size.width
        shown = parts
        while room and len(shown) > 2 and sum(part.cell_length + 2 for part in shown) - 2 > room:
            shown = shown[:-1]
        self.update(Content("  ").join(shown))

    def on_resize(self) -> None:
        """Choose the parts that fit."""
        self._show(*self._parts)


def _button(word: str) -> Content:
    return Content.from_markup("[@click=screen.start][bold $text on $success 40%] ▶ $word ⏎ [/][/]", word=word)


def _counts(plan: Plan) -> str:
    models = plural("{n} model", "{n} models", len(plan.contenders)).format(n=len(plan.contenders))
    prompts = plural("{n} prompt", "{n} prompts", len(plan.prompts)).format(n=len(plan.prompts))
    return f"{models} × {prompts}"


def _time(plan: Plan, expected: Estimate) -> list[Content]:
    rounds = (
        plural("{n} round", "{n} rounds", plan.rounds).format(n=plan.rounds)
        if plan.rounds == plan.max_rounds
        else _("{low} to {high} rounds").format(low=plan.rounds, high=plan.max_rounds)
    )
    about = about_words(expected.low_s, expected.high_s)
    later = [] if expected.measured else [Content.styled(_("exact after the first model"), "dim")]
    return [Content.styled(about, "bold"), Content.styled(rounds, "dim"), *later]


def about_words(low_s: float, high_s: float) -> str:
    """Return a range of time in words: ``about 3–12 min``, ``about 20–50 s``, ``about 1–3 h``."""
    for unit_s, word, most_s in ((1.0, "s", 100.0), (60.0, "min", 5400.0), (3600.0, "h", float("inf"))):
        if high_s < most_s:
            low, high = _rounded(low_s / unit_s), _rounded(high_s / unit_s)
            return _("about {range}").format(range=f"{low}–{high} {word}" if low != high else f"{high} {word}")
    raise AssertionError("the last unit has no end")


def _rounded(value: float) -> int:
    """Return one or two significant digits: 3, 12, 25, 80."""
    if value < 20:
        return max(round(value), 1)
    return round(value / 5) * 5
