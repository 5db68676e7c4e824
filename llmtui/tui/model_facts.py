"""What Setup knows of each model of the list, put together from the server, the details and earlier sessions."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from llmtui.core.estimate import PastSpeed
from llmtui.core.events import ListedModel, ModelsListed
from llmtui.core.fit import Fit, fit_of
from llmtui.tui.model_details import ModelDetails
from llmtui.tui.text.model_columns import ListedFacts


def model_facts(
    listed: ModelsListed,
    details: ModelDetails,
    past: Mapping[str, PastSpeed],
    *,
    num_ctx: int,
    picked: Collection[str],
    unloads_others: bool,
) -> list[ListedFacts]:
    """Return the facts of each model in the server's order.

    Args:
        listed: what the server has.
        details: what it told of single models.
        past: digest → what was measured of it here.
        num_ctx: the context that is asked for.
        picked: digests of the picked models: they are unloaded before a cold start.
        unloads_others: whether other models in memory are unloaded, too.
    """

    def fit(one: ListedModel) -> Fit:
        shown = details.of(one.model)
        going = [
            loaded
            for loaded in listed.resident
            if unloads_others or loaded.digest in picked or loaded.digest == one.model.digest
        ]
        return fit_of(
            one.model.size_bytes,
            None if shown is None else shown.kv,
            num_ctx,
            listed.memory,
            resident_bytes=sum(loaded.size_bytes or 0 for loaded in going),
            resident_vram_bytes=sum(loaded.vram_bytes or 0 for loaded in going),
        )

    return [ListedFacts(listed=one, fit=fit(one), past=past.get(one.model.digest)) for one in listed.models]
