"""A whole session of the engine process on real servers."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from llmtui.core.commands import SetServer, StartPlan
from llmtui.core.events import Event, ModelsListed, Sampled, SessionFinished, TrialFinished
from llmtui.core.plan import Contender, Model, Plan, PlannedPrompt, PlanOptions, Variant
from llmtui.core.session import Session, fold
from llmtui.link.engine_process import EngineProcess
from llmtui.words.problems import problem_what
from tests.real_ollama.asking import NUM_CTX, Asking, wait_until
from tests.real_ollama.contract import NEW, a_prompt
from tests.real_ollama.servers import RunningOllama

pytestmark = [pytest.mark.real_ollama, pytest.mark.slow]

LIMIT_S = 60.0
SOMEBODY_ELSES = "repeater"


class Engine:
    """An engine process whose events are kept."""

    def __init__(self, link: EngineProcess) -> None:
        self.link = link
        self.events: list[Event] = []
        self._queue: queue.Queue[Event] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for batch in self.link.batches():
            for event in batch:
                self._queue.put(event)

    def until(self, is_it: Callable[[Event], bool]) -> Event:
        """Wait for an event and return it."""
        while True:
            event = self._queue.get(timeout=LIMIT_S)
            self.events.append(event)
            if is_it(event):
                return event


@pytest.fixture
def engine(tmp_path: Path, asking: Asking) -> Iterator[Engine]:
    link = EngineProcess(log_folder=tmp_path)
    yield Engine(link)
    link.close()


def models_of(engine: Engine, server: RunningOllama) -> dict[str, Model]:
    engine.link.send(SetServer(address=server.url))
    listed = engine.until(lambda event: isinstance(event, ModelsListed))
    assert isinstance(listed, ModelsListed)
    return {entry.model.name.removesuffix(":latest"): entry.model for entry in listed.models}


def plan_of(server: RunningOllama, *models: Model) -> Plan:
    texts = (a_prompt(40), a_prompt(60))
    return Plan(
        preset="quick",
        server=server.url,
        contenders=tuple(
            Contender(model=model, variant=Variant(num_ctx=NUM_CTX, num_thread=1), label=model.name) for model in models
        ),
        prompts=tuple(
            PlannedPrompt(id=f"p{index}", category="c", title="t", text=text, sha256=f"{index}" * 64)
            for index, text in enumerate(texts)
        ),
        cold_text="Say something.",
        follow_up_text="Go on.",
        options=PlanOptions(num_predict=96),
    )


def run(engine: Engine, plan: Plan, results: Path) -> Session:
    engine.link.send(StartPlan(plan=plan, results_dir=str(results)))
    engine.until(lambda event: isinstance(event, SessionFinished))
    session = fold(engine.events)
    assert session is not None
    return session


def test_a_session_measures_every_kind_and_leaves_the_server_as_it_was(
    engine: Engine, asking: Asking, ollama_server: RunningOllama, tmp_path: Path
) -> None:
    asking.chat(SOMEBODY_ELSES, a_prompt(), num_predict=1)
    models = models_of(engine, ollama_server)
    session = run(engine, plan_of(ollama_server, models["steady"], models["thinker"]), tmp_path / "results")

    assert session.finished == "complete"
    rows = [row for row in session.rows if "superseded" not in row.flags]
    assert [row.outcome for row in rows] == ["ok"] * 8
    for contender in (0, 1):
        kinds = [row.trial.kind for row in rows if row.trial.contender == contender]
        assert kinds == ["cold", "warm", "warm", "follow_up"]
    assert not {"unexpected_reload", "other_model_resident", "prompt_cut"} & {
        flag for row in session.rows for flag in row.flags
    }
    # what was there before is there again, and nothing else
    wait_until(lambda: asking.loaded_names() == [SOMEBODY_ELSES])


def test_its_figures_are_those_of_the_server_seen_from_this_side(
    engine: Engine, ollama_server: RunningOllama, tmp_path: Path
) -> None:
    models = models_of(engine, ollama_server)
    session = run(engine, plan_of(ollama_server, models["steady"]), tmp_path / "results")
    cold, *warm, follow_up = session.rows

    assert cold.figures.load_ms is not None
    assert cold.figures.ttft_ms is not None
    assert cold.figures.load_ms < cold.figures.ttft_ms
    assert cold.cold_source in {"memory", "mixed", "disk"}
    for row in warm:
        figures = row.figures
        assert figures.tokens == 96
        assert figures.server_decode_tps is not None
        assert figures.decode_tps == pytest.approx(figures.server_decode_tps, rel=0.05)
        if ollama_server.version == NEW:
            assert figures.cached_tokens is not None
            assert figures.cached_tokens <= 16  # the template's head: the tag defeats the rest
    if ollama_server.version == NEW:
        assert follow_up.figures.cached_tokens is not None
        assert follow_up.figures.cached_tokens > 100  # a follow-up is meant to find the conversation
    for row in session.rows:
        assert row.machine is not None
        assert row.machine.weights_in_anon is True
        assert row.machine.runner_peak_bytes is not None
        assert row.machine.runner_peak_bytes > (models["steady"].size_bytes or 0)
        assert row.machine.runner_cpu_s is not None
    samples = [event for event in engine.events if isinstance(event, Sampled)]
    assert any(sample.runner_anon_bytes for sample in samples)


def test_a_model_that_is_gone_costs_its_trials_and_not_the_session(
    engine: Engine, ollama_server: RunningOllama, tmp_path: Path
) -> None:
    models = models_of(engine, ollama_server)
    absent = Model(name="absent:latest", digest="0" * 64)
    session = run(engine, plan_of(ollama_server, absent, models["tiny"]), tmp_path / "results")
    assert session.finished == "complete"
    for row in session.rows:
        expected = {"error", "skipped"} if row.trial.contender == 0 else {"ok"}
        assert row.outcome in expected
    failed = next(event for event in engine.events if isinstance(event, TrialFinished) and event.problem is not None)
    assert failed.problem is not None
    assert "absent" in problem_what(failed.problem)
