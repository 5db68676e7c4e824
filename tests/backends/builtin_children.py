"""Shared parts of the built-in server's tests: stand-ins for xllamacpp, and process checks."""

from __future__ import annotations

import importlib.util
from contextlib import aclosing
from pathlib import Path
from typing import Any

import psutil
import pytest

from llmtui.backends.base import BackendFailed, ChatRequest, Chunk, Final, Message, RequestSent
from llmtui.backends.builtin import BuiltinBackend
from llmtui.core.plan import Model
from llmtui.core.records import Problem
from llmtui.words.problems import problem_remedy

needs_xllamacpp = pytest.mark.skipif(
    importlib.util.find_spec("xllamacpp") is None, reason="needs the extra: pip install 'llmtui[builtin]'"
)
PARAMS = """
class CommonParams:
    def __init__(self):
        from types import SimpleNamespace
        self.__dict__.update(model=SimpleNamespace(), cpuparams=SimpleNamespace(), cpuparams_batch=SimpleNamespace())
"""


def stand_in(monkeypatch: pytest.MonkeyPatch, folder: Path, source: str) -> None:
    """Put another xllamacpp before the real one, for children only."""
    (folder / "xllamacpp.py").write_text(source)
    monkeypatch.setenv("PYTHONPATH", str(folder))


def is_gone(pid: int) -> bool:
    """The process has ended, reaped or not."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def request(
    model: Model, *, text: str = "[4817] Write a short poem about the sea.", num_predict: int = 128, **changes: Any
) -> ChatRequest:
    return ChatRequest(
        model=model,
        messages=(Message("user", text),),
        num_ctx=4096,
        num_predict=num_predict,
        temperature=0.0,
        seed=42,
        think=False,
        num_thread=None,
        keep_alive_s=600,
        **changes,
    )


async def demo_of(backend: BuiltinBackend) -> Model:
    return (await backend.models())[0].model


async def ask(backend: BuiltinBackend, what: ChatRequest) -> list[RequestSent | Chunk | Final]:
    async with aclosing(backend.stream(what)) as items:
        return [item async for item in items]


async def ask_demo(backend: BuiltinBackend, num_predict: int = 128) -> list[RequestSent | Chunk | Final]:
    return await ask(backend, request(await demo_of(backend), num_predict=num_predict))


async def problem_of(backend: BuiltinBackend, what: ChatRequest) -> Problem:
    with pytest.raises(BackendFailed) as caught:
        await ask(backend, what)
    assert problem_remedy(caught.value.problem)
    return caught.value.problem


def file_model(path: Path) -> Model:
    return Model(name=str(path), digest="d", backend="builtin")


def last_word(items: list[RequestSent | Chunk | Final]) -> Final:
    assert isinstance(items[-1], Final)
    return items[-1]


def text_of(items: list[RequestSent | Chunk | Final]) -> str:
    return "".join(item.text for item in items if isinstance(item, Chunk))
