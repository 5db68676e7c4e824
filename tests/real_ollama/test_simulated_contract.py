from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from llmtui.simulator.changes import PutModel
from llmtui.simulator.model import Dialect, Ending, ScriptedAnswer, SimulatedModel
from llmtui.simulator.process import running_simulator
from llmtui.simulator.script import Script
from tests.real_ollama.contract import NEW, OLD, OllamaContract, Served

pytestmark = pytest.mark.slow

DIALECTS: tuple[Dialect, ...] = (NEW, OLD)

_TINY = SimulatedModel(
    name="tiny",
    weights="tiny",
    parameter_size="1.97M",
    size_bytes=2_160_000,
    context_length=1024,
    decode_tps=800.0,
    prefill_tps=5000.0,
    load_s=0.25,
    answers=(ScriptedAnswer(tokens=100),),
)
_STEADY = SimulatedModel(
    name="steady",
    parameter_size="116.94M",
    size_bytes=124_000_000,
    context_length=2048,
    decode_tps=120.0,
    prefill_tps=500.0,
    load_s=0.25,
    answers=(ScriptedAnswer(tokens=2000),),
)


def _like_tiny(name: str, **fields: object) -> SimulatedModel:
    return msgspec.structs.replace(_TINY, name=name, **fields)


def _repeats(dialect: Dialect) -> ScriptedAnswer:
    """Return an answer of equal chunks; old servers give up after 30 of them."""
    if dialect == NEW:
        return ScriptedAnswer(token_texts=(" the",) * 200)
    return ScriptedAnswer(token_texts=(" the",) * 31, ending=Ending(kind="closed"))


def script(dialect: Dialect) -> Script:
    """The models of the contract, as fast as the real ones on a small machine."""
    return Script(
        dialect=dialect,
        stand_in_runner=True,
        models=(
            _TINY,
            _STEADY,
            _like_tiny(
                "thinker",
                capabilities=("completion", "thinking"),
                answers=(ScriptedAnswer(thinking_tokens=50, tokens=50),),
            ),
            _like_tiny("embedder", weights=None, capabilities=("embedding",)),
            _like_tiny("repeater", weights=None, answers=(_repeats(dialect),)),
        ),
    )


@pytest.fixture(scope="session", params=DIALECTS)
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    dialect: Dialect = request.param
    with running_simulator(script(dialect)) as simulator:

        def put(name: str, number: int) -> None:
            simulator.change(PutModel(model=_like_tiny(name, weights=f"numbered-{number}")))

        yield Served(simulator.url, dialect, put)


class TestSimulator(OllamaContract):
    """The contract, kept by the simulator in both of its dialects: what other tests rely on."""
