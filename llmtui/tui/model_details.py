"""The order in which model details are requested: the model under the cursor first, then the rest of the list."""

from __future__ import annotations

from collections.abc import Sequence

from llmtui.core.commands import ShowModel
from llmtui.core.events import ListedModel, ModelShown
from llmtui.core.plan import BUILTIN, Model

DetailsKey = tuple[str, str, str]
"""Key of a model: (backend, name, digest)."""


class ModelDetails:
    """The known details of models, and which request to send next. One request is pending at a time.

    Takes events and returns commands; it sends nothing itself.
    """

    def __init__(self) -> None:
        self._known: dict[DetailsKey, ModelShown] = {}
        self._failed: set[DetailsKey] = set()
        self._queue: list[Model] = []
        self._asked: Model | None = None

    def of(self, model: Model) -> ModelShown | None:
        """Return a model's details, or None if they are not known (yet)."""
        return self._known.get(_key(model))

    def list(self, listed: Sequence[ListedModel]) -> ShowModel | None:
        """Take the server's list of models; return the next request. Details that are known are kept."""
        self._failed.clear()
        self._queue = [one.model for one in listed if self._is_open(one.model)]
        self._asked = None
        return self._next()

    def look_at(self, model: Model) -> ShowModel | None:
        """Return the request to send when the cursor moves to a model; None if there is none to send.

        If another request is pending, its response is no longer waited for.
        """
        if not self._is_open(model) or model not in self._queue:
            return None
        self._queue.remove(model)
        self._queue.insert(0, model)
        if self._asked == model:
            return None
        self._asked = None
        return self._next()

    def not_asked(self) -> None:
        """Note that the last request was not sent; ``go_on`` returns it again."""
        self._asked = None

    def go_on(self) -> ShowModel | None:
        """Return the next request if none is pending."""
        return self._next()

    def heard(self, shown: ModelShown) -> ShowModel | None:
        """Store details that arrived; return the next request."""
        asked = self._asked
        if asked is not None and _key(asked) != _key(shown.model) and asked.name != shown.model.name:
            return None  # a late response to an earlier request
        model = asked or shown.model
        self._known[_key(model)] = shown
        return self._done(model)

    def failed(self) -> ShowModel | None:
        """Record that the requested model's details are not available; return the next request."""
        if self._asked is None:
            return None
        self._failed.add(_key(self._asked))
        return self._done(self._asked)

    def _done(self, model: Model) -> ShowModel | None:
        self._queue = [one for one in self._queue if _key(one) != _key(model)]
        self._asked = None
        return self._next()

    def _next(self) -> ShowModel | None:
        if self._asked is not None or not self._queue:
            return None
        self._asked = self._queue[0]
        return ShowModel(name=self._asked.name, backend=BUILTIN if self._asked.backend == BUILTIN else None)

    def _is_open(self, model: Model) -> bool:
        return _key(model) not in self._known and _key(model) not in self._failed


def _key(model: Model) -> DetailsKey:
    return model.backend, model.name, model.digest
