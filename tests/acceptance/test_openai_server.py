"""A server that speaks OpenAI's protocol and wants a key: the key reaches the server and nothing else."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from tests.acceptance.program import PROGRAM, Home
from tests.backends.openai_served import CHAT, DONE, LLAMACPP, MODELS, ROLE, answers, event, said
from tests.backends.scripted_server import Peer, Received, Reply, ScriptedServer, scripted_server, whole

KEY = "sk-a-secret-that-nobody-else-sees"
ONE_TEST = ("--rounds", "1", "-c", "coding")
ANSWER = answers(
    ROLE,
    *(said(content="word ") for _ in range(20)),
    said("stop"),
    event(choices=[], usage={"prompt_tokens": 30, "completion_tokens": 21}),
    DONE,
    pause_s=0.01,
)


def keyed(reply: Reply) -> Reply:
    """Answer only requests with the key."""

    async def guarded(received: Received, peer: Peer) -> None:
        refused = whole({"error": {"message": "Invalid API Key", "type": "authentication_error"}}, 401)
        await (reply if received.headers.get("authorization") == f"Bearer {KEY}" else refused)(received, peer)

    return guarded


@asynccontextmanager
async def keyed_server() -> AsyncIterator[ScriptedServer]:
    models = whole({"object": "list", "data": [LLAMACPP]})
    async with scripted_server({MODELS: keyed(models), CHAT: keyed(ANSWER)}) as server:
        yield server


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_the_key_is_in_no_file_and_on_no_command_line(home: Home) -> None:
    async with keyed_server() as server:
        running = await asyncio.create_subprocess_exec(
            *PROGRAM, "run", "--host", f"http://{server.address}/v1", *ONE_TEST, "--events", "-",
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, cwd=home.folder,
            env=dict(os.environ) | home.env | {"LLMTUI_API_KEY": KEY},
        )  # fmt: skip
        lines: set[str] = set()
        ended = asyncio.create_task(running.communicate())
        while not ended.done():
            lines |= command_lines(running.pid)
            await asyncio.sleep(0.05)
        out, err = await ended
    assert running.returncode == 0, err
    assert lines
    assert not any(KEY in line for line in lines)
    outcomes = {row["kind"]: row["outcome"] for row in home.trials()}
    assert outcomes == {"cold": "skipped", "warm": "ok", "follow_up": "ok"}, "it cannot be told to unload"
    assert files_below(home.folder)
    assert not any(KEY.encode() in path.read_bytes() for path in files_below(home.folder))
    assert KEY.encode() not in out + err


def command_lines(pid: int) -> set[str]:
    """The program's and its children's; the kernel shows them to everybody."""
    found: set[str] = set()
    try:
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            found.add(" ".join(one.cmdline()))
    except psutil.Error:
        pass
    return found


async def test_without_the_key_it_is_said_where_to_give_it(home: Home) -> None:
    async with keyed_server() as server:
        done = await asyncio.to_thread(home.run, "run", "--host", f"http://{server.address}/v1", *ONE_TEST)
    assert done.returncode == 4
    assert "requires an API key" in done.stderr
    assert "LLMTUI_API_KEY" in done.stderr
    assert "Traceback" not in done.stderr
