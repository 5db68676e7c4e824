"""How many more rounds a session needs, and how long they would take."""

from __future__ import annotations

from llmtui.core.findings import seconds_a_round
from llmtui.core.rounds import rounds_to_tell
from llmtui.core.session import Session
from llmtui.core.verdict import verdicts
from llmtui.words import _, plural
from llmtui.words.figures import duration


def rounds_to_settle(session: Session) -> int:
    """Return the number of rounds expected to settle every pair that is still open; 1 if it cannot be estimated."""
    return rounds_to_tell(verdicts(session)) or 1


def rounds_price(session: Session, rounds: int) -> str:
    """Return a number of further rounds with their expected duration: ``2 more rounds, 1 min 20 s``."""
    said = plural("{n} more round", "{n} more rounds", rounds).format(n=rounds)
    round_s = seconds_a_round(session)
    return said if round_s is None else f"{said}, {duration(round_s * rounds)}"


def rounds_purpose(session: Session) -> str:
    """Return whether more rounds can change a verdict; empty if there is only one model."""
    if len(session.plan.contenders) < 2:
        return ""
    if rounds_to_tell(verdicts(session)) is not None:
        return _("Expected to settle the pairs that are still open.")
    return _("No pair is expected to be settled by them; the intervals get narrower.")
