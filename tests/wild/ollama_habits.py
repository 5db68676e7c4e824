"""Habits of servers with Ollama's protocol and of its imitations: each an answer of 80 words with 80 tokens."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.core.made import WALL_NS
from tests.wild.judged import CHUNKED, Sends
from tests.wild.openai_habits import (
    BUFFERED,
    FIRST_MS,
    GAP_MS,
    HALF,
    MARK,
    NO_COUNT,
    Habit,
    N,
    compressed,
    thought,
    word,
)

__all__ = ["HABITS"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Stamp = Callable[[float], Any]


def exact(at_ms: float) -> str:
    """The server's clock is ours; its stamp is taken 0.5 ms before arrival."""
    return (EPOCH + timedelta(microseconds=WALL_NS / 1000 + (at_ms - 0.5) * 1000)).isoformat().replace("+00:00", "Z")


def shifted(by_s: float) -> Stamp:
    return lambda at_ms: exact(at_ms + by_s * 1000)


def stepped(at_ms: float) -> str:
    """A clock that is set forward by two seconds in the middle of the answer, and back soon after."""
    return exact(at_ms + (2000 if 900 < at_ms < 1000 else 0))


def seconds(at_ms: float) -> str:
    return exact(at_ms)[:19] + "Z"


COUNTS: dict[str, Any] = {
    "total_duration": round((FIRST_MS + (N - 1) * GAP_MS) * 1e6),
    "load_duration": 12_000_000,
    "prompt_eval_count": 40,
    "prompt_eval_duration": round((FIRST_MS - 12) * 1e6),
    "eval_count": N,
    "eval_duration": round((N - 1) * GAP_MS * 1e6),
}


def line(at_ms: float, stamp: Stamp | None = exact, **fields: Any) -> bytes:
    stamped = {} if stamp is None else {"created_at": stamp(at_ms)}
    return json.dumps({"model": "small:1b", **stamped, **fields}, ensure_ascii=False).encode() + b"\n"


