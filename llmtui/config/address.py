"""The address of an Ollama server, read as Ollama itself reads ``OLLAMA_HOST``."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from urllib.parse import quote

import msgspec

from llmtui.config.errors import SettingsError

DEFAULT_PORT = 11434
BUILTIN = "builtin"
GGUF = ".gguf"
_SCHEME_PORTS = {"http": 80, "https": 443}
_PORT = re.compile(r"[+-]?[0-9]{1,99}")
_HOST_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?")
_PATH_CHARACTERS = "/-._~!$&'()*+,;=:@%"


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where a server is reached."""

    url: str
    """Scheme, host, port and path, without a slash at the end: ``url + "/api/version"`` is a request's address."""
    host: str
    """The host without port or brackets."""
    port: int
    is_loopback: bool
    """Whether the host is this machine by its name or number; a name is not looked up."""


def normalise_host(text: str | None) -> Address:
    """Gives the address that a person means by a host, as a client of Ollama reads ``OLLAMA_HOST``.

    Blanks and quotes around it are dropped. With a scheme the port is 80 or 443, without one it is 11434; a port that
    is no number from 0 to 65535 counts as not given. Nothing at all is this machine; so are the addresses that a
    server listens on and no client can connect to (0.0.0.0, ::). ``ollama.com`` alone means https. A path is kept.
    Source: ``Host`` and ``ConnectableHost`` in Ollama's envconfig/config.go, version 0.34.4.

    Raises:
        SettingsError: no URL can be made of it: another scheme than http and https, or no host name.
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
        raise _refused(wanted, f"{scheme!r} is not a scheme that can be used; write http or https")
    place, _, path = rest.partition("/")
    name, port_text = _split(place) or (_bare(place), None)
    host = _client_host(name)
    if host is None:
        raise _refused(wanted, f"{name!r} is not a host name or address")
    port = int(port_text) if port_text is not None and _PORT.fullmatch(port_text) else default_port
    port = port if 0 <= port <= 65535 else default_port
    shown = f"[{host}]" if ":" in host else host
    path = quote(path.strip("/"), safe=_PATH_CHARACTERS)
    url = f"{scheme}://{shown}:{port}" + (f"/{path}" if path else "")
    return Address(url=url, host=host, port=port, is_loopback=_is_loopback(host))


def builtin_place(text: str) -> str | None:
    """Gives where the built-in server finds its models, if that is what a person means by a server's address.

    Returns:
        ``builtin`` for its own models; a full path for ``builtin:PATH`` and for anything that ends in ``.gguf``; None
        where another server is meant.
    """
    wanted = text.strip()
    if wanted == BUILTIN:
        return BUILTIN
    path = wanted.removeprefix(f"{BUILTIN}:")
    if path != wanted or wanted.lower().endswith(GGUF):
        return str(Path(path).expanduser().absolute())
    return None


def builtin_model(text: str) -> str | None:
    """Gives a model's name at the built-in server, if a person names one of its models.

    Returns:
        For ``builtin:NAME`` the name, where NAME is a file's path the full path; the full path also for a .gguf file
        that is there. None for another server's model.
    """
    name = text.removeprefix(f"{BUILTIN}:")
    is_file = name.lower().endswith(GGUF) and (name != text or Path(name).expanduser().exists())
    if is_file:
        return str(Path(name).expanduser().absolute())
    return name if name != text else None


def _refused(wanted: str, problem: str) -> SettingsError:
    return SettingsError(file="", key="host", line=None, problem=f"{wanted!r}: {problem}")


def _split(place: str) -> tuple[str, str] | None:
    """Parts ``host:port`` as Go's ``net.SplitHostPort`` does; None where that refuses.

    Brackets mark an IPv6 address; without them more than one colon means that there is no port.
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
    """A host without a port: an IPv6 address may have brackets."""
    bare = place.strip("[]")
    return place if _as_ip(bare) is None else bare


def _client_host(name: str) -> str | None:
    """Gives the host that a client connects to, or None where the name cannot be one."""
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
