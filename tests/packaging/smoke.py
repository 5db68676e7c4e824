"""What an installed llmtui must do anywhere: ``python smoke.py PROGRAM`` with the Python that it is installed in."""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
from pathlib import Path

from llmtui.simulator.process import running_simulator
from llmtui.simulator.scenarios import fast


def main() -> int:
    """Measure a scripted server with the program and check its files; return the exit code."""
    program = sys.argv[1]
    with running_simulator(fast()) as server, tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [program, "run", "--host", server.url, "--results", folder, "--preset", "quick", "--category", "coding"],
            capture_output=True, text=True, check=False, timeout=100,
        )  # fmt: skip
        if done.returncode != 0:
            sys.stderr.write(done.stdout + done.stderr)
            return done.returncode
        [table] = Path(folder).glob("*/trials.csv")
        rows = list(csv.DictReader(table.read_text("utf-8").splitlines()))
    kinds = sorted(row["kind"] for row in rows if row["outcome"] == "ok" and row["ttft_ms"])
    if kinds != sorted(["cold", "warm", "follow_up"] * 2):
        sys.stderr.write(f"unexpected rows: {rows}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
