from __future__ import annotations

import msgspec
import pytest

from llmtui.simulator.clock import Stamp
from llmtui.simulator.sendlog import RequestRecord, SendLog, SentRequest

RECEIVED = Stamp(1_000, 1_000)


def record_with_an_answer(log: SendLog) -> RequestRecord:
    record = log.open(connection=1, method="POST", path="/api/chat", received=RECEIVED)
    for number, channel in enumerate(("thinking", "thinking", "answer", "answer"), start=1):
        sent_ns = 1_000 + number * 1_000_000
        record.sent(
            kind="text",
            channel="thinking" if channel == "thinking" else "answer",
            handed_ns=sent_ns - 10,
            stamp=Stamp(sent_ns, sent_ns + 1),
            created_ns=5,
            tokens=(number, number),
            characters=4,
        )
    record.sent(kind="done", handed_ns=5_000_990, stamp=Stamp(5_001_000, 5_001_001), created_ns=6, tokens=(5, 5))
    return record


def test_the_truth_of_an_answer_is_read_from_its_send_times() -> None:
    log = SendLog()
    record_with_an_answer(log)
    (request,) = log.records()
    assert request.ttft_ns == 1_000_000
    assert request.ttfo_ns == 3_000_000
    assert request.done_ns == 5_001_000
    assert request.headers_ns == 1_001_000
    assert request.output_tokens == 5
    assert request.decode_tps == pytest.approx(1000.0)


def test_tokens_that_came_with_the_first_text_are_not_counted_in_the_rate() -> None:
    record = SendLog().open(connection=1, method="POST", path="/api/chat", received=RECEIVED)
    for number in range(1, 4):
        stamp = Stamp(number * 4_000_000, number * 4_000_000)
        tokens = (4 * number - 3, 4 * number)
        record.sent(kind="text", channel="answer", handed_ns=0, stamp=stamp, tokens=tokens, characters=16)
    record.sent(kind="done", handed_ns=0, stamp=Stamp(12_000_000, 12_000_000))
    assert record.frozen().decode_tps == pytest.approx(1000.0)


def test_a_skew_moves_every_send_time_and_nothing_else() -> None:
    plain, skewed = SendLog(), SendLog(skew_ns=7_000_000)
    for log in (plain, skewed):
        record_with_an_answer(log)
    ((right,), (wrong,)) = plain.records(), skewed.records()
    assert wrong.received_ns == right.received_ns
    assert wrong.ttft_ns == (right.ttft_ns or 0) + 7_000_000
    for ours, theirs in zip(wrong.chunks, right.chunks, strict=True):
        assert ours.sent_ns - theirs.sent_ns == ours.sent_monotonic_ns - theirs.sent_monotonic_ns == 7_000_000
        assert ours.handed_ns - theirs.handed_ns == 7_000_000
        assert ours.created_ns == theirs.created_ns


def test_what_is_not_known_is_none() -> None:
    record = SendLog().open(connection=1, method="POST", path="/api/chat", received=RECEIVED)
    request = record.frozen()
    assert (request.ttft_ns, request.ttfo_ns, request.done_ns, request.decode_tps) == (None,) * 4
    assert (request.headers_ns, request.status, request.truth) == (None,) * 3


def test_records_have_numbers_that_clearing_does_not_use_again() -> None:
    log = SendLog()
    for _ in range(2):
        record_with_an_answer(log).finished_ns = 1
    open_record = record_with_an_answer(log)
    assert [request.number for request in log.records(since=1)] == [2, 3]
    log.clear()
    assert [request.number for request in log.records()] == [open_record.number] == [3]
    assert record_with_an_answer(log).number == 4


def test_an_unlisted_record_takes_no_number() -> None:
    log = SendLog()
    log.open(connection=1, method="GET", path="/_sim/log", received=RECEIVED, listed=False)
    assert log.records() == ()
    assert record_with_an_answer(log).number == 1


def test_a_record_survives_its_json() -> None:
    log = SendLog()
    record_with_an_answer(log)
    assert msgspec.json.decode(msgspec.json.encode(log.records()), type=tuple[SentRequest, ...]) == log.records()
