"""Number of rounds of a run: by its plan's own rule, and by requests during and after it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from llmtui.core.commands import Cancel, ExtendPlan, SetServer, Skip
from llmtui.core.events import (
    Chunks,
    PlanExtended,
    SessionFinished,
    SessionOpened,
    SessionStarted,
    TrialFinished,
    TrialStarted,
)
from llmtui.core.plan import Plan, round_order
from llmtui.core.session import fold
from llmtui.store.journal import read_events
from llmtui.store.session_folder import JOURNAL, SAMPLES, TRIALS
from llmtui.store.trials_csv import row_cells
from llmtui.words.problems import problem_remedy, problem_what
from tests.core.made import plan, started
from tests.engine.command_bench import CommandBench, short, slow
from tests.engine.fake_server import REFUSED, FakeServer, Words, resident
from tests.engine.lab import Lab, one_round
from tests.engine.waiting import until

WORDS = "word " * 70


def rounds_of(rows: list[TrialFinished]) -> list[int]:
    return sorted({row.trial.round for row in rows})


# --- by the plan's own rule -------------------------------------------------------------------------------------------


def thorough(*names: str) -> Plan:
    return plan(*names, categories=("coding",), preset="thorough", rounds=5, max_rounds=10, kinds=("warm",))


async def test_thorough_stops_after_five_rounds_where_all_is_told_apart() -> None:
    server = FakeServer()
    server.answers = lambda request, _n: Words(WORDS, pause_s=0.001 if request.model.name == "llama3" else 0.006)
    lab = Lab(thorough("llama3", "mistral"), server)
    assert await lab.run() == "complete"
    assert rounds_of(lab.rows) == [1, 2, 3, 4, 5]
    assert lab.events.of(PlanExtended) == []


async def test_thorough_goes_on_to_ten_rounds_where_it_is_not() -> None:
    """Widely varying rates keep the pair open."""
    server = FakeServer()
    server.answers = lambda _request, number: Words(WORDS, pause_s=0.001 * (1 + number * number % 7))
    lab = Lab(thorough("llama3", "mistral"), server)
    assert await lab.run() == "complete"
    extended: list[PlanExtended] = lab.events.of(PlanExtended)
    assert rounds_of(lab.rows)[-1] == 5 + len(extended)
    assert rounds_of(lab.rows)[-1] > 5
    assert rounds_of(lab.rows)[-1] <= 10
    assert {one.why for one in extended} == {"not all is told apart yet"}


async def test_a_balanced_budget_ends_after_whole_pairs_of_rounds() -> None:
    of = one_round("llama3", "mistral", max_rounds=7, budget_s=60.0, balanced=True, kinds=("cold",))
    lab = Lab(of)
    assert await lab.run() == "complete"
    assert rounds_of(lab.rows) == [1, 2, 3, 4, 5, 6], "a seventh would have no mirror"
    assert [event.rounds for event in lab.events.of(PlanExtended)] == [2, 4, 6]
    order = [row.trial.contender for row in lab.rows]
    assert order[2:4] == order[:2][::-1]
    last: TrialStarted = lab.events.of(TrialStarted)[-1]
    assert last.order == last.total == 12


async def test_in_auto_the_second_round_mirrors_the_first_as_it_was() -> None:
    of = one_round("a", "b", "c", preset="auto", max_rounds=2, budget_s=60.0, kinds=("cold",))
    last = round_order(of, 1)[-1]
    server = FakeServer(memory=[resident(of.contenders[last].model.name)])
    lab = Lab(of, server)
    await lab.run()
    order = [row.trial.contender for row in lab.rows]
    assert order[0] == last
    assert order[3:] == order[:3][::-1]


# --- requests after the end -----------------------------------------------------------------------------------------


async def test_a_session_that_is_gone_on_with_keeps_its_order_and_counts_on() -> None:
    first = Lab(one_round("a", "b", "c", kinds=("cold", "warm")))
    await first.run()
    later = Lab(first.plan, so_far=first.session())
    later.experiment.extend(1)
    assert await later.run() == "complete"
    assert rounds_of(later.rows) == [2]
    blocks = [row.trial.contender for row in first.rows if row.trial.kind == "cold"]
    assert [row.trial.contender for row in later.rows if row.trial.kind == "cold"] == blocks[::-1]
    assert later.rows[0].order == first.rows[-1].order + 1
    tags = [{row.trial.tag for row in lab.rows if row.trial.kind == "warm"} for lab in (first, later)]
    assert not tags[0] & tags[1], "no question was asked before"


async def test_the_mirror_is_that_of_the_order_in_which_a_model_in_memory_went_first() -> None:
    of = one_round("a", "b", "c", preset="auto", kinds=("cold", "warm"))
    last = round_order(of, 1)[-1]
    first = Lab(of, FakeServer(memory=[resident(of.contenders[last].model.name)]))
    await first.run()
    assert first.rows[0].trial.contender == last
    later = Lab(of, so_far=first.session())
    later.experiment.extend(1)
    await later.run()
    blocks = list(dict.fromkeys(row.trial.contender for row in first.rows))
    assert list(dict.fromkeys(row.trial.contender for row in later.rows)) == blocks[::-1]


async def test_only_what_was_asked_for_follows() -> None:
    of = one_round(preset="auto", max_rounds=5, budget_s=60.0, kinds=("cold",))
    ended = Lab(of)
    await ended.run()
    session = ended.session()
    assert session.rounds == 5
    later = Lab(of, so_far=session)
    later.experiment.extend(2)
    await later.run()
    assert rounds_of(later.rows) == [6, 7]


async def test_what_a_cold_load_took_is_still_known() -> None:
    """A load of 300 ms in a warm trial is a reload only beside a cold load that is known."""
    first = Lab(one_round(kinds=("cold",)))
    await first.run()
    server = FakeServer(memory=[resident("llama3")])
    server.answers = lambda _request, _number: Words(load_ns=300_000_000)
    later = Lab(one_round(kinds=("warm",)), server, so_far=first.session())
    later.experiment.extend(1)
    await later.run()
    assert {flag for row in later.rows for flag in row.flags} == {"unexpected_reload"}


# --- by command ------------------------------------------------------------------------------------------------------


async def extended(bench: CommandBench, rounds: int, ends: int) -> SessionFinished:
    bench.take(ExtendPlan(rounds=rounds))
    ended: SessionFinished = await bench.wait_for(SessionFinished, ends)
    return ended


async def test_rounds_are_added_to_a_session_that_is_over(bench: CommandBench) -> None:
    bench.start(short("llama3", "mistral"))
    await bench.wait_for(SessionFinished)
    assert (await extended(bench, 2, ends=2)).how == "complete"
    assert (await extended(bench, 1, ends=3)).how == "complete"
    assert bench.of(SessionStarted) == bench.of(SessionStarted)[:1], "it is one session"
    assert [event.rounds for event in bench.of(PlanExtended)] == [3, 4]
    folder = Path(bench.of(SessionOpened)[0].folder)
    session = fold(read_events(folder / JOURNAL))
    assert session is not None
    assert (session.finished, session.rounds, len(session.rows)) == ("complete", 4, 8)
    assert [row.order for row in session.rows] == list(range(1, 9))
    with (folder / TRIALS).open(newline="", encoding="utf-8") as file:
        assert list(csv.DictReader(file)) == [row_cells(row, session) for row in session.rows]
    assert (folder / SAMPLES).read_text().count("session_s") == 1, "one header"
    assert bench.of(SessionOpened) == bench.of(SessionOpened)[:1]


async def test_what_was_in_memory_comes_back_each_time(bench: CommandBench) -> None:
    bench.start(short(others="unload"))
    await bench.wait_for(SessionFinished)
    await extended(bench, 1, ends=2)
    assert [model.name for model in bench.server.memory] == ["qwen"]
    assert bench.server.log.count("load qwen 4096") == 2


async def test_a_model_that_was_skipped_stays_out(bench: CommandBench) -> None:
    slow(bench)
    bench.start(short("llama3", "mistral"))
    await bench.wait_for(Chunks)
    bench.take(Skip(what="model"))
    skipped: TrialFinished = await bench.wait_for(TrialFinished)
    bench.server.answers = lambda _request, _number: Words()
    bench.take(Skip(what="trial"))
    await bench.wait_for(SessionFinished)
    await extended(bench, 1, ends=2)
    later = [row for row in bench.of(TrialFinished) if row.trial.round == 2]
    assert {row.trial.contender for row in later} == {1 - skipped.trial.contender}


async def test_a_session_that_was_stopped_is_not_gone_on_with(bench: CommandBench) -> None:
    slow(bench)
    bench.start(short())
    await bench.wait_for(Chunks)
    bench.take(Cancel())
    await bench.wait_for(SessionFinished)
    bench.take(ExtendPlan(rounds=1))
    problem = await bench.failure("ExtendPlan")
    assert problem.code == "nothing_to_extend"
    assert problem_remedy(problem)


async def test_a_stop_in_added_rounds_ends_the_session_for_good(bench: CommandBench) -> None:
    bench.start(short())
    await bench.wait_for(SessionFinished)
    slow(bench)
    bench.take(ExtendPlan(rounds=3))
    await bench.wait_for(Chunks, len(bench.of(Chunks)) + 1)
    bench.take(Cancel())
    assert (await bench.wait_for(SessionFinished, 2)).how == "cancelled"
    bench.take(ExtendPlan(rounds=1))
    assert (await bench.failure("ExtendPlan")).code == "nothing_to_extend"


async def test_where_the_server_is_gone_nothing_is_added_and_later_it_may_be(bench: CommandBench) -> None:
    bench.start(short())
    await bench.wait_for(SessionFinished)
    bench.server.down = REFUSED
    bench.take(ExtendPlan(rounds=1))
    assert (await bench.failure("ExtendPlan")).code == "refused"
    bench.server.down = None
    assert (await extended(bench, 1, ends=2)).how == "complete"
    assert [row.trial.round for row in bench.of(TrialFinished)] == [1, 2]


async def test_another_servers_rounds_do_not_join(bench: CommandBench) -> None:
    bench.start(short())
    await bench.wait_for(SessionFinished)
    bench.server.version = "0.35.0"
    bench.take(ExtendPlan(rounds=1))
    problem = await bench.failure("ExtendPlan")
    assert problem.code == "server_changed"
    assert "0.34.4" in problem_what(problem)
    assert "0.35.0" in problem_what(problem)


async def test_another_server_may_have_been_looked_at_meanwhile(bench: CommandBench) -> None:
    bench.start(short())
    await bench.wait_for(SessionFinished)
    bench.take(SetServer(address="elsewhere"))
    await until(lambda: "close" in bench.server.log)
    assert (await extended(bench, 1, ends=2)).how == "complete"
    assert [address for _, address in bench.opened] == [short().server, "elsewhere", short().server]


@pytest.mark.parametrize("rounds", [0, -1])
async def test_no_rounds_are_no_rounds(bench: CommandBench, rounds: int) -> None:
    bench.take(ExtendPlan(rounds=rounds))
    assert (await bench.failure("ExtendPlan")).code == "bad_rounds"


def test_the_fold_of_it_is_one_session() -> None:
    of: Any = plan("a", rounds=1)
    session = fold([started(of), SessionFinished(t_ns=1, wall_ns=1, how="complete")])
    assert session is not None
    assert session.finished == "complete"
