"""Two machines, played by two homes: sessions are brought together and compared, and a watched one says whose it is."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path
from types import MappingProxyType

import msgspec
import pytest

from llmtui.core.events import SessionStarted, encode
from llmtui.core.session import Session, fold
from llmtui.link.stdin_pipe import StdinPipe
from llmtui.simulator.model import SimulatedModel
from llmtui.simulator.process import running_simulator
from llmtui.simulator.script import Script
from llmtui.words.session_head import machine_title, session_head
from tests.acceptance.program import Home
from tests.report.recorded import recorded_events

SPEEDS = MappingProxyType({"fast": 250.0, "slow": 200.0})


def serving(tps: float) -> Script:
    return Script(
        models=(SimulatedModel(name="quick:1b", decode_tps=tps, prefill_tps=2000.0, load_s=0.1, size_bytes=10**9),)
    )


@pytest.mark.slow
def test_the_sessions_of_two_homes_are_compared_and_a_limit_fails_the_script(tmp_path: Path) -> None:
    homes = {}
    for name, tps in SPEEDS.items():
        (tmp_path / name).mkdir()
        homes[name] = Home(tmp_path / name)
        with running_simulator(serving(tps)) as server:
            ran = homes[name].run("run", "--host", server.url, "-m", "quick:1b", "--rounds", "3")
        assert ran.returncode == 0, ran.stderr
    (slow_session,) = homes["slow"].sessions()
    shutil.copytree(slow_session, homes["fast"].results / slow_session.name)
    (first, _) = sorted(homes["fast"].sessions())
    asked = ("compare", first.name, slow_session.name, "--fail-if")
    broken = homes["fast"].run(*asked, "decode_tps < -5%")
    assert (broken.returncode, "quick:1b is beyond the limit" in broken.stdout) == (5, True), (
        broken.stdout + broken.stderr
    )
    kept = homes["fast"].run(*asked, "decode_tps < -40%", "--strict")
    assert (kept.returncode, "quick:1b is within the limit" in kept.stdout) == (0, True), kept.stdout + kept.stderr


def watched(host: str | None) -> Session:
    """What ``llmtui watch -`` makes of the events of a machine."""
    begun, *rest = recorded_events()
    assert isinstance(begun, SessionStarted)
    begun = msgspec.structs.replace(begun, fingerprint=msgspec.structs.replace(begun.fingerprint, host=host))
    read_end, write_end = os.pipe()
    pipe = StdinPipe(read_end)
    with os.fdopen(write_end, "wb") as out:
        out.write(b"".join(map(encode, (begun, *rest[:3]))))
    session = fold(event for batch in pipe.batches() for event in batch)
    pipe.close()
    assert session is not None
    return session


def test_a_session_that_is_watched_says_whose_machine_it_is() -> None:
    session = watched("box")
    assert machine_title(session) == "Machine box"
    assert "on box" in [fact.said for fact in session_head(session, is_live=True)]


@pytest.mark.parametrize("host", [None, platform.node()])
def test_ones_own_machine_needs_no_name(host: str | None) -> None:
    session = watched(host)
    assert machine_title(session) == "Machine"
    assert not [fact for fact in session_head(session, is_live=True) if fact.said.startswith("on ")]
