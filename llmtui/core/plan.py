"""What a run will ask, of whom, and in which order.

A plan is data. Its order (which model first, which prompt next, which tag) follows from the plan's seed,
so that a session can be read, resumed and repeated. Rules: docs/method.md, "Trials".
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
"""Request fields by which a server of OpenAI's protocol is told whether to think: ``chat_template_kwargs``;
``reasoning_effort``, without or with ``none``; ``reasoning.effort``."""
Others = Literal["unload", "keep"]
SERVERS_OWN: Final = "server"
"""In a variant's words: what the server decides and does not tell."""

_USUAL: Final = Choices()

COLD_NUM_PREDICT = 16
FOLLOW_UP_NUM_PREDICT = 32
AUTO_MAX_ROUNDS = 5
IMPORTED = "imported"
"""Preset of a session that was read from another program's file."""
AUTO_BUDGET_S = 360.0
BUILTIN: Final = "builtin"
"""Backend of llmtui's own server; with a colon before a model's name it says that the model is run there."""
DEMO_NOTE: Final = "built-in demo"
SPEED_NOTE: Final = "speed only, text is noise"
"""Note of the demo model: it is there to be watched, not to be compared with real ones."""


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """One build of a model on one server: the digest, not the name, says which."""

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
    """Whether the server says that the model can think; None where it does not tell."""
    thinking_control: ThinkingControl | None = None
    """How its server is told whether to think, of OpenAI's protocol."""
    served_ctx: int | None = None
    """The context length that its server gave it, where requests cannot choose; None where it does not tell."""
    note: str | None = None
    """A word that follows the model into every table and file, such as "built-in demo"."""

    @property
    def is_demo(self) -> bool:
        """The model that ships with the program."""
        return self.note == DEMO_NOTE

    @property
    def spelling(self) -> str:
        """The name by which a person asks for it: ``builtin:`` stands before those of the built-in server."""
        return f"{BUILTIN}:{self.name}" if self.backend == BUILTIN else self.name


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """Options that make two runs of one model different things to compare."""

    think: Think | None = False
    """None: nothing is said about it, so that the server does as it was set up."""
    num_ctx: int | None = _USUAL.num_ctx
    """Of a server that decides it when it starts, what it says; None where it does not say."""
    num_thread: int | None = None
    copy: str = ""
    """Tells the two sides of a same-model-twice (A/A) run apart; empty otherwise."""

    @property
    def canonical(self) -> str:
        """The variant as one stable word list, for keys and CSV: ``think=off num_ctx=4096``.

        ``server`` stands for what the server decides and does not tell.
        """
        words = [f"think={_think_word(self.think)}", f"num_ctx={SERVERS_OWN if self.num_ctx is None else self.num_ctx}"]
        if self.num_thread is not None:
            words.append(f"num_thread={self.num_thread}")
        if self.copy:
            words.append(f"copy={self.copy}")
        return " ".join(words)


class Contender(msgspec.Struct, frozen=True, kw_only=True):
    """A model with a variant: one line of the comparison."""

    model: Model
    variant: Variant
    label: str
    """The name on screen and in files; unique within a plan."""


