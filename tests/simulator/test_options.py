from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtui.simulator.options import ApiError, LoadOptions, parse_duration_s, parse_keep_alive_s, parse_options

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def parsed(values: dict[str, Any], dialect: Any = "0.34.4") -> Any:
    return parse_options(values, dialect=dialect, default_num_ctx=4096, context_length=8192)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5m", 300), ("-1s", -1), ("0", 0), ("1h30m", 5400), ("1.5s", 1.5), (".5s", 0.5), ("100ms", 0.1), ("2µs", 2e-6)],
)
def test_durations_are_read_in_gos_notation(text: str, seconds: float) -> None:
    assert parse_duration_s(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-1", 'time: missing unit in duration "-1"'),
        ("5d", 'time: unknown unit "d" in duration "5d"'),
        ("", 'time: invalid duration ""'),
        ("soon", 'time: invalid duration "soon"'),
        ("٣m", 'time: invalid duration "٣m"'),
        ("5٣m", 'time: unknown unit "٣m" in duration "5٣m"'),
    ],
)
def test_bad_durations_get_gos_message(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=r"^time: ") as caught:
        parse_duration_s(text)
    assert str(caught.value) == message


@given(st.lists(st.tuples(st.integers(0, 999), st.sampled_from(["h", "m", "s", "ms"])), min_size=1, max_size=4))
def test_a_duration_is_the_sum_of_its_parts(parts: list[tuple[int, str]]) -> None:
    factors = {"h": 3600, "m": 60, "s": 1, "ms": 0.001}
    text = "".join(f"{number}{unit}" for number, unit in parts)
    assert parse_duration_s(text) == pytest.approx(sum(number * factors[unit] for number, unit in parts))


@given(st.text(max_size=12))
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    message = "time: "
    try:
        seconds = parse_duration_s(text)
    except ValueError as error:
        seconds, message = 0.0, str(error)
    assert math.isfinite(seconds)
    assert message.startswith("time: ")


@pytest.mark.parametrize(
    ("value", "seconds"), [(300, 300.0), (0, 0.0), (1.5, 1.5), (-1, math.inf), ("-1s", math.inf), ("5m", 300.0)]
)
def test_keep_alive_is_a_number_or_a_duration_and_negative_means_for_ever(value: object, seconds: float) -> None:
    assert parse_keep_alive_s(value) == seconds


@pytest.mark.parametrize("value", ["-1", "abc", True, [], {}])
def test_a_bad_keep_alive_is_a_client_error(value: object) -> None:
    with pytest.raises(ApiError) as caught:
        parse_keep_alive_s(value)
    assert caught.value.status == 400


def test_a_wrong_type_is_a_server_error_in_the_servers_words() -> None:
    with pytest.raises(ApiError) as caught:
        parsed({"num_ctx": "4k"})
    assert (caught.value.status, caught.value.message) == (500, 'option "num_ctx" must be of type integer')


@pytest.mark.parametrize(
    "values", [{"temperature": "hot"}, {"use_mmap": 1}, {"stop": "x"}, {"stop": [1]}, {"seed": True}]
)
def test_every_kind_of_option_is_checked(values: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as caught:
        parsed(values)
    assert caught.value.status == 500


def test_unknown_options_and_null_are_ignored() -> None:
    assert parsed({"mirostat": "x", "num_ctx": None, "draft": 1}) == parsed({})


def test_the_context_is_limited_by_the_model_and_by_four() -> None:
    assert parsed({}).load.num_ctx == 4096
    assert parsed({"num_ctx": 1_000_000}).load.num_ctx == 8192
    assert parsed({"num_ctx": 1}).load.num_ctx == 4


@pytest.mark.parametrize("value", [-1, 0])
def test_num_predict_below_one_is_no_limit(value: int) -> None:
    assert parsed({"num_predict": value}).num_predict is None


@given(
    st.dictionaries(st.sampled_from(["num_ctx", "num_predict", "seed", "use_mmap", "stop", "top_p", "x"]), JSON_VALUES)
)
def test_any_json_is_options_or_an_api_error(values: dict[str, Any]) -> None:
    num_ctx, status = 4096, 500
    try:
        num_ctx = parsed(values).load.num_ctx
    except ApiError as error:
        status = error.status
    assert 4 <= num_ctx <= 8192
    assert status == 500


@pytest.mark.parametrize(
    "change",
    [{"num_ctx": 1024}, {"num_batch": 64}, {"num_gpu": 0}, {"main_gpu": 1}, {"use_mmap": False}, {"num_thread": 1}],
)
def test_each_load_time_option_makes_a_reload(change: dict[str, Any]) -> None:
    assert parsed(change).load.differs(parsed({}).load)


def test_options_of_the_answer_make_no_reload() -> None:
    assert not parsed({"temperature": 0, "seed": 7, "num_predict": 9}).load.differs(parsed({}).load)


def test_leaving_the_gpu_to_the_server_accepts_what_is_loaded() -> None:
    assert not LoadOptions(num_ctx=4096).differs(LoadOptions(num_ctx=4096, num_gpu=12))
    assert LoadOptions(num_ctx=4096, num_gpu=12).differs(LoadOptions(num_ctx=4096))


def test_only_the_new_dialect_knows_draft_tokens() -> None:
    assert parsed({"draft_num_predict": 4}).load.differs(parsed({}).load)
    assert not parsed({"draft_num_predict": 4}, "0.11.4").load.differs(parsed({}, "0.11.4").load)
