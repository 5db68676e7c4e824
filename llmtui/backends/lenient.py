"""Lenient reading of JSON from servers: if a value is malformed, only this value is lost, not its neighbours.

Servers send numbers as text, lists in place of strings, null, −1, 2.0e9 and halves of surrogate pairs. All JSON from
servers is read through these functions. A value that does not fit is replaced by the field's default, and the rest is
kept.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import UnionType
from typing import Any, Final, Generic, TypeVar, Union, get_args, get_origin

import msgspec

S = TypeVar("S", bound=msgspec.Struct)

MOST: Final = 2**53
"""Whole numbers must be below this limit. Larger ones are not plausible as counts, and other JSON readers may round
them.
"""
_BOM: Final = b"\xef\xbb\xbf"


class NotJson(ValueError):
    """The bytes are not a JSON document."""


class StructReader(Generic[S]):
    """Reads JSON objects as one type of struct: strictly typed first, leniently if that fails."""

    def __init__(self, kind: type[S]) -> None:
        self._kind = kind
        self.decode = msgspec.json.Decoder(kind).decode
        """The strict reader, for hot paths. It raises ``msgspec.DecodeError``, UnicodeDecodeError or RecursionError."""

    def read(self, data: bytes) -> S | None:
        """Return the struct; None if the document is not an object or lacks a required field.

        Raises:
            NotJson: the bytes are not a JSON document.
        """
        try:
            return self.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return fitted(document(data), self._kind)


def document(data: bytes) -> object:
    """Return any JSON document as builtin types. Invalid UTF-8 and halves of surrogate pairs are accepted.

    Numbers of 2^53 and more become NaN: NaN fits no field, and arithmetic with it cannot overflow.

    Raises:
        NotJson: the bytes are not a JSON document.
    """
    data = data.removeprefix(_BOM)
    try:
        return _bounded(msgspec.json.decode(data))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return _bounded(json.loads(data.decode("utf-8", "replace")))
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error)) from error


def fitted(value: object, kind: type[S]) -> S | None:
    """Return a struct with every value that fits its field; the other fields keep their defaults.

    Nested structs are filled in the same way. Lists of structs keep the entries that fit.

    Returns:
        The struct; None if ``value`` is not a JSON object, or if a required field has no fitting value.
    """
    if not isinstance(value, Mapping):
        return None
    found: dict[str, Any] = {}
    for field in _fields(kind):
        if field.encode_name in value:
            fits, fitting = _fit(value[field.encode_name], field.type)
            if fits:
                found[field.name] = fitting
        if field.required and field.name not in found:
            return None
    return kind(**found)


def entries(value: object, kind: type[S]) -> tuple[S, ...]:
    """Return the items of a JSON array that fit the struct; an empty tuple for anything else."""
    if not isinstance(value, list | tuple):
        return ()
    return tuple(entry for entry in (fitted(item, kind) for item in value) if entry is not None)


def mapping(value: object) -> Mapping[str, object]:
    """Return the value if it is a JSON object; an empty mapping for anything else."""
    return value if isinstance(value, Mapping) else {}


def count(value: object) -> int | None:
    """Return the value as a whole number from 0 on, also if it is written as a float; None for anything else."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value < MOST else None


def number(value: object) -> float | None:
    """Return the value as a finite number from 0 on; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < MOST and math.isfinite(value) else None


def text(value: object) -> str | None:
    """Return the value if it is a non-empty string; None for anything else."""
    return value if isinstance(value, str) and value else None


def _bounded(value: object) -> object:
    if isinstance(value, dict):
        return {name: _bounded(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_bounded(item) for item in value]
    return math.nan if isinstance(value, int | float) and not -MOST < value < MOST else value


@lru_cache
def _fields(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(kind)


def _fit(value: object, wanted: Any) -> tuple[bool, object]:  # noqa: ANN401 - an annotation
    """Return whether the value fits the type, and the converted value."""
    if isinstance(value, float) and not math.isfinite(value):
        return False, None
    for candidate in (value, *_whole(value)):
        try:
            return True, msgspec.convert(candidate, wanted)
        except (msgspec.ValidationError, RecursionError, UnicodeEncodeError):  # half of a surrogate pair in a key
            continue
    for option in _options(wanted):
        if isinstance(option, type) and issubclass(option, msgspec.Struct):
            nested = fitted(value, option)
            if nested is not None:
                return True, nested
        elif get_origin(option) in (list, tuple) and isinstance(value, list | tuple):
            kept = [fit for fits, fit in (_fit(item, get_args(option)[0]) for item in value) if fits]
            return True, kept if get_origin(option) is list else tuple(kept)
    return False, None


def _whole(value: object) -> Iterable[int]:
    return (int(value),) if isinstance(value, float) and value.is_integer() else ()


def _options(wanted: Any) -> tuple[Any, ...]:  # noqa: ANN401 - an annotation
    return get_args(wanted) if get_origin(wanted) in (Union, UnionType) else (wanted,)
