"""Whether a model fits into memory: its file and its KV cache against what is free. Formula: docs/method.md.

The KV cache holds a key and a value vector per token, attention layer and KV head, two bytes (f16) per number:

    bytes per token = Σ over layers of KV heads × (key length + value length) × 2

as llama.cpp allocates it (``llama_kv_cache``). It is an upper bound: layers with a sliding window keep fewer tokens,
and a server may be set to quantise the cache. Buffers for computing are not in the sum; ``TIGHT`` leaves room for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

FitWord = Literal["fits", "tight", "too_large"]
NoFit = Literal["no_size", "no_shape", "no_memory"]
"""What is not known: the file's size, the layers of the model, the memory of the server's machine."""

TIGHT: Final = 0.9
"""Above this share of the room there is little left for computing buffers and other programs."""
BYTES_PER_NUMBER: Final = 2
"""f16, llama.cpp's and Ollama's default for the cache."""


class FreeMemory(msgspec.Struct, frozen=True, kw_only=True):
    """Memory of the server's machine. None: not visible from here."""

    ram_available_bytes: int
    """Available RAM without swapping, by the system's estimate, which includes mapped model files."""
    ram_total_bytes: int
    vram_total_bytes: int | None = None
    """Of all graphics cards together; None without one that can be read."""
    vram_used_bytes: int | None = None


class KvShape(msgspec.Struct, frozen=True, kw_only=True):
    """What the KV cache of one token takes, from the model's own metadata."""

    bytes_per_token: int
    context_limit: int | None = None
    """Tokens that the model was trained for: servers give no larger context."""

    def cache_bytes(self, num_ctx: int) -> int:
        """Return the size of the cache for a context of ``num_ctx`` tokens."""
        return self.bytes_per_token * (num_ctx if self.context_limit is None else min(num_ctx, self.context_limit))


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """How a model's need compares with the room, in bytes."""

    word: FitWord | None
    why_not: NoFit | None = None
    """Why there is no word."""
    need_bytes: int | None = None
    """File and KV cache; the file alone where ``why_not`` is ``no_shape``."""
    cache_bytes: int | None = None
    room_bytes: int | None = None
    """Free RAM and VRAM once the models in memory are unloaded."""
    beyond_vram: bool = False
    """There is a graphics card, and the model does not fit into it whole: a part runs on the processor."""


def kv_shape(info: Mapping[str, object]) -> KvShape | None:
    """Return the shape of the KV cache from GGUF metadata (also ``model_info`` of Ollama's /api/show).

    None where the layers, the KV heads or the lengths of their vectors are missing.
    """
    architecture = info.get("general.architecture")
    layers = _count(info, f"{architecture}.block_count")
    heads = info.get(f"{architecture}.attention.head_count_kv", info.get(f"{architecture}.attention.head_count"))
    per_head = _per_head(info, f"{architecture}.attention", _count(info, f"{architecture}.embedding_length"))
    if layers is None or per_head is None:
        return None
    if isinstance(heads, list | tuple) and len(heads) == layers and all(_is_count(one) for one in heads):
        total = sum(int(one) for one in heads)
    elif _is_count(heads):
        assert isinstance(heads, int)
        total = heads * layers
    else:
        return None
    if total <= 0:
        return None
    context = _count(info, f"{architecture}.context_length")
    return KvShape(bytes_per_token=total * per_head * BYTES_PER_NUMBER, context_limit=context)


def _per_head(info: Mapping[str, object], attention: str, embedding: int | None) -> int | None:
    """Return the numbers per KV head and token, key and value together."""
    heads = _count(info, f"{attention}.head_count")
    usual = embedding // heads if embedding and heads else None
    key = _count(info, f"{attention}.key_length") or usual
    value = _count(info, f"{attention}.value_length") or usual
    return None if key is None or value is None else key + value


def _count(info: Mapping[str, object], key: str) -> int | None:
    value = info.get(key)
    return int(value) if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def room_bytes(memory: FreeMemory, *, resident_bytes: int = 0, resident_vram_bytes: int = 0) -> int:
    """Return how much memory a model can have once the models in memory are unloaded, never more than there is.

    Args:
        memory: of the server's machine.
        resident_bytes: held by models that will be unloaded, VRAM included.
        resident_vram_bytes: of it in VRAM.
    """
    in_ram = max(resident_bytes - resident_vram_bytes, 0)
    ram = min(memory.ram_available_bytes + in_ram, memory.ram_total_bytes)
    return ram + _vram_room(memory, resident_vram_bytes)


def _vram_room(memory: FreeMemory, resident_vram_bytes: int) -> int:
    total = memory.vram_total_bytes or 0
    return max(min(total - (memory.vram_used_bytes or 0) + resident_vram_bytes, total), 0)


def fit_of(
    size_bytes: int | None,
    shape: KvShape | None,
    num_ctx: int,
    memory: FreeMemory | None,
    *,
    resident_bytes: int = 0,
    resident_vram_bytes: int = 0,
) -> Fit:
    """Return whether a model fits: ``fits`` up to 90 % of the room, ``tight`` up to all of it, else ``too_large``.

    A file larger than the room is too large, whatever its cache needs. Otherwise the result is unknown where a size is
    unknown.

    Args:
        size_bytes: size of the model's file.
        shape: shape of its KV cache; None where the metadata lack it.
        num_ctx: requested context length in tokens.
        memory: memory of the server's machine; None where it is not visible.
        resident_bytes: memory of models that will be unloaded first, VRAM included.
        resident_vram_bytes: of it in VRAM.
    """
    cache = None if shape is None else shape.cache_bytes(num_ctx)
    if memory is None:
        return Fit(word=None, why_not="no_memory", cache_bytes=cache)
    room = room_bytes(memory, resident_bytes=resident_bytes, resident_vram_bytes=resident_vram_bytes)
    if size_bytes is None:
        return Fit(word=None, why_not="no_size", cache_bytes=cache, room_bytes=room)
    need = size_bytes + (cache or 0)
    vram = _vram_room(memory, resident_vram_bytes)
    known = Fit(word=None, need_bytes=need, cache_bytes=cache, room_bytes=room, beyond_vram=0 < vram < need)
    if need > room:
        return msgspec.structs.replace(known, word="too_large")
    if cache is None:
        return msgspec.structs.replace(known, why_not="no_shape")
    return msgspec.structs.replace(known, word="tight" if need > TIGHT * room or known.beyond_vram else "fits")
