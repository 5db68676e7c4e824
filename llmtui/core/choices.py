"""The choices of a run: one field per choice, with its default, its bounds and its unit.

The settings file, the environment variables, the command-line flags, the fields of the Setup screen and the plan are
derived from ``Choices``. The explanation of each choice is in ``words.choices`` under the field's name.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Final, Literal, Union, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

Preset = Literal["auto", "quick", "standard", "thorough"]
Thinking = Literal["off", "on", "both", "low", "medium", "high"]
Value = bool | int | float | str | tuple[str, ...] | dict[str, str]
Kind = Literal["flag", "whole", "number", "time", "one_of", "text", "names", "keys"]

MAX_ROUNDS: Final = 50

_YES = ("1", "true", "yes", "on")
_NO = ("0", "false", "no", "off")
_WHOLE: Final = re.compile(r"[+-]?[0-9]+")
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_TIME: Final = re.compile(r"(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m(?:in)?)?(?:([0-9]{1,9})s)?")


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a user can choose for a run.

    A field's ``extra`` may have ``unit``; ``time`` if the value is typed as a duration such as ``1h30m``; ``once`` if
    the choice applies to one run only. Choices with ``once`` cannot be set in the settings file or the environment.
    """

    models: tuple[str, ...] | None = None
    """Names of the most recently picked models; None if none was ever picked."""
    categories: tuple[str, ...] | None = None
    """Ids of the most recently picked categories; None if none was ever picked, which selects all."""
    prompt_ids: tuple[str, ...] | None = None
    """Ids of the most recently picked single prompts; None selects the first prompt of each picked category."""
    preset: Preset = "auto"
    rounds: Annotated[int, Meta(ge=1, le=MAX_ROUNDS, extra={"once": True})] | None = None
    """Exact number of rounds; None if the number follows from the preset or the budget."""
    budget_s: Annotated[float, Meta(ge=1, le=2_592_000, extra={"unit": "s", "time": True, "once": True})] | None = None
    """Time budget in seconds, which replaces the preset's number of rounds: pairs of rounds are run as long as they are
    expected to end within the budget."""
    all_prompts: Annotated[bool, Meta(extra={"once": True})] = False
    """Whether to use all prompts of a category instead of only its first."""
    twice: Annotated[bool, Meta(extra={"once": True})] = False
    """Whether to run each model against itself (A/A), to show how much two identical contenders differ on this
    machine."""
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1, extra={"once": True})] | None = None
    """Seed for the order of models and prompts; None draws a new one for each run."""
    think: Thinking = "off"
    num_ctx: Annotated[int, Meta(ge=128, le=4_194_304, extra={"unit": "tokens"})] = 4096
    num_thread: Annotated[int, Meta(ge=1, le=4096)] | None = None
    """Number of CPU threads of the server; None lets the server decide."""
    num_predict: Annotated[int, Meta(ge=1, le=131_072, extra={"unit": "tokens"})] = 128
    temperature: Annotated[float, Meta(ge=0, le=2)] = 0.0
    unload_others: bool = True
    """Whether models that other programs have loaded are unloaded during the run."""
    stall_s: Annotated[float, Meta(ge=1, le=86_400, extra={"unit": "s"})] = 120.0
    """Longest time without a byte from the server, in seconds, before a request is given up."""
    stall_loading_s: Annotated[float, Meta(ge=1, le=86_400, extra={"unit": "s"})] = 300.0
    """Longest time without a byte from the server while a model is loading, in seconds."""
    quiet_wait_s: Annotated[float, Meta(ge=0, le=600, extra={"unit": "s"})] = 10.0
    """Longest time to wait for other programs to leave the CPU idle before a cold start, in seconds; 0: no wait."""
    server_wait_s: Annotated[float, Meta(ge=0, le=86_400, extra={"unit": "s"})] = 120.0
    """Longest time to wait for a server that stops responding during a run, in seconds; 0: no wait."""


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """The type, default and bounds of one choice."""

    name: str
    kind: Kind
    default: Value | None
    least: float | None = None
    most: float | None = None
    among: tuple[str, ...] = ()
    """The allowed values, if ``kind`` is ``one_of``."""
    unit: str = ""
    once: bool = False


class BadChoice(ValueError):
    """Raised for a value of the wrong type or outside the bounds of a choice.

    Attributes:
        bounds: the bounds of the choice.
        given: the rejected value as text, for the message.
    """

    def __init__(self, bounds: Bounds, value: object) -> None:
        self.bounds = bounds
        self.given = shown(value)
        super().__init__(f"{bounds.name}: {self.given}")


