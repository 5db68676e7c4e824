"""What is written can be read, and nothing that is not a number gets through."""

from __future__ import annotations

import contextlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtui.core.commands import Command, ExtendPlan, SetServer, Shutdown, Skip, StartPlan
from llmtui.core.events import (
    BadLine,
    Chunks,
    Event,
    Gap,
    Noted,
    Sampled,
    SessionFinished,
    TrialFinished,
    clean_text,
    decode_command,
    decode_event,
    encode,
)
from llmtui.core.records import MachineFigures, Problem, Timeline
from tests.core.made import finished, plan, started

PLAN = plan()


@pytest.mark.parametrize(
    "event",
    [
        started(PLAN),
        finished(PLAN),
        Sampled(t_ns=1, cores_busy=1.5, per_core=(0.5, 1.0)),
        Chunks(trial_id="r1", chunks=((5, "a", "text\u0085\u2028\x1b[31m[bold]"),)),
        Gap(chunks=3, samples=0),
        Noted(t_ns=1, level="error", problem=Problem(code="refused", what="Nothing listens.", remedy="Start it.")),
        SessionFinished(t_ns=1, wall_ns=2, how="cancelled"),
    ],
    ids=lambda event: type(event).__name__,
)
def test_an_event_is_one_line_and_comes_back(event: Event) -> None:
    line = encode(event)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode_event(line) == event
    assert json.loads(line)["type"] == type(event).__name__


@pytest.mark.parametrize(
    "command",
    [
        StartPlan(plan=PLAN, results_dir="results"),
        SetServer(address="x"),
        Skip(what="model"),
        ExtendPlan(rounds=2),
        Shutdown(),
    ],
    ids=lambda command: type(command).__name__,
)
def test_a_command_is_one_line_and_comes_back(command: Command) -> None:
    assert decode_command(encode(command)) == command


def test_unknown_keys_are_ignored() -> None:
    assert decode_event(b'{"type":"Gap","chunks":1,"samples":2,"colour":"blue"}') == Gap(chunks=1, samples=2)


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b'{"type":"Nope"}', b'{"type":"Gap","chunks":"x"}', b"\xff\n"])
def test_a_line_that_is_not_ours_is_refused(line: bytes) -> None:
    with pytest.raises(BadLine):
        decode_event(line)
    with pytest.raises(BadLine):
        decode_command(line)


@pytest.mark.parametrize("damage", [b'"chars":[3]', b'"channels":"aaa"', b'"tokens":[1,2,3]'])
def test_a_timeline_whose_arrays_do_not_fit_together_is_a_damaged_line(damage: bytes) -> None:
    whole = Timeline(t_ns=(1, 2), chars=(3, 4), channels="ta", tokens=(1, 2))
    line = encode(finished(PLAN, timeline=whole))
    key = damage.partition(b":")[0]
    kept = {b'"chars"': b'"chars":[3,4]', b'"channels"': b'"channels":"ta"', b'"tokens"': b'"tokens":[1,2]'}[key]
    assert line.count(kept) == 1
    with pytest.raises(BadLine, match="one length"):
        decode_event(line.replace(kept, damage))


@given(st.binary(max_size=200))
def test_any_bytes_are_an_event_or_a_bad_line(line: bytes) -> None:
    with contextlib.suppress(BadLine):
        assert encode(decode_event(line))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_non_finite_numbers_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="non-finite"):
        encode(Sampled(t_ns=1, cores_busy=value))
    with pytest.raises(ValueError, match="non-finite"):
        encode(Sampled(t_ns=1, cores_busy=0, per_core=(0.5, value)))


@given(st.text(st.characters(exclude_categories=[])))
def test_cleaned_text_can_always_be_written(text: str) -> None:
    cleaned, changed = clean_text(text)
    assert len(cleaned) == len(text), "so that a timeline still cuts it right"
    assert changed is (cleaned != text)
    event = Chunks(trial_id="t", chunks=((0, "a", cleaned),))
    assert decode_event(encode(event)) == event


def test_a_timeline_of_a_long_answer_stays_small() -> None:
    line = encode(finished(PLAN, tokens=400))
    assert len(line) < 60 * 400


@pytest.mark.parametrize("huge", ["1e308", "-1e308", "1e15", "9" * 30])
def test_a_number_that_no_measurement_can_have_is_missing_or_costs_its_line(huge: str) -> None:
    line = encode(finished(plan(), machine=MachineFigures(runner_cpu_s=1.5, joules=2.5)))
    event = decode_event(line.replace(b":1.5", b":" + huge.encode()))
    assert isinstance(event, TrialFinished)
    assert event.machine is not None
    assert (event.machine.runner_cpu_s, event.machine.joules) == (None, 2.5)
    sample = encode(Sampled(t_ns=10**18, cores_busy=0.1 + 0.2, watts=1.5))
    assert decode_event(sample) == Sampled(t_ns=10**18, cores_busy=0.1 + 0.2, watts=1.5)
    assert decode_event(sample.replace(b":1.5", b":" + huge.encode())).watts is None  # type: ignore[union-attr]
    with pytest.raises(BadLine, match="cores_busy"):
        decode_event(sample.replace(b":0.30000000000000004", b":" + huge.encode()))
