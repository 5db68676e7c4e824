"""Fuzz the parsers that read what others wrote: ``python tools/fuzz.py PARSER [--runs N]``.

With atheris (``pip install atheris``) the inputs follow the code's coverage; without it, they are random changes of the
inputs in ``tests/wild/corpus/PARSER``. Each fault is written into the folder ``--found``, one input per place in the
code, and the run continues. The exit code is 1 if there are faults. ``--list`` names the parsers.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
SLOW_S = 1.0
"""CPU time in seconds above which an input counts as a fault."""
LONGEST = 1 << 14


class Fuzzing:
    """One run: counts the inputs and keeps those that show a fault."""

    def __init__(self, name: str, runs: int, seconds: float, found: Path) -> None:
        from tests.wild.parsers import PARSERS

        self.name, self.runs, self.found = name, runs, found
        self._try = PARSERS[name].try_with
        self._ends_at = time.monotonic() + seconds
        self._began_at = time.monotonic()
        self.done = 0
        self.faults: dict[str, Path] = {}

    def one(self, data: bytes) -> None:
        """Try one input; end the program after the last one."""
        began = time.process_time()
        try:
            self._try(data)
        except (Exception, RecursionError) as error:  # noqa: BLE001 - any exception is a fault
            last = traceback.extract_tb(error.__traceback__)[-1]
            self._keep(f"{type(error).__name__} at {last.filename}:{last.lineno}: {error}"[:200], data)
        else:
            took = time.process_time() - began
            if took > SLOW_S:
                self._keep(f"slow: {len(data)} bytes", data)
        self.done += 1
        if self.done >= self.runs or (self.done % 64 == 0 and time.monotonic() > self._ends_at):
            self.end()

    def end(self) -> None:
        """Print the record and end the program."""
        seconds = time.monotonic() - self._began_at
        print(f"{self.name}: {self.done} runs, {seconds:.0f} s, {len(self.faults)} faults", flush=True)
        os._exit(1 if self.faults else 0)

    def _keep(self, what: str, data: bytes) -> None:
        place = what.partition(": ")[0]
        if place in self.faults:
            return
        self.found.mkdir(parents=True, exist_ok=True)
        path = self.found / f"{self.name}-{hashlib.sha256(data).hexdigest()[:12]}"
        path.write_bytes(data)
        self.faults[place] = path
        print(f"{self.name}: {what}\n  {path}", flush=True)


def with_atheris(start: Callable[[], Fuzzing], runs: int) -> None:
    """Let atheris choose the inputs; it never returns."""
    import atheris

    with atheris.instrument_imports(include=["llmtui"]):
        fuzzing = start()
    from tests.wild.parsers import CORPUS

    grown = tempfile.mkdtemp(prefix="llmtui-fuzz-")
    seeds = str(CORPUS / fuzzing.name)
    words = [sys.argv[0], f"-runs={runs * 2}", f"-max_len={LONGEST}", "-timeout=60", "-rss_limit_mb=4096",
             f"-artifact_prefix={fuzzing.found}/", "-verbosity=0", grown, seeds]  # fmt: skip
    fuzzing.found.mkdir(parents=True, exist_ok=True)
    atheris.Setup(words, fuzzing.one)
    atheris.Fuzz()
    fuzzing.end()


def without_atheris(start: Callable[[], Fuzzing], runs: int, seed: int) -> None:
    """Try random changes of the committed inputs."""
    from tests.wild.mutations import mutations
    from tests.wild.parsers import corpus_of

    fuzzing = start()
    inputs: Iterator[bytes] = mutations(corpus_of(fuzzing.name), seed, runs)
    for data in inputs:
        fuzzing.one(data)


def main() -> None:
    """Run as the command line says."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("parser", nargs="?", help="name of the parser")
    words.add_argument("--list", action="store_true", help="print the parsers' names")
    words.add_argument("--runs", type=int, default=1_000_000, help="number of inputs (1,000,000)")
    words.add_argument("--seconds", type=float, default=float("inf"), help="longest duration")
    words.add_argument("--seed", type=int, default=1, help="seed of the random changes (1)")
    words.add_argument("--random", action="store_true", help="random changes even if atheris is installed")
    words.add_argument("--found", type=Path, default=Path("found"), help="folder for inputs that show a fault (found)")
    said = words.parse_args()
    if said.list or said.parser is None:
        from tests.wild.parsers import PARSERS

        print("\n".join(PARSERS))
        return

    def start() -> Fuzzing:
        return Fuzzing(said.parser, said.runs, said.seconds, said.found)

    try:
        import atheris  # noqa: F401
    except ImportError:
        said.random = True
    if said.random:
        without_atheris(start, said.runs, said.seed)
    else:
        with_atheris(start, said.runs)


if __name__ == "__main__":
    main()
