"""One answer has one result, however it is framed and cut; an odd value costs what depends on it and nothing else.

``HYPOTHESIS_PROFILE=long pytest tests/wild/test_properties.py`` tries 10,000 examples per case, over 100,000 in all.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtui.core.metrics import Figures
from tests.wild import ollama_habits
from tests.wild.judged import MODEL, MS, Judged, Sends, judge, ollama, openai

DONE = b"[DONE]"
Framed = Callable[[list[bytes]], list[bytes]]
FRAMES: dict[str, Framed] = {
    "events": lambda documents: [b"data: " + one + b"\n\n" for one in documents],
    "events with CR LF": lambda documents: [b"data:" + one + b"\r\n\r\n" for one in documents],
    "events with CR": lambda documents: [b"data: " + one + b"\r\r" for one in documents],
    "single line ends": lambda documents: [b"data: " + one + b"\n" for one in documents],
    "lines": lambda documents: [one + b"\n" for one in documents],
    "one behind the other": lambda documents: list(documents),
}
TEXTS = st.text(min_size=1, max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=4,
)


def encoded(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")


def openai_documents(thinking: list[str], answer: list[str]) -> list[Any]:
    deltas = [{"reasoning_content": text} for text in thinking] + [{"content": text} for text in answer]
    chunks: list[Any] = [{"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    made = len(deltas) + 1
    counts = {"prompt_tokens": 40, "completion_tokens": made, "total_tokens": 40 + made,
              "prompt_tokens_details": {"cached_tokens": 4}}  # fmt: skip
    timings = {"cache_n": 4, "prompt_n": 36, "prompt_ms": 100.0, "predicted_n": made, "predicted_ms": 20.0 * (made - 1)}
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "timings": timings}
    return [*chunks, end, {"choices": [], "usage": counts}]


def ollama_documents(thinking: list[str], answer: list[str]) -> list[Any]:
    messages = [{"content": "", "thinking": text} for text in thinking] + [{"content": text} for text in answer]
    lines: list[Any] = [
        {"created_at": ollama_habits.exact(100 + 20 * at), "message": message, "done": False}
        for at, message in enumerate(messages)
    ]
    made = len(messages) + 1
    last = {"created_at": ollama_habits.exact(100 + 20 * len(messages)), "message": {"content": ""}, "done": True,
            "done_reason": "stop", "total_duration": (100 + 20 * (made - 1)) * MS, "load_duration": 10 * MS,
            "prompt_eval_count": 40, "prompt_eval_cached_count": 4, "prompt_eval_duration": 90 * MS, "eval_count": made,
            "eval_duration": 20 * (made - 1) * MS}  # fmt: skip
    return [*lines, last]


def paced(parts: list[bytes], together: int = 1) -> Sends:
    """One part every 20 ms, the last ones together."""
    return [(100.0 + 20 * min(at, len(parts) - together), part) for at, part in enumerate(parts)]


def at_once(raw: bytes, cuts: list[int]) -> Sends:
    places = sorted({0, len(raw), *(cut % (len(raw) + 1) for cut in cuts)})
    return [(100.0, raw[start:end]) for start, end in pairwise(places)]


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("protocol", ["openai", "ollama"])
@given(
    thinking=st.lists(TEXTS, max_size=4),
    answer=st.lists(TEXTS, min_size=1, max_size=6),
    cuts=st.lists(st.integers(0, 10**6), max_size=30),
)
async def test_any_cut_of_the_bytes_gives_the_same_answer(
    protocol: str, frame: str, thinking: list[str], answer: list[str], cuts: list[int]
) -> None:
    documents = (openai_documents if protocol == "openai" else ollama_documents)(thinking, answer)
    datas = [encoded(document) for document in documents]
    if protocol == "openai" and frame not in ("lines", "one behind the other"):
        datas.append(DONE)
    parts = FRAMES[frame](datas)
    dialect = openai if protocol == "openai" else ollama
    whole = await judge(dialect(), paced(parts))
    cut = await judge(dialect(), at_once(b"".join(parts), cuts))
    visible = bool("".join((*thinking, *answer)).strip())
    for found in (whole, cut):
        assert found.trial.outcome in (("ok", "thinking_only") if visible else ("empty",))
        line = found.trial.timeline
        assert "".join(line.channels) == "t" * len(thinking) + "a" * len(answer)
        assert found.trial.text == "".join((*thinking, *answer)).encode("utf-16", "surrogatepass").decode(
            "utf-16", "replace"
        )
    assert whole.trial.counters == cut.trial.counters
    assert whole.trial.ended_by == cut.trial.ended_by


@given(
    thinking=st.text(max_size=60),
    answer=st.text(min_size=1, max_size=60),
    cuts=st.lists(st.integers(0, 200), max_size=20),
)
async def test_any_cut_of_the_text_into_chunks_gives_the_same_text(thinking: str, answer: str, cuts: list[int]) -> None:
    for documents, dialect in ((openai_documents, openai), (ollama_documents, ollama)):
        parts = [encoded(one) + b"\n" for one in documents(chunks(thinking, cuts), chunks(answer, cuts))]
        found = await judge(dialect(), paced(parts))
        assert found.trial.text == thinking + answer
        assert found.figures.thinking_chars == len(thinking)


def chunks(text: str, cuts: list[int]) -> list[str]:
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[start:end] for start, end in pairwise(places)]


# --- one odd value ------------------------------------------------------------------------------------------------

Path = tuple[Any, ...]
WORDS = ["wind ", "rain ", "light ", "shore "] * 20


def paths(document: Any, here: Path = ()) -> Iterator[Path]:
    """The places of all values in a document."""
    items = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in items:
        yield (*here, key)
        yield from paths(value, (*here, key))


def changed(document: Any, path: Path, value: Any, *, removed: bool) -> Any:
    made = copy.deepcopy(document)
    inner = made
    for key in path[:-1]:
        inner = inner[key]
    if removed and isinstance(inner, dict):
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return made


CLOCK = frozenset(("server_decode_tps", "clock_side"))
COUNTED = CLOCK | {"tokens", "decode_tps", "tpot_ms", "tps_source", "e2e_tps", "decode_steps", "decode_s", "ttft_ms"}
"""The time to first token, too: more tokens than the text can hold mean text in an unknown field."""
CACHED = frozenset(("cached_tokens", "prefill_tps"))
PROMPT = CACHED | {"prompt_tokens", "prompt_ms"}
REST_ON: dict[str, frozenset[str]] = {
    "completion_tokens": COUNTED,
    "prompt_tokens": COUNTED | PROMPT,
    "total_tokens": COUNTED,
    "prompt_tokens_details": CACHED,
    "cached_tokens": CACHED,
    "cache_n": CACHED,
    "prompt_n": frozenset(),
    "prompt_ms": frozenset(("prompt_ms", "prefill_tps")),
    "predicted_n": CLOCK,
    "predicted_ms": CLOCK,
    "timings": CLOCK | PROMPT,
    "usage": COUNTED | PROMPT,
    "load_duration": frozenset(("load_ms",)),
    "total_duration": PROMPT | CLOCK | {"load_ms"},
    "prompt_eval_count": PROMPT,
    "prompt_eval_cached_count": CACHED,
    "prompt_eval_duration": PROMPT,
    "eval_count": COUNTED,
    "eval_duration": CLOCK,
}
"""The figures that rest on a field of the last documents; no figure rests on a field that is not here."""
CLAIMED = {"ttft_ms", "ttfo_ms", "tokens", "decode_tps"}


async def judged(protocol: str, documents: list[Any]) -> Judged:
    parts = [encoded(document) + b"\n" for document in documents]
    return await judge(openai() if protocol == "openai" else ollama(), paced(parts, 2))


@pytest.mark.parametrize("protocol", ["openai", "ollama"])
@given(data=st.data())
async def test_any_value_of_any_type_anywhere_never_raises(protocol: str, data: st.DataObject) -> None:
    documents = (openai_documents if protocol == "openai" else ollama_documents)(WORDS[:3], WORDS[:20])
    for _ in range(data.draw(st.integers(1, 4))):
        number = data.draw(st.integers(0, len(documents) - 1))
        found = list(paths(documents[number]))
        if found:
            path = data.draw(st.sampled_from(found))
            removed = data.draw(st.booleans())
            documents[number] = changed(documents[number], path, data.draw(JSON), removed=removed)
    result = await judged(protocol, documents)
    figures = result.figures
    assert figures.ttft_ms is None or figures.ttft_ms >= 0
    assert figures.ttft_ms is None or figures.ttfo_ms is None or figures.ttfo_ms >= figures.ttft_ms
    assert figures.e2e_ms is None or figures.ttfo_ms is None or figures.e2e_ms >= figures.ttfo_ms
    assert all(figures.why.get(name) for name in CLAIMED if getattr(figures, name) is None)


@pytest.mark.parametrize("protocol", ["openai", "ollama"])
@given(data=st.data())
async def test_one_odd_value_leaves_what_does_not_rest_on_it(protocol: str, data: st.DataObject) -> None:
    documents = (openai_documents if protocol == "openai" else ollama_documents)([], WORDS)
    usual = (await judged(protocol, documents)).figures
    number = data.draw(st.integers(len(documents) - (2 if protocol == "openai" else 1), len(documents) - 1))
    path = data.draw(st.sampled_from(list(paths(documents[number]))))
    key = next((part for part in reversed(path) if part in REST_ON), path[-1])
    odd = data.draw(JSON.filter(lambda value: not isinstance(value, bool)))
    documents[number] = changed(documents[number], path, odd, removed=data.draw(st.booleans()))
    found = await judged(protocol, documents)
    if found.trial.outcome != "ok":  # the sign of the end, or an error: what had come stays
        assert found.figures.ttft_ms == usual.ttft_ms
        return
    free = REST_ON.get(key, frozenset()) | {"why", "gap_clock", "chunks", "clock_side"}
    if path[-1] in ("content", "message", "delta", "choices", "created_at"):
        return  # the odd value may be text
    different = {name for name in Figures.__struct_fields__ if getattr(found.figures, name) != getattr(usual, name)}
    assert different <= free, (path, odd)
    for name in different:
        value = getattr(found.figures, name)
        assert value is None or name in free
    assert all(found.figures.why.get(name) for name in CLAIMED if getattr(found.figures, name) is None)


def test_the_usual_answers_have_all_figures() -> None:
    import asyncio

    for protocol, documents in (("openai", openai_documents), ("ollama", ollama_documents)):
        figures = asyncio.run(judged(protocol, documents([], WORDS))).figures
        assert figures.decode_tps == pytest.approx(50, rel=0.02)
        assert msgspec.structs.asdict(figures)["server_decode_tps"] == pytest.approx(50)
        assert MODEL.name
