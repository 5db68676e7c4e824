"""Running the program, with its screen and without, against a simulated server or the built-in one."""

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
    """A folder for one measurement."""
    with tempfile.TemporaryDirectory(prefix="llmtui-benchmark-", ignore_cleanup_errors=True) as path:
        yield Path(path)


def steady(decode_tps: float, tokens: int, *, bundle: int = 1, name: str = "steady:1b") -> SimulatedModel:
    """A model that writes so many tokens a second, so many in an answer."""
    answer = ScriptedAnswer(tokens=tokens, tokens_per_chunk=bundle)
    return SimulatedModel(name=name, decode_tps=decode_tps, load_s=0.2, prefill_tps=2000.0, answers=(answer,))


def server_of(*models: SimulatedModel) -> Script:
    """A server with these models."""
    return Script(models=models)


def settings_for(host: str, *, trials: int, tokens: int, models: Sequence[str] = ()) -> dict[str, str]:
    """Settings under which Enter starts one round of so many tests a model."""
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
    """Starts the program in its terminal; the caller begins the run. It is killed if it has not left by the end."""
    prompts, results = where / "prompts.toml", where / "results"
    prompts.write_text(many_prompts(trials), encoding="utf-8")
    command = program("--results", str(results), "--prompts", str(prompts))
    with closing(Screen(command, folder=where, settings=settings, seen=seen)) as screen:
        yield ScreenRun(screen, results)


def watched(run: ScreenRun, each: Callable[[SessionEvent], None] = lambda _: None) -> Session:
    """Runs the session on the screen to its end; gives it."""
    builder = SessionBuilder()
    run.begin()
    for event in run.events(limit_s=SESSION_LIMIT_S):
        builder.apply(event)
        each(event)
    return _made(builder)


@contextmanager
def without_screen(where: Path, settings: Mapping[str, str], *, trials: int) -> Iterator[ScreenRun]:
    """Starts the same session with ``llmtui run``, in the same terminal: one line of progress instead of screens."""
    prompts, results = where / "prompts.toml", where / "results"
    prompts.write_text(many_prompts(trials), encoding="utf-8")
    words = ["run", "--results", str(results), "--prompts", str(prompts), "--host", settings["host"]]
    for model in filter(None, settings.get("models", "").split(",")):
        words += ["--model", model]
    with closing(Screen(program(*words), folder=where, settings=settings)) as screen:
        yield ScreenRun(screen, results)


def own_cpu_s(pid: int) -> float:
    """Gives the processor seconds that the program and its engine have used so far, without model servers."""
    main = psutil.Process(pid)
    own = [main, *(child for child in main.children() if is_engine(child))]
    return sum(cpu_s(process) or 0.0 for process in own)


def is_engine(process: psutil.Process) -> bool:
    """Tells the engine from other children."""
    try:
        return ENGINE in process.cmdline()
    except psutil.Error:
        return False


def engine_of(pid: int) -> psutil.Process:
    """Gives the engine of a running program."""
    return next(child for child in psutil.Process(pid).children() if is_engine(child))


def cpu_s(process: psutil.Process) -> float | None:
    """Processor seconds that a process has used, its ended threads included; None if it is gone."""
    try:
        times = process.cpu_times()
    except psutil.Error:
        return None
    return float(times.user + times.system)


def python(*words: str, cwd: Path | None = None) -> float:
    """Runs a Python program to its end; gives the seconds that took."""
    began_s = time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began_s


def console_script() -> list[str]:
    """Gives the command that a person types, where it is installed; else the module."""
    script = Path(sys.executable).with_name("llmtui")
    return [str(script)] if os.access(script, os.X_OK) else [sys.executable, "-P", "-m", "llmtui"]


def _made(builder: SessionBuilder) -> Session:
    session = builder.snapshot()
    if session is None:
        raise RuntimeError("no session began")
    return session
