"""Every text and every frame can be read in every theme that is offered: contrast by WCAG 2.1, as it is painted."""

from __future__ import annotations

import pytest
from rich.color import Color as RichColour
from rich.style import Style
from textual.color import Color
from textual.theme import BUILTIN_THEMES

from llmtui.tui.app import LlmtuiApp
from llmtui.tui.contrast import FRAME_CONTRAST, TEXT_CONTRAST, contrast, with_contrast
from llmtui.tui.themes import HIGH_CONTRAST, OWN
from tests.tui.fakes import FakeHost, FakeLink
from tests.tui.test_keys import PLACES, go

OFFERED = [*OWN, *(theme for theme in BUILTIN_THEMES.values() if not theme.ansi)]


def test_the_contrast_of_black_and_white_is_21() -> None:
    assert contrast(Color.parse("#000000"), Color.parse("#ffffff")) == pytest.approx(21)
    assert contrast(Color.parse("#777777"), Color.parse("#ffffff")) == pytest.approx(4.48, abs=0.01)


def test_a_colour_is_moved_no_further_than_it_must() -> None:
    black = Color.parse("#000000")
    enough = Color.parse("#9ECE6A")
    assert with_contrast(enough, black, 4.5) == enough
    assert 4.5 <= contrast(with_contrast(Color.parse("#333333"), black, 4.5), black) < 5


def test_what_is_offered_has_known_colours() -> None:
    app = LlmtuiApp(FakeHost(FakeLink()))
    assert {theme.name for theme in OFFERED} == set(app.available_themes)


@pytest.mark.parametrize("place", PLACES)
async def test_every_letter_and_every_frame_as_painted(place: str) -> None:
    mode, make = PLACES[place]
    faint: dict[str, set[tuple[str, float]]] = {}
    async with make().run_test(size=(140, 40)) as pilot:
        app = await go(pilot, mode)
        for name in sorted(app.available_themes):
            app.theme = name
            await pilot.pause()
            await pilot.pause()
            if found := set(too_faint(app)):
                faint[name] = found
    assert faint == {}


def too_faint(app: LlmtuiApp) -> list[tuple[str, float]]:
    """Return the painted texts with too little contrast, and how much they have."""
    found = []
    for strip in app.screen._compositor.render_strips(app.size):
        for text, style, _control in strip:
            marks = text.strip()
            if not marks or style is None:
                continue
            is_text = any(map(str.isalnum, marks))
            have, possible = painted(style)
            least = (
                (TEXT_CONTRAST if is_text else FRAME_CONTRAST)
                if app.theme != HIGH_CONTRAST.name
                else (7.0 if is_text else TEXT_CONTRAST)
            )
            if have < min(least, possible):
                found.append((marks[:30], round(have, 2)))
    return found


def painted(style: Style) -> tuple[float, float]:
    """Return the contrast of a style's two colours as they are painted, and the most that black or white would have."""
    front, behind = (_colour(one) for one in (style.color, style.bgcolor))
    if front is None or behind is None:
        return 21.0, 21.0
    if style.reverse:
        front, behind = behind, front
    return contrast(front, behind), max(contrast(Color.parse(end), behind) for end in ("white", "black"))


def _colour(colour: RichColour | None) -> Color | None:
    return None if colour is None or colour.triplet is None else Color(*colour.triplet)
