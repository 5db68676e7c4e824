"""A plan: which prompts are sent to which models, and in which order.

A plan is data. The order of models, prompts and tags is determined by its seed, so that a session can be read, resumed
and repeated. Rules: docs/method.md, "Trials".
"""

from __future__ import annotations

import random
from functools import lru_cache
from typing import Any, Final, Literal

import msgspec

from llmtui.core.choices import Choices

Kind = Literal["cold", "warm", "follow_up"]
Think = bool | Literal["low", "medium", "high"]
ThinkingControl = Literal["template", "effort", "effort_none", "reasoning"]
"""The request field that controls thinking in OpenAI's protocol. ``template``: ``chat_template_kwargs``. ``effort``:
``reasoning_effort``. ``effort_none``: ``reasoning_effort``, which also accepts the value ``none``. ``reasoning``:
``reasoning.effort``."""
Others = Literal["unload", "keep"]
SERVERS_OWN: Final = "server"
"""The word for a value that the server decides but does not report, in the text form of a variant."""

_DEFAULTS: Final = Choices()

COLD_NUM_PREDICT = 16
FOLLOW_UP_NUM_PREDICT = 32
AUTO_MAX_ROUNDS = 5
IMPORTED = "imported"
"""Preset of a session that was read from another program's file."""
AUTO_BUDGET_S = 360.0
BUILTIN: Final = "builtin"
"""Backend of llmtui's built-in server. The prefix ``builtin:`` before a model's name selects that server."""
DEMO_NOTE: Final = "built-in demo"
SPEED_NOTE: Final = "speed only, text is noise"
"""Note of the synthetic demo model, whose speed is not comparable with that of real models."""


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """One build of a model on one server, identified by its digest, not by its name."""

    name: str
    digest: str
    backend: str = "ollama"
    size_bytes: int | None = None
    parameters: str | None = None
    quantisation: str | None = None
    family: str | None = None
    format: str | None = None
    context_limit: int | None = None
    thinking: bool | None = None
    """Whether the server reports that the model can think; None if it does not report it."""
    thinking_control: ThinkingControl | None = None
    """Request field that controls the model's thinking, for servers with OpenAI's protocol."""
    served_ctx: int | None = None
    """Context length in tokens that the server set at its start, if requests cannot set it; None if not reported."""
    note: str | None = None
    """A note shown with the model in every table and file, such as "built-in demo"."""

    @property
    def is_demo(self) -> bool:
        """Whether this is the demo model that comes with the program."""
        return self.note == DEMO_NOTE

    @property
    def spelling(self) -> str:
        """The name by which a user selects the model; it begins with ``builtin:`` for models of the built-in server."""
        return f"{BUILTIN}:{self.name}" if self.backend == BUILTIN else self.name


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """Options that make two runs of one model different contenders."""

    think: Think | None = False
    """Setting for thinking; None: requests do not mention it, so the server's default applies."""
    num_ctx: int | None = _DEFAULTS.num_ctx
    """Context length in tokens. If the server sets it at its start: the value that it reports, or None if it reports
    none."""
    num_thread: int | None = None
    copy: str = ""
    """Text that distinguishes the two contenders of a model that runs against itself (A/A); empty otherwise."""

    @property
    def canonical(self) -> str:
        """The variant in a stable notation for keys and CSV files: ``think=off num_ctx=4096``.

        The value ``server`` means that the server decides the option and does not report it.
        """
        words = [f"think={_think_word(self.think)}", f"num_ctx={SERVERS_OWN if self.num_ctx is None else self.num_ctx}"]
        if self.num_thread is not None:
            words.append(f"num_thread={self.num_thread}")
        if self.copy:
            words.append(f"copy={self.copy}")
        return " ".join(words)


class Contender(msgspec.Struct, frozen=True, kw_only=True):
    """A model with a variant: one row of the comparison."""

    model: Model
    variant: Variant
    label: str
    """The name on screen and in files; unique within a plan."""


