"""Whether a model fits into memory: its file and its KV cache against the available memory. See docs/method.md.

For each token, attention layer and KV head, the KV cache holds a key and a value vector of 2-byte numbers (f16):

    bytes per token = Σ over layers of KV heads × (key length + value length) × 2

This is how llama.cpp allocates it (``llama_kv_cache``). It is an upper bound: layers with a sliding window keep fewer
tokens, and a server may quantise the cache. Compute buffers are not included; ``TIGHT`` leaves room for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

FitWord = Literal["fits", "tight", "too_large"]
NoFit = Literal["no_size", "no_shape", "no_memory"]
"""Which value is unknown: the size of the file, the shape of the KV cache, or the memory of the server's machine."""

TIGHT: Final = 0.9
"""Share of the available memory above which little is left for compute buffers and other programs."""
BYTES_PER_NUMBER: Final = 2
"""Size of a number in the KV cache: f16, the default of llama.cpp and Ollama."""


class FreeMemory(msgspec.Struct, frozen=True, kw_only=True):
    """Total and free memory of the server's machine."""

    ram_available_bytes: int
    """RAM that can be used without swapping, by the system's estimate, which includes mapped model files."""
    ram_total_bytes: int
    vram_total_bytes: int | None = None
    """Memory of all graphics cards together; None if no card can be read."""
    vram_used_bytes: int | None = None


class KvShape(msgspec.Struct, frozen=True, kw_only=True):
    """Memory that the KV cache takes per token, computed from the model's metadata."""

    bytes_per_token: int
    context_limit: int | None = None
    """Number of tokens that the model was trained for. Servers allow no larger context."""

    def cache_bytes(self, num_ctx: int) -> int:
        """Return the size of the KV cache in bytes for a context of ``num_ctx`` tokens."""
        return self.bytes_per_token * (num_ctx if self.context_limit is None else min(num_ctx, self.context_limit))


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """A comparison of the memory that a model needs with the memory that is available."""

    word: FitWord | None
    why_not: NoFit | None = None
    """The unknown value that prevents a result; None if there is a result."""
    need_bytes: int | None = None
    """Size of the file and the KV cache; of the file alone if the shape of the cache is unknown."""
    cache_bytes: int | None = None
    room_bytes: int | None = None
    """RAM and VRAM available after the models now in memory have been unloaded."""
    beyond_vram: bool = False
    """Whether there is a graphics card without enough free memory for the whole model; a part then runs on the CPU."""


def kv_shape(info: Mapping[str, object]) -> KvShape | None:
    """Return the shape of the KV cache from a model's GGUF metadata (as in ``model_info`` of Ollama's /api/show).

    None if the number of layers, the number of KV heads or the lengths of their vectors are missing.
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
    """Return the number of elements per KV head and token, K and V together; None if it is unknown."""
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
    """Return the memory in bytes that a model can have after other models are unloaded; never more than the total.

    Args:
        memory: memory of the server's machine.
        resident_bytes: memory of the models that will be unloaded, including VRAM.
        resident_vram_bytes: the part of ``resident_bytes`` that is in VRAM.
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
    """Return whether a model fits into the available memory.

    ``fits``: it needs up to 90 % of that memory and not more than the graphics card has. ``tight``: it needs up to all
    of that memory. ``too_large``: it needs more. A file larger than the available memory is too large, whatever its
    cache needs. Otherwise there is no result if a size is unknown.

    Args:
        size_bytes: size of the model's file; None if unknown.
        shape: shape of the model's KV cache; None if the metadata lack it.
        num_ctx: requested context length in tokens.
        memory: memory of the server's machine; None if it is not visible from here.
        resident_bytes: memory of models that will be unloaded first, including VRAM.
        resident_vram_bytes: the part of ``resident_bytes`` that is in VRAM.
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
