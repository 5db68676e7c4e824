"""Ollama's information about itself and its models: /api/version, /api/tags, /api/show and /api/ps.

The raw JSON is read, because typed clients drop the fields that say whether a model runs on this machine at all. Only a
model's name is required. A field of an unexpected type counts as missing, since other servers imitate these responses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, TypeVar

import msgspec

from llmtui.backends.lenient import NotJson, count, document, entries, fitted
from llmtui.core.codes import ModelProblem
from llmtui.core.events import ListedModel
from llmtui.core.names import name_digest, ollama_name, why_not_chat
from llmtui.core.plan import Model
from llmtui.core.records import Problem, ResidentModel

_FROM_BLOB = re.compile(r"^FROM[ \t].*?(sha256-[0-9a-f]{12,64})[ \t]*$", re.MULTILINE)


class _Details(msgspec.Struct):
    format: str | None = None
    family: str | None = None
    families: list[str] | None = None
    parameter_size: str | None = None
    quantization_level: str | None = None
    context_length: int | None = None


class TagsEntry(msgspec.Struct):
    """One model in /api/tags. ``capabilities`` and the context length are sent since Ollama 0.30."""

    name: str = ""
    model: str = ""
    """The same as ``name``; some imitations of Ollama send only this field."""
    digest: str = ""
    size: int | None = None
    details: _Details | None = None
    capabilities: list[str] | None = None
    remote_host: str | None = None
    remote_model: str | None = None

    @property
    def key(self) -> str:
        """The digest, which identifies a build; the name if an imitation of Ollama sends no digest."""
        return self.digest or self.name


class ShowAnswer(msgspec.Struct):
    """The fields of /api/show that are used. Its list of tensors can be megabytes long and is skipped."""

    modelfile: str | None = None
    template: str | None = None
    parameters: str | None = None
    license: str | list[str] | None = None
    model_info: dict[str, Any] | None = None
    capabilities: list[str] | None = None
    remote_host: str | None = None
    remote_model: str | None = None


class _ResidentEntry(msgspec.Struct):
    name: str = ""
    model: str = ""
    digest: str = ""
    size: int | None = None
    size_vram: int | None = None
    context_length: int | None = None


class _Version(msgspec.Struct):
    version: str


_Entry = TypeVar("_Entry", TagsEntry, _ResidentEntry)
_Kind = TypeVar("_Kind", bound=msgspec.Struct)


class NotSuchAnswer(Exception):
    """The body of a response is not in Ollama's format."""


def read_version(body: bytes) -> str:
    """Return the version in a response of /api/version.

    Raises:
        NotSuchAnswer: the body is not in that format.
    """
    return _decoded(body, _Version).version


def read_tags(body: bytes) -> tuple[TagsEntry, ...]:
    """Return the entries of /api/tags in the order sent, newest first.

    Raises:
        NotSuchAnswer: the body is not in that format.
    """
    return _entries(body, TagsEntry)


def is_ollama_list(body: bytes) -> bool:
    """Return whether a body of /api/tags comes from a server that speaks Ollama's protocol.

    llama.cpp's server has no /api/chat, but responds to /api/tags with a list. Its response is recognised by the
    additional field ``data``, as in OpenAI's protocol.
    """
    with suppress(NotSuchAnswer):
        raw = _json(body)
        return isinstance(raw, Mapping) and isinstance(raw.get("models"), list) and "data" not in raw
    return False


def read_resident(body: bytes) -> tuple[ResidentModel, ...]:
    """Return the models in /api/ps. If a model was rebuilt while it was loaded, its name can occur twice.

    Raises:
        NotSuchAnswer: the body is not in that format.
    """
    return tuple(
        ResidentModel(
            name=entry.name,
            digest=_digest(entry),
            size_bytes=_size(entry.size),
            vram_bytes=_size(entry.size_vram),
            context_length=_size(entry.context_length) or None,
        )
        for entry in _entries(body, _ResidentEntry)
    )


def read_show(body: bytes) -> ShowAnswer:
    """Return those fields of /api/show that are used.

    Raises:
        NotSuchAnswer: the body is not in that format.
    """
    return _decoded(body, ShowAnswer)


def needs_show(entry: TagsEntry) -> bool:
    """Return whether the entry lacks fields that only /api/show has; this is so for servers before 0.30."""
    return entry.capabilities is None and not _is_cloud(entry, None)


