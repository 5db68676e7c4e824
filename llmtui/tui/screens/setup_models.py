"""The part of Setup about models: the list with the facts about each, and the details of the one under the cursor."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

from textual import getters, on

from llmtui.core.estimate import PastSpeed
from llmtui.core.events import ModelsListed
from llmtui.core.planning import default_models
from llmtui.tui.background import in_background
from llmtui.tui.model_facts import model_facts
from llmtui.tui.screens.setup_server import SetupServer
from llmtui.tui.text.model_card import card
from llmtui.tui.text.model_columns import ColumnId, ListedFacts
from llmtui.tui.text.no_server import no_models_words
from llmtui.tui.widgets.model_card import ModelCard
from llmtui.tui.widgets.model_picker import ModelPicker
from llmtui.tui.widgets.options_panel import OptionsPanel
from llmtui.tui.widgets.others_line import OthersLine


class SetupModels(SetupServer):
    """Base class of Setup with everything about models."""

    others = getters.query_one(OthersLine)
    options = getters.query_one(OptionsPanel)

    def __init__(self) -> None:
        super().__init__()
        self.past: Mapping[str, PastSpeed] = {}
        """Speeds measured in earlier sessions on this machine, by model digest."""

    @abstractmethod
    def show_counts(self) -> None:
        """Show the number of picked models."""

    @in_background("past_speeds")
    def read_past(self) -> None:
        """Read the speeds of earlier sessions in a worker."""
        past = self.shell.host.past_speeds()
        self.call_later(self._take_past, past)

    def _take_past(self, past: Mapping[str, PastSpeed]) -> None:
        self.past = past
        self.show_details()
        self.show_start()

    def show_models(self, listed: ModelsListed) -> None:
        """Show the server's models; ticks are kept, and a model that was just downloaded is ticked."""
        first = self.listed is None
        self.listed = listed
        names = [one.model.spelling for one in listed.models]
        still = self.models.models.picked.intersection(names)
        kind = "ollama" if self.shell.feed.server is None else self.shell.feed.server.kind
        usual = default_models(listed.models, self.shell.settings.models, server=kind)
        fetched = {name for name in names if self.fetched in (name, name.removesuffix(":latest"))}
        if fetched:
            self.fetched = None
        if listed.models:
            self.models.show(self._facts(), {*(usual if first or not still else still), *fetched})
            if first and self.focused is None:
                self.models.models.focus()
        else:
            self.models.say(no_models_words(kind))
        self._show_card()
        self.show_start()

    def show_details(self) -> None:
        """Show the list and the details again, with facts that have become known."""
        if self.listed is not None and self.listed.models:
            self.models.show(self._facts())
            self._show_card()
            self.show_counts()

    def _facts(self) -> list[ListedFacts]:
        assert self.listed is not None
        return model_facts(
            self.listed,
            self.details,
            self.past,
            num_ctx=self.options.values.num_ctx,
            picked={model.digest for model in self.models.picked},
            unloads_others=self.others.value == "unload",
        )

    @on(ModelPicker.Looked)
    def _looked(self, event: ModelPicker.Looked) -> None:
        if event.spelling is not None:
            self.ask_details(self.details.look_at(self.models.models.facts[event.spelling].listed.model))
        self._show_card()

    def _show_card(self) -> None:
        facts = self.models.models.facts.get(self.models.models.highlighted_item or "")
        box = self.query_exactly_one(ModelCard)
        box.set_class(facts is None, "-empty")
        if facts is not None:
            box.show(facts.name, card(facts, self.details.of(facts.listed.model), self.options.values.num_ctx))

    def action_details(self) -> None:
        """Show the details of the model under the cursor in a dialog."""
        facts = self.models.models.facts.get(self.models.models.highlighted_item or "")
        if facts is not None:
            text = card(facts, self.details.of(facts.listed.model), self.options.values.num_ctx)
            from llmtui.tui.screens.model_window import ModelWindow

            self.app.push_screen(ModelWindow(facts.name, text))

    def action_sort_models(self, column: ColumnId | None = None) -> None:
        """Sort the models by a column; if it is None, by the next column."""
        if column is not None:
            self.models.sort_by(column)
        else:
            self.models.sort_next()

    def action_filter_models(self) -> None:
        """Open the filter of the list of models."""
        self.models.enter_filter()
