"""Duration of comparisons with a large history: ``compare`` of two sessions, and ``trend`` of two hundred."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from benchmarks.made_session import WALL_NS, made_plan
from benchmarks.programs import folder
from benchmarks.rows import Benchmark, Row, spread
from llmtui import __version__
from llmtui.core.events import SCHEMA, SessionFinished, SessionStarted, TrialFinished, encode
from llmtui.core.plan import Plan, round_blocks
from llmtui.core.records import Fingerprint, ServerCounters, Timeline
from llmtui.core.session import Session, fold
from llmtui.store.trials_csv import trials_csv

SESSIONS, QUICK_SESSIONS = 2000, 300
ROUNDS = 28
"""Rounds of 18 trials: 504 trials per session, a million in all sessions."""
IN_TREND = 200
COMPARE_S, TREND_S = 1.0, 3.0
DAY_NS = 86_400 * 10**9
MS = 1_000_000
TIMELINE = Timeline(t_ns=tuple(range(100 * MS, 900 * MS, 25 * MS)), chars=(20,) * 32, channels="a" * 32)


def measure(quick: bool) -> Iterable[Row]:
    """Yield the duration of both commands, each run as a whole program."""
    sessions = QUICK_SESSIONS if quick else SESSIONS
    with folder() as where:
        _history(where, sessions)
        for command, what, bar_s in (
            (("compare", "last~1", "last"), "`llmtui compare` of two sessions", COMPARE_S),
            (("trend", "last"), f"`llmtui trend` of {IN_TREND} sessions", TREND_S),
        ):
            took_s = [_seconds(where, command) for _ in range(3 if quick else 7)]
            yield Row(
                f"{what} of 504 trials, of {sessions} in the folder",
                f"{spread(took_s)} s",
                f"< {bar_s:g} s",
                sorted(took_s)[len(took_s) // 2] < bar_s,
            )


def _seconds(results: Path, command: Sequence[str]) -> float:
    began_s = time.perf_counter()
    subprocess.run(
        [sys.executable, "-P", "-m", "llmtui", *command, "--results", str(results)],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return time.perf_counter() - began_s


def _history(where: Path, sessions: int) -> None:
    """Write the folder of sessions: the newest ones share one plan, and each of the others has a plan of its own."""
    plan = made_plan(ROUNDS)
    made = fold(_events(plan, 0))
    assert made is not None
    table = trials_csv(made)
    for number in range(sessions):
        own = plan if number >= sessions - IN_TREND else _other(plan, number)
        _write(where / f"{number:05}", own, number, table, made)


def _write(folder: Path, plan: Plan, number: int, table: bytes, made: Session) -> None:
    folder.mkdir()
    begun = _started(plan, number)
    end = SessionFinished(t_ns=made.last_t_ns, wall_ns=begun.wall_ns + 1, how="complete")
    (folder / "events.jsonl").write_bytes(encode(begun) + encode(end))
    (folder / "trials.csv").write_bytes(table)


def _other(plan: Plan, number: int) -> Plan:
    first = msgspec.structs.replace(plan.prompts[0], sha256=f"{number:064x}")
    return msgspec.structs.replace(plan, prompts=(first, *plan.prompts[1:]))


def _events(plan: Plan, number: int) -> Iterator[SessionStarted | TrialFinished]:
    yield _started(plan, number)
    t_ns = MS
    for round_number in range(1, ROUNDS + 1):
        for block in round_blocks(plan, round_number):
            for trial in block.trials:
                t_ns += 10**9
                yield TrialFinished(
                    t_ns=t_ns, trial=trial, order=1, outcome="ok", wall_ns=WALL_NS + t_ns, t0_ns=t_ns - 10**9,
                    done_ns=900 * MS + round_number * MS, ended_by="length",
                    counters=ServerCounters(
                        total_duration_ns=900 * MS, load_duration_ns=2 * MS, prompt_tokens=80,
                        prompt_duration_ns=90 * MS, output_tokens=128, output_duration_ns=(800 + round_number) * MS,
                        output_steps=127,
                    ),
                    timeline=TIMELINE, text="word " * 128,
                )  # fmt: skip


def _started(plan: Plan, number: int) -> SessionStarted:
    return SessionStarted(
        schema=SCHEMA,
        session_id=f"{number:05}",
        t_ns=0,
        wall_ns=WALL_NS + number * DAY_NS,
        fingerprint=Fingerprint(llmtui=__version__, python="3", os="Linux", server_is_local=True),
        plan=plan,
    )


BENCHMARK = Benchmark("comparing", "Comparing sessions", measure)
