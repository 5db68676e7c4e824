"""Where the answer begins in a text that holds thinking, in every spelling of public chat templates."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtui.core.metrics import measure
from llmtui.core.records import Timeline
from llmtui.core.thinking import LONGEST_PREAMBLE, inline_thinking
from tests.core.made import MS, finished, plan

PLAN = plan()
SPELLINGS = {
    "DeepSeek R1, Qwen": ("<think>", "</think>"),
    "with an attribute": ('<think time="3">', "</think>"),
    "capitals": ("<THINK>", "</THINK>"),
    "Claude-like": ("<thinking>", "</thinking>"),
    "Exaone Deep": ("<thought>", "</thought>"),
    "reasoning": ("<reasoning>", "</reasoning>"),
    "Reflection": ("<reflection>", "</reflection>"),
    "scratchpad": ("<scratchpad>", "</scratchpad>"),
    "Seed-OSS": ("<seed:think>", "</seed:think>"),
    "LongCat": ("<longcat_think>", "</longcat_think>"),
    "MiniMax": ("<mm:think>", "</mm:think>"),
    "Magistral": ("[THINK]", "[/THINK]"),
    "Kimi": ("◁think▷", "◁/think▷"),
    "Command A": ("<|START_THINKING|>", "<|END_THINKING|><|START_RESPONSE|>"),
    "Open Thoughts": ("<|begin_of_thought|>", "<|end_of_thought|>\n<|begin_of_solution|>"),
    "piped": ("<|think|>", "<|/think|>"),
    "piped with start and end": ("<|think_start|>", "<|think_end|>"),
    "Apertus": ("<|inner_prefix|>", "<|inner_suffix|>"),
    "Gemma 4": ("<|channel>thought\n", "<channel|>"),
    "MedGemma": ("<unused94>thought\n", "<unused95>"),
    "gpt-oss": (
        "<|channel|>analysis<|message|>",
        "<|end|><|start|>assistant<|channel|>final<|message|>",
    ),
    "gpt-oss with its beginning": (
        "<|start|>assistant<|channel|>analysis<|message|>",
        "<|end|><|start|>assistant<|channel|>final <|constrain|>json<|message|>",
    ),
    "gpt-oss with a second channel": (
        "<|channel|>analysis<|message|>",
        "<|end|><|start|>assistant<|channel|>commentary<|message|>so<|end|><|start|>assistant<|channel|>final<|message|>",
    ),
    "gpt-oss without special tokens": ("analysis", "assistantfinal"),
    "Apriel": ("Here are my reasoning steps:", "\n[BEGIN FINAL RESPONSE]"),
    "Granite": ("Here is my thought process:", "Here is my response:"),
    "Granite with an apostrophe": ("Here's my thought process:", "Here's my response:"),
    "Open WebUI": ('<details type="reasoning" done="true">', "</details>"),
    "with an answer's own mark": ("<think>", "</think>\n<answer>"),
    "with blanks": ("< think >", "< / think >"),
    "with a blank behind the slash": ("<think>", "</ think>"),
    "internal": ("<internal>", "</internal>"),
    "a monologue": ("<inner_monologue>", "</inner_monologue>"),
    "Claude's artifacts": ("<antThinking>", "</antThinking>"),
    "a process": ("<thinking_process>", "</thinking_process>"),
    "a chain of thought": ("<chain-of-thought>", "</chain-of-thought>"),
    "Chinese": ("<思考>", "</思考>"),
    "in brackets": ("[THINKING]", "[/THINKING]"),
    "one word in pipes": ("<|startofthink|>", "<|endofthink|>"),
    "openPangu": ("[unused16]", "[unused17]"),
    "Solar Open": ("<|think|>", "<|end|><|begin|>assistant<|content|>"),
    "s1": ("<|im_start|>think\n", "<|im_start|>answer\n"),
    "HuatuoGPT-o1": ("## Thinking\n\n", "\n\n## Final Response\n\n"),
    "HyperCLOVA X": ("<|im_start|>assistant/think\n", "<|im_end|>\n<|im_start|>assistant\n"),
    "Marco-o1": ("<Thought>", "</Thought>\n<Output>"),
    "Reka Flash": ("<reasoning>", "</reasoning> <sep>"),
    "a fence": ("```thinking\n", "\n```"),
    "a summary": ("<details><summary>Thought for 3 seconds</summary>", "</details>"),
    "escaped as in HTML": ("&lt;think&gt;", "&lt;/think&gt;"),
    "escaped with numbers": ("&#60;think&#62;", "&#x3C;/think&#x3E;"),
    "escaped twice": ("&amp;lt;think&amp;gt;", "&amp;lt;/think&amp;gt;"),
    "escaped as in JSON": ("\\u003cthink\\u003e", "\\u003c/think\\u003e"),
    "escaped channels": ("&lt;|channel|&gt;analysis&lt;|message|&gt;", "&lt;|channel|&gt;final&lt;|message|&gt;"),
    "full width": ("＜think＞", "＜/think＞"),
    "zero-width characters": ("\ufeff<\u200bthink\u200d>", "<\u2060/th\u200bink>\u200b"),
}
ALONE = [
    name
    for name in SPELLINGS
    if not name.startswith(("Granite", "Open WebUI", "Huatuo", "HyperCLOVA", "a fence", "a summary"))
]
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
THOUGHT = "We count the waves: 3 < 4, so \\boxed{4}. Now the boat, then the \n\nwind."


def told(text: str, cuts: list[int]) -> tuple[bool, float | None]:
    """Whether thinking was found, and TTFO in ms, of a text cut into chunks that came 1 ms apart."""
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    sizes = tuple(end - start for start, end in pairwise(places))
    line = Timeline(t_ns=tuple(MS * (at + 1) for at in range(len(sizes))), chars=sizes, channels="a" * len(sizes))
    made = measure(finished(PLAN, timeline=line, text=text, done_ns=MS * len(sizes), counters=None), local=True)
    return made.thinking_inline, made.ttfo_ms


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("before", ["", "\n", "Okay. ", "Sure, let me see.\n\n"])
def test_the_answer_begins_behind_the_closing_mark(spelling: str, before: str) -> None:
    opening, closing = SPELLINGS[spelling]
    if before.strip() and spelling == "gpt-oss without special tokens":
        return  # a plain word, and only at the very beginning
    text = f"{before}{opening}{THOUGHT}{closing}\n\nThe boat."
    found = inline_thinking(text)
    assert found.found
    assert found.start is not None
    assert text[found.start :] == "The boat."


@pytest.mark.parametrize("spelling", ALONE)
def test_a_template_may_have_opened_the_thinking_already(spelling: str) -> None:
    text = f"{THOUGHT}{SPELLINGS[spelling][1]}\n\nThe boat."
    found = inline_thinking(text)
    assert found.found
    assert found.start == len(text) - len("The boat.")


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_thinking_that_does_not_end_leaves_no_answer(spelling: str) -> None:
    opening, _ = SPELLINGS[spelling]
    if spelling == "HuatuoGPT-o1":
        return  # a heading, and only a mark if the second one follows
    found = inline_thinking(f"{opening}{THOUGHT}")
    assert (found.found, found.start) == (True, None)


@pytest.mark.parametrize("spelling", ["DeepSeek R1, Qwen", "Magistral", "gpt-oss", "Command A", "Gemma 4"])
@given(places=st.lists(st.tuples(st.integers(0, 10_000), st.sampled_from(INVISIBLE)), max_size=20))
def test_invisible_characters_anywhere_change_nothing(spelling: str, places: list[tuple[int, str]]) -> None:
    opening, closing = SPELLINGS[spelling]
    text = f"{opening}{THOUGHT}{closing}\n\nThe boat."
    for place, character in places:
        at = place % (len(text) + 1)
        text = text[:at] + character + text[at:]
    found = inline_thinking(text)
    assert found.found
    assert found.start is not None
    assert "".join(c for c in text[found.start :] if c not in INVISIBLE) == "The boat."


@given(
    pieces=st.lists(
        st.sampled_from(["&lt;", "&gt;", "&amp;", "&#60;", "\u200b", "＜", *"<>/|`\n", "think"]), max_size=40
    )
)
def test_the_answer_begins_within_the_text_as_it_was_sent(pieces: list[str]) -> None:
    text = "".join(pieces)
    found = inline_thinking(text)
    assert found.start is None or 0 <= found.start < len(text)


@pytest.mark.parametrize("spelling", SPELLINGS)
@given(cuts=st.lists(st.integers(0, 10_000), max_size=60))
def test_any_cut_into_chunks_gives_the_chunk_of_the_first_answer_character(spelling: str, cuts: list[int]) -> None:
    opening, closing = SPELLINGS[spelling]
    text = f"{opening}{THOUGHT}{closing}\n\nThe boat."
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    chunk = next(number for number, end in enumerate(places[1:], 1) if end > text.rindex("The boat."))
    assert told(text, cuts) == (True, chunk)


@pytest.mark.parametrize(
    "text",
    [
        "The boat went out.",
        "  The boat.",
        "Write `<think>` before and `</think>` behind it.",
        'The mark "</think>" ends it.',
        "1 < 2 and a thinking man <b>bold</b>",
        "x" * (LONGEST_PREAMBLE + 1) + "<think>is a mark",
        "analysis of the wind",
        "Here is my response: yes",
        "<details><summary>More</summary>text</details> after",
        "Write `&lt;think&gt;` before and `&lt;/think&gt;` behind it.",
        "In HTML, &lt;b&gt; is written with &amp;lt;.",
        "A family: \U0001f468\u200d\U0001f469\u200d\U0001f467",
        "## Thinking\nAbout the wind.",
        "if a < thinking then b > c",
        "```python\nprint(1)\n```",
        "internal energy <internal energy",
        "",
    ],
)
def test_a_text_about_such_marks_is_an_answer(text: str) -> None:
    assert not inline_thinking(text).found


def test_several_thoughts_in_a_row_are_all_passed_over() -> None:
    text = "<think>a</think>\n<think>b</think>\nThe boat."
    assert inline_thinking(text).start == text.index("The boat.")


def test_an_answer_in_a_channel_of_its_own_is_no_thinking() -> None:
    text = "<|channel|>final<|message|>The boat."
    found = inline_thinking(text)
    assert not found.found
    assert found.start == text.index("The boat.")


@given(st.text(alphabet=st.sampled_from(list('<>/|thinkg◁▷[]THINK\n "`')), max_size=80))
def test_no_text_raises(text: str) -> None:
    found = inline_thinking(text)
    assert found.start is None or 0 <= found.start < len(text)
