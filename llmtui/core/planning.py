"""Making plans from the choices of the user, for the screens and the command line. Rules: docs/method.md, "Trials"."""

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
"""Preset and category of a prompt that the user typed."""
FULL_ANSWER_TOKENS = 1024
FEW_MODELS = 3
"""Number of models to pick by default if no model is in memory."""


class Rounds(msgspec.Struct, frozen=True):
    """Number of rounds of a run, which is exact or limited by a time budget."""

    rounds: int
    """Number of rounds that are run in any case."""
    max_rounds: int
    budget_s: float | None = None
    """Time in seconds; further rounds are started only if they are expected to end within it. None: no budget."""
    balanced: bool = False
    """Whether an even round is run only together with the odd one before it, whose order it reverses."""


PRESETS: dict[Preset, Rounds] = {
    "auto": Rounds(2, AUTO_MAX_ROUNDS, AUTO_BUDGET_S),
    "quick": Rounds(1, 1),
    "standard": Rounds(5, 5),
    "thorough": Rounds(5, 10),
}


def rounds_of(choices: Choices) -> Rounds:
    """Return the number of rounds: the exact number if chosen, else those that fit a time budget, else the preset's."""
    if choices.rounds is not None:
        return Rounds(choices.rounds, choices.rounds)
    if choices.budget_s is not None:
        return Rounds(1, MAX_ROUNDS, choices.budget_s, balanced=True)
    return PRESETS[choices.preset]


class NothingToRun(ProblemError):
    """Raised if a plan would have no models or no prompts; ``problem`` says which."""


def default_models(
    listed: Sequence[ListedModel], chosen_last: Collection[str] | None = None, *, server: str = "ollama"
) -> tuple[str, ...]:
    """Return the names (``Model.spelling``) of the models to pick by default.

    These are the most recently picked models that are still available; if there are none, those in memory; if there are
    none either, the three smallest. Models that cannot be benchmarked are left out. Models of the built-in server are
    not picked if another server is the main one. If the built-in server is the main one, models of the user come before
    its test models, of which only the demo is picked.

    Args:
        listed: the available models.
        chosen_last: names of the most recently picked models.
        server: kind of the main server.
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
    """Return one entry per build of a model: the first, if the same weights have several names."""
    first: dict[str, ListedModel] = {}
    for one in listed:
        first.setdefault(one.model.digest or one.model.name, one)
    return list(first.values())


def default_categories(pack: PromptPack, chosen_last: Collection[str] | None = None) -> tuple[str, ...]:
    """Return the ids of the categories to pick by default: those picked last, or all if none of these still exists."""
    again = tuple(one.id for one in pack.categories if one.id in (chosen_last or ()))
    return again or tuple(one.id for one in pack.categories)


def prompts_of(pack: PromptPack, categories: Collection[str], *, every: bool = False) -> tuple[str, ...]:
    """Return the ids of the prompts to use from the given categories: the first of each, or all of them."""
    return tuple(
        prompt.id
        for category in pack.categories
        if category.id in categories
        for prompt in (category.prompts if every else category.prompts[:1])
    )


def make_plan(
    models: Sequence[Model],
    pack: PromptPack,
    *,
    server: str,
    categories: Collection[str] | None = None,
    prompt_ids: Collection[str] | None = None,
    choices: Choices | None = None,
    extra_fields: Mapping[str, object] | None = None,
    seed: int = 0,
) -> Plan:
    """Return the plan of a comparison.

    Args:
        models: the models, in the order of the table.
        pack: the prompts.
        server: address of the server.
        categories: ids of the categories to use; None for all.
        prompt_ids: ids of single prompts to use instead of ``categories``; None: use ``categories``.
        choices: all other choices; None for the defaults.
        extra_fields: fields to add to the body of every request.
        seed: seed of the order; the same seed makes the same plan.

    Raises:
        NothingToRun: there is no model or no prompt.
    """
    chosen = choices or Choices()
    if prompt_ids is None:
        wanted = [category.id for category in pack.categories if categories is None or category.id in categories]
        prompt_ids = prompts_of(pack, wanted, every=chosen.all_prompts)
    prompts = tuple(
        _planned(prompt) for category in pack.categories for prompt in category.prompts if prompt.id in prompt_ids
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
    """Return the plan for one prompt that the user typed: one warm trial per model, without cold start and follow-up.

    Its answers may be longer than those of measured prompts, since they are meant to be read (see
    ``own_answer_tokens``).

    Raises:
        NothingToRun: there is no model or no text.
    """
    chosen = choices or Choices()
    chosen = msgspec.structs.replace(chosen, num_predict=own_answer_tokens(chosen))
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


def own_answer_tokens(choices: Choices) -> int:
    """Return the token limit for answers to a typed prompt: 1024, unless the user chose another limit."""
    return FULL_ANSWER_TOKENS if choices.num_predict == Choices().num_predict else choices.num_predict


def repeated(plan: Plan, listed: Sequence[ListedModel], *, server: str, seed: int) -> Plan:
    """Return a new plan with the models, prompts, options and rounds of an earlier one, in another order.

    A model that was rebuilt since then is used in its current build. A model that no longer exists stays in the plan,
    and its trials fail.

    Args:
        plan: the plan of an earlier session.
        listed: the server's current models.
        server: address of the server.
        seed: seed of the new order.

    Raises:
        NothingToRun: the plan belongs to an imported file, or the server has none of its models.
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
    """Return the contenders of a plan: each model once for every chosen setting of thinking that it supports.

    A build that is listed under two names is run twice; the second is marked as a copy, as in an A/A run.

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
    """Return a model's name for screens and tables.

    Args:
        model: a model of any server.
        mixed: whether there are models of servers other than the built-in one.
    """
    if model.backend != BUILTIN:
        return model.name
    if model.is_demo:
        return DEMO_NOTE
    name = re.split(r"[\\/]", model.name)[-1]  # a file's name without its folders
    return f"{name} (built-in)" if mixed else name


def _variant(model: Model, think: Think | None, choices: Choices) -> Variant:
    """Return the options that a model runs with. OpenAI-compatible servers set context and threads at their start."""
    if model.backend == "openai":
        return Variant(think=think, num_ctx=model.served_ctx)
    return Variant(think=think, num_ctx=choices.num_ctx, num_thread=choices.num_thread)


def thinking_ways(model: Model, wish: Thinking) -> tuple[Think | None, ...]:
    """Return the values of ``think`` to run a model with; None stands for the server's default.

    With Ollama and the built-in server, a model that is not reported as thinking is run only with False. gpt-oss cannot
    turn thinking off and gets "low" instead. Some servers with OpenAI's protocol have no field to turn thinking off.

    Args:
        model: the model.
        wish: the user's choice.
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
    """Return whether the chosen setting of thinking is impossible for a model."""
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
    """Return a contender whose key and label differ from those of all earlier ones."""
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
        server_wait_s=choices.server_wait_s,
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
