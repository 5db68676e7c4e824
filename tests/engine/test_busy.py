"""Trials during which other programs are busy: repeated once, until the machine counts as busy."""

from __future__ import annotations

import pytest

from llmtui.core.records import MachineFigures
from llmtui.engine.context import RunContext
from llmtui.engine.idle_wait import IdleWait
from llmtui.words.evidence import evidence_text
from tests.engine.fake_server import FakeServer, FakeWatch, Reported
from tests.engine.lab import Lab, one_round

BUSY, CALM = 1.5, 0.1


async def rows_with(*meanwhile: float | None, rounds: int = 1) -> list[tuple[str, bool]]:
    """Return the warm trials, with whether other programs were busy."""
    lab = Lab(one_round(kinds=("warm",), rounds=rounds, max_rounds=rounds))
    lab.watch.meanwhile = list(meanwhile)
    await lab.run()
    return [(row.trial.id, "busy" in row.flags) for row in lab.rows]


async def test_a_trial_during_which_others_are_busy_is_asked_again_once() -> None:
    first, *rest = await rows_with(BUSY, CALM, CALM)
    assert first[1]
    assert rest[0] == (f"{first[0]}-again", False)
    assert not any(busy for _, busy in rest)
    again = await rows_with(BUSY, BUSY, CALM)
    assert [busy for _, busy in again[:2]] == [True, True]
    assert sum(name.endswith("-again") for name, _ in again) == 1


async def test_a_machine_that_is_mostly_busy_is_not_asked_to_be_quiet_for_ever() -> None:
    rows = await rows_with(*[BUSY] * 20, rounds=3)
    again = [at for at, (name, _) in enumerate(rows) if name.endswith("-again")]
    assert again == [1], "from the third trial on it is how the machine is"
    assert all(busy for _, busy in rows)


async def test_what_others_do_is_not_known_beside_a_server_that_cannot_be_seen() -> None:
    assert not any(busy for _, busy in await rows_with(None, None, None))


async def test_a_cold_start_is_not_judged_by_what_others_do_meanwhile() -> None:
    lab = Lab(one_round(kinds=("cold",)))
    lab.watch.meanwhile = [BUSY]
    await lab.run()
    assert [row.flags for row in lab.rows] == [()]


@pytest.mark.parametrize(
    ("cores", "others", "flagged"),
    [(2, 0.5, False), (2, 0.51, True), (16, 1.5, False), (16, 1.7, True), (2, None, False)],
)
def test_busy_is_more_than_half_a_core_and_a_tenth_of_all(cores: int, others: float | None, *, flagged: bool) -> None:
    context = RunContext(one_round(), {"ollama": FakeServer()}, emit=Reported().append, watch=FakeWatch())
    flag = IdleWait(context, cores=cores).busy(MachineFigures(others_cores=others))
    assert (flag is not None) is flagged
    if flag is not None:
        said = evidence_text(flag.evidence)
        assert said == f"other programs kept {others:.1f} of {cores} cores busy during the trial"
