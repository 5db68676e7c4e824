"""An interrupted session continues with exactly the trials that have no result, wherever it was cut."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from llmtui.backends.base import ChatRequest
from llmtui.core.commands import Cancel, ResumeSession
from llmtui.core.events import (
    Chunks,
    CommandFailed,
    Event,
    Noted,
    SessionFinished,
    SessionResumed,
    TrialFinished,
)
from llmtui.core.plan import Plan, round_blocks
from llmtui.core.session import Session, fold
from llmtui.engine.resuming import clock_shift_ns, read_interrupted
from llmtui.store.journal import read_events
from llmtui.store.session_folder import JOURNAL, TRIALS
from tests.core.made import plan
from tests.engine.command_bench import AT_ONCE, CommandBench, slow
from tests.engine.fake_server import FakeServer, Words
from tests.engine.waiting import until

PLAN = plan("llama3", "mistral", rounds=2, max_rounds=2, options=AT_ONCE)
PLANNED = {trial.id for number in (1, 2) for block in round_blocks(PLAN, number) for trial in block.trials}


async def whole_journal(bench: CommandBench, of: Plan = PLAN) -> Path:
    bench.start(of)
    await bench.wait_for(SessionFinished)
    return next(bench.results.iterdir()) / JOURNAL


def cut_session(folder: Path, journal: bytes) -> Path:
    folder.mkdir(parents=True)
    (folder / JOURNAL).write_bytes(journal)
    return folder


async def resumed(bench: CommandBench, folder: Path, **how: bool) -> Session:
    bench.heard.events.clear()
    bench.server.asked.clear()
    bench.take(ResumeSession(folder=str(folder), **how))
    await until(lambda: bool(bench.of(SessionFinished) or bench.of(CommandFailed)))
    assert bench.of(CommandFailed) == []
    session = fold(read_events(folder / JOURNAL))
    assert session is not None
    return session


def finished_in(journal: bytes) -> set[str]:
    lines = [line for line in journal.split(b"\n")[:-1] if b'"type":"TrialFinished"' in line]
    return {msgspec.json.decode(line)["trial"]["id"] for line in lines}


def last_time_ns(journal: bytes) -> int:
    return max(int(msgspec.json.decode(line)["t_ns"]) for line in journal.split(b"\n")[:-1])


@pytest.mark.parametrize("part", [0.0, 0.5, 0.97])
async def test_cut_at_any_line_and_inside_it_every_planned_trial_is_there_once(
    bench: CommandBench, tmp_path: Path, part: float
) -> None:
    lines = (await whole_journal(bench)).read_bytes().splitlines(keepends=True)
    ends = [at for at, line in enumerate(lines) if b'"TrialFinished"' in line or b'"TrialStarted"' in line]
    for at in {*ends[:-1:3], ends[-1]}:  # the last one: all trials are there, and only the session's end is missing
        journal = b"".join(lines[: at + 1]) + lines[at + 1][: int(len(lines[at + 1]) * part)]
        before = finished_in(journal)
        session = await resumed(bench, cut_session(tmp_path / f"cut{at}-{part}", journal))
        assert session.finished == "complete"
        assert Counter(row.trial.id for row in session.rows) == Counter(PLANNED)
        again = {event.trial.id for event in bench.of(TrialFinished)[len(before) :]}
        assert again == PLANNED - before, "none is lost, none is run twice"
        assert (tmp_path / f"cut{at}-{part}" / TRIALS).read_text("utf-8").count("\n") == 1 + len(PLANNED)
        (continued,) = bench.of(SessionResumed)
        assert continued.t_ns > last_time_ns(journal), "its clock goes on"


async def test_what_stop_cut_short_is_run_again_and_stands_once(bench: CommandBench) -> None:
    usual = bench.server.answers
    slow(bench)
    bench.start(PLAN)
    await bench.wait_for(Chunks)
    bench.take(Cancel())
    await bench.wait_for(SessionFinished)
    bench.server.answers = usual
    session = await resumed(bench, next(bench.results.iterdir()))
    assert [row.outcome for row in session.rows] == ["ok"] * len(PLANNED)


async def test_what_a_dead_server_cost_is_run_again(bench: CommandBench) -> None:
    def dies(_request: ChatRequest, number: int) -> Words:
        if number >= 3:
            bench.server.down = Words().problem
            return Words(fail_after=0)
        return Words()

    bench.server.answers = dies
    bench.start(PLAN)
    finished: SessionFinished = await bench.wait_for(SessionFinished)
    assert finished.how == "failed"
    bench.server.down, bench.server.memory = None, []
    bench.server.answers = lambda _request, _number: Words()
    session = await resumed(bench, next(bench.results.iterdir()))
    assert Counter(row.trial.id for row in session.rows) == Counter(PLANNED)
    assert {row.outcome for row in session.rows} == {"ok"}


async def test_a_follow_up_that_is_left_finds_its_conversation_in_the_servers_cache(
    bench: CommandBench, tmp_path: Path
) -> None:
    lines = (await whole_journal(bench)).read_bytes().splitlines(keepends=True)
    at = max(at for at, line in enumerate(lines) if b'"TrialFinished"' in line and b'"follow_up"' in line)
    bench.server.memory = []
    session = await resumed(bench, cut_session(tmp_path / "cut", b"".join(lines[:at])))
    assert session.rows[-1].outcome == "ok"
    primed, asked = bench.server.asked[-2:]
    assert [message.role for message in asked.messages] == ["user", "assistant", "user"]
    assert asked.messages[:2] == primed.messages


@pytest.mark.parametrize("what", ["server", "model"])
async def test_a_change_since_is_said_and_run_only_when_accepted(
    bench: CommandBench, tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = (await whole_journal(bench)).read_bytes().splitlines(keepends=True)
    folder = cut_session(tmp_path / "cut", b"".join(lines[: len(lines) // 2]))
    before = (folder / JOURNAL).read_bytes()
    if what == "server":
        bench.server.version = "0.99"
    else:
        rebuilt = msgspec.json.decode(before.splitlines()[0])
        assert rebuilt["type"] == "SessionStarted"
        before = before.replace(b"digest-of-llama3", b"another-digest")
        (folder / JOURNAL).write_bytes(before)
    bench.heard.events.clear()
    bench.take(ResumeSession(folder=str(folder)))
    problem = await bench.failure("ResumeSession")
    assert problem.code == "resume_changed"
    assert problem.cause is not None
    assert problem.cause.code == {"server": "server_changed", "model": "model_rebuilt"}[what]
    assert (folder / JOURNAL).read_bytes() == before, "nothing was done"
    await resumed(bench, folder, accept_changes=True)
    assert problem.cause.code in [note.problem.code for note in bench.of(Noted)]


async def test_a_complete_session_has_nothing_left(bench: CommandBench) -> None:
    journal = await whole_journal(bench)
    bench.take(ResumeSession(folder=str(journal.parent)))
    assert (await bench.failure("ResumeSession")).code == "nothing_left"


@pytest.mark.parametrize("content", [b"", b"\x00\xff", b'{"type":"Gap","chunks":1,"samples":1}\n', None])
async def test_what_is_no_session_is_refused(bench: CommandBench, tmp_path: Path, content: bytes | None) -> None:
    folder = tmp_path / "none"
    folder.mkdir()
    if content is not None:
        (folder / JOURNAL).write_bytes(content)
    bench.take(ResumeSession(folder=str(folder)))
    assert (await bench.failure("ResumeSession")).code in ("not_a_session", "bad_journal")


async def test_the_clock_goes_on_after_a_restart_of_the_machine(bench: CommandBench, tmp_path: Path) -> None:
    lines = (await whole_journal(bench)).read_bytes().splitlines(keepends=True)
    of = read_interrupted(cut_session(tmp_path / "cut", b"".join(lines[: len(lines) // 2])))
    hour_ns = 3600 * 10**9
    later_wall_ns = of.started.wall_ns + hour_ns
    assert clock_shift_ns(of, of.started.t_ns + hour_ns, later_wall_ns) == 0, "the same clock"
    assert 5 + clock_shift_ns(of, 5, later_wall_ns) == of.started.t_ns + hour_ns, "the machine was started again"
    assert 5 + clock_shift_ns(of, 5, of.started.wall_ns - hour_ns) > of.session.last_t_ns, "its clock was set back"


async def test_events_of_a_resumed_session_fold_as_its_journal(bench: CommandBench, tmp_path: Path) -> None:
    lines = (await whole_journal(bench)).read_bytes().splitlines(keepends=True)
    folder = cut_session(tmp_path / "cut", b"".join(lines[: len(lines) // 2]))
    session = await resumed(bench, folder)
    heard: list[Event] = bench.heard.events
    seen = fold(heard)
    assert seen is not None
    assert [row.figures for row in seen.rows] == [row.figures for row in session.rows]
    assert isinstance(bench.server, FakeServer)
