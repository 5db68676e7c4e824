"""Models of OpenAI-compatible servers, from ``/models`` with the additions of llama.cpp and vLLM.

Only an entry's id is required. Everything else is read leniently, since servers use the same field names for different
things.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec

from llmtui.backends.gguf_file import parameter_label
from llmtui.backends.lenient import document, entries, text
from llmtui.core.events import ListedModel
from llmtui.core.names import name_digest, why_not_chat
from llmtui.core.plan import Model, ThinkingControl
from llmtui.core.records import Problem, ResidentModel

Dialect = Literal["llamacpp", "vllm", "plain"]
"""The group of extra request fields that a server accepts. Strict servers refuse a request with unknown fields."""

_PRODUCTS: Final = {
    "llamacpp": "llama.cpp", "vllm": "vLLM", "sglang": "SGLang", "library": "Ollama", "fastchat": "FastChat",
}  # fmt: skip
_Count = Annotated[int, msgspec.Meta(ge=0)]


class ModelMeta(msgspec.Struct, frozen=True):
    """llama.cpp's details of a served model."""

    n_ctx: _Count | None = None
    n_ctx_train: _Count | None = None
    n_params: _Count | None = None
    size: _Count | None = None
    ftype: str | None = None


class ModelEntry(msgspec.Struct, frozen=True):
    """One entry of ``/models``."""

    id: str
    owned_by: str | None = None
    meta: ModelMeta | None = None
    max_model_len: _Count | None = None
    status: Any = None
    """Whether the model is loaded, as reported by llama.cpp's router. Other servers use this field for other things."""
    aliases: Any = None
    root: str | None = None
    """vLLM: name of the weights that are served under this id."""
    parent: str | None = None
    """vLLM: for an adapter, the served name of its base model."""
    type: Any = None
    task: Any = None
    capabilities: Any = None
    architecture: Any = None
    state: Any = None
    """LM Studio: ``loaded`` or ``not-loaded``. The next three are LM Studio's, too."""
    quantization: Any = None
    max_context_length: _Count | None = None
    loaded_context_length: _Count | None = None
    supported_parameters: Any = None
    """OpenRouter: names of the request fields that the model supports."""

    @property
    def is_loaded(self) -> bool:
        """Whether the model is in memory, as far as ``status`` shows."""
        told = self.status.get("value") if isinstance(self.status, Mapping) else self.status
        if isinstance(self.state, str):
            told = self.state
        return not isinstance(told, str) or told == "loaded"

    @property
    def other_names(self) -> tuple[str, ...]:
        """Names other than the id under which the server accepts requests for the model."""
        names = self.aliases if isinstance(self.aliases, list) else ()
        return tuple(name for name in names if isinstance(name, str) and name and name != self.id)


class LlamaProps(msgspec.Struct, frozen=True):
    """Response of llama.cpp's ``/props``."""

    build_info: str | None = None
    chat_template: str | None = None


class VllmVersion(msgspec.Struct, frozen=True):
    """Response of vLLM's ``/version``."""

    version: str | None = None


def read_entries(body: bytes) -> tuple[ModelEntry, ...]:
    """Return the entries of a list of models. Entries without an id are left out.

    The list is a JSON array, or the field ``data`` or ``models`` of an object. It may consist of names only.

    Raises:
        ValueError: the body is not such a list.
    """
    raw = document(body)
    if isinstance(raw, Mapping):
        raw = raw["data"] if isinstance(raw.get("data"), list) else raw.get("models") or None
    if not isinstance(raw, list):
        raise ValueError("it has no list of models")  # noqa: TRY004 - of what was sent, not of an argument
    raw = [{"id": one} for one in raw] if all(isinstance(one, str) for one in raw) else [_with_id(one) for one in raw]
    return tuple({entry.id: entry for entry in entries(raw, ModelEntry) if entry.id.strip()}.values())


def _with_id(raw: object) -> object:
    """Return an entry with an id, also if the server has ``name`` or ``model`` in its place."""
    if isinstance(raw, Mapping) and not isinstance(raw.get("id"), str):
        name = next((raw[key] for key in ("name", "model") if isinstance(raw.get(key), str)), None)
        return raw if name is None else {**raw, "id": name}
    return raw


def with_details(listed: Sequence[ModelEntry], detailed: Sequence[ModelEntry]) -> tuple[ModelEntry, ...]:
    """Return the listed models, with what a second list of the server says of the same ids."""
    if not tells_states(detailed):
        return tuple(listed)
    by_id = {entry.id: entry for entry in detailed}
    return tuple(_detailed(entry, by_id.get(entry.id) or ModelEntry(id=entry.id)) for entry in listed)


