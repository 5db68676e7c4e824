"""The child process that runs the llama.cpp server: its start for one model, its end, and the problems it causes."""

from __future__ import annotations

import asyncio
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from typing import IO, Any, Final

import msgspec

from llmtui.backends.base import BackendFailed
from llmtui.core.codes import When
from llmtui.core.records import Problem

END_LIMIT_S: Final = 1.0
LOG_BYTES: Final = 64 << 10
_ILLEGAL_INSTRUCTION_WINDOWS: Final = 0xC000001D
_LOG_ERROR = re.compile(r"^\S+ E (?:\S+: +)?(.+)$", re.MULTILINE)
_NO_MEMORY = re.compile(r"allocate|out of memory|bad.?alloc", re.IGNORECASE)


class ChildConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The configuration of a child process. To change any field, a new process must be started."""

    model_path: str
    alias: str
    """The model's name in requests."""
    num_ctx: int
    """Context length in tokens."""
    threads: int


class _Answer(msgspec.Struct, frozen=True):
    address: str | None = None
    failed: str | None = None
    said: str = ""


class BuiltinChild:
    """One llama.cpp server process.

    ``spawn`` creates it. It accepts requests once ``ready`` has returned. ``end`` stops it.
    """

    def __init__(
        self, config: ChildConfig, process: asyncio.subprocess.Process, log: IO[bytes], spawned_ns: int
    ) -> None:
        self.config = config
        self.api_key = secrets.token_urlsafe(32)
        self.spawned_ns = spawned_ns
        self.load_duration_ns: int | None = None
        """Time from the start of the process until it reported that it is ready; None before that."""
        self.address: str | None = None
        self._process = process
        self._log = log

    @classmethod
    async def spawn(cls, config: ChildConfig) -> BuiltinChild:
        """Start the process, without loading the model yet.

        Raises:
            BackendFailed: the operating system refuses to start the process.
        """
        log = tempfile.TemporaryFile("a+b")  # noqa: SIM115  # closed by ``end``; leaves nothing behind if we are killed
        spawned_ns = time.perf_counter_ns()
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "llmtui.backends.builtin_server",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                **_own_session(),
            )
        except OSError as error:
            log.close()
            raise BackendFailed(Problem(code="child_not_started", detail=error.strerror)) from error
        return cls(config, process, log, spawned_ns)

    @property
    def pid(self) -> int:
        """The process id; valid even while the model loads."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process is still running, as far as is known."""
        return self._process.returncode is None

    @property
    def is_ready(self) -> bool:
        """Whether the model is loaded and the process still runs."""
        return self.alive and self.address is not None

    async def ready(self) -> str:
        """Wait until the model is loaded; return the server's address.

        Returns:
            The server's URL.

        Raises:
            BackendFailed: the model could not be loaded; the process has ended.
        """
        try:
            answer = await self._answer()
        except BaseException:
            await self.end()
            raise
        if answer is None or answer.address is None:
            problem = self._load_problem(answer, await self._exit_code())
            await self.end()
            raise BackendFailed(problem)
        self.load_duration_ns = time.perf_counter_ns() - self.spawned_ns
        self.address = answer.address
        return answer.address

    async def death(self) -> Problem | None:
        """Return why the process ended during an answer; None if it still runs.

        Waits up to 1 s for the system to report the end, because a connection breaks before the process is gone.
        """
        try:
            await asyncio.wait_for(self._process.wait(), END_LIMIT_S)
        except TimeoutError:
            return None
        code = self._process.returncode or 0
        died = Problem(code="server_died", args={"status": code}, detail=self._last_words())
        return _signal_problem(code, "answering") or died

    async def end(self) -> None:
        """End the process and so free its memory; return when the process is gone."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        if self.address is None:  # while it loads, it does not see the end of stdin
            self._kill()
        try:
            await asyncio.wait_for(self._process.wait(), END_LIMIT_S)
        except TimeoutError:
            self._kill()
            await self._process.wait()
        finally:
            self._log.close()

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()

    async def _answer(self) -> _Answer | None:
        """Send the configuration to the process and return its reply; None if it ends without one."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        config = msgspec.to_builtins(self.config) | {"api_key": self.api_key}
        try:
            stdin.write(msgspec.json.encode(config) + b"\n")
            await stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            return None
        line = await stdout.readline()
        return msgspec.json.decode(line, type=_Answer) if line.endswith(b"\n") else None

    async def _exit_code(self) -> int:
        try:
            return await asyncio.wait_for(self._process.wait(), END_LIMIT_S)
        except TimeoutError:
            return 0

    def _load_problem(self, answer: _Answer | None, code: int) -> Problem:
        if answer is None:
            failed = Problem(code="child_failed", args={"status": code}, detail=self._last_words())
            return _signal_problem(code, "loading") or failed
        if answer.failed in ("import", "version"):
            return import_problem(answer.said)
        return _log_problem(_LOG_ERROR.findall(self._read_log()), self.config.model_path, answer.said)

    def _read_log(self) -> str:
        self._log.seek(0)
        return self._log.read(LOG_BYTES).decode("utf-8", "replace")

    def _last_words(self) -> str | None:
        lines = self._read_log().strip().splitlines()
        return lines[-1].strip() if lines else None


async def import_failure() -> Problem | None:
    """Return why xllamacpp cannot be imported; None if it can.

    The import is tried in a separate process, since a broken module may end the process that imports it.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-c",
        "import xllamacpp",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, log = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if not process.returncode:
        return None
    words = log.decode("utf-8", "replace").strip().splitlines() or [""]
    return _signal_problem(process.returncode, "importing") or import_problem(words[-1].removeprefix("ImportError: "))


def import_problem(said: str) -> Problem:
    """Return the problem for a failed import of xllamacpp.

    Args:
        said: the text of the ImportError.
    """
    if "No module named" in said:
        return Problem(code="builtin_missing")
    if "libgomp" in said:
        return Problem(code="libgomp_missing")
    if "DLL load failed" in said:
        return Problem(code="vc_runtime_missing")
    return Problem(code="builtin_broken", detail=said)


def _own_session() -> dict[str, Any]:
    """Return the process options that keep Ctrl+C in the terminal from reaching the child."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}


def _signal_problem(code: int, when: When) -> Problem | None:
    """Return the problem for a process that was ended by a signal; None if it exited by itself.

    Args:
        code: the exit status; negative for a signal.
        when: the step during which it ended.
    """
    if code in (-signal.SIGILL, _ILLEGAL_INSTRUCTION_WINDOWS):
        return Problem(code="cpu_too_old")
    if code == -signal.SIGTERM or (sys.platform != "win32" and code == -signal.SIGKILL):
        return Problem(code="server_killed", args={"when": when, "signal": -code})
    if code < 0:
        return Problem(code="server_crashed", args={"when": when, "signal": -code})
    return None


def _log_problem(errors: list[str], path: str, said: str) -> Problem:
    """Return the problem for the error lines of llama.cpp's log.

    The first has the cause; the others repeat the failure.

    Args:
        errors: the error lines, oldest first.
        path: the model's file.
        said: the text of the exception, used if the log has no errors.
    """
    reason = errors[0].removeprefix("error loading model: ") if errors else said
    if any(_NO_MEMORY.search(error) for error in errors):
        return Problem(code="out_of_memory", args={"name": path}, detail=reason)
    if "unknown model architecture" in reason or "unknown pre-tokenizer" in reason:
        return Problem(code="unknown_architecture", detail=reason)
    return Problem(code="file_load_failed", args={"name": path}, detail=reason)
