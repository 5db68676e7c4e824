"""The facts that Setup shows about each listed model, from the server, its details and earlier sessions."""

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
    """Return the facts about each model, in the server's order.

    Args:
        listed: the server's list of models.
        details: details of single models.
        past: earlier measurements on this machine, by model digest.
        num_ctx: requested context length in tokens.
        picked: digests of the picked models, which are unloaded before a cold start.
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