class PlannedPrompt(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt of the plan, without the tag that a trial puts before it."""

    id: str
    category: str
    title: str
    text: str
    sha256: str


class PlanOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Request options that are the same for every contender."""

    num_predict: int = _DEFAULTS.num_predict
    temperature: float = _DEFAULTS.temperature
    seed: int = 42
    keep_alive_s: int = 600
    stall_s: float = _DEFAULTS.stall_s
    stall_loading_s: float = _DEFAULTS.stall_loading_s
    quiet_wait_s: float = _DEFAULTS.quiet_wait_s
    server_wait_s: float = _DEFAULTS.server_wait_s
    extra_fields: dict[str, Any] = {}
    """Fields that are added to the body of every request."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a run that is fixed before it starts."""

    preset: str
    server: str
    contenders: tuple[Contender, ...]
    prompts: tuple[PlannedPrompt, ...]
    cold_text: str
    follow_up_text: str
    kinds: tuple[Kind, ...] = ("cold", "warm", "follow_up")
    options: PlanOptions = PlanOptions()
    rounds: int = 1
    """Number of rounds that are run in any case."""
    max_rounds: int = 1
    """Largest number of rounds. Those beyond ``rounds`` are run only while they are expected to end within the
    budget."""
    budget_s: float | None = None
    balanced: bool = False
    """Whether an even round is run only together with the odd round before it, in the reverse order, so that the order
    is balanced at the end. The first round is always run."""
    seed: int = 0
    others: Others = "unload"
    pack: str = "llmtui"
    language: str = "en"


class TrialKey(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The identity of a trial for resuming and comparing: equal keys mean the same prompt sent to the same model."""

    round: int
    backend: str
    digest: str
    variant: str
    prompt_sha256: str
    kind: Kind


class Trial(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One request of a plan."""

    id: str
    key: TrialKey
    contender: int
    """Index into ``Plan.contenders``."""
    prompt: int | None
    """Index into ``Plan.prompts``; None for the cold trial, which has no category."""
    tag: int | None = None
    """The four-digit number before a prompt; None for a cold trial."""
    attempt: int = 1

    @property
    def kind(self) -> Kind:
        """Kind of the trial: ``cold``, ``warm`` or ``follow_up``."""
        return self.key.kind

    @property
    def round(self) -> int:
        """Number of the trial's round, from 1."""
        return self.key.round


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """All trials of one contender in one round, in order."""

    round: int
    contender: int
    trials: tuple[Trial, ...]


def _think_word(think: Think | None) -> str:
    if think is None:
        return SERVERS_OWN
    if isinstance(think, str):
        return think
    return "on" if think else "off"


def round_order(plan: Plan, round_number: int) -> tuple[int, ...]:
    """Return the order of the contenders in a round, as indices into the plan.

    Odd rounds have a random order; an even round has the reverse order of the round before. Over two such rounds, a
    linear drift affects every contender equally.
    """
    odd = round_number if round_number % 2 else round_number - 1
    order = list(range(len(plan.contenders)))
    random.Random(f"{plan.seed}/models/{odd}").shuffle(order)
    if round_number % 2 == 0:
        order.reverse()
    return tuple(order)


def prompt_order(plan: Plan, round_number: int) -> tuple[int, ...]:
    """Return the order of the prompts in a round, as indices: random, and the same for all contenders."""
    order = list(range(len(plan.prompts)))
    random.Random(f"{plan.seed}/prompts/{round_number}").shuffle(order)
    return tuple(order)


def prompt_tag(plan: Plan, round_number: int, prompt: int) -> int:
    """Return the four-digit number that is put before a prompt.

    It is new for each prompt and round, and the same for all contenders. It comes first so that a server cannot reuse
    its prefix cache. Tags do not repeat within a plan until all numbers are used.
    """
    numbers = _tags(plan.seed)
    return numbers[((round_number - 1) * len(plan.prompts) + prompt) % len(numbers)]


@lru_cache(maxsize=16)
def _tags(seed: int) -> tuple[int, ...]:
    """Return all tags in the order that a seed determines; cached, since shuffling takes milliseconds."""
    numbers = list(range(1000, 10000))
    random.Random(f"{seed}/tags").shuffle(numbers)
    return tuple(numbers)


def tagged(tag: int | None, text: str) -> str:
    """Return a prompt as it is sent, with its tag: ``[4817] text``."""
    return text if tag is None else f"[{tag}] {text}"


def contender_block(plan: Plan, round_number: int, contender: int, *, cold_last: bool = False) -> Block:
    """Return one contender's trials of a round: cold, warm, follow-up.

    Args:
        plan: the plan.
        round_number: number of the round, from 1.
        contender: index into ``plan.contenders``.
        cold_last: whether the cold trial comes after the others. Used for a model already in memory, so that its first
            trial starts without loading.
    """
    trials: list[Trial] = []
    order = prompt_order(plan, round_number)
    if "warm" in plan.kinds:
        trials.extend(_trial(plan, round_number, contender, "warm", prompt) for prompt in order)
    if "follow_up" in plan.kinds and order:
        trials.append(_trial(plan, round_number, contender, "follow_up", order[-1]))
    if "cold" in plan.kinds:
        cold = _trial(plan, round_number, contender, "cold", None)
        trials = [*trials, cold] if cold_last else [cold, *trials]
    return Block(round=round_number, contender=contender, trials=tuple(trials))


def round_blocks(plan: Plan, round_number: int, *, resident: int | None = None) -> tuple[Block, ...]:
    """Return the trials of a round, grouped by contender, in order.

    Args:
        plan: the plan.
        round_number: number of the round, from 1.
        resident: a contender whose model was in memory at the start. It comes first in round 1, with its cold trial
            after its others. Round 2 has the contenders in the reverse order.
    """
    order = round_order(plan, round_number)
    if resident is None or round_number > 2:
        return tuple(contender_block(plan, round_number, contender) for contender in order)
    order = (resident, *(contender for contender in round_order(plan, 1) if contender != resident))
    if round_number == 1:
        return tuple(contender_block(plan, 1, contender, cold_last=contender == resident) for contender in order)
    return tuple(contender_block(plan, 2, contender) for contender in reversed(order))


def trials_per_round(plan: Plan) -> int:
    """Return the number of trials in one round of all contenders."""
    per_block = (
        len(plan.prompts) * ("warm" in plan.kinds)
        + ("cold" in plan.kinds)
        + ("follow_up" in plan.kinds and bool(plan.prompts))
    )
    return per_block * len(plan.contenders)


def num_predict(plan: Plan, kind: Kind) -> int:
    """Return the largest number of output tokens allowed for a kind of trial."""
    return {"cold": COLD_NUM_PREDICT, "follow_up": FOLLOW_UP_NUM_PREDICT, "warm": plan.options.num_predict}[kind]


def num_ctx(contender: Contender) -> int | None:
    """Return the context length in tokens: the variant's, or the model's limit if that is smaller.

    None if the server decides it and does not report it.
    """
    limit = contender.model.context_limit
    wanted = contender.variant.num_ctx
    return wanted if limit is None or wanted is None else min(wanted, limit)


def _trial(plan: Plan, round_number: int, contender: int, kind: Kind, prompt: int | None) -> Trial:
    chosen = plan.contenders[contender]
    sha = "" if prompt is None else plan.prompts[prompt].sha256
    name = f"r{round_number}-m{contender + 1}-{kind}" + ("" if prompt is None else f"-p{prompt + 1}")
    key = TrialKey(
        round=round_number,
        backend=chosen.model.backend,
        digest=chosen.model.digest,
        variant=chosen.variant.canonical,
        prompt_sha256=sha,
        kind=kind,
    )
    tag = None if prompt is None else prompt_tag(plan, round_number, prompt)
    return Trial(id=name, key=key, contender=contender, prompt=prompt, tag=tag)
