"""Habits of servers of OpenAI's protocol, taken from public reports: each an answer of 80 words with 80 tokens.

By default the first word arrives after 150 ms and then one every 20 ms, as one chunk of server-sent events.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from tests.backends.openai_served import DONE, event, said
from tests.wild.judged import CHUNKED, Sends

N, FIRST_MS, GAP_MS = 80, 150.0, 20.0
HALF = N // 2
PROMPT = 40


class Habit(msgspec.Struct, frozen=True, kw_only=True):
    """What a server sends, and what is true of it."""

    sends: Sends
    headers: dict[str, str] = msgspec.field(default_factory=lambda: dict(CHUNKED))
    how: dict[str, Any] = {}
    outcome: str = "ok"
    code: str | None = None
    """Code of the problem, with words in it."""
    words: str = ""
    ended_by: str | None = "stop"
    ttft_ms: float | None = FIRST_MS
    ttfo_ms: float | None = FIRST_MS
    tokens: int | None = N
    tps: float | None = 1000 / GAP_MS
    cps: bool = True
    flags: tuple[str, ...] = ()
    why: dict[str, str] = {}
    thinking_chars: int = 0


def word(at: int) -> str:
    return ("wind ", "rain ", "light ", "shore ", "boat ")[at % 5]


def usage(made: Any = N, prompt: Any = PROMPT, **more: Any) -> bytes:
    counts = {"prompt_tokens": prompt, "completion_tokens": made, "total_tokens": PROMPT + N}
    return event(choices=[], usage=counts | more)


TAIL = (said("stop"), usage(), DONE)


def spoken(chunks: Iterable[bytes], tail: Iterable[bytes] = TAIL, *, first_ms: float = FIRST_MS) -> Sends:
    """Return chunks at the usual pace after a chunk with the role only; the tail follows a gap later, all at once."""
    sends: list[tuple[float, bytes]] = [(first_ms - GAP_MS, said(role="assistant", content=""))]
    sends += [(first_ms + number * GAP_MS, chunk) for number, chunk in enumerate(chunks)]
    return [*sends, *((sends[-1][0] + GAP_MS, end) for end in tail)]


def texts(count: int = N, start: int = 0, key: str = "content") -> list[bytes]:
    deltas: list[dict[str, Any]] = [{key: word(at)} for at in range(start, start + count)]
    return [said(**delta) for delta in deltas]


def halves(key: str, text: Callable[[int], Any] = word) -> Sends:
    """Thinking under a key, then the answer."""
    return spoken([said(**{key: text(at)}) for at in range(HALF)] + texts(HALF, HALF))


def framed(frame: Callable[[bytes], bytes], end: bytes = DONE) -> Sends:
    """Return the usual answer with its data framed differently."""
    datas = [*texts(), said("stop"), usage()]
    return spoken([frame(data[6:-2]) for data in datas[:N]], [*(frame(data[6:-2]) for data in datas[N:]), end])


def compressed(encoder: Any, sends: Sends | None = None) -> Sends:
    """Return an answer, the usual one by default, compressed and flushed chunk by chunk."""
    plain = spoken(texts()) if sends is None else sends
    sends = [(at, encoder.compress(data) + encoder.flush(zlib.Z_SYNC_FLUSH)) for at, data in plain]
    return [*sends, (sends[-1][0], encoder.flush())]


def thought(channel_chars: bool = True, **more: Any) -> dict[str, Any]:
    chars = sum(len(word(at)) for at in range(HALF)) if channel_chars else 0
    return {"ttfo_ms": FIRST_MS + HALF * GAP_MS, "thinking_chars": chars} | more


def inline(opening: list[str], closing: str, count: int) -> Sends:
    """Thinking in the answer's text: marks take the place of words."""
    words = [*opening, *(word(at) for at in range(HALF)), closing]
    words += [word(at) for at in range(count - len(words))]
    return spoken([said(content=text) for text in words])


def failed(*last: bytes, words: str, code: str = "failed_midway") -> Habit:
    return Habit(
        sends=spoken(texts(10), last), outcome="error", code=code, words=words, ended_by=None, tokens=None, tps=None,
        cps=False,
    )  # fmt: skip


