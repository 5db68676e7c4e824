"""Names of models whose shown form is not what the server calls them: controls are shown by other characters."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from llmtui.backends.base import ChatRequest
from llmtui.core.shown import without_controls


class ShownNames:
    """Knows what a server calls a model that everything else calls by its shown name."""

    def __init__(self) -> None:
        self._sent: dict[str, str] = {}

    def learn(self, names: Iterable[str]) -> None:
        """Take the names of a server's list."""
        self._sent.update((fit, name) for name in names if (fit := without_controls(name)) != name)

    def sent(self, name: str) -> str:
        """Return what the server calls the model."""
        return self._sent.get(name, name)

    def as_sent(self, request: ChatRequest) -> ChatRequest:
        """Return the request with the server's own name of the model."""
        if request.model.name not in self._sent:
            return request
        model = msgspec.structs.replace(request.model, name=self.sent(request.model.name))
        return msgspec.structs.replace(request, model=model)
