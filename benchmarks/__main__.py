"""``python -m benchmarks``: run all measurements, and write docs/performance.md from them.

If names are given, only those measurements run and nothing is written; ``--quick`` makes them short and inaccurate.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time

from benchmarks.machine import load_words
from benchmarks.page import PAGE, Section, page
from benchmarks.rows import Benchmark, Row

MODULES = (
    "chunk_lag", "accuracy", "screen_cpu", "flood", "per_token", "start_and_end", "memory", "history", "comparing",
    "parts",
)  # fmt: skip


def main() -> int:
    benchmarks: list[Benchmark] = [importlib.import_module(f"benchmarks.{name}").BENCHMARK for name in MODULES]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *(one.name for one in benchmarks)], help="only these")
    parser.add_argument("--quick", action="store_true", help="short and rough")
    asked = parser.parse_args()
    chosen = [one for one in benchmarks if not asked.names or one.name in asked.names]
    sections = [_section(benchmark, quick=asked.quick) for benchmark in chosen]
    if not asked.quick and not asked.names:
        PAGE.write_text(page(sections), encoding="utf-8")
        print(f"written: {PAGE}")
    missed = [row.what for section in sections for row in section.rows if row.met is False]
    return 1 if missed else 0


def _section(benchmark: Benchmark, *, quick: bool) -> Section:
    before, began_s = load_words(), time.monotonic()
    print(f"== {benchmark.title} (load {before})", flush=True)
    rows: list[Row] = []
    for row in benchmark.measure(quick):
        print(f"   {row.what}: {row.measured} [{row.bar}] {row.word}", flush=True)
        rows.append(row)
    after = load_words()
    print(f"   {time.monotonic() - began_s:.0f} s, load {after}", flush=True)
    return Section(benchmark.title, rows, before, after)


if __name__ == "__main__":
    sys.exit(main())
