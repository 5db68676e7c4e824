"""Plausibility checks of a server's counts. The reason is kept for each count that is not used."""

from __future__ import annotations

from llmtui.backends import lenient

NOT_A_NUMBER = "not_a_number"
ZERO = "zero"
DISAGREE = "counts_disagree"


class Counts:
    """Reads counts one by one and keeps the reason for each one that is not used."""

    def __init__(self) -> None:
        self.why: dict[str, str] = {}

    def read(self, field: str, value: object, *, zero: bool = False) -> int | None:
        """Return a count; None if it is missing or not used. In the latter case ``why`` has the reason.

        Args:
            field: field of ServerCounters.
            value: the value as sent.
            zero: whether 0 is a valid count. If not, 0 means that the server did not count.
        """
        if value is None:
            return None
        found = lenient.count(value)
        if found is None:
            self.why[field] = NOT_A_NUMBER
        elif found == 0 and not zero:
            self.why[field] = ZERO
            return None
        return found

    def refuse(self, field: str, reason: str) -> None:
        """Record why a count is not used."""
        self.why[field] = reason
