"""Habits that no report mentions, in the spirit of those that do: each an answer of 80 words with 80 tokens."""

from __future__ import annotations

import json
from typing import Any

from tests.backends.openai_served import DONE, event, said
from tests.wild import ollama_habits
from tests.wild.judged import CHUNKED
from tests.wild.openai_habits import (
    FIRST_MS,
    GAP_MS,
    HALF,
    NO_COUNT,
    PROMPT,
    Habit,
    N,
    failed,
    framed,
    spoken,
    texts,
    thought,
    usage,
    word,
)

__all__ = ["OLLAMA", "OPENAI"]

COUNTED = {"prompt_tokens": PROMPT, "completion_tokens": N, "total_tokens": PROMPT + N}
REPEATED: Any = ("text_repeated",)
NO_TEXT: dict[str, Any] = {
    "ttft_ms": None, "ttfo_ms": None, "tokens": None, "tps": None, "cps": False, "outcome": "empty",
}  # fmt: skip


def so_far(at: int, start: int = 0) -> str:
    return "".join(word(number) for number in range(start, at + 1))


def choices(*many: Any, **more: Any) -> bytes:
    return event(choices=list(many), **more)


def ended(word_for_it: Any, name: str = "finish_reason") -> Any:
    return spoken(texts(), [choices({"delta": {}, name: word_for_it}), usage(), DONE])


def other(at: int, **more: Any) -> dict[str, Any]:
    return {"index": 1, "delta": {"content": f"other {at} "}, **more}


def one(at: int) -> dict[str, Any]:
    return {"index": 0, "delta": {"content": word(at)}}


