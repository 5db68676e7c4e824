"""Model names that are displayed in another form than the server's: control characters are replaced."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from llmtui.backends.base import ChatRequest
from llmtui.core.shown import without_controls


class ShownNames:
    """The server's own names of models, by their displayed names."""

    def __init__(self) -> None:
        self._sent: dict[str, str] = {}

    def learn(self, names: Iterable[str]) -> None:
        """Add the names of a server's list."""
        self._sent.update((fit, name) for name in names if (fit := without_controls(name)) != name)

    def sent(self, name: str) -> str:
        """Return the server's own name of a model, given the displayed one."""
        return self._sent.get(name, name)

    def as_sent(self, request: ChatRequest) -> ChatRequest:
        """Return the request with the server's own name of the model."""
        if request.model.name not in self._sent:
            return request
        model = msgspec.structs.replace(request.model, name=self.sent(request.model.name))
        return msgspec.structs.replace(request, model=model)
