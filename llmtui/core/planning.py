"""From what a person picked to a plan, for the screens and the command line alike. Rules: docs/method.md, "Trials"."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec

from llmtui.core.choices import MAX_ROUNDS, Choices, Preset, Thinking
from llmtui.core.events import ListedModel
from llmtui.core.plan import (
    AUTO_BUDGET_S,
    AUTO_MAX_ROUNDS,
    BUILTIN,
    DEMO_NOTE,
    IMPORTED,
    Contender,
    Model,
    Plan,
    PlannedPrompt,
    PlanOptions,
    Think,
    Variant,
)
from llmtui.core.prompts import Prompt, PromptPack, prompt_sha256
from llmtui.core.records import Problem, ProblemError

FREE = "free"
"""Preset and category of a prompt that the person typed."""
FULL_ANSWER_TOKENS = 1024
FEW_MODELS = 3
"""How many models are picked where none is in memory and nobody chose."""


class Rounds(msgspec.Struct, frozen=True):
    """How often everything is asked."""

    rounds: int
    """At least, whatever they cost."""
    max_rounds: int
    budget_s: float | None = None
    """Rounds beyond the first are begun only while they are expected to end within it."""
    balanced: bool = False
    """Beyond the first they are begun with their mirrors, so that the order ends balanced."""


PRESETS: dict[Preset, Rounds] = {
    "auto": Rounds(2, AUTO_MAX_ROUNDS, AUTO_BUDGET_S),
    "quick": Rounds(1, 1),
    "standard": Rounds(5, 5),
    "thorough": Rounds(5, 10),
}


def rounds_of(choices: Choices) -> Rounds:
    """Return the number of rounds that is chosen: an exact one, else what fits into a time, else the preset's."""
    if choices.rounds is not None:
        return Rounds(choices.rounds, choices.rounds)
    if choices.budget_s is not None:
        return Rounds(1, MAX_ROUNDS, choices.budget_s, balanced=True)
    return PRESETS[choices.preset]


class NothingToRun(ProblemError):
    """A plan without models or prompts was asked for; ``problem`` says which."""


def default_models(
    listed: Sequence[ListedModel], chosen_last: Collection[str] | None = None, *, server: str = "ollama"
) -> tuple[str, ...]:
    """Gives the models to pick where nobody has picked yet, as they are spelled.

    What was chosen last and is still there; else the models in memory; else the three smallest. Only models that can
    be benchmarked. Beside another server's models those of the built-in server are not picked unasked; alone, its own
    models stand back behind files that somebody named, and of its own the demo is picked.

    Args:
        listed: what is there.
        chosen_last: spellings.
        server: kind of the server that was asked.
    """
    usable = [one for one in listed if one.why_not is None]
    own = [one for one in usable if one.model.backend == server]
    real = [one for one in own if one.model.note is None]
    usual = _one_a_build(real or [one for one in own if one.model.is_demo])
    chosen = frozenset(chosen_last or ())
    if any(one.model.spelling in chosen for one in real or own):
        return tuple(one.model.spelling for one in usable if one.model.spelling in chosen)
    in_memory = tuple(one.model.spelling for one in usual if one.resident is not None)
    if in_memory:
        return in_memory
    by_size = sorted(usual, key=lambda one: (one.model.size_bytes is None, one.model.size_bytes or 0))
    smallest = {one.model.spelling for one in by_size[:FEW_MODELS]}
    return tuple(one.model.spelling for one in usual if one.model.spelling in smallest)


def _one_a_build(listed: Sequence[ListedModel]) -> list[ListedModel]:
    """The first of several names under which a server offers the same weights."""
    first: dict[str, ListedModel] = {}
    for one in listed:
        first.setdefault(one.model.digest or one.model.name, one)
    return list(first.values())


def default_categories(pack: PromptPack, chosen_last: Collection[str] | None = None) -> tuple[str, ...]:
    """Gives the categories to pick where nobody has picked yet: what was chosen last and is still there, else all."""
    again = tuple(one.id for one in pack.categories if one.id in (chosen_last or ()))
    return again or tuple(one.id for one in pack.categories)


