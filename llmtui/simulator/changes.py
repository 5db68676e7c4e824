"""Changes to a running simulated server: other clients, slowdowns, and new, changed and removed models."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from llmtui.simulator.model import NotNegative, Positive, ScriptedAnswer, SimulatedModel


class SetSpeed(Struct, frozen=True, tag="set_speed", forbid_unknown_fields=True, kw_only=True):
    """Change the decode speed of models to `factor` times their own, also in an answer that is being generated.

    Attributes:
        factor: 0.9 is 10 % slower; replaces an earlier factor.
        model: only this model; None = every model.
    """

    factor: Positive
    model: str | None = None


class OtherClientAsks(Struct, frozen=True, tag="other_client_asks", forbid_unknown_fields=True, kw_only=True):
    """Let another client's answer occupy the model for `seconds`; requests that arrive meanwhile wait for its end.

    Attributes:
        model: name of the model.
        seconds: duration of the other client's answer.
        prompt: the other client's prompt, which is added to the model's prompt cache.
    """

    model: str
    seconds: NotNegative
    prompt: str = "Another client's question."


class OtherClientLoads(Struct, frozen=True, tag="other_client_loads", forbid_unknown_fields=True, kw_only=True):
    """Let another client load a model.

    Other models are unloaded if there is no room; the model itself is reloaded if its options differ.
    """

    model: str
    options: dict[str, Any] = {}


class Unload(Struct, frozen=True, tag="unload", forbid_unknown_fields=True, kw_only=True):
    """Let another client unload a model."""

    model: str


class PutModel(Struct, frozen=True, tag="put_model", forbid_unknown_fields=True, kw_only=True):
    """Add a model, or replace the model of the same name; if it is loaded, it stays loaded with the old digest."""

    model: SimulatedModel


class RemoveModel(Struct, frozen=True, tag="remove_model", forbid_unknown_fields=True, kw_only=True):
    """Delete a model from the list of installed models."""

    model: str


class SetAnswers(Struct, frozen=True, tag="set_answers", forbid_unknown_fields=True, kw_only=True):
    """Replace a model's answers; they are used in turn, starting with the first."""

    model: str
    answers: Annotated[tuple[ScriptedAnswer, ...], Meta(min_length=1)]


class ForgetPrompts(Struct, frozen=True, tag="forget_prompts", forbid_unknown_fields=True, kw_only=True):
    """Empty the prompt caches of all loaded models."""


ScriptedChange = (
    SetSpeed | OtherClientAsks | OtherClientLoads | Unload | PutModel | RemoveModel | SetAnswers | ForgetPrompts
)


class Planned(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A change and the time at which it happens; at once if no time is set.

    Attributes:
        change: the change.
        before_trial: the change happens before the request for an answer that has this number, from 1.
        after_trial: the change happens after the answer that has this number, from 1.
        after_s: seconds after the start of the server, in the script's time.
    """

    change: ScriptedChange
    before_trial: Annotated[int, Meta(ge=1)] | None = None
    after_trial: Annotated[int, Meta(ge=1)] | None = None
    after_s: NotNegative | None = None
