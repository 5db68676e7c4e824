"""Setup's models: what fits, the order, the card, and what is folded away."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec
import pytest
from textual.pilot import Pilot

from llmtui.core.commands import Command, ListModels, SetServer, ShowModel
from llmtui.core.estimate import PastSpeed
from llmtui.core.events import Event, ListedModel, ModelShown
from llmtui.core.fit import FreeMemory, KvShape
from llmtui.tui.screens.model_window import ModelWindow
from llmtui.tui.widgets.model_list import TESTING
from tests.tui.conftest import wait_until
from tests.tui.fakes import a_model, loaded, models, ollama_up
from tests.tui.stage import SIZE, Stage

GB = 10**9
PHI = a_model("phi3:mini", 2.2, family="phi3", parameters="3.8B")
BIG = a_model("llama3.3:70b", 42.5, parameters="70.6B")
MIDDLE = a_model("gemma3:12b", 8.1, parameters="12.2B")
TEST = a_model("synthetic-150M", 0.1, backend="builtin", note="speed only, text is noise")
LISTED = (
    ListedModel(model=MIDDLE),
    ListedModel(model=PHI, resident=loaded(PHI)),
    ListedModel(model=BIG),
    ListedModel(model=TEST),
)
MACHINE = FreeMemory(ram_available_bytes=9 * GB, ram_total_bytes=16 * GB)


def machine(command: Command) -> tuple[Event, ...]:
    """An Ollama on a machine with 9 GB free, that tells of each model what its cache takes."""
    match command:
        case SetServer() | ListModels():
            return (ollama_up(), msgspec.structs.replace(models(*LISTED), memory=MACHINE))
        case ShowModel():
            model = next(one.model for one in LISTED if one.model.name == command.name)
            kv = KvShape(bytes_per_token=131_072)
            return (ModelShown(model=model, template="{{ .Prompt }}", capabilities=("completion", "tools"), kv=kv),)
        case _:
            return ()


async def all_told(stage: Stage, pilot: Pilot[Any]) -> None:
    await stage.listed(pilot)
    await wait_until(pilot, lambda: all(one.fit.word or one.fit.why_not == "no_size" for one in facts(stage).values()))


def facts(stage: Stage) -> Any:
    return stage.setup.models.models.facts


def row(stage: Stage, name: str) -> str:
    return str(stage.setup.models.models.get_option(name).prompt)


def shown(stage: Stage) -> list[str | None]:
    return [option.id for option in stage.setup.models.models.options]


class TestFits:
    async def test_each_row_says_whether_the_model_fits_and_a_leaves_out_what_does_not(self) -> None:
        stage = Stage(machine)
        async with stage.app.run_test(size=SIZE) as pilot:
            await all_told(stage, pilot)
            assert "✓" in row(stage, "phi3:mini").partition("]")[2]
            assert "✗ 43 > 11" in row(stage, "llama3.3:70b")
            await pilot.press("a")
            assert stage.picked() == ["gemma3:12b", "phi3:mini"]

    async def test_one_that_does_not_fit_can_be_picked_is_counted_and_a_unpicks_it(self) -> None:
        stage = Stage(machine)
        async with stage.app.run_test(size=SIZE) as pilot:
            await all_told(stage, pilot)
            stage.setup.models.models.toggle("llama3.3:70b")
            await wait_until(
                pilot, lambda: "1 does not fit" in str(stage.setup.query_one("#models-box").border_subtitle)
            )
            await pilot.press("a")
            assert "llama3.3:70b" not in stage.picked()

    async def test_a_larger_context_is_warned_of_where_it_is_typed(self) -> None:
        stage = Stage(machine)
        async with stage.app.run_test(size=SIZE) as pilot:
            await all_told(stage, pilot)
            await pilot.press("o")
            await pilot.pause()
            await pilot.press("tab", "tab", "ctrl+u", *"131072")
            await wait_until(pilot, lambda: stage.setup.options.has_class("-warned"))
            assert "1 picked model does not fit" in stage.said("OptionsPanel .warning")
            await pilot.press("ctrl+u", *"2048")
            await wait_until(pilot, lambda: not stage.setup.options.has_class("-warned"))


class TestOrder:
    @pytest.mark.parametrize("size", [(80, 24), (140, 40)], ids=str)
    async def test_comma_and_a_click_on_a_head_sort(self, size: tuple[int, int]) -> None:
        stage = Stage(machine)
        async with stage.app.run_test(size=size) as pilot:
            await all_told(stage, pilot)
            assert shown(stage)[:3] == ["gemma3:12b", "phi3:mini", "llama3.3:70b"]
            await pilot.press("comma", "comma")
            assert shown(stage)[:3] == ["phi3:mini", "gemma3:12b", "llama3.3:70b"]
            head = stage.said("#model-head")
            assert "size GB▴" in head
            await pilot.click("#model-head", offset=(head.index("size GB") + 2, 0))
            await wait_until(pilot, lambda: shown(stage)[0] == "llama3.3:70b")
            assert "size GB▾" in stage.said("#model-head")
            await pilot.click("#model-head", offset=(head.index("model") + 2, 0))
            await wait_until(pilot, lambda: shown(stage)[:3] == ["gemma3:12b", "llama3.3:70b", "phi3:mini"])

    async def test_ticks_and_cursor_stay_with_their_models(self) -> None:
        stage = Stage(machine)
        async with stage.app.run_test(size=SIZE) as pilot:
            await all_told(stage, pilot)
            before = stage.setup.models.models.highlighted_item
            await pilot.press("comma", "comma", "comma")
            assert stage.setup.models.models.highlighted_item == before
            assert stage.picked() == ["phi3:mini"]


class TestCard:
    PAST: ClassVar = {"sha256-gemma3:12b": PastSpeed(decode_tps=12.3, load_s=4.2, wall_ns=1_764_068_400 * 10**9)}

    async def test_beside_the_list_it_follows_the_cursor(self) -> None:
        stage = Stage(machine, past=self.PAST)
        async with stage.app.run_test(size=(140, 40)) as pilot:
            await all_told(stage, pilot)
            await wait_until(pilot, lambda: "12.3 tok/s" in stage.said("#model-card-text"))
            said = stage.said("#model-card-text")
            for words in ("12.2B", "8.10 GB", "4096 of 8192 tokens", "completion, tools", "2025-11-25", "4.2 s"):
                assert words in said, words
            assert "8.64 GB, 11.2 GB free" in said
            assert "of which 0.537 GB KV cache" in said
            await pilot.press("down")
            await wait_until(pilot, lambda: "phi3" in stage.said("#model-card-text"))
            assert "not measured yet" in stage.said("#model-card-text")

    async def test_where_there_is_no_room_i_opens_it(self) -> None:
        stage = Stage(machine)
        async with stage.app.run_test(size=(80, 24)) as pilot:
            await all_told(stage, pilot)
            assert not stage.setup.query_one("ModelCard").display
            await pilot.press("i")
            await wait_until(pilot, lambda: isinstance(stage.app.screen, ModelWindow))
            await pilot.press("escape")
            assert stage.app.screen is stage.setup

    async def test_what_is_not_known_has_a_reason(self) -> None:
        def elsewhere(command: Command) -> tuple[Event, ...]:
            return () if isinstance(command, ShowModel) else (ollama_up(), models(*LISTED))

        stage = Stage(lambda command: elsewhere(command) if isinstance(command, SetServer | ListModels) else ())
        async with stage.app.run_test(size=(140, 40)) as pilot:
            await stage.listed(pilot)
            await wait_until(pilot, lambda: "memory is not visible" in stage.said("#model-card-text"))


async def test_models_for_testing_are_folded_until_they_are_wanted() -> None:
    stage = Stage(machine)
    async with stage.app.run_test(size=SIZE) as pilot:
        await all_told(stage, pilot)
        assert shown(stage)[-1] == TESTING
        assert "For testing: 1 model, speed only" in row(stage, TESTING)
        await pilot.press("end", "space")
        assert shown(stage)[-1] == "builtin:synthetic-150M"
        await pilot.press("end", "space")
        assert "synthetic-150M" in stage.picked()


async def test_escape_in_the_filter_empties_it_and_puts_it_away_at_once() -> None:
    stage = Stage(machine)
    async with stage.app.run_test(size=SIZE) as pilot:
        await all_told(stage, pilot)
        await pilot.press("slash", *"phi")
        await wait_until(pilot, lambda: shown(stage) == ["phi3:mini"])
        await pilot.press("escape")
        await wait_until(pilot, lambda: len(shown(stage)) == 4)
        assert not stage.setup.models.has_class("-filtering")
        assert stage.app.focused is stage.setup.models.models
