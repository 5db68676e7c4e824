"""Minimum contrast of text and frames in every theme, like the setting that some terminals have.

Textual's themes are made for other widgets: several have muted text of 2:1 and frames of 1.2:1. The last
filter applied before output shifts colours of low contrast towards white or black, as little as necessary.
"""

from __future__ import annotations

from functools import lru_cache

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

TEXT_CONTRAST = 4.5
FRAME_CONTRAST = 3.0
"""Minimum contrast (WCAG 2.1) of frames, axes, bars and marks; ``TEXT_CONTRAST`` is that of letters and digits."""
STEP = 0.02
STYLES_KEPT = 4096


class ContrastFilter(LineFilter):
    """Filter that raises the contrast of each painted segment to a minimum."""

    def __init__(self, text: float = TEXT_CONTRAST, frame: float = FRAME_CONTRAST) -> None:
        """Create the filter.

        Args:
            text: minimum contrast of segments with a letter or digit.
            frame: minimum contrast of all other segments.
        """
        super().__init__()
        self._text, self._frame = text, frame

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments with their colours adjusted if the contrast is too low."""
        return [
            segment
            if segment.style is None or segment.text.isspace()
            else Segment(segment.text, _legible(segment.style, self._least(segment.text)), segment.control)
            for segment in segments
        ]

    def _least(self, text: str) -> float:
        return self._text if any(map(str.isalnum, text)) else self._frame


@lru_cache(STYLES_KEPT)
def _legible(style: Style, least: float) -> Style:
    front, behind = style.color, style.bgcolor
    if front is None or behind is None or front.triplet is None or behind.triplet is None:
        return style
    colours = Color(*front.triplet), Color(*behind.triplet)
    if style.reverse:
        colours = colours[::-1]
    if contrast(*colours) >= least:
        return style
    moved = RichColor.from_rgb(*with_contrast(*colours, least).rgb)
    return style + (Style(bgcolor=moved) if style.reverse else Style(color=moved))


def with_contrast(colour: Color, behind: Color, least: float) -> Color:
    """Return the colour, shifted towards white or black until its contrast is sufficient.

    The direction is the one with more contrast to the background.

    Args:
        colour: colour without transparency.
        behind: the background.
        least: minimum contrast, from 1 to 21. If even white or black has less, white or black is returned.
    """
    end = max(_ENDS, key=lambda one: contrast(one, behind))
    part = 0.0
    moved = colour
    while part < 1.0 and contrast(moved, behind) < least:
        part = min(1.0, part + STEP)
        moved = colour.blend(end, part)
    return moved


def contrast(one: Color, other: Color) -> float:
    """Return the contrast ratio of two colours by WCAG 2.1, from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


_ENDS = (Color(255, 255, 255), Color(0, 0, 0))


def _luminance(colour: Color) -> float:
    def linear(value: int) -> float:
        part = value / 255
        return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)

    return 0.2126 * linear(colour.r) + 0.7152 * linear(colour.g) + 0.0722 * linear(colour.b)
