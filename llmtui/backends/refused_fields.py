"""Request fields that a server refuses. The request is sent again without them, and they are remembered.

A trial need not fail because of a field that its answer does not need. The effect of leaving the field out is reported
with the result.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing
from typing import Any

import msgspec

from llmtui.backends.base import Chunk, DroppedField, Final, RequestRefused, RequestSent
from llmtui.backends.lenient import NotJson, document
from llmtui.core.codes import Cost
from llmtui.core.records import Argument, Problem

Body = Mapping[str, Any]
Exchange = Callable[[Body], AsyncGenerator[RequestSent | Chunk | Final, None]]

_REFUSED = (400, 422)
_NEEDED = frozenset({"model", "messages", "stream"})
_INSTEAD = {"max_tokens": "max_completion_tokens"}
_EFFECTS: dict[str, tuple[str, ...]] = {
    "chat_template_kwargs": ("chat_template", "chat template", "enable_thinking"),
    "stream_options": ("include_usage",),
    "think": ("thinking", "think value"),
    "reasoning_effort": ("reasoning effort", "reasoning.effort"),
}
"""Texts of refusals that describe the effect of a field instead of naming it."""
_ABOUT_SIZE = re.compile(r"context|too (?:large|long|big|many)|exceed|at most|larger than|maximum")
_ECHOED = frozenset({"input", "ctx", "url", "body", "request", "value"})
"""Keys under which error bodies repeat the request."""


class RefusedFields:
    """The fields that one server has refused so far, by model."""

    def __init__(self) -> None:
        self._by_model: dict[str, tuple[DroppedField, ...]] = {}

    def of(self, model: str) -> tuple[DroppedField, ...]:
        """Return the fields to leave out of requests for a model."""
        return self._by_model.get(model, ())

    def learn(self, model: str, taken: tuple[DroppedField, ...]) -> None:
        """Add fields that the server refused for a model."""
        known = self.of(model)
        self._by_model[model] = (*known, *(one for one in taken if one not in known))

    async def ask(
        self, model: str, body: Body, exchange: Exchange
    ) -> AsyncGenerator[RequestSent | Chunk | Final, None]:
        """Send a request and yield its events. If the server refuses fields by name, send it again without them.

        Args:
            model: the model's name, by which refusals are remembered.
            body: the request with all fields.
            exchange: sends a body and yields the events.

        Raises:
            BackendFailed: the request failed, or the refusal names no field that could be left out.
        """
        while True:
            taken = self.of(model)
            reduced = without(body, taken)
            try:
                async with aclosing(exchange(reduced)) as items:
                    async for item in items:
                        yield msgspec.structs.replace(item, without=taken) if isinstance(item, RequestSent) else item
            except RequestRefused as refused:
                new = refused_fields(reduced, refused.status, refused.body)
                if not new:
                    raise
                self.learn(model, new)
            else:
                return


def without(body: Body, taken: tuple[DroppedField, ...]) -> dict[str, Any]:
    """Return a request's body without the refused fields, or with their substitutes.

    Objects that become empty are removed.
    """
    left: dict[str, Any] = dict(body)
    for one in taken:
        part, _, name = one.field.rpartition(".")
        if part:
            left[part] = {key: value for key, value in left.get(part, {}).items() if key != name}
            if not left[part]:
                del left[part]
        elif name in left:
            value = left.pop(name)
            if one.instead:
                left[one.instead] = value
    return left


def refused_fields(body: Body, status: int, refusal: bytes) -> tuple[DroppedField, ...]:
    """Return those fields of a request which can be left out and are named in a refusal.

    Args:
        body: the body as sent.
        status: the HTTP status.
        refusal: the body of the refusal.
    """
    if status not in _REFUSED:
        return ()
    words = " ".join(_texts(refusal)).lower()
    named = [
        path
        for path in _paths(body)
        if _replaces(path.rpartition(".")[2].lower(), words) or any(sign in words for sign in _EFFECTS.get(path, ()))
    ]
    if any("max_" in path for path in named) and _ABOUT_SIZE.search(words):
        return ()  # the server knows the field, but its value is too large: a different problem
    parts = {path.partition(".")[0] for path in named if "." in path}
    return tuple(
        DroppedField(field=path, instead=_instead(path, body)) for path in named if path not in parts or len(named) == 1
    )


def _paths(body: Body) -> Iterator[str]:
    for name, value in body.items():
        if name in _NEEDED:
            continue
        yield name
        if isinstance(value, Mapping):
            yield from (f"{name}.{inner}" for inner in value)


def _instead(path: str, body: Body) -> str | None:
    instead = _INSTEAD.get(path)
    return None if instead in body else instead


def _replaces(name: str, words: str) -> bool:
    return re.search(rf"(?<![a-z0-9_]){re.escape(name)}(?![a-z0-9_])", words) is not None


def _texts(refusal: bytes) -> Iterator[str]:
    """Yield the texts in an error body, except those that repeat the request. A body that is not JSON is one text."""
    try:
        yield from _texts_in(document(refusal))
    except NotJson:
        yield refusal[:4096].decode("utf-8", "replace")


def _texts_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _texts_in(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            if key not in _ECHOED:
                yield from _texts_in(one)


_COSTS: dict[str, Cost] = {
    "stream_options": "no_count",
    "stream_options.continuous_usage_stats": "no_first_count",
    "seed": "no_repeat",
    "temperature": "no_repeat",
    "max_tokens": "any_length",
    "max_completion_tokens": "any_length",
    "chat_template_kwargs": "own_thinking",
    "reasoning_effort": "own_thinking",
    "reasoning": "own_thinking",
    "think": "own_thinking",
    "cache_prompt": "may_reuse",
    "keep_alive": "stays_loaded",
}


def dropped_field_problem(model: str, taken: DroppedField) -> Problem:
    """Return the problem that names a refused field and the effect of leaving it out."""
    args: dict[str, Argument] = {"field": taken.field, "name": model}
    if taken.instead:
        return Problem(code="field_replaced", args={**args, "instead": taken.instead})
    cost = _COSTS.get(taken.field) or _COSTS.get(taken.field.partition(".")[0])
    if cost is None:
        return Problem(code="field_taken_back", args=args)
    return Problem(code="field_taken_back_cost", args={**args, "cost": cost})
