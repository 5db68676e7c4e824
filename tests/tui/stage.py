"""An app on its Setup screen, with what it sent."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot

from llmtui.core.commands import Command, ListModels, SetServer, StartPlan
from llmtui.core.events import Event, ListedModel
from llmtui.core.plan import Plan
from llmtui.tui.app import LlmtuiApp
from llmtui.tui.screens.setup import SetupScreen
from tests.tui.conftest import wait_until
from tests.tui.fakes import (
    FakeHost,
    a_model,
    an_ollama,
    engine_beside,
    loaded,
    models,
    ollama_up,
)

SIZE = (120, 36)


class Stage:
    """An app on its Setup screen, with what it sent."""

    def __init__(self, answer: Any = an_ollama, **host: Any) -> None:
        self.link = engine_beside(answer)
        self.host = FakeHost(self.link, **host)
        self.app = LlmtuiApp(self.host)

    @property
    def setup(self) -> SetupScreen:
        screen = self.app.screen_stack[0]
        assert isinstance(screen, SetupScreen)
        return screen

    async def listed(self, pilot: Pilot[Any]) -> None:
        await wait_until(pilot, lambda: self.setup.models.models.facts)

    def picked(self) -> list[str]:
        return [model.name for model in self.setup.models.picked]

    def said(self, selector: str) -> str:
        return str(self.setup.query_one(selector).render())

    async def started(self, pilot: Pilot[Any]) -> Plan:
        await wait_until(pilot, lambda: self.link.sent_of(StartPlan))
        [start] = self.link.sent_of(StartPlan)
        assert start.results_dir == "results"
        assert start.ui_pid is not None
        return start.plan


def small(*names: str, in_memory: tuple[str, ...] = ()) -> tuple[ListedModel, ...]:
    made_up = [a_model(name, size_gb=n + 1) for n, name in enumerate(names)]
    return tuple(
        ListedModel(model=model, resident=loaded(model) if model.name in in_memory else None) for model in made_up
    )


def ollama_with(*listed: ListedModel, **changes: Any) -> Any:
    def answer(command: Command) -> tuple[Event, ...]:
        return (ollama_up(), models(*listed, **changes)) if isinstance(command, SetServer | ListModels) else ()

    return answer
