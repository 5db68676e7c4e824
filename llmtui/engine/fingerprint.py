"""The conditions of a session. Two sessions can be compared only if their conditions are the same."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import psutil

from llmtui import __version__
from llmtui.backends.base import ServerInfo
from llmtui.core.records import Fingerprint, Server, ServerKind
from llmtui.engine.sensors.base import PROC, SYS, text_of_file
from llmtui.engine.sensors.gpu import GpuSensor
from llmtui.engine.sensors.thermal import ThermalSensor

_CPU_NAME_KEYS: Final = ("model name", "Hardware", "cpu model")


class MachineFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Data about this machine that do not change while the engine runs."""

    os: str
    cpu: str | None
    cores_physical: int | None
    cores_logical: int | None
    ram_total_bytes: int
    gpu: str | None


def machine_facts(proc_root: Path = PROC, sys_root: Path = SYS) -> MachineFacts:
    """Return the data about this machine. The search for a GPU may take half a second."""
    gpu = GpuSensor(sys_root)
    gpu.probe()
    return MachineFacts(
        os=f"{platform.system()} {platform.release()}",
        cpu=_cpu_name(proc_root) or platform.processor() or platform.machine() or None,
        cores_physical=psutil.cpu_count(logical=False),
        cores_logical=psutil.cpu_count(),
        ram_total_bytes=psutil.virtual_memory().total,
        gpu=gpu.source if gpu.read() is not None else None,
    )


def fingerprint(
    facts: MachineFacts,
    *,
    kind: ServerKind,
    address: str,
    info: ServerInfo | None,
    sampling_hz: float,
    beside: Sequence[ServerInfo] = (),
) -> Fingerprint:
    """Return a session's fingerprint: the machine, the program and the servers.

    Args:
        facts: data about this machine.
        kind: the server's protocol.
        address: the address as in the plan.
        info: the server's version and product; None if it does not respond.
        sampling_hz: machine readings per second.
        beside: other servers of the same plan; their versions follow the main server's.
    """
    versions = [one.version for one in (info, *beside) if one is not None and one.version is not None]
    return Fingerprint(
        llmtui=__version__,
        python=platform.python_version(),
        os=facts.os,
        cpu=facts.cpu,
        cores_physical=facts.cores_physical,
        cores_logical=facts.cores_logical,
        ram_total_bytes=facts.ram_total_bytes,
        gpu=facts.gpu,
        on_battery=ThermalSensor().read().on_battery,
        server_kind=kind,
        server_version=" + ".join(versions) or None,
        server_address=address if info is None else info.address,
        server_is_local=None if info is None else info.local,
        sampling_hz=sampling_hz,
        host=platform.node() or None,
        servers=tuple(
            Server(kind=one.kind, address=one.address, product=one.product, version=one.version, local=one.local)
            for one in (info, *beside)
            if one is not None
        ),
    )


def _cpu_name(proc_root: Path) -> str | None:
    for line in (text_of_file(proc_root / "cpuinfo") or "").splitlines():
        key, _, value = line.partition(":")
        if key.strip() in _CPU_NAME_KEYS and value.strip():
            return value.strip()
    return None
