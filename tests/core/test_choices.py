"""Choices: one field each, with a default and bounds that apply wherever it is set."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtui.core.choices import BadChoice, Choices, accepted, bounds_of, from_text
from llmtui.core.plan import PlanOptions, Variant


def test_every_usual_value_is_within_its_bounds() -> None:
    for name, value in msgspec.structs.asdict(Choices()).items():
        bounds = bounds_of()[name]
        assert bounds.default == value
        assert value is None or accepted(bounds, value) == value


def test_the_plan_has_the_same_usual_values() -> None:
    usual = Choices()
    options = msgspec.structs.asdict(PlanOptions())
    shared = {name: value for name, value in options.items() if name in usual.__struct_fields__ and name != "seed"}
    assert len(shared) == 6
    assert shared == {name: getattr(usual, name) for name in shared}
    assert Variant().num_ctx == usual.num_ctx


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("num_ctx", " 512 ", 512),
        ("temperature", ".5", 0.5),
        ("temperature", "1", 1.0),
        ("preset", "QUICK", "quick"),
        ("twice", "Yes", True),
        ("twice", "0", False),
        ("models", "llama3, gemma:7b ,", ("llama3", "gemma:7b")),
        ("budget_s", "90s", 90.0),
        ("budget_s", "20m", 1200.0),
        ("budget_s", "20min", 1200.0),
        ("budget_s", "1h30m", 5400.0),
        ("budget_s", " 2h ", 7200.0),
        ("budget_s", "1m5s", 65.0),
    ],
)
def test_a_text_is_read(name: str, text: str, value: object) -> None:
    assert from_text(bounds_of()[name], text) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("num_ctx", text) for text in ("127", "4194305", "4e3", "4096.0", "many", "", "9" * 5000, "٥١٢", "1_000")),
        *(("temperature", text) for text in ("nan", "inf", "1e400", "-0.1", "2.1", "hot", "٠", "0_1")),
        *(("twice", text) for text in ("perhaps", "2", "")),
        *(("preset", text) for text in ("", "slow")),
        *(
            ("budget_s", text)
            for text in ("20", "", "m", "-5m", "1.5h", "0s", "5m1h", "soon", "999999999h", "30M", "2H", "٣m")
        ),
        *(("rounds", text) for text in ("0", "51", "1.5", "٣", "1_0")),
    ],
)
def test_a_text_that_means_no_such_value_is_refused_as_it_was_given(name: str, text: str) -> None:
    with pytest.raises(BadChoice) as refusal:
        from_text(bounds_of()[name], text)
    assert refusal.value.given[:50] == repr(text)[:50]
    assert len(refusal.value.given) <= 60


@given(
    st.sampled_from(sorted(bounds_of())), st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
)
def test_whatever_is_accepted_is_read_back_from_its_own_text(name: str, value: Any) -> None:
    bounds = bounds_of()[name]
    try:
        kept = accepted(bounds, value)
    except BadChoice:
        return
    if bounds.kind != "time":
        assert from_text(bounds, str(kept)) == kept
