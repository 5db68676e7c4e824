"""Which model's details the engine is asked for next: the one under the cursor first, then the rest of the list."""

from __future__ import annotations

from collections.abc import Sequence

from llmtui.core.commands import ShowModel
from llmtui.core.events import ListedModel, ModelShown
from llmtui.core.plan import BUILTIN, Model

DetailsKey = tuple[str, str, str]
"""(backend, name, digest)."""


class ModelDetails:
    """Pure bookkeeping: told what happens, it says what to send. One question is under way at a time."""

    def __init__(self) -> None:
        self._known: dict[DetailsKey, ModelShown] = {}
        self._failed: set[DetailsKey] = set()
        self._queue: list[Model] = []
        self._asked: Model | None = None

    def of(self, model: Model) -> ModelShown | None:
        """Return a model's details; None where they are not there (yet)."""
        return self._known.get(_key(model))

    def list(self, listed: Sequence[ListedModel]) -> ShowModel | None:
        """Return what to ask after the server's list came: details that are known already are kept."""
        self._failed.clear()
        self._queue = [one.model for one in listed if self._is_open(one.model)]
        self._asked = None
        return self._next()

    def look_at(self, model: Model) -> ShowModel | None:
        """Return what to ask when the cursor comes to a model; the answer under way is no longer waited for."""
        if not self._is_open(model) or model not in self._queue:
            return None
        self._queue.remove(model)
        self._queue.insert(0, model)
        if self._asked == model:
            return None
        self._asked = None
        return self._next()

    def heard(self, shown: ModelShown) -> ShowModel | None:
        """Take details; return what to ask next."""
        asked = self._asked
        if asked is not None and _key(asked) != _key(shown.model) and asked.name != shown.model.name:
            return None  # an answer that was overtaken
        model = asked or shown.model
        self._known[_key(model)] = shown
        return self._done(model)

    def failed(self) -> ShowModel | None:
        """Take it that the model asked for has no details; return what to ask next."""
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
