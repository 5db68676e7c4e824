"""Description of the machine on which the benchmarks run, without personal data."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

LIBRARIES = ("textual", "rich", "httpx", "msgspec", "plotext", "psutil", "ollama", "xllamacpp")


def cpu_model() -> str:
    """Return the CPU's name, as reported by the system."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def machine_lines() -> list[str]:
    """Return the description of the machine as Markdown list items."""
    memory = psutil.virtual_memory().total / 1e9
    return [
        f"- processor: {cpu_model()}, {os.cpu_count()} logical cores{_virtual()}; {memory:.0f} GB of memory",
        f"- system: {platform.system()} {platform.release().partition('-')[0]}, Python {sys.version.split()[0]}",
        f"- libraries: {', '.join(_versions())}",
    ]


def load_words() -> str:
    """Return the load average of the last minute: the mean number of programs that used or waited for a core."""
    return f"{os.getloadavg()[0]:.1f}"


def _virtual() -> str:
    flags = Path("/proc/cpuinfo")
    return " of a virtual machine" if flags.exists() and " hypervisor" in flags.read_text(encoding="utf-8") else ""


def _versions() -> list[str]:
    found = []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} not installed")
    return found
