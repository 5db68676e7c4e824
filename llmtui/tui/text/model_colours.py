"""One colour per model, equal wherever it is drawn: neither red nor green, which mean bad and good."""

from __future__ import annotations

from typing import Final

MODEL_COLOURS: Final = ("$primary", "$accent", "$secondary", "$warning")
MODEL_SIGNS: Final = ("●", "◆", "■", "▲", "○", "◇", "□", "△")
"""Signs that distinguish models in a plot without colours."""


def model_colour(contender: int) -> str:
    """Return the colour of a model of the plan, as a style of Textual's content."""
    return MODEL_COLOURS[contender % len(MODEL_COLOURS)]


def model_sign(contender: int) -> str:
    """Return the sign of a model of the plan in plots."""
    return MODEL_SIGNS[contender % len(MODEL_SIGNS)]