def spoken(
    messages: Iterable[Any] | None = None,
    *,
    stamp: Stamp | None = exact,
    frame: Callable[[bytes], bytes] = lambda data: data,
    last: dict[str, Any] | None = None,
    final: bool = True,
) -> Sends:
    """Return messages at the usual pace; the last line comes with the last of them."""
    said = [{"content": word(at)} for at in range(N)] if messages is None else list(messages)
    sends = []
    for number, message in enumerate(said):
        at_ms = FIRST_MS + number * GAP_MS
        sends.append((at_ms, frame(line(at_ms, stamp, message={"role": "assistant", **message}, done=False))))
    if final:
        end = {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"}
        at_ms = sends[-1][0]
        sends.append((at_ms, frame(line(at_ms, stamp, **(end | COUNTS | (last or {}))))))
    return sends


def inline(opening: list[str], closing: str) -> Sends:
    words = [*opening, *(word(at) for at in range(HALF)), closing]
    return spoken([{"content": text} for text in (*words, *(word(at) for at in range(N - len(words))))])


def failed(last: bytes, words: str) -> Habit:
    return Habit(
        sends=[*spoken([{"content": word(at)} for at in range(10)], final=False), (400.0, last)], outcome="error",
        code="server_error", words=words, ended_by=None, tokens=None, tps=None, cps=False,
    )  # fmt: skip


WHOLE: dict[str, Any] = {
    "message": {"role": "assistant", "content": word(0) * N},
    "done": True,
    "done_reason": "stop",
} | COUNTS
APART: dict[str, Any] = {"flags": ("clocks_apart",), "why": {"client_lag_ms": "clocks_apart"}}
COARSE: dict[str, Any] = {"why": {"client_lag_ms": "coarse_stamps"}}

HABITS: dict[str, Habit] = {
    "usage in a chunk of its own": Habit(sends=spoken()),
    "no usage": Habit(sends=spoken(last=dict.fromkeys(COUNTS)), tokens=None, tps=None, why=NO_COUNT),
    "usage of 0": Habit(sends=spoken(last=dict.fromkeys(COUNTS, 0)), tokens=None, tps=None, why={"tokens": "zero"}),
    "usage as text": Habit(
        sends=spoken(last={key: str(value) for key, value in COUNTS.items()}),
        tokens=None,
        tps=None,
        why={"tokens": "not_a_number"},
    ),
    "one duration below 0": Habit(sends=spoken(last={"prompt_eval_duration": -1}), why={"prefill_tps": "no_count"}),
    "durations as floats": Habit(sends=spoken(last={key: float(value) for key, value in COUNTS.items()})),
    "durations in ms": Habit(
        sends=spoken(last={key: value // 1_000_000 for key, value in COUNTS.items() if key.endswith("duration")}),
        flags=("clock_disagreement",),
    ),
    "a stream without its last line": Habit(
        sends=spoken(final=False), outcome="no_final", ended_by=None, tokens=None, tps=None, why=NO_COUNT
    ),
    "a connection that stays open": Habit(sends=spoken(), how={"stays_open": True}),
    "text in the last line": Habit(sends=spoken(last={"message": {"content": word(0)}})),
    "an end that is not known": Habit(
        sends=spoken(last={"done_reason": "cancelled"}),
        outcome="error",
        code="odd_end",
        words="cancelled",
        ended_by=None,
        tokens=None,
        tps=None,
        cps=False,
    ),
    "an error in the middle": failed(
        line(400, error={"message": "CUDA error: bad launch", "code": 500}), words="CUDA error: bad launch"
    ),
    "an error as text": failed(line(400, error="unexpected EOF"), words="unexpected EOF"),
    "an error as a list": failed(line(400, error=[{"detail": "no slot"}]), words="no slot"),
    "thinking": Habit(
        sends=spoken(
            [{"thinking": word(at), "content": ""} for at in range(HALF)]
            + [{"content": word(at)} for at in range(HALF, N)]
        ),
        **thought(),
    ),
    "reasoning_content": Habit(
        sends=spoken(
            [{"reasoning_content": word(at)} for at in range(HALF)] + [{"content": word(at)} for at in range(HALF, N)]
        ),
        **thought(),
    ),
    "content as a list of typed parts": Habit(
        sends=spoken(
            [{"content": [{"type": "thinking", "thinking": word(at)}]} for at in range(HALF)]
            + [{"content": [{"type": "text", "text": word(at)}]} for at in range(HALF, N)]
        ),
        **thought(),
    ),
    "thinking that the template opened": Habit(
        sends=inline([], "\n</think>\n\n"), **(MARK | {"ttfo_ms": FIRST_MS + (HALF + 1) * GAP_MS})
    ),
    "thinking with both marks": Habit(
        sends=inline(["<think>\n"], "\n</think>\n\n"), **(MARK | {"ttfo_ms": FIRST_MS + (HALF + 2) * GAP_MS})
    ),
    "thinking behind a preamble": Habit(
        sends=inline(["Okay. ", "<think>"], "</think>\n"), **(MARK | {"ttfo_ms": FIRST_MS + (HALF + 3) * GAP_MS})
    ),
    "text in a field that is not known": Habit(
        sends=spoken(
            [{"pondering": word(at)} for at in range(HALF)] + [{"content": word(at)} for at in range(HALF, N)]
        ),
        ttft_ms=None,
        ttfo_ms=FIRST_MS + HALF * GAP_MS,
        tps=None,
        flags=("unseen_text",),
        why={"ttft_ms": "unseen_text", "decode_tps": "unseen_text"},
    ),
    "a limit that is ignored": Habit(
        sends=spoken(
            [{"content": word(at)} for at in range(200)],
            last={"eval_count": 200, "eval_duration": round(199 * GAP_MS * 1e6), "total_duration": None},
        ),
        tokens=200,
        flags=("cap_ignored",),
    ),
    # --- stamps
    "a clock that is behind": Habit(sends=spoken(stamp=shifted(-93)), **APART),
    "a clock that is ahead": Habit(sends=spoken(stamp=shifted(3600)), **APART),
    "a clock that is set in between": Habit(sends=spoken(stamp=stepped), **APART),
    "stamps of whole seconds": Habit(sends=spoken(stamp=seconds), **COARSE),
    "stamps that stand still": Habit(sends=spoken(stamp=lambda _: exact(0)), **COARSE),
    "stamps as numbers": Habit(sends=spoken(stamp=lambda at_ms: WALL_NS // 10**9)),
    "stamps that cannot be read": Habit(sends=spoken(stamp=lambda _: "1790000000.000Z")),
    "no stamps": Habit(sends=spoken(stamp=None)),
    # --- frames
    "lines with CR LF": Habit(sends=spoken(frame=lambda data: data[:-1] + b"\r\n")),
    "events": Habit(sends=spoken(frame=lambda data: b"data: " + data + b"\n")),
    "over several lines": Habit(
        sends=spoken(frame=lambda data: json.dumps(json.loads(data), indent=1).encode() + b"\n")
    ),
    "one behind the other": Habit(sends=spoken(frame=lambda data: data[:-1])),
    "an array": Habit(sends=spoken(frame=lambda data: data[:-1] + b",\n")),
    "blank lines": Habit(sends=spoken(frame=lambda data: b"\n \n" + data)),
    "any content type": Habit(sends=spoken(), headers=CHUNKED | {"content-type": "text/html"}),
    "gzip": Habit(
        sends=compressed(zlib.compressobj(wbits=31), spoken()),
        headers=CHUNKED | {"content-encoding": "gzip"},
        **BUFFERED,
    ),
    "not streamed": Habit(sends=[(900.0, line(900, **WHOLE))], headers={"content-length": "1"}, **BUFFERED),
    "not streamed, over several lines": Habit(
        sends=[(900.0, json.dumps(WHOLE, indent=2).encode())], headers={"content-length": "1"}, **BUFFERED
    ),
    "streamed in one chunk": Habit(sends=spoken([{"content": word(0) * N}]), **BUFFERED),
    "an HTML page": Habit(
        sends=[(100.0, b"<!doctype html><html><title>UI</title></html>")],
        outcome="error",
        code="bad_answer",
        words="sent a response that Ollama would not send",
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
}
