"""Since last time: the newest session of the same plan that is older than this one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from llmtui.core.events import Event, SessionFinished, encode
from llmtui.core.plan import IMPORTED, Plan
from llmtui.core.session import Session, fold
from llmtui.store.earlier import earlier_session, last_plan
from llmtui.store.session_folder import create_session_folder
from tests.core.compared import compared_plan, warm
from tests.core.made import WALL_NS, started

PLAN = compared_plan("a")
MINUTE_NS = 60 * 10**9


def kept(results: Path, minute: int, tps: float, of: Plan = PLAN, **changes: Any) -> Session:
    """A session of three rounds on disk."""
    wall_ns = WALL_NS + minute * MINUTE_NS
    folder = create_session_folder(results, wall_ns)
    begin = msgspec.structs.replace(started(of), session_id=folder.name, wall_ns=wall_ns)
    rows = [warm(of, 0, number, which, tps) for number in (1, 2, 3) for which in range(3)]
    end = SessionFinished(t_ns=10**12, wall_ns=wall_ns, how="complete")
    events: list[Event] = [begin, *rows, end]
    (folder / "events.jsonl").write_bytes(b"".join(map(encode, events)))
    session = fold(events)
    assert session is not None
    return session


def test_the_newest_older_session_of_the_same_plan(tmp_path: Path) -> None:
    kept(tmp_path, 1, 10.0)
    last = kept(tmp_path, 2, 10.0)
    kept(tmp_path, 3, 10.0, compared_plan("b"))
    now = kept(tmp_path, 4, 11.0)
    kept(tmp_path, 5, 10.0)
    found = earlier_session(tmp_path, now)
    assert found is not None
    assert found.session == last


def test_the_noise_from_day_to_day_is_known_from_four_earlier_sessions(tmp_path: Path) -> None:
    for minute, tps in enumerate((10.0, 10.5, 10.4)):
        kept(tmp_path, minute, tps)
    three = earlier_session(tmp_path, kept(tmp_path, 8, 10.4))
    four = earlier_session(tmp_path, kept(tmp_path, 9, 10.4))
    assert three is not None
    assert four is not None
    assert three.noise is None
    assert four.noise is not None
    assert four.noise.sessions == 4
    assert four.noise.variance == pytest.approx(0.02168**2, rel=0.001)


def test_the_first_session_of_a_plan_has_none(tmp_path: Path) -> None:
    assert earlier_session(tmp_path, kept(tmp_path, 1, 10.0)) is None
    assert earlier_session(tmp_path / "nowhere", kept(tmp_path, 2, 10.0)) is None


def test_journals_that_cannot_be_read_are_passed_over(tmp_path: Path) -> None:
    last = kept(tmp_path, 1, 10.0)
    broken = create_session_folder(tmp_path, WALL_NS + 2 * MINUTE_NS)
    (broken / "events.jsonl").write_bytes(b"nonsense\n")
    found = earlier_session(tmp_path, kept(tmp_path, 3, 10.0))
    assert found is not None
    assert found.session == last


def test_the_newest_plan_that_was_run_whatever_came_in_later(tmp_path: Path) -> None:
    assert last_plan(tmp_path) is None
    kept(tmp_path, 1, 10.0)
    kept(tmp_path, 2, 10.0, compared_plan("b"))
    kept(tmp_path, 3, 10.0, compared_plan("c", preset=IMPORTED))
    broken = create_session_folder(tmp_path, WALL_NS + 4 * MINUTE_NS)
    (broken / "events.jsonl").write_bytes(b"nonsense\n")
    assert last_plan(tmp_path) == compared_plan("b")
