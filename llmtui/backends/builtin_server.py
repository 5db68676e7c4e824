"""The built-in server: llama.cpp in a separate process (``python -P -m llmtui.backends.builtin_server``).

The process reads its configuration, including the API key, as one JSON line from stdin. It writes one JSON line to
stdout: ``{"address": "http://127.0.0.1:PORT"}``, or ``{"failed": …, "said": "…"}``. ``failed`` is ``import``,
``version`` (another xllamacpp than expected) or ``load``. The process exits at the end of stdin.

xllamacpp is never imported in llmtui's own process, since an unsupported CPU instruction, a missing system library or a
crash would end llmtui.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import threading
from typing import Any, BinaryIO

PR_SET_PDEATHSIG = 1
EXIT_OK = 0
EXIT_IMPORT = 3
EXIT_LOAD = 4
VERBOSITY = 1
"""llama.cpp's log level at which it writes errors only."""


def main() -> int:
    """Serve one model until stdin ends.

    Returns:
        The exit status, which is not 0 after an error.
    """
    answers = _private_stdout()
    _end_with_parent()
    config = json.loads(sys.stdin.buffer.readline())
    try:
        import xllamacpp
    except ImportError as error:
        _tell(answers, {"failed": "import", "said": str(error)})
        return EXIT_IMPORT
    threading.Thread(target=_exit_at_end_of_stdin, daemon=True).start()
    try:
        params = _params(xllamacpp.CommonParams(), config)
    except (AttributeError, TypeError) as error:
        _tell(answers, {"failed": "version", "said": str(error)})
        return EXIT_IMPORT
    try:
        server = xllamacpp.Server(params)
    except (RuntimeError, ValueError) as error:  # the exception has no reason; the log has it
        _tell(answers, {"failed": "load", "said": str(error)})
        return EXIT_LOAD
    _tell(answers, {"address": server.listening_address})
    threading.Event().wait()
    return EXIT_OK


def _params(params: Any, config: dict[str, Any]) -> Any:  # noqa: ANN401  # xllamacpp has no types
    """Set llama.cpp's parameters: loopback only, one request at a time, no downloads, no web page."""
    params.model.path = config["model_path"]
    params.model_alias = {config["alias"]}
    params.n_ctx = config["num_ctx"]
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = config["threads"]
    params.n_parallel = 1
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [config["api_key"]]
    params.cors_origins = ""  # by default any web page could send requests
    params.cors_credentials = False
    params.ui = False
    params.offline = True
    params.fit_params = False
    params.cache_ram_mib = 0
    params.verbosity = VERBOSITY
    return params


def _private_stdout() -> BinaryIO:
    """Return a copy of stdout for the reply. Later output of libraries to stdout goes to stderr, which is the log."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return answers


def _tell(answers: BinaryIO, message: dict[str, str]) -> None:
    answers.write(json.dumps(message).encode() + b"\n")


def _end_with_parent() -> None:
    """Ask Linux to end this process together with its parent.

    The thread that waits for the end of stdin cannot run while llama.cpp loads, since loading holds the interpreter
    lock.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _exit_at_end_of_stdin() -> None:
    while os.read(0, 4096):
        pass
    os._exit(EXIT_OK)  # nothing needs saving, and llama.cpp's threads would delay an orderly end


if __name__ == "__main__":
    sys.exit(main())
