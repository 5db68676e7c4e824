"""A session in at most three lines: the fastest model, the shortest TTFT, and the most memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from llmtui.core.conclusions import FirstToken, WritingSpeed, conclude
from llmtui.core.pairing import is_imported
from llmtui.core.session import Session
from llmtui.core.verdict import SpeedVerdict
from llmtui.words.conclusions import headed, heading
from llmtui.words.verdicts import verdict_sentence
from llmtui.words.waits import wait_sentences

MOST: Final = 3


def verdict_lines(session: Session) -> tuple[str, ...]:
    """Return the lines, each with one finding; none if there is only one model, and none for an imported file."""
    if is_imported(session.plan) or len(session.plan.contenders) < 2:
        return ()
    return tuple(line for line in _lines(session) if line)[:MOST]


def _lines(session: Session) -> Iterator[str]:
    leads = {type(one): line.lead for one, line in zip(conclude(session), headed(session), strict=True)}
    two = len(session.plan.contenders) == 2
    for one in conclude(session):
        lead = leads[type(one)]
        if isinstance(one, WritingSpeed):
            deciding = _of_the_first_two(one)
            said = "" if deciding is None else verdict_sentence(deciding, session, round_s=one.round_s)
            yield said if two and said else f"{lead} {said}".strip()
        elif isinstance(one, FirstToken):
            said = " ".join(wait_sentences(one.verdicts, session, "ttft_ms", 1))
            yield said if two and said else f"{lead} {said}".strip()
        elif lead:
            yield f"{heading(one)}: {lead}"


def _of_the_first_two(line: WritingSpeed) -> SpeedVerdict | None:
    """Return the verdict on the two fastest models, with only its lasting conditions; None if there is no verdict."""
    first = {one.contender for one in line.tps[:2]}
    found = next((one for one in line.verdicts if {one.first, one.second} == first), None)
    if found is None:
        return None
    return msgspec.structs.replace(found, conditions=tuple(one for one in found.conditions if one.lasting))
