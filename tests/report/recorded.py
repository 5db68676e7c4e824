"""A recorded session of three models and five rounds, with answers and names that try to break every form."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec

from llmtui.core.events import Event, Noted, SessionFinished, encode
from llmtui.core.plan import Contender, Model, Plan, PlannedPrompt, Variant
from llmtui.core.records import Fingerprint, MachineFigures, Problem, ResidentModel, Server
from llmtui.core.session import Session, fold
from llmtui.report.saved import Saved, read_saved
from tests.core.compared import compared_plan, other, warm
from tests.core.made import started

HOST: Final = "tower-of-ana"
USER: Final = "anamaria"
FOLDER: Final = f"/home/{USER}/models"
SECRET_PROMPT: Final = "What did my landlord write to me?"
EVIL: Final = "<script>alert(1)</script> <img src=x onerror=alert(2)> =cmd() | `x` ```\n```\n \x1b[31m ; \"'\n"
"""Repeated, it is the answer of every trial."""
FORMULA: Final = '=HYPERLINK("http://x")|a`b<script>'
"""The name of a model."""
NAMES: Final = (FORMULA, f"{FOLDER}/own|model.gguf", "phi-3")
RATES: Final = ((10.0, 10.3, 9.8, 10.1, 10.02), (12.0, 12.1, 11.7, 12.4, 12.2), (8.0, 8.01, 7.9, 8.2, 8.05))


def recorded_events(*, finish: bool = True) -> list[Event]:
    """Return the events of the session, all of them that ``--anonymous`` has to leave something out of included."""
    of = recorded_plan()
    events: list[Event] = [msgspec.structs.replace(started(of), fingerprint=fingerprint())]
    broken = Problem(code="cut", args={"where": f"http://{HOST}:11434"}, detail=f"=1+1 | open {FOLDER}/x: no")
    for contender, per_round in enumerate(RATES):
        for number, rate in enumerate(per_round, 1):
            events.append(other(of, "cold", contender, number, ttft_ms=9000 / number, text=evil(15), machine=machine()))
            events += [answered(of, contender, number, which, rate) for which in range(3)]
    events[-1] = warm(of, 2, 5, 2, 8.0, outcome="error", problem=broken, text=evil(127))
    events.append(Noted(t_ns=10**13, level="warning", problem=broken))
    return [*events, SessionFinished(t_ns=10**13, wall_ns=10**18, how="complete")] if finish else events


def answered(of: Plan, contender: int, number: int, which: int, rate: float) -> Event:
    resident = ResidentModel(name=NAMES[contender], digest="d", size_bytes=5 * 10**9, vram_bytes=10**9)
    return warm(
        of, contender, number, which, rate, ttft_ms=400 + 10 * number + which, tokens=128 - which,
        text=evil(127 - which), resident=resident, machine=machine(),
    )  # fmt: skip


def evil(chunks: int) -> str:
    """Return an answer of as many characters as ``chunks`` words of the made trials have."""
    return (EVIL * 20)[: 5 * chunks]


def machine() -> MachineFigures:
    return MachineFigures(runner_peak_bytes=4_900_000_000, runner_steady_bytes=4_800_000_000)


def recorded_plan(**changes: Any) -> Plan:
    contenders = tuple(
        Contender(
            model=Model(
                name=name, digest=f"sha256:{at}", size_bytes=4_661_224_676, parameters="8.0B", quantisation="Q4_K_M"
            ),
            variant=Variant(),
            label=name,
        )
        for at, name in enumerate(NAMES)
    )
    prompts = tuple(
        PlannedPrompt(id=f"{category}-1", category=category, title=SECRET_PROMPT, text=SECRET_PROMPT, sha256=category)
        for category in ("creativity", "reasoning", "coding")
    )
    fields: dict[str, Any] = {
        "rounds": 5, "max_rounds": 5, "contenders": contenders, "prompts": prompts, "server": f"http://{HOST}:11434",
        "cold_text": SECRET_PROMPT, "follow_up_text": SECRET_PROMPT, "pack": f"{FOLDER}/prompts.toml",
    }  # fmt: skip
    return compared_plan(*NAMES, **(fields | changes))


def fingerprint() -> Fingerprint:
    address = f"http://{HOST}:11434"
    return Fingerprint(
        llmtui="0.1.0", python="3.11.7", os="Linux 6.1", cpu="AMD Ryzen 7 | 5800X", cores_physical=8, cores_logical=16,
        ram_total_bytes=32_000_000_000, gpu="RTX 3060", server_version="0.12.3", server_address=address,
        host=HOST, server_is_local=True,
        servers=(Server(kind="ollama", address=address, product="Ollama", version="0.12.3"),),
    )  # fmt: skip


def recorded() -> Session:
    found = fold(recorded_events())
    assert found is not None
    return found


def write_recorded(folder: Path, events: list[Event] | None = None) -> Path:
    """Write the session's folder; return its journal."""
    folder.mkdir(parents=True, exist_ok=True)
    journal = folder / "events.jsonl"
    journal.write_bytes(b"".join(map(encode, recorded_events() if events is None else events)))
    return journal


def saved(folder: Path) -> Saved:
    return read_saved(write_recorded(folder))
