"""Durations and options in requests, parsed as by the real server, with its error messages."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from llmtui.simulator.model import Dialect

_DURATION = re.compile(
    r"[-+]?(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h)(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))*",
    re.ASCII,
)
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_NUMBER_ONLY = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)", re.ASCII)
_UNKNOWN_UNIT = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)([^\d.]+).*", re.DOTALL | re.ASCII)
_UNIT_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}

_INTEGERS = frozenset(
    {"num_keep", "seed", "num_predict", "top_k", "repeat_last_n"}
    | {"num_ctx", "num_batch", "num_gpu", "main_gpu", "num_thread"}
)
_FLOATS = frozenset(
    {"top_p", "min_p", "typical_p", "temperature", "repeat_penalty", "presence_penalty", "frequency_penalty"}
)
_BOOLEANS = frozenset({"use_mmap"})


class ApiError(Exception):
    """An error response to the client.

    Attributes:
        status: HTTP status.
        message: the `error` in the JSON body.
        extra: further keys of the body.
    """

    def __init__(self, status: int, message: str, extra: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.extra = dict(extra or {})


class LoadOptions(Struct, frozen=True, kw_only=True):
    """Options that are fixed when a model is loaded; a request with another value makes the server reload it.

    Attributes:
        num_ctx: context length in tokens, already limited to the model's maximum.
        num_gpu: number of layers on the GPU; -1 = the server chooses, so any loaded value is accepted.
        use_mmap: None = the server chooses.
    """

    num_ctx: int
    num_batch: int = 512
    num_gpu: int = -1
    main_gpu: int = 0
    use_mmap: bool | None = None
    num_thread: int = 0
    draft_num_predict: int = 0

    def differs(self, loaded: LoadOptions) -> bool:
        """Return whether a request with these options makes the server reload a model that has the options `loaded`."""
        mine, theirs = self, loaded
        if mine.num_gpu < 0:
            theirs = msgspec.structs.replace(theirs, num_gpu=mine.num_gpu)
        return mine != theirs


class RequestOptions(Struct, frozen=True, kw_only=True):
    """The options of a request that the simulator uses.

    Attributes:
        load: the options that are fixed when a model is loaded.
        num_predict: maximum number of tokens of an answer; None = no limit in the request.
    """

    load: LoadOptions
    num_predict: int | None = None


def parse_duration_s(text: str) -> float:
    """Return the seconds of a duration in Go's notation: `5m`, `-1s`, `1h30m`, `0`.

    Raises:
        ValueError: the text is not a duration; has Go's message, such as `time: missing unit in duration "5"`.
    """
    if text in {"0", "+0", "-0"}:
        return 0.0
    if _DURATION.fullmatch(text):
        total_s = sum(float(number) * _UNIT_S[unit] for number, unit in _PART.findall(text))
        return -total_s if text.startswith("-") else total_s
    if _NUMBER_ONLY.fullmatch(text):
        raise ValueError(f'time: missing unit in duration "{text}"')
    unknown = _UNKNOWN_UNIT.fullmatch(text)
    if unknown:
        raise ValueError(f'time: unknown unit "{unknown[1]}" in duration "{text}"')
    raise ValueError(f'time: invalid duration "{text}"')


def parse_keep_alive_s(value: object) -> float:
    """Return how many seconds a model stays loaded after a request; infinity for every negative value.

    Args:
        value: a number of seconds, or a string in Go's notation.

    Raises:
        ApiError: 400 for anything else.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ApiError(400, f"Unsupported type: '{type(value).__name__}'")
    if isinstance(value, str):
        try:
            seconds = parse_duration_s(value)
        except ValueError as error:
            raise ApiError(400, str(error)) from error
    else:
        seconds = float(value)
    return math.inf if seconds < 0 else seconds


def parse_options(
    values: Mapping[str, object], *, dialect: Dialect, default_num_ctx: int, context_length: int
) -> RequestOptions:
    """Return a request's `options`; unknown keys are ignored, as by the real server.

    Raises:
        ApiError: 500, like the real server, for a value of the wrong type.
    """
    for key, value in values.items():
        _check(key, value, dialect)
    use_mmap = values.get("use_mmap")
    load = LoadOptions(
        num_ctx=max(4, min(_integer(values, "num_ctx", default_num_ctx), context_length)),
        num_batch=_integer(values, "num_batch", 512),
        num_gpu=max(-1, _integer(values, "num_gpu", -1)),
        main_gpu=_integer(values, "main_gpu", 0),
        use_mmap=use_mmap if isinstance(use_mmap, bool) else None,
        num_thread=_integer(values, "num_thread", 0),
        draft_num_predict=_integer(values, "draft_num_predict", 0) if dialect == "0.34.4" else 0,
    )
    num_predict = _integer(values, "num_predict", -1)
    return RequestOptions(load=load, num_predict=num_predict if num_predict > 0 else None)


def _check(key: str, value: object, dialect: Dialect) -> None:
    if value is None:
        return
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if (key in _INTEGERS or (key == "draft_num_predict" and dialect == "0.34.4")) and not is_number:
        raise ApiError(500, f'option "{key}" must be of type integer')
    if key in _FLOATS and not is_number:
        raise ApiError(500, f'option "{key}" must be of type float32')
    if key in _BOOLEANS and not isinstance(value, bool):
        raise ApiError(500, f'option "{key}" must be of type boolean')
    if key == "stop":
        _check_stop(value)


def _check_stop(value: object) -> None:
    if not isinstance(value, list):
        raise ApiError(500, 'option "stop" must be of type array')
    if not all(isinstance(item, str) for item in value):
        raise ApiError(500, 'option "stop" must be of an array of strings')


def _integer(values: Mapping[str, object], key: str, default: int) -> int:
    value = values.get(key)
    if not isinstance(value, int | float):
        return default
    limit = 2**63 - 1
    if isinstance(value, float) and not math.isfinite(value):
        return -limit if value < 0 else limit
    return max(-limit, min(limit, int(value)))
