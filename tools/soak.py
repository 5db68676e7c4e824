"""A long session in short time: ``python tools/soak.py [--trials 5000] [--tokens 200]``.

A simulated server answers as fast as it can. Memory, open handles and threads of the engine process and of the command
that reads its events are read about once per 2 % of the trials. The exit code is 1 if one of them grows from the first
tenth of the trials to the end by more than is allowed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from llmtui.simulator.model import ScriptedAnswer, SimulatedModel  # noqa: E402
from llmtui.simulator.process import running_simulator  # noqa: E402
from llmtui.simulator.script import Script  # noqa: E402

MODELS = 4
ROUNDS = 50
OTHER_KINDS = 2
"""Trials per model and round besides the warm ones: a cold start and a follow-up."""
GROWTH = 0.25
"""Allowed growth of the memory beyond what the kept figures of the trials need."""
BYTES_PER_TRIAL = 6_000
"""Memory for the kept figures of one trial."""


class Use(NamedTuple):
    """What one process uses."""

    rss_bytes: int
    handles: int
    threads: int


def use_of(process: psutil.Process) -> Use:
    """Return what a process uses now."""
    handles = process.num_fds() if hasattr(process, "num_fds") else process.num_handles()
    return Use(process.memory_info().rss, handles, process.num_threads())


def prompts_file(folder: Path, prompts: int) -> Path:
    """Write a prompt file with one category per prompt."""
    parts = ['[llmtui]\nformat = 1\n[cold]\ntext = "Tell me about the sea."\n[follow_up]\ntext = "And why?"\n']
    parts += [
        f'[categories.soak{n}]\ntitle = "Soak {n}"\n'
        f'[[categories.soak{n}.prompts]]\nid = "soak{n}-1"\ntext = "Tell {n}."\n'
        for n in range(prompts)
    ]
    path = folder / "soak.toml"
    path.write_text("".join(parts), "utf-8")
    return path


def rows(results: Path) -> int:
    """Return the number of finished trials on disk."""
    return sum(max(path.read_bytes().count(b"\n") - 1, 0) for path in results.glob("*/trials.csv"))


def soak(trials: int, tokens: int) -> bool:
    """Run the session and print its figures; return whether everything stayed flat."""
    per_model = max(trials // (MODELS * ROUNDS), OTHER_KINDS + 1)
    rounds = max(1, min(ROUNDS, trials // (MODELS * per_model)))
    planned = MODELS * per_model * rounds
    script = Script(
        models=tuple(
            SimulatedModel(
                name=f"soak{n}:1b", load_s=0.001, prefill_tps=1e7, decode_tps=1e5,
                answers=(ScriptedAnswer(tokens=tokens + 1),),
            )
            for n in range(MODELS)
        )
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="llmtui-soak-") as name, running_simulator(script) as server:
        folder = Path(name)
        (results := folder / "results").mkdir()
        words = ["run", "--host", server.url, "--rounds", str(rounds), "--num-predict", str(tokens)]
        words += ["--prompts", str(prompts_file(folder, per_model - OTHER_KINDS)), "--results", str(results)]
        words += [word for n in range(MODELS) for word in ("-m", f"soak{n}:1b")]
        words += [word for n in range(per_model - OTHER_KINDS) for word in ("-c", f"soak{n}")]
        env = dict(os.environ) | {"HOME": name, "LLMTUI_QUIET_WAIT_S": "0", "PYTHONPATH": str(ROOT)}
        began = time.monotonic()
        log = folder / "log"
        with log.open("wb") as out:
            run = subprocess.Popen([sys.executable, "-P", "-m", "llmtui", *words], stdout=out, stderr=out, env=env)
            seen = watched(run, results, planned)
        if run.returncode not in (0, 3):
            print(log.read_text("utf-8", "replace")[-2000:])
        done = rows(results)
        print(f"{done} of {planned} trials, {done * tokens} tokens at most, {time.monotonic() - began:.0f} s")
        flat_ones = [flat(*one) for one in seen.items()]
        return run.returncode == 0 and done >= planned and all(flat_ones)


def watched(run: subprocess.Popen[bytes], results: Path, planned: int) -> dict[str, list[tuple[int, Use]]]:
    """Return what engine and command used, with the number of finished trials at that time."""
    seen: dict[str, list[tuple[int, Use]]] = {"engine": [], "command": []}
    next_at, step = planned // 10, max(planned // 50, 1)
    command = psutil.Process(run.pid)
    while run.poll() is None:
        time.sleep(0.2)
        done = rows(results)
        if done < next_at or done >= planned:
            continue
        next_at = done + step
        try:
            (engine,) = command.children()
            for who, process in (("engine", engine), ("command", command)):
                seen[who].append((done, use_of(process)))
        except (psutil.Error, ValueError):
            continue
    return seen


def flat(who: str, seen: list[tuple[int, Use]]) -> bool:
    """Print first, last and largest use of a process; return whether they are close."""
    if len(seen) < 2:
        print(f"{who}: too few readings")
        return False
    (first_at, first), (last_at, last) = seen[0], seen[-1]
    allowed = first.rss_bytes * (1 + GROWTH) + BYTES_PER_TRIAL * (last_at - first_at)
    is_flat = last.rss_bytes <= allowed and last.handles <= first.handles + 2 and last.threads <= first.threads + 2
    print(
        f"{who}: memory {first.rss_bytes / 1e6:.1f} MB at trial {first_at}, {last.rss_bytes / 1e6:.1f} at {last_at}, "
        f"largest {max(use.rss_bytes for _, use in seen) / 1e6:.1f} MB; handles {first.handles} and {last.handles}; "
        f"threads {first.threads} and {last.threads}: {'flat' if is_flat else 'NOT FLAT'}"
    )
    return is_flat


def main() -> None:
    """Run as the command line says."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--trials", type=int, default=5000, help="number of trials (5000)")
    words.add_argument("--tokens", type=int, default=200, help="tokens per trial (200)")
    said = words.parse_args()
    sys.exit(0 if soak(said.trials, said.tokens) else 1)


if __name__ == "__main__":
    main()
