"""Whether a model fits: the KV cache from the metadata of known models, and the word for a need and the room."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from llmtui.core.fit import Fit, FreeMemory, KvShape, fit_of, kv_shape, room_bytes

GB = 10**9
LLAMA3_8B: dict[str, Any] = {
    "general.architecture": "llama",
    "llama.block_count": 32,
    "llama.embedding_length": 4096,
    "llama.attention.head_count": 32,
    "llama.attention.head_count_kv": 8,
    "llama.context_length": 8192,
}
MACHINE = FreeMemory(ram_available_bytes=12 * GB, ram_total_bytes=16 * GB)


class TestKvCache:
    def test_llama3_takes_128_kib_per_token(self) -> None:
        """32 layers × 8 KV heads × (128 + 128) numbers × 2 bytes; llama.cpp prints 1024 MiB for 8192 tokens."""
        shape = kv_shape(LLAMA3_8B)
        assert shape == KvShape(bytes_per_token=131_072, context_limit=8192)
        assert shape.cache_bytes(8192) == 1024 * 2**20

    def test_no_context_is_larger_than_the_model_was_trained_for(self) -> None:
        shape = kv_shape(LLAMA3_8B)
        assert shape is not None
        assert shape.cache_bytes(131_072) == shape.cache_bytes(8192)

    def test_lengths_of_key_and_value_are_taken_where_told(self) -> None:
        """Gemma 7B: 16 heads of 256, not 3072 / 16 = 192."""
        told = {
            "general.architecture": "gemma",
            "gemma.block_count": 28,
            "gemma.embedding_length": 3072,
            "gemma.attention.head_count": 16,
            "gemma.attention.head_count_kv": 16,
            "gemma.attention.key_length": 256,
            "gemma.attention.value_length": 256,
        }
        shape = kv_shape(told)
        assert shape is not None
        assert shape.bytes_per_token == 28 * 16 * 512 * 2

    def test_layers_may_differ_and_those_without_attention_take_nothing(self) -> None:
        heads = [8, 0, 8, 0] * 8
        shape = kv_shape(LLAMA3_8B | {"llama.attention.head_count_kv": heads})
        assert shape is not None
        assert shape.bytes_per_token == 131_072 // 2

    def test_where_the_kv_heads_are_not_told_each_head_has_its_own(self) -> None:
        told = {name: value for name, value in LLAMA3_8B.items() if name != "llama.attention.head_count_kv"}
        shape = kv_shape(told)
        assert shape is not None
        assert shape.bytes_per_token == 4 * 131_072

    @pytest.mark.parametrize(
        "changed",
        [
            {"llama.block_count": None},
            {"llama.attention.head_count": None},
            {"llama.attention.head_count_kv": None},
            {"llama.attention.head_count_kv": [8, 8]},
            {"llama.attention.head_count_kv": "8"},
            {"llama.attention.head_count_kv": -1},
            {"llama.embedding_length": 0},
            {"llama.block_count": True},
            {"general.architecture": None},
        ],
        ids=str,
    )
    def test_what_is_not_told_or_odd_is_not_invented(self, changed: dict[str, Any]) -> None:
        assert kv_shape(LLAMA3_8B | changed) is None

    def test_nothing_is_known_of_nothing(self) -> None:
        assert kv_shape({}) is None


class TestWord:
    SHAPE = KvShape(bytes_per_token=131_072)

    @pytest.mark.parametrize(
        ("size_gb", "word"), [(4.7, "fits"), (10.2, "fits"), (10.3, "tight"), (11.4, "tight"), (11.5, "too_large")]
    )
    def test_the_need_is_file_and_cache_against_what_is_free(self, size_gb: float, word: str) -> None:
        """12 GB are free, 4096 tokens take 0.54 GB: tight from 10.8 GB on, too large above 12."""
        fit = fit_of(round(size_gb * GB), self.SHAPE, 4096, MACHINE)
        assert fit.word == word
        assert fit.need_bytes == round(size_gb * GB) + 4096 * 131_072
        assert fit.room_bytes == 12 * GB

    def test_a_larger_context_can_make_it_too_large(self) -> None:
        assert fit_of(5 * GB, self.SHAPE, 131_072, MACHINE).word == "too_large"

    def test_a_file_above_the_room_is_too_large_whatever_its_cache(self) -> None:
        fit = fit_of(42 * GB, None, 4096, MACHINE)
        assert (fit.word, fit.need_bytes, fit.why_not) == ("too_large", 42 * GB, None)

    @pytest.mark.parametrize(
        ("size", "shape", "memory", "why"),
        [
            (5 * GB, None, MACHINE, "no_shape"),
            (None, SHAPE, MACHINE, "no_size"),
            (5 * GB, SHAPE, None, "no_memory"),
        ],
    )
    def test_what_is_not_known_has_no_word_but_a_reason(
        self, size: int | None, shape: KvShape | None, memory: FreeMemory | None, why: str
    ) -> None:
        fit: Fit = fit_of(size, shape, 4096, memory)
        assert (fit.word, fit.why_not) == (None, why)

    def test_what_models_in_memory_hold_is_room_but_never_more_than_there_is(self) -> None:
        assert room_bytes(MACHINE, resident_bytes=3 * GB) == 15 * GB
        assert room_bytes(MACHINE, resident_bytes=9 * GB) == 16 * GB

    def test_a_graphics_card_adds_its_free_memory_and_is_named_where_it_is_too_small(self) -> None:
        card = msgspec.structs.replace(MACHINE, vram_total_bytes=8 * GB, vram_used_bytes=3 * GB)
        assert room_bytes(card) == 17 * GB
        assert room_bytes(card, resident_bytes=4 * GB, resident_vram_bytes=4 * GB) == 20 * GB
        whole = fit_of(4 * GB, self.SHAPE, 4096, card)
        assert (whole.word, whole.beyond_vram) == ("fits", False)
        split = fit_of(6 * GB, self.SHAPE, 4096, card)
        assert (split.word, split.beyond_vram) == ("tight", True)