def model_of(entry: TagsEntry, shown: ShowAnswer | None) -> Model:
    """Return the model of an entry.

    Args:
        entry: the entry in /api/tags.
        shown: the response of /api/show, which fills missing fields; None if it was not requested.
    """
    details = entry.details or _Details()
    capabilities = _capabilities(entry, shown)
    return Model(
        name=entry.name,
        digest=_digest(entry),
        size_bytes=_size(entry.size),
        parameters=_told(details.parameter_size),
        quantisation=_told(details.quantization_level),
        family=_told(details.family),
        format=_told(details.format),
        context_limit=_size(details.context_length) or _context_limit(shown),
        thinking=None if capabilities is None else "thinking" in capabilities,
    )


def listed(entry: TagsEntry, shown: ShowAnswer | None, residents: tuple[ResidentModel, ...]) -> ListedModel:
    """Return the model for a list, with its state in memory, and with the reason if it cannot be benchmarked.

    Args:
        entry: the entry in /api/tags.
        shown: the response of /api/show; None if it was not requested.
        residents: all models in memory.
    """
    model = model_of(entry, shown)
    same = [resident for resident in residents if resident.digest == model.digest and model.digest]
    by_name = [resident for resident in same if ollama_name(resident.name) == ollama_name(model.name)]
    code = _why_not(entry, shown)
    why_not = None if code is None else Problem(code=code, args={"name": model.name})
    return ListedModel(model=model, resident=next(iter(by_name or same), None), why_not=why_not)


def blob_of(modelfile: str) -> str | None:
    """Return ``sha256-<hex>`` from the first FROM line with the path of a file of weights; None if there is none."""
    match = _FROM_BLOB.search(modelfile.replace("\r", ""))
    return match[1] if match else None


def license_text(shown: ShowAnswer) -> str | None:
    """Return the licences as one text; None if there are none."""
    said = shown.license
    return _told("\n\n".join(said) if isinstance(said, list) else said)


def _json(body: bytes) -> object:
    try:
        return document(body)
    except NotJson as error:
        raise NotSuchAnswer(str(error)) from error


def _decoded(body: bytes, kind: type[_Kind]) -> _Kind:
    found = fitted(_json(body), kind)
    if found is None:
        raise NotSuchAnswer("it is not an object with the fields that are needed")
    return found


def _entries(body: bytes, kind: type[_Entry]) -> tuple[_Entry, ...]:
    raw = _json(body)
    models = raw.get("models", raw) if isinstance(raw, Mapping) else raw
    if models is not None and not isinstance(models, list):
        raise NotSuchAnswer("it has no list of models")
    named = (msgspec.structs.replace(one, name=one.name or one.model) for one in entries(models, kind))
    return tuple(one for one in named if one.name.strip())


def _why_not(entry: TagsEntry, shown: ShowAnswer | None) -> ModelProblem | None:
    if _is_cloud(entry, shown):
        return "cloud_speed"
    capabilities = _capabilities(entry, shown)
    if capabilities is None:
        details = entry.details or _Details()
        families = [*(details.families or ()), details.family or ""]
        if any("bert" in family for family in families):
            return "makes_embeddings"
        return why_not_chat(entry.name)
    if "completion" in capabilities:
        return None
    return why_not_chat("", [capabilities]) or "answers_no_chats"


def _is_cloud(entry: TagsEntry, shown: ShowAnswer | None) -> bool:
    remote = entry.remote_host or entry.remote_model or (shown and (shown.remote_host or shown.remote_model))
    tag = entry.name.rpartition(":")[2]
    return bool(remote) or tag == "cloud" or tag.endswith("-cloud")


def _capabilities(entry: TagsEntry, shown: ShowAnswer | None) -> list[str] | None:
    if entry.capabilities is not None:
        return entry.capabilities
    return shown.capabilities if shown else None


def _context_limit(shown: ShowAnswer | None) -> int | None:
    info = (shown.model_info if shown else None) or {}
    told = info.get(f"{info.get('general.architecture')}.context_length")
    return count(told) or None


def _told(text: str | None) -> str | None:
    return text if text and text != "unknown" else None


def _digest(entry: TagsEntry | _ResidentEntry) -> str:
    """Return the build's digest.

    If none is sent, return a substitute made from the name, so that models stay distinct.
    """
    if entry.digest:
        return entry.digest.removeprefix("sha256:")
    return name_digest(ollama_name(entry.name))


def _size(told: int | None) -> int | None:
    return told if told is not None and told >= 0 else None
