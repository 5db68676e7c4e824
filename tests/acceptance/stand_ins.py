"""A missing or broken xllamacpp, and an installed but idle Ollama, simulated by the order of paths."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

needs_builtin = pytest.mark.skipif(
    find_spec("xllamacpp") is None, reason="the built-in server is not installed: pip install -e '.[builtin]'"
)
NOT_INSTALLED = "import sys\nsys.modules['xllamacpp'] = None\n"
PARAMS = """
class CommonParams:
    def __init__(self):
        from types import SimpleNamespace
        self.__dict__.update(model=SimpleNamespace(), cpuparams=SimpleNamespace(), cpuparams_batch=SimpleNamespace())
"""
NOBODY_LISTENS = PARAMS + "class Server:\n    def __init__(self, params):\n        self.listening_address = '{url}'\n"


def without_xllamacpp(folder: Path) -> dict[str, str]:
    """Return an environment in which the library is not installed."""
    return _on_python_path(folder, "sitecustomize.py", NOT_INSTALLED)


def other_xllamacpp(folder: Path, source: str) -> dict[str, str]:
    """Return an environment in which the library is this source."""
    return _on_python_path(folder, "xllamacpp.py", source)


def with_ollama_installed(folder: Path) -> dict[str, str]:
    """Return an environment with a program called ollama that does nothing."""
    there = folder / "bin"
    there.mkdir()
    program = there / "ollama"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    return {"PATH": f"{there}{os.pathsep}{os.environ['PATH']}"}


def _on_python_path(folder: Path, name: str, source: str) -> dict[str, str]:
    there = folder / "stand-ins"
    there.mkdir(exist_ok=True)
    (there / name).write_text(source)
    return {"PYTHONPATH": str(there)}
