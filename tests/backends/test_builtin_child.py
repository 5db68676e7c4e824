"""Failures of the child process, produced by stand-ins for xllamacpp; each is a sentence with a remedy."""

from __future__ import annotations

import ast
import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from llmtui.backends.base import BackendFailed
from llmtui.backends.builtin_child import BuiltinChild, ChildConfig, import_problem
from llmtui.core.records import Problem
from llmtui.words.problems import problem_remedy, problem_what
from tests.backends.builtin_children import PARAMS, is_gone, stand_in
from tests.backends.ollama_served import wait_until

CONFIG = ChildConfig(model_path="/models/some.gguf", alias="some", num_ctx=1024, threads=1)
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="signals")


def serving(body: str) -> str:
    """Return an xllamacpp whose server runs this code when it is created."""
    lines = "\n".join(f"        {line}" for line in body.splitlines())
    return f"import os, sys, time\n{PARAMS}\nclass Server:\n    def __init__(self, params):\n{lines}\n"


async def failure(monkeypatch: pytest.MonkeyPatch, folder: Path, source: str) -> Problem:
    """Return the problem of a child with this xllamacpp."""
    stand_in(monkeypatch, folder, source)
    child = await BuiltinChild.spawn(CONFIG)
    with pytest.raises(BackendFailed) as caught:
        await child.ready()
    assert is_gone(child.pid)
    assert not child.alive
    assert problem_remedy(caught.value.problem)
    return caught.value.problem


@pytest.mark.parametrize(
    ("said", "code", "remedy"),
    [
        ("No module named 'xllamacpp'", "builtin_missing", "[builtin]"),
        ("libgomp.so.1: cannot open shared object file", "libgomp_missing", "apt install libgomp1"),
        ("DLL load failed while importing xllamacpp", "vc_runtime_missing", "Visual C++"),
        ("libstdc++.so.6: version `GLIBCXX_3.4.32' not found", "builtin_broken", "[builtin]"),
    ],
)
async def test_what_cannot_be_imported_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str, code: str, remedy: str
) -> None:
    problem = await failure(monkeypatch, tmp_path, f"raise ImportError({said!r})")
    assert problem == import_problem(said)
    assert problem.code == code
    assert remedy in problem_remedy(problem)


async def test_another_xllamacpp_than_expected_is_broken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    problem = await failure(monkeypatch, tmp_path, "class CommonParams: pass")
    assert problem.code == "builtin_broken"
    assert "no attribute 'model'" in problem_what(problem)


@posix_only
@pytest.mark.parametrize(
    ("number", "code", "words"),
    [
        (signal.SIGILL, "cpu_too_old", "instructions that the built-in server needs (AVX2)"),
        (signal.SIGKILL, "server_killed", "while it loaded the model (signal 9)"),
        (signal.SIGSEGV, "server_crashed", "crashed while it loaded the model (signal 11)"),
    ],
)
@pytest.mark.parametrize("where", ["import", "load"])
async def test_an_end_by_a_signal_is_explained(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: signal.Signals, code: str, words: str, where: str
) -> None:
    act = f"os.kill(os.getpid(), {int(number)})"
    problem = await failure(monkeypatch, tmp_path, f"import os\n{act}" if where == "import" else serving(act))
    assert problem.code == code
    assert words in problem_what(problem)


async def test_an_unexpected_end_shows_the_last_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    problem = await failure(monkeypatch, tmp_path, "raise SystemExit('the sky fell')")
    assert problem.code == "child_failed"
    assert "exit status 1" in problem_what(problem)
    assert problem_what(problem).endswith("the sky fell.")


@pytest.mark.parametrize(
    ("log", "code", "words"),
    [
        (
            "0.00.1 E llama_model_load: error loading model: unknown model architecture: 'x9'\n0.00.2 E srv: exiting",
            "unknown_architecture",
            "unknown model architecture: 'x9'",
        ),
        (
            "0.00.1 E llama_model_load: error loading model: unable to allocate CPU buffer\n0.00.2 E srv init: exiting",
            "out_of_memory",
            "unable to allocate CPU buffer",
        ),
        (
            "0.00.1 W srv init: a warning\n0.00.2 E llama_model_load: error loading model: tensor 'a' is odd",
            "file_load_failed",
            "/models/some.gguf could not be loaded: tensor 'a' is odd.",
        ),
        ("", "file_load_failed", "could not be loaded: Failed to init server."),
    ],
)
async def test_a_model_that_does_not_load_is_explained_from_the_log(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, log: str, code: str, words: str
) -> None:
    act = f"sys.stderr.write({log!r})\nsys.stderr.flush()\nraise RuntimeError('Failed to init server')"
    problem = await failure(monkeypatch, tmp_path, serving(act))
    assert problem.code == code
    assert words in problem_what(problem)


READY = "self.listening_address = 'http://127.0.0.1:1'"


