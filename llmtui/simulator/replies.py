"""The lines of an answer in each dialect."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from llmtui.simulator.model import Dialect, SimulatedModel
from llmtui.simulator.requests import Ask, context_of_text


class Counters(Struct, frozen=True, kw_only=True):
    """The server's own figures for one answer; durations in nanoseconds.

    Attributes:
        cached: number of prompt tokens from the cache.
        eval_count: output tokens.
    """

    total_ns: int
    load_ns: int
    prompt_tokens: int
    cached: int
    prompt_ns: int
    eval_count: int
    eval_ns: int


class Replies:
    """Builds the bodies of one answer; `created_at` is left empty until the moment of sending.

    Args:
        ask: the request; its route and model name are echoed.
        dialect: order and presence of keys.
        model: adds the keys of a remote model.
    """

    def __init__(self, ask: Ask, dialect: Dialect, model: SimulatedModel) -> None:
        self._ask = ask
        self._dialect = dialect
        self._head: dict[str, Any] = {"model": ask.model}
        if model.remote_host and dialect == "0.34.4":
            self._head |= {"remote_model": model.remote_model or model.name, "remote_host": model.remote_host}

    def text(self, *, answer: str = "", thinking: str = "") -> dict[str, Any]:
        """Return a chunk of the answer."""
        return {**self._head, "created_at": "", **self._content(answer, thinking), "done": False}

    def state(self, reason: str) -> dict[str, Any]:
        """Return the whole reply to a request that only loads or unloads."""
        return {**self._head, "created_at": "", **self._content("", ""), **self._done(reason)}

    def last(
        self, reason: str, counters: Counters, *, conversation: str, answer: str = "", thinking: str = ""
    ) -> dict[str, Any]:
        """Return the last line, or with all of the text the whole answer."""
        body = {**self._head, "created_at": "", **self._content(answer, thinking), **self._done(reason)}
        if self._ask.kind == "generate" and not self._ask.raw:
            body["context"] = context_of_text(conversation)
        figures: dict[str, int | None] = {
            "total_duration": counters.total_ns,
            "load_duration": counters.load_ns,
            "prompt_eval_count": counters.prompt_tokens,
            "prompt_eval_cached_count": None,
            "prompt_eval_duration": counters.prompt_ns,
            "eval_count": counters.eval_count,
            "eval_duration": counters.eval_ns,
        }
        known = {key: value for key, value in figures.items() if value}
        if self._dialect == "0.34.4":
            # The only figure written even where it is zero.
            known["prompt_eval_cached_count"] = counters.cached
        return body | {key: known[key] for key in figures if key in known}

    def _done(self, reason: str) -> dict[str, Any]:
        if self._dialect == "0.34.4" or self._ask.kind == "generate":
            return {"done": True, "done_reason": reason}
        return {"done_reason": reason, "done": True}

    def _content(self, answer: str, thinking: str) -> dict[str, Any]:
        thought = {"thinking": thinking} if thinking else {}
        if self._ask.kind == "chat":
            return {"message": {"role": "assistant", "content": answer, **thought}}
        return {"response": answer, **thought}
