"""Detection of thinking inside the text of an answer, in every notation that public chat templates use.

The result depends only on the text, not on its division into chunks, so that saved sessions are judged in the same way.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final, NamedTuple

import msgspec

LONGEST_PREAMBLE: Final = 200
"""Largest number of characters before an opening mark. A mark further on is taken as part of the text."""

_NAMES: Final = (
    r"(?:(?:internal|inner|hidden|private|my|chain[_-]?of|ant)[_-]?)?"
    r"(?:think(?:ing)?|thoughts?|reasoning|reflection|analysis|scratch[_-]?pad|monologue|cot|思考(?:过程)?)"
    r"(?:[_-](?:process|trace|steps?|block|content|mode))?|internal|deliberations?|contemplat(?:ion|or)"
)
_SPACED: Final = r"[\w.]{1,20}[:_]think"
_NAMED: Final = rf"(?:{_NAMES}|{_SPACED})"
_PIPED: Final = r"(?:think|thinking|thoughts?|reasoning)"
_OF: Final = r"[_▁ ]?(?:of[_▁ ]?)?"
_BRACKETED: Final = r"(?:THINK|THINKING|THOUGHTS?|REASONING)"


class _Spelling(NamedTuple):
    """A notation for thinking: patterns of its opening and its closing mark."""

    opening: str
    closing: str
    alone: bool = True
    """Whether the closing mark is accepted without an opening mark, which may be at the end of the prompt instead."""


_SPELLINGS: Final = (
    # DeepSeek R1, Qwen, GLM, Nemotron and most others; Seed-OSS <seed:think>, LongCat <longcat_think>, <antThinking>
    _Spelling(rf"<{_NAMED}(?:\s[^<>\n]{{0,60}})?>|<\s{{1,2}}{_NAMED}\s{{0,2}}>", rf"<\s{{0,2}}/\s{{0,2}}{_NAMED}\s*>"),
    _Spelling(rf"\[{_BRACKETED}\]", rf"\[/{_BRACKETED}\]"),  # Magistral, Ministral
    _Spelling(r"◁\s?think(?:ing)?\s?▷", r"◁\s?/\s?think(?:ing)?\s?▷"),  # Kimi
    # Cohere <|START_THINKING|>, Open Thoughts <|begin_of_thought|>, <|think|>, <|think_start|>;
    # Solar Open <|think|>…<|end|><|begin|>assistant<|content|>
    _Spelling(
        rf"<[|｜](?:(?:start|begin){_OF})?{_PIPED}(?:[_▁ ](?:start|begin))?[|｜]>",
        rf"<[|｜](?:end{_OF}{_PIPED}|/{_PIPED}|{_PIPED}[_▁ ]end)[|｜]>|<\|begin\|>assistant\s*<\|content\|>",
    ),
    _Spelling(r"<\|inner_prefix\|>", r"<\|inner_suffix\|>"),  # Apertus
    _Spelling(r"<\|channel>\s*(?:thought|analysis|thinking)\b", r"<channel\|>"),  # Gemma 4
    _Spelling(r"<unused94>(?:thought)?", r"<unused95>"),  # MedGemma
    _Spelling(r"\[unused16\]", r"\[unused17\]"),  # openPangu
    # gpt-oss ("harmony") channels, and their remains where a server removes the special tokens
    _Spelling(
        r"(?:<\|start\|>assistant)?<\|channel\|>\s*(?:analysis|commentary)[^<]*<\|message\|>",
        r"<\|start\|>assistant<\|message\|>|<\|channel\|>\s*final[^<]*(?:<\|constrain\|>[^<]*)?<\|message\|>",
    ),
    _Spelling(r"\Aanalysis(?=[A-Z])", r"assistantfinal"),
    _Spelling(r"<\|im_start\|>think\b", r"<\|im_start\|>answer\b"),  # s1
    # HyperCLOVA X SEED Think
    _Spelling(r"(?:\A|<\|im_start\|>assistant)/think\b", r"<\|im_start\|>assistant(?!/)", alone=False),
    _Spelling(r"Here are my reasoning steps:", r"\[BEGIN FINAL RESPONSE\]"),  # Apriel
    _Spelling(r"Here(?: i|')s my thought process:", r"Here(?: i|')s my response:", alone=False),  # Granite 3.2
    # HuatuoGPT-o1; without the second heading, the first may be the answer's own
    _Spelling(r"#{1,4} *Thinking\b(?=(?s:.*?)#{1,4} *Final Response\b)", r"#{1,4} *Final Response\b:?", alone=False),
    _Spelling(r"```(?:think|thinking|thoughts?|reasoning)\n", r"\n```", alone=False),
    _Spelling(  # Open WebUI and other user interfaces
        r"<details\b(?:[^<>\n]*\btype=\"reasoning\"[^<>\n]*>"
        r"|[^<>\n]*>\s*<summary>[^<>\n]{0,8}(?:thinking|thoughts?|reasoning|思考)[^<>\n]{0,60}</summary>)",
        r"</details>",
        alone=False,
    ),
)
_BEFORE_ANSWER: Final = (
    r"\s+|<(?:answer|response|output|final_answer|final_response|final|conclusion|solution|sep)>"
    r"|<\|START_(?:RESPONSE|TEXT)\|>|<\|begin_of_(?:solution|box)\|>|<\|content\|>"
    r"|<\|(?:end|return|im_end)\|>|<\|start\|>assistant|<\|channel\|>\s*final[^<]*<\|message\|>"
)
_QUOTES: Final = "`'\"“‘«"
_ESCAPES: Final[tuple[tuple[str, str], ...]] = (
    (r"(?:&(?:amp;)*(?:lt|#0*60|#x0*3c);|\\u003c|[＜‹〈])", "<"),
    (r"(?:&(?:amp;)*(?:gt|#0*62|#x0*3e);|\\u003e|[＞›〉])", ">"),
    (r"&(?:amp;)*(?:quot|#0*34|#x0*22|apos|#0*39|#x0*27);", '"'),
    ("[\u00ad\u180e\u200b-\u200f\u2060-\u2064\ufeff]", ""),
)
"""Patterns of escaped and similar characters, each with the character that it stands for; "" for invisible ones."""


class _Marks(NamedTuple):
    """The compiled patterns."""

    openings: tuple[re.Pattern[str], ...]
    closings: tuple[re.Pattern[str], ...]
    ends_alone: tuple[re.Pattern[str], ...]
    """Closing marks that are accepted without an opening mark."""
    passed: tuple[re.Pattern[str], ...]
    """What is skipped before the answer."""
    escape: re.Pattern[str]


@cache
def _marks() -> _Marks:
    """Return the patterns. They are compiled for the first answer: that takes 13 ms, too long for every start."""
    openings, closings = (
        tuple(re.compile(getattr(spelling, name), re.IGNORECASE) for spelling in _SPELLINGS)
        for name in ("opening", "closing")
    )
    alone = tuple(closing for closing, spelling in zip(closings, _SPELLINGS, strict=True) if spelling.alone)
    escape = re.compile("|".join(f"({pattern})" for pattern, _ in _ESCAPES), re.IGNORECASE)
    return _Marks(openings, closings, alone, (re.compile(_BEFORE_ANSWER, re.IGNORECASE), *alone), escape)


class Inline(msgspec.Struct, frozen=True):
    """The thinking found in the text of an answer."""

    found: bool
    """Whether the text contains thinking."""
    start: int | None
    """Index of the first character after the thinking, where the answer itself begins; None if there is no answer."""


def inline_thinking(answer: str) -> Inline:
    """Return whether a text contains thinking, and where the answer itself begins.

    Thinking is at the beginning, or after a preamble of at most ``LONGEST_PREAMBLE`` characters. Its opening mark may
    be missing, since many templates put it at the end of the prompt. Marks in quotes are part of the text. Marks may be
    escaped as in HTML or JSON, or have invisible characters in them.
    """
    if _marks().escape.search(answer) is None:
        return _found(answer)
    plain, places = _unescaped(answer)
    found = _found(plain)
    return found if found.start is None else Inline(found.found, places[found.start])


def _unescaped(text: str) -> tuple[str, list[int]]:
    """Return the text with escaped characters replaced, and the index in ``text`` of each of its characters."""
    parts, places, at = [], list[int](), 0
    for match in _marks().escape.finditer(text):
        parts.append(text[at : match.start()])
        places.extend(range(at, match.start()))
        meant = _ESCAPES[(match.lastindex or 1) - 1][1]
        parts.append(meant)
        places.extend([match.start()] * len(meant))
        at = match.end()
    parts.append(text[at:])
    places.extend(range(at, len(text)))
    return "".join(parts), places


def _found(answer: str) -> Inline:
    """Return the thinking in a text without escaped characters."""
    found, at = False, _begin(answer, 0)
    while (block := _block_at(answer, at)) is not None:
        found = True
        if block < 0:
            return Inline(True, None)
        at = _begin(answer, block)
    if not found and (end := _later_block(answer, at)) is not None:
        if end < 0:
            return Inline(True, None)
        inner = _found(answer[end:])
        return Inline(True, None if inner.start is None else end + inner.start)
    return Inline(found, at if at < len(answer) else None)


def _begin(text: str, at: int) -> int:
    """Return the index of the first text from ``at`` on; whitespace and marks that enclose an answer are skipped."""
    passed = _marks().passed
    while (match := next((found for mark in passed if (found := mark.match(text, at))), None)) is not None:
        at = match.end()
    return at


def _block_at(text: str, at: int) -> int | None:
    """Return the end of the thinking that begins at ``at``; −1 if the thinking does not end, None if there is none."""
    marks = _marks()
    for opening, closing in zip(marks.openings, marks.closings, strict=True):
        opened = opening.match(text, at)
        if opened is not None:
            closed = closing.search(text, opened.end())
            return -1 if closed is None else closed.end()
    return None


def _later_block(text: str, at: int) -> int | None:
    """Return the end of thinking without an opening mark, or with one after a preamble.

    The result is −1 if the thinking does not end, and None if there is none.
    """
    opened = _first(text, at, _marks().openings, at + LONGEST_PREAMBLE)
    closed = _first(text, at, _marks().ends_alone, len(text))
    if closed is not None and (opened is None or closed[0] < opened[0]):
        return closed[1]
    return None if opened is None else _block_at(text, opened[0])


def _first(text: str, at: int, marks: tuple[re.Pattern[str], ...], before: int) -> tuple[int, int] | None:
    """Return start and end of the first mark that begins from ``at`` to ``before``; None if there is none.

    Marks directly after a quotation mark are ignored.
    """
    found: tuple[int, int] | None = None
    for mark in marks:
        for match in mark.finditer(text, at):
            if match.start() > before or (found is not None and match.start() >= found[0]):
                break
            if match.start() == 0 or text[match.start() - 1] not in _QUOTES:
                found = match.span()
                break
    return found