async def test_what_a_library_prints_is_not_taken_for_the_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stand_in(monkeypatch, tmp_path, serving(f"print('hello', flush=True)\nos.write(1, b'noise\\n')\n{READY}"))
    child = await BuiltinChild.spawn(CONFIG)
    assert await child.ready() == "http://127.0.0.1:1"
    assert child.is_ready
    assert child.load_duration_ns is not None
    assert child.load_duration_ns > 0
    await child.end()
    assert is_gone(child.pid)


async def test_the_configuration_reaches_llamacpp(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    keep = "{k: v for k, v in vars(params).items() if isinstance(v, (int, str, list, set, bool))}"
    act = f"p = params\nopen({str(seen)!r}, 'w').write(repr({keep} | vars(p.model) | vars(p.cpuparams)))\n{READY}"
    stand_in(monkeypatch, tmp_path, serving(act))
    child = await BuiltinChild.spawn(CONFIG)
    await child.ready()
    await child.end()
    assert ast.literal_eval(seen.read_text()) == {
        "model_alias": {"some"},
        "n_ctx": 1024,
        "n_parallel": 1,
        "hostnames": ["127.0.0.1"],
        "port": 0,
        "api_keys": [child.api_key],
        "cors_origins": "",
        "cors_credentials": False,
        "ui": False,
        "offline": True,
        "fit_params": False,
        "cache_ram_mib": 0,
        "verbosity": 1,
        "path": "/models/some.gguf",
        "n_threads": 1,
    }


async def test_the_key_is_not_where_other_users_can_see_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand_in(monkeypatch, tmp_path, serving(READY))
    child = await BuiltinChild.spawn(CONFIG)
    await child.ready()
    process = psutil.Process(child.pid)
    shown = " ".join([*process.cmdline(), *process.environ().values()])
    await child.end()
    assert len(child.api_key) >= 40
    assert child.api_key not in shown


@posix_only
async def test_a_ctrl_c_in_the_terminal_does_not_reach_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand_in(monkeypatch, tmp_path, serving(READY))
    child = await BuiltinChild.spawn(CONFIG)
    await child.ready()
    assert os.getsid(child.pid) == child.pid
    await child.end()


async def test_a_cancelled_load_ends_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand_in(monkeypatch, tmp_path, serving("time.sleep(600)"))
    child = await BuiltinChild.spawn(CONFIG)
    waiting = asyncio.create_task(child.ready())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert is_gone(child.pid)


async def test_why_it_ended_is_asked_only_when_it_has(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("llmtui.backends.builtin_child.END_LIMIT_S", 0.05)
    stand_in(monkeypatch, tmp_path, serving(READY))
    child = await BuiltinChild.spawn(CONFIG)
    await child.ready()
    assert await child.death() is None
    psutil.Process(child.pid).kill()
    await wait_until(lambda: not child.alive)
    death = await child.death()
    assert death is not None
    assert death.code == ("server_killed" if sys.platform != "win32" else "server_died")
    await child.end()


async def test_it_that_ended_by_itself_says_its_last_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    late = (
        "import threading\nthreading.Timer(0.05, lambda: (os.write(2, b'GGML_ASSERT failed'), os._exit(7))).start()\n"
    )
    stand_in(monkeypatch, tmp_path, serving(late + READY))
    child = await BuiltinChild.spawn(CONFIG)
    await child.ready()
    await wait_until(lambda: not child.alive)
    death = await child.death()
    assert death is not None
    assert "(exit status 7): GGML_ASSERT failed" in problem_what(death)
    await child.end()


PARENT = """
import asyncio, sys
from llmtui.backends.builtin_child import BuiltinChild, ChildConfig
from llmtui.words.problems import problem_remedy, problem_what
async def main():
    child = await BuiltinChild.spawn(ChildConfig(model_path="x", alias="x", num_ctx=8, threads=1))
    print(child.pid, flush=True)
    await child.ready()
    print("ready", flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


@pytest.mark.parametrize("when", ["ready", "loading"])
async def test_it_does_not_outlive_a_parent_that_is_killed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, when: str
) -> None:
    if when == "loading" and sys.platform != "linux":
        pytest.skip("only Linux can end a process that holds its interpreter")
    held = "import ctypes\nctypes.PyDLL(None).sleep(600)"  # PyDLL keeps the interpreter, as loading a model does
    stand_in(monkeypatch, tmp_path, serving(READY if when == "ready" else held))
    parent = await asyncio.create_subprocess_exec(sys.executable, "-P", "-c", PARENT, stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    if when == "ready":
        assert await parent.stdout.readline() == b"ready\n"
    else:
        await wait_until(lambda: psutil.Process(pid).num_threads() > 1)  # the one that waits for the end of stdin
    parent.kill()
    await parent.wait()
    await wait_until(lambda: is_gone(pid), limit_s=60.0)
