"""Detection of thinking inside the text of an answer, in every notation that public chat templates use.

The result depends only on the text, not on its division into chunks, so that saved sessions are judged in the same way.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

LONGEST_PREAMBLE: Final = 200
"""Largest number of characters before an opening mark. A mark further on is taken as part of the text."""

_NAMES: Final = r"(?:think|thinking|thought|thoughts|reasoning|reasoning_process|reflection|analysis|scratchpad|cot)"
_SPACED: Final = r"[\w.]{1,20}[:_]think"
_PIPED: Final = r"(?:think|thinking|thought|reasoning)"

_SPELLINGS: Final[tuple[tuple[str, str], ...]] = (
    # DeepSeek R1, Qwen, GLM, Nemotron and most others; Seed-OSS <seed:think>, LongCat <longcat_think>
    (rf"<(?:{_NAMES}|{_SPACED})(?:\s[^<>\n]{{0,60}})?>", rf"</(?:{_NAMES}|{_SPACED})\s*>"),
    (r"\[THINK\]", r"\[/THINK\]"),  # Magistral, Ministral
    (r"◁think▷", r"◁/think▷"),  # Kimi
    # Cohere <|START_THINKING|>, Open Thoughts <|begin_of_thought|>, <|think|>, <|think_start|>
    (
        rf"<[|｜](?:(?:start|begin)[_▁](?:of[_▁])?)?{_PIPED}(?:[_▁](?:start|begin))?[|｜]>",
        rf"<[|｜](?:end[_▁](?:of[_▁])?{_PIPED}|/{_PIPED}|{_PIPED}[_▁]end)[|｜]>",
    ),
    (r"<\|inner_prefix\|>", r"<\|inner_suffix\|>"),  # Apertus
    (r"<\|channel>\s*(?:thought|analysis|thinking)\b", r"<channel\|>"),  # Gemma 4
    (r"<unused94>(?:thought)?", r"<unused95>"),  # MedGemma
    # gpt-oss ("harmony") channels, and their remains where a server removes the special tokens
    (
        r"(?:<\|start\|>assistant)?<\|channel\|>\s*(?:analysis|commentary)[^<]*<\|message\|>",
        r"<\|start\|>assistant<\|message\|>|<\|channel\|>\s*final[^<]*(?:<\|constrain\|>[^<]*)?<\|message\|>",
    ),
    (r"\Aanalysis(?=[A-Z])", r"assistantfinal"),
    (r"Here are my reasoning steps:", r"\[BEGIN FINAL RESPONSE\]"),  # Apriel
    (r"Here(?: i|')s my thought process:", r"Here(?: i|')s my response:"),  # Granite 3.2
    (r"<details\b[^<>\n]*\btype=\"reasoning\"[^<>\n]*>", r"</details>"),  # Open WebUI
)
_OPENINGS: Final = tuple(re.compile(opening, re.IGNORECASE) for opening, _ in _SPELLINGS)
_CLOSINGS: Final = tuple(re.compile(closing, re.IGNORECASE) for _, closing in _SPELLINGS)
_ENDS_ALONE: Final = tuple(
    closing for closing in _CLOSINGS if not closing.match("</details>") and not closing.match("Here is my response:")
)
"""Closing marks that are accepted without an opening mark, which may be at the end of the prompt instead."""
_BEFORE_ANSWER: Final = re.compile(
    r"\s+|<(?:answer|response|output|final_answer)>|<\|START_(?:RESPONSE|TEXT)\|>|<\|begin_of_solution\|>"
    r"|<\|(?:end|return|im_end)\|>|<\|start\|>assistant|<\|channel\|>\s*final[^<]*<\|message\|>",
    re.IGNORECASE,
)
_QUOTES: Final = "`'\"“‘«"


class Inline(msgspec.Struct, frozen=True):
    """The thinking found in the text of an answer."""

    found: bool
    """Whether the text contains thinking."""
    start: int | None
    """Index of the first character after the thinking, where the answer itself begins; None if there is no answer."""


def inline_thinking(answer: str) -> Inline:
    """Return whether a text contains thinking, and where the answer itself begins.

    Thinking is at the beginning, or after a preamble of at most ``LONGEST_PREAMBLE`` characters. Its opening mark may
    be missing, since many templates put it at the end of the prompt. Marks in quotes are part of the text.
    """
    found, at = False, _begin(answer, 0)
    while (block := _block_at(answer, at)) is not None:
        found = True
        if block < 0:
            return Inline(True, None)
        at = _begin(answer, block)
    if not found and (end := _later_block(answer, at)) is not None:
        if end < 0:
            return Inline(True, None)
        inner = inline_thinking(answer[end:])
        return Inline(True, None if inner.start is None else end + inner.start)
    return Inline(found, at if at < len(answer) else None)


def _begin(text: str, at: int) -> int:
    """Return the index of the first text from ``at`` on; whitespace and marks that enclose an answer are skipped."""
    passed = (_BEFORE_ANSWER, *_ENDS_ALONE)
    while (match := next((found for mark in passed if (found := mark.match(text, at))), None)) is not None:
        at = match.end()
    return at


def _block_at(text: str, at: int) -> int | None:
    """Return the end of the thinking that begins at ``at``; −1 if the thinking does not end, None if there is none."""
    for opening, closing in zip(_OPENINGS, _CLOSINGS, strict=True):
        opened = opening.match(text, at)
        if opened is not None:
            closed = closing.search(text, opened.end())
            return -1 if closed is None else closed.end()
    return None


def _later_block(text: str, at: int) -> int | None:
    """Return the end of thinking without an opening mark, or with one after a preamble.

    The result is −1 if the thinking does not end, and None if there is none.
    """
    opened = _first(text, at, _OPENINGS, at + LONGEST_PREAMBLE)
    closed = _first(text, at, _ENDS_ALONE, len(text))
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