def make_plan(
    models: Sequence[Model],
    pack: PromptPack,
    *,
    server: str,
    categories: Collection[str] | None = None,
    choices: Choices | None = None,
    extra_fields: Mapping[str, object] | None = None,
    seed: int = 0,
) -> Plan:
    """Gives the plan of a comparison.

    Args:
        models: who is asked, in the order of the table.
        pack: the prompts.
        server: its address.
        categories: ids; None for all.
        choices: everything else that was chosen; None: the usual.
        extra_fields: go into the body of every request.
        seed: of the order; the same seed gives the same plan.

    Raises:
        NothingToRun: no model, or no prompt.
    """
    chosen = choices or Choices()
    prompts = tuple(
        _planned(prompt)
        for category in pack.categories
        if categories is None or category.id in categories
        for prompt in (category.prompts if chosen.all_prompts else category.prompts[:1])
    )
    if not prompts:
        raise NothingToRun(Problem(code="no_prompt_picked"))
    rounds = rounds_of(chosen)
    return Plan(
        preset=chosen.preset,
        server=server,
        contenders=contenders(models, chosen),
        prompts=prompts,
        cold_text=pack.cold,
        follow_up_text=pack.follow_up,
        options=_options(chosen, extra_fields),
        rounds=rounds.rounds,
        max_rounds=rounds.max_rounds,
        budget_s=rounds.budget_s,
        balanced=rounds.balanced,
        seed=seed,
        others="unload" if chosen.unload_others else "keep",
        pack=pack.name,
        language=pack.language,
    )


def make_free_plan(
    models: Sequence[Model],
    pack: PromptPack,
    text: str,
    *,
    server: str,
    choices: Choices | None = None,
    seed: int = 0,
) -> Plan:
    """Gives the plan of one typed prompt: asked once of each model, without cold start and follow-up.

    Raises:
        NothingToRun: no model, or no text.
    """
    chosen = choices or Choices()
    asked = text.strip()
    if not asked:
        raise NothingToRun(Problem(code="no_prompt_text"))
    prompt = PlannedPrompt(id=FREE, category=FREE, title=_title(asked), text=asked, sha256=prompt_sha256(asked))
    return Plan(
        preset=FREE,
        server=server,
        contenders=contenders(models, chosen),
        prompts=(prompt,),
        cold_text=pack.cold,
        follow_up_text=pack.follow_up,
        kinds=("warm",),
        options=_options(chosen),
        seed=seed,
        others="unload" if chosen.unload_others else "keep",
        pack=pack.name,
        language=pack.language,
    )


def repeated(plan: Plan, listed: Sequence[ListedModel], *, server: str, seed: int) -> Plan:
    """Gives a plan anew: the same models, prompts, options and rounds in another order.

    A model that was built anew since then is asked as it is now; one that is gone stays in the plan and fails there.

    Args:
        plan: of an earlier session.
        listed: what the server has now.
        server: its address.
        seed: of the order.

    Raises:
        NothingToRun: the plan stands for an imported file, or the server has none of its models.
    """
    if plan.preset == IMPORTED:
        raise NothingToRun(Problem(code="no_plan_of_import"))
    there = {(one.model.backend, one.model.name): one.model for one in listed if one.why_not is None}
    if not any((one.model.backend, one.model.name) in there for one in plan.contenders):
        raise NothingToRun(Problem(code="none_of_its_models"))
    again = tuple(
        msgspec.structs.replace(one, model=there.get((one.model.backend, one.model.name), one.model))
        for one in plan.contenders
    )
    return msgspec.structs.replace(plan, contenders=again, server=server, seed=seed)


def contenders(models: Sequence[Model], choices: Choices) -> tuple[Contender, ...]:
    """Gives the lines of the comparison: a model once for each way of thinking that is wished and that it has.

    A build that is there under two names runs twice and is told apart as a copy, like the two sides of an A/A run.

    Raises:
        NothingToRun: there is no model.
    """
    if not models:
        raise NothingToRun(Problem(code="no_model_picked"))
    found: list[Contender] = []
    mixed = any(model.backend != BUILTIN for model in models)
    for model in models:
        name = shown_name(model, mixed=mixed)
        ways = thinking_ways(model, choices.think)
        for think in ways:
            variant = _variant(model, think, choices)
            label = name if len(ways) == 1 else f"{name} {_think_label(think)}"
            for copy in ("", "2") if choices.twice else ("",):
                found.append(_distinct(found, model, variant, label, copy))
    return tuple(found)


