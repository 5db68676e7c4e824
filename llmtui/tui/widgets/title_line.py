"""The first line of Results: facts about the session, and a badge for each kind of flag in it."""

from __future__ import annotations

from textual.content import Content
from textual.message import Message
from textual.style import Style
from textual.widget import Widget

from llmtui.core.session import Session
from llmtui.words.session_head import Badge, Fact, badges, session_head

BETWEEN = " · "
BADGES_SHARE = 0.3
"""Largest share of the line's width for badges; the first badge is always shown."""


class TitleLine(Widget):
    """Facts about the session at the left, as many as fit, and badges at the right."""

    DEFAULT_CSS = """
    TitleLine {
        height: 1;
        padding: 0 1;
        color: $text-muted;
        text-wrap: nowrap;
        link-style: bold;
        link-color: $warning;
    }
    """

    class BadgeClicked(Message):
        """Posted when the user clicks a badge."""

        def __init__(self, badge: Badge) -> None:
            self.badge = badge
            super().__init__()

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self._facts: tuple[Fact, ...] = ()
        self.badges: tuple[Badge, ...] = ()
        """The badges of the session, including those for which there is no room."""

    def show_session(self, session: Session, *, is_live: bool) -> None:
        """Show the facts of a session.

        Args:
            session: the newest snapshot.
            is_live: whether more trials can come.
        """
        self._facts = session_head(session, is_live=is_live)
        self.badges = badges(session)
        self.refresh()

    def render(self) -> Content:
        """Return the line: badges are never cut; if there is too little room, minor facts are left out."""
        width = self.content_size.width
        shown = list(self.badges)
        while len(shown) > 1 and _badge_cells(shown) > width * BADGES_SHARE:
            shown.pop()
        more = len(self.badges) - len(shown)
        right = Content("  ").join([*map(_badge, shown), *([Content.styled(f"+{more}", "$warning")] if more else [])])
        room = width - right.cell_length - 2 * bool(shown)
        kept = list(self._facts)
        while len(BETWEEN.join(fact.said for fact in kept)) > room and any(fact.rank for fact in kept):
            kept.remove(max(kept, key=lambda fact: fact.rank))
        texts = [fact.said for fact in kept]
        left = Content.assemble(("".join(texts[:1]), "bold $foreground"), *(f"{BETWEEN}{one}" for one in texts[1:]))
        return Content.assemble(left, " " * max(0, width - left.cell_length - right.cell_length), right)

    def action_open_badge(self, flag: str) -> None:
        """Post ``BadgeClicked`` for the badge of the given flag."""
        for badge in self.badges:
            if badge.flag == flag:
                self.post_message(self.BadgeClicked(badge))


def _badge(badge: Badge) -> Content:
    content = Content.styled(f"! {badge.said}", "bold $warning")
    return content.stylize(Style.from_meta({"@click": f"open_badge('{badge.flag}')"}))


def _badge_cells(shown: list[Badge]) -> int:
    return sum(len(badge.said) + 4 for badge in shown)
