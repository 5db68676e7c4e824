"""How late this machine wakes a process that does nothing but sleep: what no program on it can be better than.

As a program (``python -m tests.acceptance.lateness``) it is that process, until its stdin ends.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

PERIOD_NS = 5_000_000


class Lateness:
    """Filled when the observation is over; in milliseconds."""

    median_ms = 0.0
    nearly_all_ms = 0.0
    """Not exceeded in 95 % of all wakings."""

    def __str__(self) -> str:
        return f"a sleeper was woken {self.median_ms:.3f} ms late in the median, {self.nearly_all_ms:.3f} ms in 95 %"


@contextmanager
def lateness() -> Iterator[Lateness]:
    """Observes the machine during the ``with`` block."""
    seen = Lateness()
    sleeper = subprocess.Popen(
        [sys.executable, "-m", "tests.acceptance.lateness"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield seen
    finally:
        told, _ = sleeper.communicate(timeout=20)
    seen.median_ms, seen.nearly_all_ms = json.loads(told)


def main() -> None:
    """Sleeps and looks at the clock, 200 times a second."""
    late_ns: list[int] = []
    due_ns = time.perf_counter_ns()
    while not select.select([sys.stdin], [], [], 0)[0]:
        due_ns += PERIOD_NS
        time.sleep(max(0, due_ns - time.perf_counter_ns()) / 1e9)
        late_ns.append(time.perf_counter_ns() - due_ns)
        due_ns = max(due_ns, time.perf_counter_ns() - PERIOD_NS)
    late_ns.sort()
    sys.stdout.write(json.dumps([late_ns[len(late_ns) // 2] / 1e6, late_ns[len(late_ns) * 95 // 100] / 1e6]))


if __name__ == "__main__":
    main()
