"""What was seen, in the person's language.

Evidence is kept in files as an English sentence with figures in it. Here the sentence is recognised by its pattern, and
its figures are put into the translated pattern. A sentence that no pattern knows is given as it is.
"""

from __future__ import annotations

import re
from functools import cache

from llmtui.words import _


def evidence_text(sentence: str) -> str:
    """Gives the evidence in the person's language."""
    for pattern, translated in _patterns():
        found = _regex(pattern).fullmatch(sentence)
        if found is not None:
            return translated.format(**{name: evidence_text(value) for name, value in found.groupdict().items()})
    return sentence


@cache
def _regex(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", pattern)
    return re.compile("".join(f"(?P<{part}>.+?)" if at % 2 else re.escape(part) for at, part in enumerate(parts)))


def _patterns() -> tuple[tuple[str, str], ...]:
    return (
        ("{tokens} tokens; speed is compared from {least}", _("{tokens} tokens; speed is compared from {least}")),
        (
            "the model writes its thinking into the answer",
            _("the model writes its thinking into the answer"),
        ),
        ("{share} % of the model is in the GPU's memory", _("{share} % of the model is in the GPU's memory")),
        (
            "the server counts {share} % of the time measured here: {side}",
            _("the server counts {share} % of the time measured here: {side}"),
        ),
        ("this program was late", _("this program was late")),
        ("the server's counters are off", _("the server's counters are off")),
        (
            "{ms} ms went by that no counter explains: another client was served first",
            _("{ms} ms went by that no counter explains: another client was served first"),
        ),
        (
            "{tokens} tokens arrived of a prompt of {chars} characters",
            _("{tokens} tokens arrived of a question of {chars} characters"),
        ),
        ("{mb} MB were read back from swap", _("{mb} MB were read back from swap")),
        ("the text stood still for {s} s", _("the text stood still for {s} s")),
        (
            "{cached} tokens of the question came from the server's memory; its least is {least}",
            _("{cached} tokens of the question came from the server's memory; its least is {least}"),
        ),
        (
            "the question was read {factor} times as fast as in the other rounds",
            _("the question was read {factor} times as fast as in the other rounds"),
        ),
        (
            "the processor was slowed down {times} times, and each token took {share} % longer",
            _("the processor was slowed down {times} times, and each token took {share} % longer"),
        ),
        (
            "{share} % off the median of its rounds, where {usual} % is usual",
            _("{share} % off the median of its rounds, where {usual} % is usual"),
        ),
        (
            "the model was not in the server's memory just before",
            _("the model was not in the server's memory just before"),
        ),
        (
            "its context length just before was {had}, not {wanted}",
            _("its context length just before was {had}, not {wanted}"),
        ),
        ("its process changed from {old} to {new}", _("its process changed from {old} to {new}")),
        (
            "loading took {ms} ms; its shortest cold load took {least} ms",
            _("loading took {ms} ms; its shortest start from off took {least} ms"),
        ),
        (
            "other programs kept {others} of {cores} cores busy just before",
            _("other programs kept {others} of {cores} cores busy just before"),
        ),
        ("in memory too: {names}", _("in memory too: {names}")),
        (
            "characters that are not Unicode stood in the text and were replaced",
            _("characters that are not Unicode stood in the text and were replaced"),
        ),
    )