OPENAI: dict[str, Habit] = {
    # --- repeated text
    "each chunk has all of the text so far": Habit(
        sends=spoken([said(content=so_far(at)) for at in range(N)]), flags=REPEATED
    ),
    "each chunk has all of the thinking so far": Habit(
        sends=spoken([said(reasoning_content=so_far(at)) for at in range(HALF)] + texts(HALF, HALF)),
        flags=REPEATED,
        **thought(),
    ),
    "each chunk has all of the thinking and all of the answer so far": Habit(
        sends=spoken(
            [said(reasoning=so_far(at)) for at in range(HALF)]
            + [said(reasoning=so_far(HALF - 1), content=so_far(at, HALF)) for at in range(HALF, N)]
        ),
        flags=REPEATED,
        **thought(),
    ),
    "the last chunk has the whole answer again": Habit(
        sends=spoken(texts(), [said("stop", content=so_far(N - 1)), usage(), DONE]), flags=REPEATED
    ),
    "a message with the whole answer follows": Habit(
        sends=spoken(texts(), [said("stop"), choices({"message": {"content": so_far(N - 1)}}), usage(), DONE]),
        flags=REPEATED,
    ),
    "the answer under both names": Habit(
        sends=spoken([said(content=word(at), reasoning_content=word(at)) for at in range(N)])
    ),
    # --- alternatives
    "two alternatives in a chunk": Habit(sends=spoken([choices(one(at), other(at)) for at in range(N)])),
    "two alternatives, the other first": Habit(
        sends=spoken([texts()[0], *(choices(other(at), one(at)) for at in range(1, N))])
    ),
    "two alternatives in chunks of their own": Habit(
        sends=spoken([choices(one(at)) + choices(other(at)) for at in range(N)])
    ),
    "an alternative that ends early": Habit(
        sends=spoken(
            [choices(one(at)) + (choices(other(at, finish_reason="stop")) if at == 10 else b"") for at in range(N)]
        )
    ),
    "index 1 only": Habit(
        sends=spoken([choices({"index": 1, "delta": {"content": word(at)}}) for at in range(N)])
    ),
    "an index as text": Habit(
        sends=spoken([choices({"index": "0", "delta": {"content": word(at)}}) for at in range(N)])
    ),
    # --- chunks without text
    "many chunks with the role only": Habit(
        sends=[*((130.0 + at, said(role="assistant")) for at in range(12)), *spoken(texts())]
    ),
    "the role on each chunk": Habit(sends=spoken([said(role="assistant", content=word(at)) for at in range(N)])),
    "delta null between": Habit(sends=spoken([text + choices({"index": 0, "delta": None}) for text in texts()])),
    "logprobs": Habit(
        sends=spoken([choices({**one(at), "logprobs": {"content": [{"token": word(at)}]}}) for at in range(N)])
    ),
    "tool calls that end like an answer": Habit(
        sends=spoken(
            [said(tool_calls=[{"index": 0, "function": {"arguments": word(at)}}]) for at in range(N)],
            [said("stop"), usage(), DONE],
        ),
        **NO_TEXT,
    ),
    "no choices, and text in another field": Habit(
        sends=spoken([choices(content=word(at)) for at in range(N)]), flags=("unseen_text",), **NO_TEXT
    ),
    # --- counts
    "usage in the first chunk too": Habit(
        sends=[
            (100.0, event(choices=[], usage={"prompt_tokens": PROMPT, "completion_tokens": 0, "total_tokens": PROMPT})),
            *spoken(texts()),
        ]
    ),
    "usage null, then with the end": Habit(
        sends=spoken(
            [said(content=word(at), extra={"usage": None}) for at in range(N)],
            [said("stop", extra={"usage": COUNTED}), DONE],
        )
    ),
    "usage without choices": Habit(sends=spoken(texts(), [said("stop"), event(choices=None, usage=COUNTED), DONE])),
    "usage in a list": Habit(sends=spoken(texts(), [said("stop"), event(choices=[], usage=[COUNTED]), DONE])),
    "usage in other letters": Habit(
        sends=spoken(texts(), [said("stop"), choices(usage={"promptTokens": 40, "completionTokens": N}), DONE])
    ),
    "usage as floats": Habit(
        sends=spoken(texts(), [said("stop"), event(choices=[], usage={"completion_tokens": 80.0}), DONE])
    ),
    "negative created": Habit(sends=spoken([said(content=word(at), extra={"created": -5}) for at in range(N)])),
    # --- ends
    "an end as an object": Habit(sends=ended({"type": "stop", "matched": 2})),
    "an end in another field": Habit(sends=ended({"type": "max_tokens"}, "finish_details"), ended_by="length"),
    "an end with its type": Habit(sends=ended("FinishReason.STOP")),
    "another word for an end": Habit(sends=ended("stopped")),
    "another word for the limit": Habit(sends=ended("max_output_tokens"), ended_by="length"),
    "an error as an object": failed(choices({"delta": {}, "finish_reason": {"type": "error"}}), words="no explanation"),
    "the done mark in small letters": Habit(sends=spoken(texts(), [said("stop"), usage(), b"data: [done]\n\n"])),
    "memory that ran out": failed(
        event(error="CUDA out of memory. Tried to allocate 2 GiB"), words="out of memory: CUDA",
        code="server_out_of_memory",
    ),
    # --- frames
    "a BOM before each event": Habit(sends=framed(lambda data: b"\xef\xbb\xbfdata: " + data + b"\n\n")),
    "blanks before the field": Habit(sends=framed(lambda data: b" data: " + data + b"\n\n")),
    "fields in capitals": Habit(sends=framed(lambda data: b"DATA: " + data + b"\n\n")),
    "the field's name twice": Habit(
        sends=framed(lambda data: b"data: data: " + data + b"\n\n", b"data: data: [DONE]\n\n")
    ),
    "a sequence of JSON texts": Habit(sends=framed(lambda data: b"\x1e" + data + b"\n", b"")),
    "lines of zeros between": Habit(sends=framed(lambda data: b"data: " + data + b"\n\n\0\0\n")),
    "line ends before each event": Habit(sends=framed(lambda data: b"\n\ndata: " + data, b"\n\ndata: [DONE]\n\n")),
    "an array": Habit(sends=[(130.0, b"["), *framed(lambda data: data + b",", b"]")[1:]]),
    "retry lines": Habit(sends=framed(lambda data: b"retry: 3000\nid: 1\ndata: " + data + b"\n\n")),
    "events that are not JSON": Habit(
        sends=spoken([f"data: {word(at)}{at}\n\n".encode() for at in range(N)]),
        **(NO_TEXT | {"outcome": "error", "code": "bad_chunk", "words": "wind 0", "ended_by": None}),
    ),
    "an empty body": Habit(
        sends=[], headers={"content-length": "0"},
        **(NO_TEXT | {"outcome": "error", "code": "no_body", "words": "empty response", "ended_by": None}),
    ),
    "an empty stream": Habit(
        sends=[(100.0, b": keep-alive\n\n")], headers=CHUNKED,
        **(NO_TEXT | {"outcome": "error", "code": "no_body", "words": "empty response", "ended_by": None}),
    ),
    "status 201": Habit(sends=spoken(texts()), how={"status": 201}),
}  # fmt: skip