def shown_name(model: Model, *, mixed: bool) -> str:
    """Gives a model's name on the screen and in tables.

    Args:
        model: of any server.
        mixed: models of other servers than the built-in one stand beside it.
    """
    if model.backend != BUILTIN:
        return model.name
    if model.is_demo:
        return DEMO_NOTE
    name = re.split(r"[\\/]", model.name)[-1]  # of a file, without its folders
    return f"{name} (built-in)" if mixed else name


def _variant(model: Model, think: Think | None, choices: Choices) -> Variant:
    """Return the options as the model will have them: a server of OpenAI's protocol decides two when it starts."""
    if model.backend == "openai":
        return Variant(think=think, num_ctx=model.served_ctx)
    return Variant(think=think, num_ctx=choices.num_ctx, num_thread=choices.num_thread)


def thinking_ways(model: Model, wish: Thinking) -> tuple[Think | None, ...]:
    """Return the values of ``think`` a model is run with; None: the server's own.

    Of Ollama and the built-in server only models of which the server says that they can think are told to. gpt-oss
    cannot be told not to: it thinks little instead. Some servers of OpenAI's protocol have no field for not thinking.
    """
    if model.backend != "openai" and not model.thinking:
        return (False,)
    off: Think | None = "low" if _is_gpt_oss(model) else False
    on: Think = "medium" if _is_gpt_oss(model) else True
    if model.backend == "openai" and model.thinking_control != "template":
        off, on = None if model.thinking_control in (None, "effort") else False, "medium"
    match wish:
        case "off":
            return (off,)
        case "on":
            return (on,)
        case "both":
            return (off, on)
        case _:
            return (wish,)


def cannot_think_so(model: Model, wish: Thinking) -> bool:
    """Return whether there is no way to tell a model to think as wished."""
    ways = thinking_ways(model, wish)
    return None in ways or (wish != "off" and ways == (False,))


def _is_gpt_oss(model: Model) -> bool:
    return any("gptoss" in (word or "").lower().replace("-", "") for word in (model.family, model.name))


def _think_label(think: Think | None) -> str:
    if think is None:
        return "(server's own)"
    if isinstance(think, str):
        return f"(think {think})"
    return "(think)" if think else "(no think)"


def _distinct(so_far: Iterable[Contender], model: Model, variant: Variant, label: str, copy: str) -> Contender:
    """Gives a contender whose key and label no earlier one has."""
    keys = {(one.model.backend, one.model.digest, one.variant.canonical) for one in so_far}
    labels = {one.label for one in so_far}
    for mark in _marks(copy):
        marked = msgspec.structs.replace(variant, copy=mark)
        name = f"{label} #{mark}" if mark else label
        if (model.backend, model.digest, marked.canonical) not in keys and name not in labels:
            return Contender(model=model, variant=marked, label=name)
    raise AssertionError("marks do not end")


def _marks(first: str) -> Iterator[str]:
    yield first
    number = 2
    while True:
        yield str(number)
        number += 1


def _options(choices: Choices, extra_fields: Mapping[str, object] | None = None) -> PlanOptions:
    return PlanOptions(
        extra_fields=dict(extra_fields or {}),
        num_predict=choices.num_predict,
        temperature=choices.temperature,
        stall_s=choices.stall_s,
        stall_loading_s=choices.stall_loading_s,
        quiet_wait_s=choices.quiet_wait_s,
    )


def _planned(prompt: Prompt) -> PlannedPrompt:
    return PlannedPrompt(
        id=prompt.id,
        category=prompt.category,
        title=prompt.title,
        text=prompt.text,
        sha256=prompt_sha256(prompt.text),
    )


def _title(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 40 else f"{line[:39].rstrip()}…"
