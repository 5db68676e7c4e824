"""A simulated Ollama server with exactly known timings, driven by a script; for tests, the self-test and pictures.

`running_simulator(script)` runs it as a process, which is needed for exact times. `SimulatedServer(script)` runs it
inside the calling process. The send log lists everything that was sent, with the times.
"""

from __future__ import annotations

from llmtui.simulator.changes import (
    ForgetPrompts,
    OtherClientAsks,
    OtherClientLoads,
    Planned,
    PutModel,
    RemoveModel,
    ScriptedChange,
    SetAnswers,
    SetSpeed,
    Unload,
)
from llmtui.simulator.model import Dialect, Ending, ScriptedAnswer, SimulatedModel, SpeedPoint, Stall
from llmtui.simulator.process import RunningSimulator, running_simulator
from llmtui.simulator.script import Pullable, PullStop, RouteFault, Script, decode_script, encode_script
from llmtui.simulator.sendlog import SentChunk, SentRequest, Truth
from llmtui.simulator.server import SimulatedServer

__all__ = [
    "Dialect",
    "Ending",
    "ForgetPrompts",
    "OtherClientAsks",
    "OtherClientLoads",
    "Planned",
    "PullStop",
    "Pullable",
    "PutModel",
    "RemoveModel",
    "RouteFault",
    "RunningSimulator",
    "Script",
    "ScriptedAnswer",
    "ScriptedChange",
    "SentChunk",
    "SentRequest",
    "SetAnswers",
    "SetSpeed",
    "SimulatedModel",
    "SimulatedServer",
    "SpeedPoint",
    "Stall",
    "Truth",
    "Unload",
    "decode_script",
    "encode_script",
    "running_simulator",
]