class PlannedPrompt(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt as asked, without the tag that is put before it."""

    id: str
    category: str
    title: str
    text: str
    sha256: str


class PlanOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Request options that are the same for every contender."""

    num_predict: int = _USUAL.num_predict
    temperature: float = _USUAL.temperature
    seed: int = 42
    keep_alive_s: int = 600
    stall_s: float = _USUAL.stall_s
    stall_loading_s: float = _USUAL.stall_loading_s
    quiet_wait_s: float = _USUAL.quiet_wait_s
    extra_fields: dict[str, Any] = {}
    """Go into the body of every request."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run, decided before it starts."""

    preset: str
    server: str
    contenders: tuple[Contender, ...]
    prompts: tuple[PlannedPrompt, ...]
    cold_text: str
    follow_up_text: str
    kinds: tuple[Kind, ...] = ("cold", "warm", "follow_up")
    options: PlanOptions = PlanOptions()
    rounds: int = 1
    """Rounds that will be run whatever they cost."""
    max_rounds: int = 1
    """Further rounds are run up to this number while they are expected to end within the budget."""
    budget_s: float | None = None
    balanced: bool = False
    """A round and its mirror are begun together or not at all, so that the order is balanced when the budget is spent.
    The first round is run whatever it costs."""
    seed: int = 0
    others: Others = "unload"
    pack: str = "llmtui"
    language: str = "en"


class TrialKey(msgspec.Struct, frozen=True, kw_only=True):
    """What makes two trials the same question to the same model: sweeps, resume and comparison all use it."""

    round: int
    backend: str
    digest: str
    variant: str
    prompt_sha256: str
    kind: Kind


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One request of a plan."""

    id: str
    key: TrialKey
    contender: int
    """Index into ``Plan.contenders``."""
    prompt: int | None
    """Index into ``Plan.prompts``; None for the cold trial, which has no category."""
    tag: int | None = None
    """The four digits before a warm prompt; None for cold."""
    attempt: int = 1

    @property
    def kind(self) -> Kind:
        """Cold, warm or follow_up."""
        return self.key.kind

    @property
    def round(self) -> int:
        """The round it belongs to, from 1."""
        return self.key.round


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """One contender in one round: its trials in the order in which they are asked."""

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
    """Gives the contenders' order in a round: random in odd rounds, each odd round followed by its mirror.

    Two rounds together are balanced: whatever drifts linearly over them hits every contender alike.
    """
    odd = round_number if round_number % 2 else round_number - 1
    order = list(range(len(plan.contenders)))
    random.Random(f"{plan.seed}/models/{odd}").shuffle(order)
    if round_number % 2 == 0:
        order.reverse()
    return tuple(order)


def prompt_order(plan: Plan, round_number: int) -> tuple[int, ...]:
    """Gives the prompts' order in a round: random, and the same for every contender in it."""
    order = list(range(len(plan.prompts)))
    random.Random(f"{plan.seed}/prompts/{round_number}").shuffle(order)
    return tuple(order)


def prompt_tag(plan: Plan, round_number: int, prompt: int) -> int:
    """Gives the four digits (first not 0) before a prompt: new for each prompt and round, the same for all contenders.

    The tag stands first so that a server's prefix cache has nothing to reuse. Tags of one plan never repeat while
    there are numbers left.
    """
    numbers = _tags(plan.seed)
    return numbers[((round_number - 1) * len(plan.prompts) + prompt) % len(numbers)]


@lru_cache(maxsize=16)
def _tags(seed: int) -> tuple[int, ...]:
    """All tags in a seed's order; kept, since shuffling takes milliseconds and screens ask for whole plans."""
    numbers = list(range(1000, 10000))
    random.Random(f"{seed}/tags").shuffle(numbers)
    return tuple(numbers)


def tagged(tag: int | None, text: str) -> str:
    """Gives the prompt as it is sent: ``[4817] text``."""
    return text if tag is None else f"[{tag}] {text}"


def block(plan: Plan, round_number: int, contender: int, *, cold_last: bool = False) -> Block:
    """Gives one contender's trials of a round: cold, warm prompts, follow-up.

    Args:
        plan: the plan.
        round_number: from 1.
        contender: index into ``plan.contenders``.
        cold_last: for a model that is in memory already and goes first, so that a token appears at once after Enter;
            its cold trial then follows its other trials.
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


def blocks(plan: Plan, round_number: int, *, resident: int | None = None) -> tuple[Block, ...]:
    """Gives a round's blocks in order.

    Args:
        plan: the plan.
        round_number: from 1.
        resident: a contender that was in memory at the start: it goes first in round 1 and has its cold trial last
            there; round 2 mirrors that order.
    """
    order = round_order(plan, round_number)
    if resident is None or round_number > 2:
        return tuple(block(plan, round_number, contender) for contender in order)
    order = (resident, *(contender for contender in round_order(plan, 1) if contender != resident))
    if round_number == 1:
        return tuple(block(plan, 1, contender, cold_last=contender == resident) for contender in order)
    return tuple(block(plan, 2, contender) for contender in reversed(order))


def trials_per_round(plan: Plan) -> int:
    """Gives the number of trials in one round of all contenders."""
    per_block = (
        len(plan.prompts) * ("warm" in plan.kinds)
        + ("cold" in plan.kinds)
        + ("follow_up" in plan.kinds and bool(plan.prompts))
    )
    return per_block * len(plan.contenders)


def num_predict(plan: Plan, kind: Kind) -> int:
    """Gives the cap on output tokens for a kind of trial."""
    return {"cold": COLD_NUM_PREDICT, "follow_up": FOLLOW_UP_NUM_PREDICT, "warm": plan.options.num_predict}[kind]


def num_ctx(contender: Contender) -> int | None:
    """Return the context length in tokens: the variant's, or the model's limit where that is less.

    None where the server decides it and does not tell.
    """
    limit = contender.model.context_limit
    wanted = contender.variant.num_ctx
    return wanted if limit is None or wanted is None else min(wanted, limit)


def _trial(plan: Plan, round_number: int, contender: int, kind: Kind, prompt: int | None) -> Trial:
    who = plan.contenders[contender]
    sha = "" if prompt is None else plan.prompts[prompt].sha256
    name = f"r{round_number}-m{contender + 1}-{kind}" + ("" if prompt is None else f"-p{prompt + 1}")
    key = TrialKey(
        round=round_number,
        backend=who.model.backend,
        digest=who.model.digest,
        variant=who.variant.canonical,
        prompt_sha256=sha,
        kind=kind,
    )
    tag = None if prompt is None else prompt_tag(plan, round_number, prompt)
    return Trial(id=name, key=key, contender=contender, prompt=prompt, tag=tag)
