"""The JSON objects of an answer, as each of the two imitated Ollama versions writes them."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from llmtui.simulator.model import Dialect, SimulatedModel
from llmtui.simulator.requests import Ask, context_of_text


class Counters(Struct, frozen=True, kw_only=True):
    """The counters that the server reports for one answer; durations are in nanoseconds.

    Attributes:
        cached: number of prompt tokens from the prompt cache.
        eval_count: number of output tokens.
    """

    total_ns: int
    load_ns: int
    prompt_tokens: int
    cached: int
    prompt_ns: int
    eval_count: int
    eval_ns: int


class Replies:
    """Builds the JSON objects of one answer; `created_at` is left empty and filled in when the object is sent.

    Args:
        ask: the request, whose route and model name are repeated in the answer.
        dialect: the imitated version, which decides the order and presence of keys.
        model: the model, which adds keys if it is remote.
    """

    def __init__(self, ask: Ask, dialect: Dialect, model: SimulatedModel) -> None:
        self._ask = ask
        self._dialect = dialect
        self._head: dict[str, Any] = {"model": ask.model}
        if model.remote_host and dialect == "0.34.4":
            self._head |= {"remote_model": model.remote_model or model.name, "remote_host": model.remote_host}

    def text(self, *, answer: str = "", thinking: str = "") -> dict[str, Any]:
        """Return the object for a chunk of the answer's text."""
        return {**self._head, "created_at": "", **self._content(answer, thinking), "done": False}

    def state(self, reason: str) -> dict[str, Any]:
        """Return the object that responds to a request which only loads or unloads a model."""
        return {**self._head, "created_at": "", **self._content("", ""), **self._done(reason)}

    def last(
        self, reason: str, counters: Counters, *, conversation: str, answer: str = "", thinking: str = ""
    ) -> dict[str, Any]:
        """Return the last object of a stream, or the whole answer if all of its text is given."""
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
            # The only counter that is written even if it is zero.
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
