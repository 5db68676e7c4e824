"""APIs that a server may offer at a typed address.

The typed address is often that of the server's web page, or of one kind of request.
"""

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
    """An API that a server may offer: a protocol and the address at which to try it."""

    kind: Protocol
    address: str
    """The address in the notation of the protocol's backend.

    For ``openai`` this is the address before ``/models``; if it has no version such as ``/v1``, it ends with a slash.
    """


def protocol_of(url: str) -> Protocol:
    """Return the protocol that the form of an address suggests: OpenAI's if its path ends with a version."""
    last = _path(url).rpartition("/")[2]
    return "openai" if _VERSION.fullmatch(last) else "ollama"


def interfaces(url: str, kind: Protocol) -> tuple[Interface, ...]:
    """Return the APIs to try, in order, starting with the one that the address suggests.

    Args:
        url: URL with scheme and host.
        kind: the protocol to try first.
    """
    path = _path(url)
    parent, _, last = path.rpartition("/")
    openai, ollama = (
        [f"{path}/v1", f"{path}/", f"{path}/v3", f"{path}/openai/v1", f"{path}/api/v1", f"{path}/api/v0"],
        path,
    )
    if _VERSION.fullmatch(last):
        openai, ollama = [path, f"{parent}/{last.lower()}", f"{parent}/v1"], parent
    elif last == "api":
        openai, ollama = [f"{path}/v1", f"{path}/", f"{parent}/v1"], parent
    found = [Interface("ollama", _at(url, ollama)), *(Interface("openai", _at(url, place)) for place in openai)]
    if kind == "openai":
        found.append(found.pop(0))
    if _VERSION.fullmatch(last):
        found += [Interface("openai", _at(url, place)) for place in (f"{parent}/", f"{parent}/openai/v1")]
    return tuple(dict.fromkeys(found))


def root_and_prefix(address: str) -> tuple[str, str]:
    """Return the root path of an OpenAI-compatible server, and the path between it and ``/models``.

    ``http://host/v1`` and ``http://host`` have the prefix ``/v1``. An address that ends with a slash has an empty
    prefix.
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