def lines(**last: Any) -> Any:
    return ollama_habits.spoken(last=last)


WHOLE_LINES = ollama_habits.spoken()
AT_END_MS = FIRST_MS + (N - 1) * GAP_MS
SCIENTIFIC = (
    b'{"message": {"content": ""}, "done": true, "done_reason": "stop", "eval_count": 8e1, "prompt_eval_count": 4.0e1,'
    b'"total_duration": 1.73e9, "load_duration": 1.2E7, "prompt_eval_duration": 1.38e+8, "eval_duration": 1.58e9}\n'
)

OLLAMA: dict[str, Habit] = {
    "each chunk has all of the text so far": Habit(
        sends=ollama_habits.spoken([{"content": so_far(at)} for at in range(N)]), flags=REPEATED
    ),
    "the last chunk has the whole answer again": Habit(
        sends=lines(message={"role": "assistant", "content": so_far(N - 1)}), flags=REPEATED
    ),
    "the answer under both names": Habit(
        sends=ollama_habits.spoken([{"content": word(at), "thinking": word(at)} for at in range(N)])
    ),
    "a total of 0": Habit(sends=lines(total_duration=0)),
    "no count though done": Habit(sends=lines(eval_count=None), tokens=None, tps=None, why=NO_COUNT),
    "counts as text": Habit(
        sends=lines(**{name: str(value) for name, value in ollama_habits.COUNTS.items()}), tokens=None, tps=None,
        why={"tokens": "not_a_number"},
    ),
    "times in scientific notation": Habit(sends=[*ollama_habits.spoken(final=False), (AT_END_MS, SCIENTIFIC)]),
    "an end that says false": Habit(sends=lines(done=False)),
    "an end that says yes": Habit(sends=lines(done="yes")),
    "a load in place of an answer": Habit(
        sends=[(FIRST_MS, json.dumps({"message": {"content": ""}, "done": True, "done_reason": "load"}).encode())],
        **(NO_TEXT | {"outcome": "error", "code": "odd_end", "words": "load", "ended_by": None}),
    ),
    "thinking as a list": Habit(
        sends=ollama_habits.spoken(
            [
                *({"content": "", "thinking": [word(at)]} for at in range(HALF)),
                *({"content": word(at)} for at in range(HALF)),
            ]
        ),
        **thought(),
    ),
    "empty lines": Habit(sends=ollama_habits.spoken(frame=lambda data: b"\n" + data + b"\n\n")),
    "an array": Habit(
        sends=[(140.0, b"["), *((at, data.strip() + b",") for at, data in WHOLE_LINES), (AT_END_MS + 1, b"]")]
    ),
    "the last line twice": Habit(sends=[*WHOLE_LINES, WHOLE_LINES[-1]]),
    "a BOM": Habit(sends=[(140.0, b"\xef\xbb\xbf"), *WHOLE_LINES]),
    "an empty body": Habit(
        sends=[], headers={"content-length": "0"},
        **(NO_TEXT | {"outcome": "error", "code": "no_body", "words": "empty response", "ended_by": None}),
    ),
    "status 201": Habit(sends=WHOLE_LINES, how={"status": 201}),
}  # fmt: skip
