"""The address of a server, interpreted as Ollama interprets ``OLLAMA_HOST``."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import msgspec

from llmtui.config.access import without_login
from llmtui.config.errors import SettingsError

DEFAULT_PORT = 11434
BUILTIN = "builtin"
GGUF = ".gguf"
FILE_PREFIX = "file:"
_SCHEME_PORTS = {"http": 80, "https": 443}
_PORT = re.compile(r"[+-]?[0-9]{1,99}")
_HOST_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?")
_PATH_CHARACTERS = "/-._~!$&'()*+,;=:@%"


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """The address of a server."""

    url: str
    """Scheme, host, port and path, without a slash at the end: ``url + "/api/version"`` is the URL of a request."""
    host: str
    """The host without port or brackets."""
    port: int
    is_loopback: bool
    """Whether the host is this machine, judged by its name or number; the name is not resolved."""
    login: str | None = None
    """User name and password from the typed address, separated by a colon; never a part of ``url``."""


def normalise_host(text: str | None) -> Address:
    """Return the address for a typed host, by the rules of Ollama's client for ``OLLAMA_HOST``.

    Blanks and quotes around the text are dropped. Without a scheme the port defaults to 11434, with a scheme to 80 or
    443. A port that is not a number from 0 to 65535 counts as not given. An empty text means this machine, and so do
    listening addresses that no client can connect to (0.0.0.0, ::). ``ollama.com`` alone means https. A path is kept.
    Unlike in Ollama, user name and password are removed from the URL. Source: ``Host`` and ``ConnectableHost`` in
    Ollama's envconfig/config.go, version 0.34.4.

    Raises:
        SettingsError: the scheme is not http or https, or there is no valid host name.
    """
    wanted = (text or "").strip().strip("\"'").strip()
    scheme, separator, rest = wanted.partition("://")
    default_port = _SCHEME_PORTS.get(scheme.lower(), DEFAULT_PORT)
    if not separator:
        scheme, rest, default_port = "http", wanted, DEFAULT_PORT
        if wanted == "ollama.com":
            scheme, default_port = "https", 443
    scheme = scheme.lower()
    if scheme not in _SCHEME_PORTS:
        raise SettingsError("bad_scheme", key="host", given=repr(without_login(wanted)), scheme=scheme)
    place, _, path = rest.partition("/")
    login = ""
    if ":" in place.rpartition("@")[0]:
        login, _, place = place.rpartition("@")
    name, port_text = _split(place) or (_bare(place), None)
    host = _client_host(name)
    if host is None:
        raise SettingsError("bad_host", key="host", given=repr(without_login(wanted)), name=name)
    port = int(port_text) if port_text is not None and _PORT.fullmatch(port_text) else default_port
    port = port if 0 <= port <= 65535 else default_port
    shown = f"[{host}]" if ":" in host else host
    path = quote(path.strip("/"), safe=_PATH_CHARACTERS)
    url = f"{scheme}://{shown}:{port}" + (f"/{path}" if path else "")
    return Address(url=url, host=host, port=port, is_loopback=_is_loopback(host), login=unquote(login) or None)


def builtin_place(text: str) -> str | None:
    """Return where the built-in server finds its models, if a server's address selects the built-in server.

    Returns:
        ``builtin`` for its own models. A full path for ``builtin:PATH``, for ``file:PATH``, and for a text without a
        scheme that ends in ``.gguf``. None for another server.
    """
    wanted = text.strip()
    if wanted == BUILTIN:
        return BUILTIN
    for prefix in (f"{BUILTIN}:", FILE_PREFIX):
        if wanted.startswith(prefix):
            return _full_path(wanted.removeprefix(prefix))
    return _full_path(wanted) if wanted.lower().endswith(GGUF) and "://" not in wanted else None


def builtin_model(text: str) -> str | None:
    """Return a model's name at the built-in server, if the typed name selects that server.

    A name without a prefix may be another server's model, even if a file has that name: llama.cpp's server names its
    model by the path given at startup.

    Returns:
        The full path for ``file:PATH`` and for ``builtin:PATH`` with the path of a .gguf file. NAME for any other
        ``builtin:NAME``. None for a name without a prefix.
    """
    if text.startswith(FILE_PREFIX):
        return _full_path(text.removeprefix(FILE_PREFIX))
    name = text.removeprefix(f"{BUILTIN}:")
    if name == text:
        return None
    return _full_path(name) if name.lower().endswith(GGUF) else name


def file_here(text: str) -> str | None:
    """Return the full path of the .gguf file that the text names; None if there is no such file.

    A text with a prefix such as ``file:`` names no file here.
    """
    if not text.lower().endswith(GGUF) or not Path(text).expanduser().is_file():
        return None
    return _full_path(text)


def _full_path(text: str) -> str:
    return str(Path(text).expanduser().absolute())


def is_this_machine(address: str) -> bool:
    """Return whether a server's address is this machine, judged by its name or number; the name is not resolved."""
    try:
        host = urlsplit(address if "//" in address else f"//{address}").hostname
    except ValueError:
        return False
    return _is_loopback(host or "localhost")


def _split(place: str) -> tuple[str, str] | None:
    """Return host and port of ``host:port``, like Go's ``net.SplitHostPort``; None if the text has no valid port part.

    Brackets mark an IPv6 address. Without them, more than one colon means that there is no port.
    """
    if place.startswith("["):
        host, closed, after = place[1:].partition("]")
        if not closed or not after.startswith(":") or ":" in after[1:]:
            return None
        port = after[1:]
    else:
        host, colon, port = place.rpartition(":")
        if not colon or ":" in host:
            return None
    return None if set("[]") & set(host + port) else (host, port)


def _bare(place: str) -> str:
    """Return a host without a port. Brackets around an IP address are removed."""
    bare = place.strip("[]")
    return place if _as_ip(bare) is None else bare


def _client_host(name: str) -> str | None:
    """Return the host that a client connects to; None if the name cannot be a host."""
    if not name:
        return "127.0.0.1"
    address = _as_ip(name)
    if address is not None:
        if address.is_unspecified:
            return "127.0.0.1" if address.version == 4 else "::1"
        return str(address)
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    return name if len(name) <= 253 and _HOST_NAME.fullmatch(name) else None


def _as_ip(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _is_loopback(host: str) -> bool:
    address = _as_ip(host)
    if address is not None:
        return address.is_loopback
    name = host.lower().rstrip(".")
    return name == "localhost" or name.endswith(".localhost")
