"""Running the program, with and without its screens, against a simulated server or the built-in one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import psutil

from llmtui.core.events import SessionEvent
from llmtui.core.session import Session, SessionBuilder
from llmtui.selftest.screen import OutputListener, Screen, ScreenRun, program
from llmtui.selftest.script import categories, many_prompts
from llmtui.simulator import Script, ScriptedAnswer, SimulatedModel

SESSION_LIMIT_S = 900.0
ENGINE = "llmtui.engine"


@contextmanager
def folder() -> Iterator[Path]:
    """Yield a temporary folder for one measurement."""
    with tempfile.TemporaryDirectory(prefix="llmtui-benchmark-", ignore_cleanup_errors=True) as path:
        yield Path(path)


def steady(decode_tps: float, tokens: int, *, bundle: int = 1, name: str = "steady:1b") -> SimulatedModel:
    """Return a simulated model with this decode speed and this number of tokens per answer."""
    answer = ScriptedAnswer(tokens=tokens, tokens_per_chunk=bundle)
    return SimulatedModel(name=name, decode_tps=decode_tps, load_s=0.2, prefill_tps=2000.0, answers=(answer,))


def server_of(*models: SimulatedModel) -> Script:
    """Return the script of a simulated server with these models."""
    return Script(models=models)


def settings_for(host: str, *, trials: int, tokens: int, models: Sequence[str] = ()) -> dict[str, str]:
    """Return settings with which Enter starts one round of ``trials`` trials per model."""
    chosen = {"models": ",".join(models)} if models else {}
    return chosen | {
        "host": host,
        "preset": "quick",
        "num_predict": str(tokens),
        "num_ctx": str(max(4096, 2 * tokens)),
        "categories": categories(trials),
        "bell": "off",
    }


@contextmanager
def on_screen(
    where: Path, settings: Mapping[str, str], *, trials: int, seen: OutputListener | None = None
) -> Iterator[ScreenRun]:
    """Start the program on a pseudo-terminal and yield its run, which the caller begins.

    The program is killed at the end if it still runs.
    """
    prompts, results = where / "prompts.toml", where / "results"
    prompts.write_text(many_prompts(trials), encoding="utf-8")
    command = program("--results", str(results), "--prompts", str(prompts))
    with closing(Screen(command, folder=where, settings=settings, seen=seen)) as screen:
        yield ScreenRun(screen, results)


def watched(run: ScreenRun, each: Callable[[SessionEvent], None] = lambda _: None) -> Session:
    """Follow the session on the screen to its end, and return it."""
    builder = SessionBuilder()
    run.begin()
    for event in run.events(limit_s=SESSION_LIMIT_S):
        builder.apply(event)
        each(event)
    return _made(builder)


@contextmanager
def without_screen(where: Path, settings: Mapping[str, str], *, trials: int) -> Iterator[ScreenRun]:
    """Start the same session with ``llmtui run`` on the same pseudo-terminal, so without screens."""
    prompts, results = where / "prompts.toml", where / "results"
    prompts.write_text(many_prompts(trials), encoding="utf-8")
    words = ["run", "--results", str(results), "--prompts", str(prompts), "--host", settings["host"]]
    for model in filter(None, settings.get("models", "").split(",")):
        words += ["--model", model]
    with closing(Screen(program(*words), folder=where, settings=settings)) as screen:
        yield ScreenRun(screen, results)


def own_cpu_s(pid: int) -> float:
    """Return the CPU seconds that the program and its engine have used so far, without model servers."""
    main = psutil.Process(pid)
    own = [main, *(child for child in main.children() if is_engine(child))]
    return sum(cpu_s(process) or 0.0 for process in own)


def is_engine(process: psutil.Process) -> bool:
    """Return whether a child process is the engine."""
    try:
        return ENGINE in process.cmdline()
    except psutil.Error:
        return False


def engine_of(pid: int) -> psutil.Process:
    """Return the engine process of a running program."""
    return next(child for child in psutil.Process(pid).children() if is_engine(child))


def cpu_s(process: psutil.Process) -> float | None:
    """Return the CPU seconds that a process has used, including its ended threads; None if it no longer exists."""
    try:
        times = process.cpu_times()
    except psutil.Error:
        return None
    return float(times.user + times.system)


def python(*words: str, cwd: Path | None = None) -> float:
    """Run a Python program to its end; return its duration in seconds."""
    began_s = time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began_s


def console_script() -> list[str]:
    """Return the installed ``llmtui`` command, or the command that runs the module if it is not installed."""
    script = Path(sys.executable).with_name("llmtui")
    return [str(script)] if os.access(script, os.X_OK) else [sys.executable, "-P", "-m", "llmtui"]


def _made(builder: SessionBuilder) -> Session:
    session = builder.snapshot()
    if session is None:
        raise RuntimeError("no session began")
    return session
