"""Changes to a running simulated server: other clients, slowdowns, new, changed and removed models."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from llmtui.simulator.model import NotNegative, Positive, ScriptedAnswer, SimulatedModel


class SetSpeed(Struct, frozen=True, tag="set_speed", forbid_unknown_fields=True, kw_only=True):
    """Models decode at `factor` times their rate from now on, also within a running answer.

    Attributes:
        factor: 0.9 is 10 % slower; replaces an earlier factor.
        model: only this model; None = every model.
    """

    factor: Positive
    model: str | None = None


class OtherClientAsks(Struct, frozen=True, tag="other_client_asks", forbid_unknown_fields=True, kw_only=True):
    """Another client's answer occupies the model's slot for `seconds`; requests that arrive meanwhile queue behind it.

    Attributes:
        prompt: its prompt, which replaces the one in the slot's cache.
    """

    model: str
    seconds: NotNegative
    prompt: str = "Another client's question."


class OtherClientLoads(Struct, frozen=True, tag="other_client_loads", forbid_unknown_fields=True, kw_only=True):
    """Another client loads a model: evicts others where there is no room, reloads it where its options differ."""

    model: str
    options: dict[str, Any] = {}


class Unload(Struct, frozen=True, tag="unload", forbid_unknown_fields=True, kw_only=True):
    """Another client unloads a model."""

    model: str


class PutModel(Struct, frozen=True, tag="put_model", forbid_unknown_fields=True, kw_only=True):
    """A model is created, or replaced under the same name (a loaded one stays loaded with its digest)."""

    model: SimulatedModel


class RemoveModel(Struct, frozen=True, tag="remove_model", forbid_unknown_fields=True, kw_only=True):
    """A model is deleted from the list."""

    model: str


class SetAnswers(Struct, frozen=True, tag="set_answers", forbid_unknown_fields=True, kw_only=True):
    """A model uses these answers from now on, in turn from the first."""

    model: str
    answers: Annotated[tuple[ScriptedAnswer, ...], Meta(min_length=1)]


class ForgetPrompts(Struct, frozen=True, tag="forget_prompts", forbid_unknown_fields=True, kw_only=True):
    """The prompt caches of all slots are emptied."""


ScriptedChange = (
    SetSpeed | OtherClientAsks | OtherClientLoads | Unload | PutModel | RemoveModel | SetAnswers | ForgetPrompts
)


class Planned(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A change with its time; at once where no time is set.

    Attributes:
        change: the change.
        before_trial: when request number n (from 1) for an answer has arrived, before it is served.
        after_trial: when answer number n has ended.
        after_s: seconds after the start, in the script's time.
    """

    change: ScriptedChange
    before_trial: Annotated[int, Meta(ge=1)] | None = None
    after_trial: Annotated[int, Meta(ge=1)] | None = None
    after_s: NotNegative | None = None
