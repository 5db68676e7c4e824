"""Writing JSON like Go, and strict reading of the JSON that clients send."""

from __future__ import annotations

import json
import re
from typing import NoReturn

_ESCAPED = re.compile("[<>&\u2028\u2029\ud800-\udfff]")


def go_json(value: object) -> bytes:
    r"""Return compact UTF-8 JSON in which `<`, `>`, `&`, U+2028 and U+2029 are escaped, and U+0085 is not.

    A lone surrogate, which has no UTF-8 form, is written as its `\udXXX` escape, so that hostile text can be sent.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _ESCAPED.sub(_escape, text).encode()


def read_json(body: bytes | str) -> object:
    """Decode JSON. Unlike stricter readers, accept half of a surrogate pair, which clients may send.

    Raises:
        ValueError: the body is not JSON, contains NaN or infinity, or is nested too deeply.
    """
    try:
        value: object = json.loads(body, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("exceeded max depth") from error
    return value


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"invalid character {name[:1]!r} looking for beginning of value")