def shown(value: object) -> str:
    """Return a value as text for a message: Python notation, at most 60 characters and three levels of nesting."""
    short = reprlib.Repr()
    short.maxlevel = 3
    short.maxstring = short.maxother = short.maxlong = 200
    try:
        text = short.repr(value)
    except ValueError:  # a hexadecimal number of more digits than Python writes in decimal
        return "…"
    return text if len(text) <= 60 else f"{text[:59]}…"


@cache
def bounds_of(choices: type[Choices] = Choices) -> Mapping[str, Bounds]:
    """Return the bounds of every field, by name, in the order of the fields.

    Args:
        choices: ``Choices``, or a struct that adds fields to it.
    """
    hints = get_type_hints(choices, include_extras=True)
    usual = choices()
    return MappingProxyType(
        {name: _bounds(name, hints[name], getattr(usual, name)) for name in usual.__struct_fields__}
    )


def accepted(bounds: Bounds, value: object) -> Value:
    """Check a value and return it in the type that ``Choices`` stores.

    Raises:
        BadChoice: the value has the wrong type or is outside the bounds.
    """
    if not _accepts(bounds, value):
        raise BadChoice(bounds, value)
    if bounds.kind in ("number", "time"):
        assert isinstance(value, int | float)
        return float(value)
    return cast("Value", tuple(value) if isinstance(value, list) else value)


def from_text(bounds: Bounds, text: str) -> Value:
    """Convert a text from a variable, a flag or a field on screen into the value of a choice, and check it.

    Raises:
        BadChoice: the text cannot be read as a value of the choice, or the value is outside the bounds.
    """
    try:
        return accepted(bounds, _read(bounds, text.strip()))
    except ValueError:
        raise BadChoice(bounds, text) from None


def _bounds(name: str, hint: object, default: Value | None) -> Bounds:
    if get_origin(hint) in (Union, UnionType):
        (hint,) = (part for part in get_args(hint) if part is not NoneType)
    meta = Meta()
    if get_origin(hint) is Annotated:
        hint, meta = get_args(hint)
    extra = meta.extra or {}
    kinds: dict[object, Kind] = {bool: "flag", int: "whole", float: "number", str: "text", tuple: "names", dict: "keys"}
    kind: Kind = "time" if extra.get("time") else kinds.get(get_origin(hint) or hint, "one_of")
    return Bounds(
        name=name,
        kind=kind,
        default=default,
        least=meta.ge,
        most=meta.le,
        among=get_args(hint) if kind == "one_of" else (),
        unit=extra.get("unit", ""),
        once=extra.get("once", False),
    )


def _accepts(bounds: Bounds, value: object) -> bool:
    match bounds.kind:
        case "flag":
            return isinstance(value, bool)
        case "whole":
            return isinstance(value, int) and _is_within(bounds, value)
        case "number" | "time":
            return isinstance(value, int | float) and _is_within(bounds, value)
        case "one_of":
            return value in bounds.among
        case "text":
            return _is_text(value)
        case "names":
            return isinstance(value, list | tuple) and all(_is_text(name) for name in value)
        case "keys":
            return isinstance(value, dict) and all(_is_text(part) for pair in value.items() for part in pair)


def _is_within(bounds: Bounds, value: float) -> bool:
    """Return whether a number is between the bounds; False for NaN and booleans."""
    assert bounds.least is not None
    assert bounds.most is not None
    return not isinstance(value, bool) and bounds.least <= value <= bounds.most


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()


def _read(bounds: Bounds, text: str) -> object:
    """Convert a text into a value without checking the bounds; a wrong text becomes None or a value out of bounds.

    Raises:
        ValueError: an integer has too many digits.
    """
    match bounds.kind:
        case "flag":
            return {**dict.fromkeys(_YES, True), **dict.fromkeys(_NO, False)}.get(text.lower())
        case "whole":
            return int(text) if _WHOLE.fullmatch(text) else None
        case "number":
            return float(text) if _NUMBER.fullmatch(text) else None
        case "time":
            return _seconds(text)
        case "one_of":
            return text.lower()
        case "text":
            return text
        case "names":
            return tuple(name.strip() for name in text.split(",") if name.strip())
        case "keys":
            pairs = [part.partition("=") for part in text.split(";") if part.strip()]
            are_complete = all(equals for _, equals, _ in pairs)
            return {name.strip(): keys.strip() for name, _, keys in pairs} if are_complete else None


def _seconds(text: str) -> float:
    """Return a time such as ``90s``, ``20m`` or ``1h30m`` in seconds; 0 for any other text."""
    found = _TIME.fullmatch(text)
    hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    return 3600.0 * hours + 60.0 * minutes + seconds
