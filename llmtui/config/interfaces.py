"""Where a server's interface may lie: what a person types is often its page, or the address of one request."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import urlsplit

import msgspec

Protocol = Literal["ollama", "openai"]

_REQUEST = re.compile(
    r"/(chat/completions|completions|models|embeddings|responses|(?<=/api/)(?:chat|generate|tags|ps|show|version))$",
    re.IGNORECASE,
)
_VERSION = re.compile(r"v\d+", re.IGNORECASE)


class Interface(msgspec.Struct, frozen=True):
    """An interface that may be asked for."""

    kind: Protocol
    address: str
    """As the backend of that kind reads it: for ``openai`` the address before ``/models``, with a slash at its end
    where it has no version."""


def protocol_of(url: str) -> Protocol:
    """Return the protocol that an address stands for by its form: a path that ends in a version is OpenAI's."""
    last = _path(url).rpartition("/")[2]
    return "openai" if _VERSION.fullmatch(last) else "ollama"


def interfaces(url: str, kind: Protocol) -> tuple[Interface, ...]:
    """Return where to look for a server, what its address says first; a short list in a fixed order.

    Args:
        url: with scheme and host.
        kind: the protocol that is asked for first.
    """
    path = _path(url)
    parent, _, last = path.rpartition("/")
    openai, ollama = [f"{path}/v1", f"{path}/", f"{path}/v3", f"{path}/openai/v1", f"{path}/api/v1"], path
    if _VERSION.fullmatch(last):
        openai, ollama = [path, f"{parent}/{last.lower()}", f"{parent}/v1"], parent
    elif last == "api":
        openai, ollama = [f"{path}/v1", f"{path}/", f"{parent}/v1"], parent
    found = [Interface("ollama", _at(url, ollama)), *(Interface("openai", _at(url, place)) for place in openai)]
    if kind == "openai":
        found.append(found.pop(0))
    if _VERSION.fullmatch(last):
        found.append(Interface("openai", _at(url, f"{parent}/")))
    return tuple(dict.fromkeys(found))


def root_and_prefix(address: str) -> tuple[str, str]:
    """Return the path of a server of OpenAI's protocol and what stands between that and ``/models``.

    ``http://host/v1`` and ``http://host`` have the prefix ``/v1``; with a slash at its end an address has none.
    """
    path = _path(address)
    parent, _, last = path.rpartition("/")
    if _VERSION.fullmatch(last):
        return parent or "/", f"/{last}"
    return path or "/", "" if address.strip().endswith("/") else "/v1"


def _path(url: str) -> str:
    url = url.strip()
    return _REQUEST.sub("", urlsplit(url if "://" in url else f"//{url}").path.rstrip("/"))


def _at(url: str, path: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{path}"
