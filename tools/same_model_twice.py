"""Compare a model with itself on a busy machine, and count verdicts that put one first: there should be none.

    python tools/same_model_twice.py                          # 16 sessions of one round, 8 of three
    python tools/same_model_twice.py --sessions 4 --rounds 1  # fewer

A synthetic model of the built-in server is measured twice per session, as if it were two models, while another process
keeps one core busy. For each session, the command prints the verdicts that put one first, the number of warm trials
flagged ``busy``, and whether the printed conclusions mention the busy machine.

Exit codes: 0 no such verdict and every session mentions the busy machine, 1 otherwise, 2 usage.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ORDERING = frozenset({"faster", "slightly_faster", "seems_faster", "ahead", "sooner", "seems_sooner"})
SESSION_LIMIT_S = 600.0
SPIN = "while True: pass"


@dataclass(frozen=True)
class Tried:
    """The verdicts and flags of one session."""

    words: tuple[tuple[str, str], ...]
    """(figure, verdict) per pair."""
    busy: int
    warm: int
    told: bool
    """Whether the printed text mentions the busy machine."""

    @property
    def ordering(self) -> list[str]:
        """The verdicts that put one of two equal models first."""
        return [f"{figure}: {word}" for figure, word in self.words if word in ORDERING]


@contextmanager
def one_core_busy() -> Iterator[None]:
    """Keep one core busy during a ``with`` statement."""
    spinning = subprocess.Popen([sys.executable, "-c", SPIN])
    try:
        yield
    finally:
        spinning.kill()
        spinning.wait()


def tried(rounds: int, model: str, folder: Path) -> Tried:
    """Run one session with llmtui, and read its verdicts and flags from its files."""
    command = [
        sys.executable, "-m", "llmtui", "run", "--host", "builtin", "--model", model, "--twice",
        "--rounds", str(rounds), "--results", str(folder), "--words",
    ]  # fmt: skip
    run = subprocess.run(command, capture_output=True, text=True, timeout=SESSION_LIMIT_S)
    [session] = folder.iterdir()
    with (session / "pairs.csv").open(newline="") as pairs:
        words = tuple((row["figure"], row["word"]) for row in csv.DictReader(pairs))
    with (session / "trials.csv").open(newline="") as trials:
        warm = [row for row in csv.DictReader(trials) if row["kind"] == "warm"]
    busy = sum("busy" in row["flags"].split() for row in warm)
    return Tried(words, busy, len(warm), "busy" in run.stdout)


def main() -> int:
    """Run the sessions and print one line for each; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, help="number of sessions (default: 16 of one round, then 8 of three)")
    parser.add_argument("--rounds", type=int, default=1, help="rounds per session, with --sessions")
    parser.add_argument(
        "--model", default="synthetic-114M", help="model of the built-in server; slow enough to be seen by the sampler"
    )
    asked = parser.parse_args()
    plan = [(asked.sessions, asked.rounds)] if asked.sessions else [(16, 1), (8, 3)]
    holds = True
    with one_core_busy():
        for sessions, rounds in plan:
            for number in range(1, sessions + 1):
                with tempfile.TemporaryDirectory() as folder:
                    one = tried(rounds, asked.model, Path(folder))
                told = ", told" if one.told else ", NOT TOLD"
                words = ", ".join(one.ordering) or "no ordering word"
                print(f"{rounds} rounds, session {number}: {words}; busy {one.busy} of {one.warm}{told}", flush=True)
                holds = holds and not one.ordering and one.told
    print("holds" if holds else "BROKEN")
    return 0 if holds else 1


if __name__ == "__main__":
    raise SystemExit(main())
