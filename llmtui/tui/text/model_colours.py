"""The colour and sign of each model, the same in all plots. Red and green are not used, as they mean bad and good."""

from __future__ import annotations

from typing import Final

MODEL_COLOURS: Final = ("$primary", "$accent", "$secondary", "$warning")
MODEL_SIGNS: Final = ("●", "◆", "■", "▲", "○", "◇", "□", "△")
"""Signs that distinguish models in a plot without colours."""


def model_colour(contender: int) -> str:
    """Return the colour of a model by its index in the plan, as a style of Textual's content."""
    return MODEL_COLOURS[contender % len(MODEL_COLOURS)]


def model_sign(contender: int) -> str:
    """Return the sign that marks a model in plots, by its index in the plan."""
    return MODEL_SIGNS[contender % len(MODEL_SIGNS)]
