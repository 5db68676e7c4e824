"""Long names lose what they share and keep what they differ in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llmtui.core.short_names import short_names

UNSLOTH = (
    "hf.co/unsloth/Qwen3-30B-A3B-Instruct-2507-GGUF:Q4_K_M",
    "hf.co/unsloth/Qwen3-30B-A3B-Thinking-2507-GGUF:Q4_K_M",
    "hf.co/unsloth/Qwen3-30B-A3B-Instruct-2507-GGUF:Q8_0",
)


def test_names_that_fit_stay_as_they_are() -> None:
    assert short_names(("llama3.2:1b", "x"), 11) == {"llama3.2:1b": "llama3.2:1b", "x": "x"}


def test_one_long_name_loses_its_middle() -> None:
    assert short_names((UNSLOTH[0],), 21) == {UNSLOTH[0]: "hf.co/unsl…GGUF:Q4_K_M"[:11] + "GUF:Q4_K_M"}


def test_neighbours_differ_at_every_width() -> None:
    for width in range(3, 60):
        shown = short_names(UNSLOTH, width)
        assert len(set(shown.values())) == 3, width
        assert all(len(text) <= width for text in shown.values()), width


def test_what_is_kept_tells_them_apart() -> None:
    shown = short_names(UNSLOTH, 22)
    assert shown[UNSLOTH[0]] == "…Instruct-2507…:Q4_K_M"
    assert shown[UNSLOTH[1]] == "…Thinking-2507…:Q4_K_M"
    assert shown[UNSLOTH[2]] == "hf.co/unslo…-GGUF:Q8_0"


@given(
    st.lists(st.text("ab-/:", min_size=1, max_size=30), min_size=1, max_size=8, unique=True), st.integers(4, 32)
)  # fmt: skip
def test_any_names_stay_different_and_fit(names: list[str], width: int) -> None:
    shown = short_names(names, width)
    assert len(set(shown.values())) == len(names)
    assert all(len(text) <= width for text in shown.values())
    assert all(shown[name] == name for name in names if len(name) <= width)
