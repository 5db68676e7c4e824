"""``python -m benchmarks``: all measurements, and docs/performance.md made of them.

With names only those are run and nothing is written; ``--quick`` makes them short and rough.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time

from benchmarks.machine import load_words
from benchmarks.rows import Benchmark

MODULES = ("chunk_lag", "accuracy", "screen_cpu", "flood", "per_token", "start_and_end", "memory")


def main() -> int:
    benchmarks: list[Benchmark] = [importlib.import_module(f"benchmarks.{name}").BENCHMARK for name in MODULES]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *(one.name for one in benchmarks)], help="only these")
    parser.add_argument("--quick", action="store_true", help="short and rough")
    asked = parser.parse_args()
    for benchmark in benchmarks:
        if asked.names and benchmark.name not in asked.names:
            continue
        began_s = time.monotonic()
        print(f"== {benchmark.title} (load {load_words()})", flush=True)
        for row in benchmark.measure(asked.quick):
            print(f"   {row.what}: {row.measured} [{row.bar}] {row.word}", flush=True)
        print(f"   {time.monotonic() - began_s:.0f} s, load {load_words()}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
