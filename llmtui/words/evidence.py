"""What was seen, in the person's language.

Evidence is kept in files as an English sentence with figures in it. Here the sentence is recognised by its pattern, and
its figures are put into the translated pattern. A sentence that no pattern knows is given as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from llmtui.core.columns import marked
from llmtui.words import _

_PATTERNS = (
    marked("{tokens} tokens; speed is compared from {least}"),
    marked("the model writes its thinking into the answer"),
    marked("{share} % of the model is in the GPU's memory"),
    marked("the server counts {share} % of the time measured here: {side}"),
    marked("this program was late"),
    marked("the server's counters are off"),
    marked("whose clock is off is not known"),
    marked("{tokens} tokens came, and {cap} were allowed"),
    marked("the server's times and ours do not belong together"),
    marked("the server compressed its answer"),
    marked("the server sent its answer all at once"),
    marked("text came in a field that is not known, “{name}”"),
    marked("{chunks} chunks without text came before the first text, at the pace of the text"),
    marked("{tokens} tokens were counted, and {chars} characters came"),
    marked("{tokens} tokens of thinking were counted, and none of it came"),
    marked("{tokens} tokens were made before the first text came"),
    marked("the server wrote that it loads the model"),
    marked("{ms} ms went by that no counter explains: another client was served first"),
    marked("{mb} MB were read back from swap"),
    marked("the text stood still for {s} s"),
    marked("{cached} tokens of the question came from the server's memory; its least is {least}"),
    marked("the question was read {factor} times as fast as in the other rounds"),
    marked("the processor was slowed down {times} times, and each token took {share} % longer"),
    marked("{share} % off the median of its rounds, where {usual} % is usual"),
    marked("the model was not in the server's memory just before"),
    marked("its context length just before was {had}, not {wanted}"),
    marked("its process changed from {old} to {new}"),
    marked("other programs kept {others} of {cores} cores busy just before"),
    marked("in memory too: {names}"),
    marked("characters that are not Unicode stood in the text and were replaced"),
)
_SAID_OTHERWISE = {
    "{tokens} tokens arrived of a prompt of {chars} characters": marked(
        "{tokens} tokens arrived of a question of {chars} characters"
    ),
    "loading took {ms} ms; its shortest cold load took {least} ms": marked(
        "loading took {ms} ms; its shortest start from off took {least} ms"
    ),
}
"""Patterns whose words are not those of the screens, and how the screens say it."""


def evidence_text(sentence: str) -> str:
    """Gives the evidence in the person's language."""
    for pattern, shown in (*((one, one) for one in _PATTERNS), *_SAID_OTHERWISE.items()):
        found = _regex(pattern).fullmatch(sentence)
        if found is not None:
            return _(shown).format(**{name: evidence_text(value) for name, value in found.groupdict().items()})
    return sentence


def in_words_of(patterns: Iterable[str], sentence: str) -> str | None:
    """Gives a sentence by the translation of the first pattern that it has; None where it has none of them."""
    for pattern in patterns:
        found = _regex(pattern).fullmatch(sentence)
        if found is not None:
            return _(pattern).format(**found.groupdict())
    return None


@cache
def _regex(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", pattern)
    return re.compile("".join(f"(?P<{part}>.+?)" if at % 2 else re.escape(part) for at, part in enumerate(parts)))
