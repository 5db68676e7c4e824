from __future__ import annotations

from typing import Any

import msgspec

from llmtui.core.session import Session, fold
from llmtui.tui.text.machine_meters import Meter, heading_words, joined, meter_count, meters, words_beside
from llmtui.tui.text.plot_axis import Window
from tests.tui.sessions import GB, a_session, until


def a_session_at(seconds: float, **changes: Any) -> Session:
    """Return a session whose samples have some values replaced."""
    session = fold(until(a_session(), seconds))
    assert session is not None
    samples = tuple(msgspec.structs.replace(sample, **changes) for sample in session.samples)
    return msgspec.structs.replace(session, samples=samples)


def meters_of(session: Session) -> dict[str, Meter]:
    return {meter.name: meter for meter in meters(session, Window.of(session, columns=60, whole=True))}


def text_of(words: list[tuple[str, str]]) -> str:
    return "".join(text for text, _role in words)


def test_processor_and_memory_are_always_metered_and_a_graphics_card_where_there_is_one() -> None:
    plain, with_gpu = a_session_at(30), a_session_at(30, gpu_busy=0.5)
    assert list(meters_of(plain)) == ["CPU", "RAM"]
    assert list(meters_of(with_gpu)) == ["CPU", "RAM", "GPU"]
    assert [meter_count(session) for session in (plain, with_gpu)] == [2, 3]


def test_a_graphics_card_is_shown_with_its_memory_temperature_clock_and_power() -> None:
    session = a_session_at(
        30, gpu_busy=0.96, vram_bytes=round(4.1 * GB), gpu_temperature_c=71.0, gpu_clock_mhz=1980.0, gpu_watts=38.2
    )
    gpu = meters_of(session)["GPU"]
    assert text_of(heading_words(gpu, "━")) == "GPU  ━ 96 % · VRAM 4.10 GB · 71 °C 1.98 GHz 38 W"
    assert [text_of(line) for line in words_beside(gpu, "━", 2)] == [
        "GPU  ━ 96 % · VRAM 4.10 GB", "     71 °C 1.98 GHz 38 W",
    ]  # fmt: skip
    assert gpu.top == 100


def test_what_the_card_does_not_tell_is_left_out() -> None:
    assert text_of(heading_words(meters_of(a_session_at(30, gpu_busy=0.5))["GPU"], "━")) == "GPU  ━ 50 %"


def test_the_scale_comes_from_the_data_not_from_the_number_of_cores() -> None:
    assert meters_of(a_session_at(30, cores_busy=0.7, runner_cores=0.6))["CPU"].top == 0.8


def test_a_model_far_below_the_machine_has_a_scale_of_its_own_and_names_it() -> None:
    memory = meters_of(a_session_at(30, runner_bytes=62_000_000, used_bytes=5 * GB))["RAM"]
    assert max(value for value in memory.model if value is not None) > memory.top / 2
    assert (memory.model_words, memory.scale_words) == ("62.0 MB", "0–80 MB")
    assert "━ model 62.0 MB (scale 0–80 MB)" in text_of(heading_words(memory, "━"))
    assert text_of(words_beside(memory, "━", 2)[1]) == "     ━ model 62.0 MB (0–80 MB)"


def test_a_model_that_is_gone_has_no_value_and_no_scale() -> None:
    session = a_session_at(30, runner_bytes=62_000_000, used_bytes=5 * GB)
    *earlier, last = session.samples
    last = msgspec.structs.replace(last, runner_bytes=None)
    assert meters_of(msgspec.structs.replace(session, samples=(*earlier, last)))["RAM"].model_words == ""


def test_a_sensor_that_is_read_rarely_keeps_its_last_value() -> None:
    session = a_session_at(30)
    *earlier, last = session.samples
    earlier = [msgspec.structs.replace(sample, temperature_c=54.0) for sample in earlier]
    session = msgspec.structs.replace(session, samples=(*earlier, last))
    assert meters_of(session)["CPU"].sensor_words == "54 °C"


def test_few_samples_are_joined_to_a_line_and_a_long_hole_stays_one() -> None:
    assert joined([1.0, None, 3.0]) == [1.0, 2.0, 3.0]
    hole = [1.0, *[None] * 9, 3.0]
    assert joined(hole) == hole


def test_a_session_without_samples_has_meters_without_values() -> None:
    session = msgspec.structs.replace(a_session_at(30), samples=())
    assert [text_of(heading_words(meter, "━")) for meter in meters_of(session).values()] == ["CPU  ", "RAM  "]


def test_where_there_is_room_the_load_of_each_core_is_shown_as_blocks() -> None:
    session = msgspec.structs.replace(a_session_at(30), per_core=(0.0, 0.5, 1.0, 0.13))
    cpu = meters_of(session)["CPU"]
    assert text_of(heading_words(cpu, "━", 100)).endswith("  cores ▁▅█▂")
    assert "cores" not in text_of(heading_words(cpu, "━", 30))
    assert meters_of(session)["RAM"].core_blocks == ""