NO_COUNT = {"decode_tps": "no_count", "tokens": "no_count"}
BUFFERED: dict[str, Any] = {
    "ttft_ms": None, "ttfo_ms": None, "tps": None, "cps": False, "flags": ("buffered",),
    "why": {"ttft_ms": "buffered", "decode_tps": "buffered"},
}  # fmt: skip
WHOLE = {
    "choices": [{"message": {"content": "all at once"}, "finish_reason": "stop"}],
    "usage": {"completion_tokens": 20},
}
LOADING = ("-----\n", "router loading model: plain-7b\n", ".", ".", "\nDone! (3.0s)\n")
PIECES = [said(content=[{"type": "thinking", "thinking": [{"type": "text", "text": word(at)}]}]) for at in range(HALF)]
MARK: dict[str, Any] = {"ttfo_ms": FIRST_MS + (HALF + 1) * GAP_MS, "flags": ("thinking_inline",)}

HABITS: dict[str, Habit] = {
    # --- the standard is enough
    "usage in a chunk of its own": Habit(sends=spoken(texts())),
    "usage with null parts": Habit(
        sends=spoken(texts(), [said("stop"), usage(prompt_tokens_details=None, completion_tokens_details=None), DONE])
    ),
    "null usage on every chunk": Habit(
        sends=spoken([said(content=word(at), extra={"usage": None}) for at in range(N)])
    ),
    "running counts on every chunk": Habit(
        sends=spoken([said(content=word(at), extra={"usage": {"completion_tokens": at + 1}}) for at in range(N)])
    ),
    "running counts of 0": Habit(
        sends=spoken([said(content=word(at), extra={"usage": {"completion_tokens": 0}}) for at in range(N)])
    ),
    "llama.cpp's timings": Habit(
        sends=spoken(
            texts(),
            [
                said(
                    "stop",
                    extra={
                        "timings": {
                            "cache_n": 0,
                            "prompt_n": 40,
                            "prompt_ms": 150.0,
                            "predicted_n": N,
                            "predicted_ms": (N - 1) * GAP_MS,
                        }
                    },
                ),
                usage(),
                DONE,
            ],
        )
    ),
    "timings of other types": Habit(
        sends=spoken(texts(), [said("stop", extra={"timings": {"predicted_n": "80"}}), usage(), DONE])
    ),
    "usage within the choice": Habit(
        sends=spoken(
            texts(), [event(choices=[{"delta": {}, "finish_reason": "stop", "usage": {"completion_tokens": N}}])]
        )
    ),
    "usage of 0 behind the right one": Habit(sends=spoken(texts(), [said("stop"), usage(), usage(0, 0), DONE])),
    "usage without the thinking": Habit(
        sends=spoken(
            [*texts(HALF, key="reasoning_content"), *texts(HALF, HALF)],
            [said("stop"), usage(HALF, completion_tokens_details={"reasoning_tokens": HALF}), DONE],
        ),
        **thought(),
    ),
    "usage that disagrees with its total": Habit(
        sends=spoken(texts(), [said("stop"), usage(60), DONE]),
        tokens=None,
        tps=None,
        why={"tokens": "counts_disagree", "decode_tps": "counts_disagree"},
    ),
    "usage as text": Habit(
        sends=spoken(texts(), [said("stop"), usage("80", "40"), DONE]),
        tokens=None,
        tps=None,
        why={"tokens": "not_a_number", "decode_tps": "not_a_number"},
    ),
    "usage of 0": Habit(
        sends=spoken(texts(), [said("stop"), usage(0, 0), DONE]),
        tokens=None,
        tps=None,
        why={"tokens": "zero"},
    ),
    "no usage": Habit(sends=spoken(texts(), [said("stop"), DONE]), tokens=None, tps=None, why=NO_COUNT),
    # --- what ends an answer
    "a finish_reason on every chunk": Habit(sends=spoken([said("stop", content=word(at)) for at in range(N)])),
    "a finish_reason between thinking and answer": Habit(
        sends=spoken(
            [
                *texts(HALF - 1, key="reasoning_content"),
                said(reasoning_content="so ") + said("stop", reasoning_content=""),
                *texts(HALF, HALF),
            ]
        ),
        **thought(False, thinking_chars=sum(len(word(at)) for at in range(HALF - 1)) + 3),
    ),
    "no finish_reason": Habit(sends=spoken(texts(), [usage(), DONE]), ended_by="other"),
    "the done mark only": Habit(sends=spoken(texts(), [DONE]), ended_by="other", tokens=None, tps=None, why=NO_COUNT),
    "an orderly close only": Habit(sends=spoken(texts(), []), ended_by="other", tokens=None, tps=None, why=NO_COUNT),
    "a close that nothing announced": Habit(
        sends=spoken(texts(), []), headers={}, outcome="no_final", ended_by=None, tokens=None, tps=None, why=NO_COUNT
    ),
    "no done mark": Habit(sends=spoken(texts(), [said("stop"), usage()])),
    "a connection that stays open": Habit(sends=spoken(texts(), [said("stop"), usage()]), how={"stays_open": True}),
    "a connection that stays open without usage": Habit(
        sends=spoken(texts(), [said("stop")]), how={"stays_open": True}, tokens=None, tps=None, why=NO_COUNT
    ),
    "a connection that breaks behind the end": Habit(
        sends=spoken(texts(), [said("stop")]), how={"breaks": True}, tokens=None, tps=None, why=NO_COUNT
    ),
    "a connection that breaks within the answer": Habit(
        sends=spoken(texts(10), []),
        how={"breaks": True},
        outcome="error",
        code="cut",
        ended_by=None,
        tokens=None,
        tps=None,
        cps=False,
    ),
    "an end in another spelling": Habit(sends=spoken(texts(), [said("MAX_TOKENS"), usage(), DONE]), ended_by="length"),
    "an end that is not known": failed(said("content_filter"), usage(10), DONE, words="content_filter", code="odd_end"),
    "an error in the middle": failed(
        event(error={"code": 500, "message": "Insufficient memory to decode"}),
        words="Insufficient memory to decode",
        code="server_out_of_memory",
    ),
    "an error as text": failed(event(error="Model unloaded."), words="Model unloaded"),
    "an error as a list": failed(event(errors=[{"detail": "no slot"}]), words="no slot"),
    "an error without its key": failed(event(object="error", message="bad slot", code=500), words="bad slot"),
    "an error in the choice": failed(
        event(
            choices=[
                {
                    "delta": {"content": ""},
                    "finish_reason": "error",
                    "error": {"code": 502, "message": "Provider disconnected"},
                }
            ]
        ),
        words="Provider disconnected",
    ),
    "finish_reason error": failed(said("error"), words="no explanation"),
    "an event named error": failed(
        b'event: error\ndata: {"message": "KV cache exhausted"}\n\n', words="KV cache exhausted"
    ),
    "a line that is no JSON": failed(b"data: <html>502 Bad Gateway</html>\n\n", words="502 Bad Gateway"),
    "half a line": failed(b'data: {"choices": [{"del', words="in the middle of a line", code="cut_chunk"),
    # --- thinking
    "reasoning_content": Habit(sends=halves("reasoning_content"), **thought()),
    "reasoning": Habit(sends=halves("reasoning"), **thought()),
    "thinking": Habit(sends=halves("thinking"), **thought()),
    "reasoning_details": Habit(
        sends=halves("reasoning_details", lambda at: [{"type": "reasoning.text", "text": word(at)}]), **thought()
    ),
    "thinking_blocks": Habit(
        sends=halves("thinking_blocks", lambda at: [{"type": "thinking", "thinking": word(at)}]), **thought()
    ),
    "reasoning under two names at once": Habit(
        sends=spoken(
            [said(content=None, reasoning=word(at), reasoning_content=word(at)) for at in range(HALF)]
            + texts(HALF, HALF)
        ),
        **thought(),
    ),
    "content as a list of typed parts": Habit(sends=spoken([*PIECES, *texts(HALF, HALF)]), **thought()),
    "an answer as a list of typed parts": Habit(
        sends=spoken([said(content=[{"type": "text", "text": word(at)}]) for at in range(N)])
    ),
    "thinking that the template opened": Habit(
        sends=inline([], "\n</think>\n\n", N), **(MARK | {"ttfo_ms": FIRST_MS + (HALF + 1) * GAP_MS})
    ),
    "thinking with both marks": Habit(
        sends=inline(["<think>\n"], "\n</think>\n\n", N), **(MARK | {"ttfo_ms": FIRST_MS + (HALF + 2) * GAP_MS})
    ),
    "thinking in channels": Habit(
        sends=inline(["<|channel|>analysis<|message|>"], "<|end|><|start|>assistant<|channel|>final<|message|>", N),
        **(MARK | {"ttfo_ms": FIRST_MS + (HALF + 2) * GAP_MS}),
    ),
    "thinking behind a preamble": Habit(
        sends=inline(["Okay. ", "<think>"], "</think>\n", N), **(MARK | {"ttfo_ms": FIRST_MS + (HALF + 3) * GAP_MS})
    ),
    "text in a field that is not known": Habit(
        sends=halves("pondering"),
        ttft_ms=None,
        ttfo_ms=FIRST_MS + HALF * GAP_MS,
        tps=None,
        flags=("unseen_text",),
        why={"ttft_ms": "unseen_text", "decode_tps": "unseen_text"},
    ),
    "chunks that hide the thinking": Habit(
        sends=halves("content", lambda at: ""),
        ttft_ms=None,
        ttfo_ms=FIRST_MS + HALF * GAP_MS,
        tps=None,
        flags=("unseen_text",),
    ),
    "thinking that is only counted": Habit(
        sends=spoken(
            texts(HALF, HALF), [said("stop"), usage(completion_tokens_details={"reasoning_tokens": HALF}), DONE]
        ),
        ttft_ms=None,
        tps=None,
        flags=("unseen_text",),
    ),
    "running counts that begin high": Habit(
        sends=spoken([said(content=word(at), extra={"usage": {"completion_tokens": HALF + at}}) for at in range(HALF)]),
        ttft_ms=None,
        tps=None,
        flags=("unseen_text",),
    ),
    "chunks that keep the connection open": Habit(
        sends=[*((at * 1000.0, said(content="")) for at in range(10)), *spoken(texts(), first_ms=10_000)],
        ttft_ms=10_000,
        ttfo_ms=10_000,
    ),
    "a router that writes about its loading": Habit(
        sends=[
            *((100.0 * at, said(reasoning_content=line)) for at, line in enumerate(LOADING)),
            *spoken(texts(), first_ms=1000),
        ],
        ttft_ms=1000,
        ttfo_ms=1000,
    ),
    "tool calls": Habit(
        sends=spoken(
            [said(tool_calls=[{"index": 0, "function": {"arguments": word(at)}}]) for at in range(N)],
            [said("tool_calls"), usage(), DONE],
        ),
        outcome="empty",
        ended_by="other",
        ttft_ms=None,
        ttfo_ms=None,
        tokens=None,
        tps=None,
        cps=False,
    ),
    "a refusal": Habit(sends=spoken(texts(key="refusal"))),
    # --- limits
    "a limit that is ignored": Habit(
        sends=spoken(texts(200), [said("stop"), event(choices=[], usage={"completion_tokens": 200}), DONE]),
        tokens=200,
        flags=("cap_ignored",),
    ),
    # --- frames
    "lines with CR LF": Habit(sends=framed(lambda data: b"data: " + data + b"\r\n\r\n")),
    "lines with CR": Habit(sends=framed(lambda data: b"data: " + data + b"\r\r")),
    "no blank behind the colon": Habit(sends=framed(lambda data: b"data:" + data + b"\n\n")),
    "single line ends": Habit(sends=framed(lambda data: b"data: " + data + b"\n", b"data: [DONE]\n")),
    "lines of JSON": Habit(sends=framed(lambda data: data + b"\n", b"")),
    "comments": Habit(sends=framed(lambda data: b": keep\n\n: PROCESSING\n\ndata: " + data + b"\n\n")),
    "event lines": Habit(sends=framed(lambda data: b"event: message\nid: 7\ndata: " + data + b"\n\n")),
    "several data lines": Habit(
        sends=framed(
            lambda data: (
                b"".join(
                    b"data: " + line + b"\n" for line in json.dumps(json.loads(data), indent=1).encode().split(b"\n")
                )
                + b"\n"
            )
        )
    ),
    "any content type": Habit(sends=spoken(texts()), headers=CHUNKED | {"content-type": "application/json"}),
    "text/plain": Habit(sends=spoken(texts()), headers=CHUNKED | {"content-type": "Text/Plain; charset=utf-8"}),
    "gzip": Habit(
        sends=compressed(zlib.compressobj(wbits=31)), headers=CHUNKED | {"content-encoding": "GZIP"}, **BUFFERED
    ),
    "deflate": Habit(
        sends=compressed(zlib.compressobj()), headers=CHUNKED | {"content-encoding": "deflate"}, **BUFFERED
    ),
    "deflate without zlib's header": Habit(
        sends=compressed(zlib.compressobj(wbits=-15)), headers=CHUNKED | {"content-encoding": "deflate"}, **BUFFERED
    ),
    "gzip without a header": Habit(sends=compressed(zlib.compressobj(wbits=31)), **BUFFERED),
    "a compression that is not known": Habit(
        sends=[(FIRST_MS, b"\x0b\x02\x80")],
        headers=CHUNKED | {"content-encoding": "br"},
        outcome="error",
        code="bad_chunk",
        ended_by=None,
        ttft_ms=None,
        ttfo_ms=None,
        tokens=None,
        tps=None,
        cps=False,
    ),
    "gzip all at once": Habit(
        sends=[(900.0, gzip.compress(b"".join(data for _, data in spoken(texts()))))],
        headers={"content-length": "1", "content-encoding": "gzip"},
        **BUFFERED,
    ),
    "not streamed": Habit(
        sends=[(900.0, json.dumps(WHOLE).encode())], headers={"content-length": "1"}, **(BUFFERED | {"tokens": 20})
    ),
    "not streamed, over several lines": Habit(
        sends=[(900.0, json.dumps(WHOLE, indent=2).encode())],
        headers={"content-length": "1"},
        **(BUFFERED | {"tokens": 20}),
    ),
    "not streamed, as an event": Habit(
        sends=[(900.0, b"data: " + json.dumps(WHOLE).encode() + b"\n\n")], **(BUFFERED | {"tokens": 20})
    ),
    "streamed in one chunk": Habit(sends=spoken([said(content=word(0) * N)]), **BUFFERED),
    "an HTML page": Habit(
        sends=[(100.0, b"<!doctype html><html><title>UI</title></html>")],
        outcome="error",
        code="bad_chunk",
        words="doctype",
        ended_by=None,
        ttft_ms=None,
        ttfo_ms=None,
        tokens=None,
        tps=None,
        cps=False,
    ),
    "a redirect": Habit(
        sends=[(100.0, b"<html>Moved</html>")],
        headers={"location": "https://models.example/v1"},
        how={"status": 307},
        outcome="error",
        code="redirected",
        words="https://models.example/v1",
        ended_by=None,
        ttft_ms=None,
        ttfo_ms=None,
        tokens=None,
        tps=None,
        cps=False,
    ),
    "an emoji in two halves": Habit(
        sends=spoken(
            [
                f'data: {{"choices":[{{"delta":{{"content":"{half}"}}}}]}}\n\n'.encode()
                for half in ("a \\ud83d", "\\ude00 b ") * HALF
            ]
        )
    ),
    "a content of another type": Habit(
        sends=spoken([text + said(content=5) + said(content={"a": 1}) + said(content=[None, 3]) for text in texts()])
    ),
}