def _detailed(entry: ModelEntry, more: ModelEntry) -> ModelEntry:
    return msgspec.structs.replace(
        entry,
        state=text(more.state) or "not reported",
        type=more.type,
        quantization=more.quantization,
        max_context_length=more.max_context_length,
        loaded_context_length=more.loaded_context_length,
    )


def tells_states(entries: Sequence[ModelEntry]) -> bool:
    """Return whether the list says which models are in memory, as LM Studio's does."""
    return any(isinstance(entry.state, str) for entry in entries)


def dialect_of(entries: Sequence[ModelEntry]) -> Dialect:
    """Return the dialect shown by ``owned_by``. For unknown software it is ``plain``: OpenAI's own fields only."""
    owners = {entry.owned_by for entry in entries}
    if "llamacpp" in owners:
        return "llamacpp"
    return "vllm" if "vllm" in owners else "plain"


def product_of(entries: Sequence[ModelEntry]) -> str | None:
    """Return the server's product as shown by the list of models; None if the list does not show it."""
    if tells_states(entries):
        return "LM Studio"
    return next((_PRODUCTS[entry.owned_by] for entry in entries if entry.owned_by in _PRODUCTS), None)


def thinking_control(entry: ModelEntry) -> ThinkingControl:
    """Return how the model's thinking is controlled.

    If the server's software is unknown, the request field ``reasoning_effort`` is used, as in OpenAI's own API.
    """
    if entry.owned_by in ("llamacpp", "vllm", "sglang"):
        return "template"
    if isinstance(entry.supported_parameters, list) and "reasoning" in entry.supported_parameters:
        return "reasoning"
    return "effort_none" if entry.owned_by == "library" else "effort"


def served_model(entry: ModelEntry) -> Model:
    """Return the model that an entry describes."""
    meta = entry.meta or ModelMeta()
    return Model(
        name=entry.id,
        digest=_digest(entry),
        backend="openai",
        size_bytes=meta.size,
        parameters=parameter_label(meta.n_params) if meta.n_params else None,
        quantisation=meta.ftype or text(entry.quantization),
        context_limit=meta.n_ctx or meta.n_ctx_train or entry.max_model_len or entry.max_context_length,
        served_ctx=meta.n_ctx or entry.max_model_len or entry.loaded_context_length,
        thinking_control=thinking_control(entry),
    )


def listed_entry(entry: ModelEntry, resident: ResidentModel | None, why_not: Problem | None = None) -> ListedModel:
    """Return the model as shown in Setup.

    Args:
        entry: entry of the list.
        resident: the model's state in memory; None if it is not loaded.
        why_not: why it cannot be benchmarked, if the server has refused to chat with it.
    """
    code = why_not_chat(entry.id, [entry.type, entry.task, entry.capabilities, _outputs(entry.architecture)])
    if why_not is None and code is not None:
        why_not = Problem(code=code, args={"name": entry.id})
    return ListedModel(
        model=served_model(entry),
        resident=resident,
        why_not=why_not,
        aliases=entry.other_names,
    )


def residents(entries: Sequence[ModelEntry]) -> tuple[ResidentModel, ...]:
    """Return the models in memory. A model served under several names is listed once.

    vLLM lists each name of its weights, and each of their adapters, as a separate model.
    """
    groups: dict[str, list[ModelEntry]] = {}
    for entry in entries:
        if entry.is_loaded:
            groups.setdefault(_weights(entry, entries), []).append(entry)
    return tuple(_resident(group) for group in groups.values())


def _resident(group: Sequence[ModelEntry]) -> ResidentModel:
    first = next((entry for entry in group if not entry.parent), group[0])
    own = _digest(first)
    others = tuple(dict.fromkeys(digest for entry in group if (digest := _digest(entry)) != own))
    return ResidentModel(
        name=first.id,
        digest=own,
        also=others,
        context_length=(first.meta.n_ctx if first.meta else None) or first.max_model_len or first.loaded_context_length,
    )


def _weights(entry: ModelEntry, entries: Sequence[ModelEntry]) -> str:
    """Return the identifier of an entry's weights. An adapter has that of its base model."""
    base = next((one for one in entries if one.id == entry.parent), entry) if entry.parent else entry
    return base.root or base.id


def _digest(entry: ModelEntry) -> str:
    """Return a substitute for the digest, made of name, size, parameter count and quantisation.

    Entries that name the same weights have the same substitute. An adapter has its own.
    """
    meta, name = entry.meta, entry.id if entry.parent else entry.root or entry.id
    return name_digest(name, *((meta.size, meta.n_params, meta.ftype) if meta else ()))


def _outputs(architecture: object) -> object:
    """Return the kinds of output that a model makes, as OpenRouter lists them; None if they are not listed."""
    return architecture.get("output_modalities") if isinstance(architecture, Mapping) else None
