"""Which models the names on a command line mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from llmtui.config import builtin_model
from llmtui.core.events import ListedModel
from llmtui.core.plan import BUILTIN, Model


def only_builtin(names: Sequence[str]) -> bool:
    """Whether models are named, and all of them are the built-in server's."""
    return bool(names) and all(builtin_model(name) is not None for name in names)


def named_models(
    names: Sequence[str], listed: Sequence[ListedModel], *, server: str, say: Callable[[str], None]
) -> list[Model]:
    """Gives the models that names mean; one that is not there stays, and fails as a row.

    Args:
        names: ``NAME``, ``NAME:TAG``, ``builtin:NAME``, ``builtin:PATH`` or the path of a .gguf file.
        listed: what the servers offer.
        server: kind of the server that was asked; names without a prefix are its models'.
        say: takes a sentence about a model that cannot be measured.
    """
    by_spelling = {one.model.spelling: one for one in listed}
    found: list[Model] = []
    for name in names:
        inside = name if server == BUILTIN and builtin_model(name) is None else builtin_model(name)
        spelling = name if inside is None else f"{BUILTIN}:{inside}"
        one = by_spelling.get(spelling) or by_spelling.get(f"{spelling}:latest")
        if one is not None:
            if one.why_not is not None:
                say(f"{name}: {one.why_not}")
            found.append(one.model)
        elif inside is None:
            found.append(Model(name=name, digest="", backend=server))
        else:
            found.append(_file_model(inside))
    return found


def _file_model(name: str) -> Model:
    """A model of the built-in server that is not in the list, as its file describes it."""
    from llmtui.backends.base import BackendFailed
    from llmtui.backends.builtin_models import shown_model

    try:
        return shown_model(name, Path()).model
    except BackendFailed:
        return Model(name=name, digest="", backend=BUILTIN)
