"""The HTTP client shared by the backends, and the problems for its failures."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import ssl
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import httpx

from llmtui.backends.base import BackendFailed, ServerEndpoint
from llmtui.backends.foreign_answer import https_wanted
from llmtui.backends.http_stamping import StampingTransport
from llmtui.config.access import without_login
from llmtui.core.codes import Start
from llmtui.core.records import Argument, Problem

CONNECT_LIMIT_S = 3.0
ANSWER_LIMIT_S = 5.0
LIST_LIMIT_S = 20.0
"""Longest wait for a list of models. Routers collect it from other servers, and some routers start those servers first.
"""

STREAM_TIMEOUT = httpx.Timeout(connect=CONNECT_LIMIT_S, read=None, write=30.0, pool=CONNECT_LIMIT_S)
"""Timeouts for streamed answers. Reading has no timeout, since a server sends nothing until it has loaded the
model and processed the prompt.
"""

_TLS_ALERT = r"\x15\x03"
"""Beginning of a TLS alert in h11's error message. A TLS port sends an alert in response to plain HTTP."""
_NOT_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL", "HTTP_REQUEST")

_THIS_MACHINE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - recognised here, never listened on


def server_url(address: str, default_port: int) -> httpx.URL:
    """Return a server's address as a URL.

    Accepted are ``127.0.0.1``, ``box:8080``, ``https://box/prefix`` and the like.

    An address without a scheme becomes http, and if it also has no port, ``default_port`` is used. Addresses that mean
    "all interfaces" become loopback, because not every system can connect to them.

    Raises:
        BackendFailed: ``bad_address``, ``bad_scheme``, ``no_host``, ``bad_port``.
    """
    bare = "://" not in address
    try:
        url = httpx.URL(f"http://{address.strip()}" if bare else address.strip())
    except httpx.InvalidURL as error:
        raise BackendFailed(bad_address(address, str(error))) from error
    if url.scheme not in ("http", "https"):
        raise BackendFailed(Problem(code="bad_scheme", args={"address": without_login(address)}))
    if not url.host:
        raise BackendFailed(Problem(code="no_host", args={"address": without_login(address)}))
    if url.port is not None and not 0 < url.port < 65536:
        raise BackendFailed(Problem(code="bad_port", args={"address": without_login(address)}))
    port = default_port if bare and url.port is None else url.port
    return url.copy_with(host=_THIS_MACHINE.get(url.host, url.host), port=port)


def public_address(url: httpx.URL) -> str:
    """Return the URL as text, without user name, password and trailing slash."""
    return str(url.copy_with(username=None, password=None)).rstrip("/")


def is_loopback(url: httpx.URL) -> bool:
    """Return whether the host is this machine, as far as the address shows."""
    host = url.host
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def place_of(url: httpx.URL) -> ServerEndpoint | None:
    """Return the endpoint of a server on this machine; None if the URL is that of another machine."""
    if not is_loopback(url):
        return None
    try:
        addresses: tuple[str, ...] = (str(ipaddress.ip_address(url.host)),)
    except ValueError:
        addresses = ("127.0.0.1", "::1")
    return ServerEndpoint(addresses=addresses, port=url.port or {"http": 80, "https": 443}[url.scheme])


class Proxy(NamedTuple):
    """A proxy between this machine and a server."""

    url: str
    variable: str
    """The environment variable that sets the proxy, or ``system``; for messages."""

    @property
    def where(self) -> str:
        """The proxy's address without user name and password."""
        return without_login(self.url).removeprefix("http://").rstrip("/")


def proxy_for(url: httpx.URL) -> Proxy | None:
    """Return the proxy for a server, from the environment or the system.

    Returns:
        The proxy; None if none is set, or if the server is on this machine.
    """
    if is_loopback(url) or urllib.request.proxy_bypass(url.host):
        return None
    proxies = urllib.request.getproxies()
    for name in (url.scheme, "all"):
        if proxies.get(name):
            variable = next((v for v in (f"{name}_proxy", f"{name}_PROXY".upper()) if os.environ.get(v)), None)
            found = proxies[name]
            return Proxy(found if "://" in found else f"http://{found}", variable or "system")
    return None


def open_client(url: httpx.URL) -> httpx.AsyncClient:
    """Return an HTTP client for one server.

    Servers on this machine are reached directly, others by the environment's proxy.

    Without a proxy, its connections record when bytes arrived (see ``http_stamping``).

    Raises:
        BackendFailed: a setting of the environment cannot be used: ``proxy_unusable``, ``certificates_unusable``.
    """
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=4, keepalive_expiry=30.0)
    proxy = proxy_for(url)
    try:
        # Without encryption, skip reading the certificates, which takes 0.1 s.
        certificates = httpx.create_ssl_context() if url.scheme == "https" else None
    except OSError as error:
        raise BackendFailed(_certificates_problem(error)) from error
    try:
        return httpx.AsyncClient(
            base_url=url,
            trust_env=False,
            transport=None if proxy else StampingTransport(limits, certificates),
            proxy=proxy.url if proxy else None,
            verify=certificates or True,
            timeout=httpx.Timeout(ANSWER_LIMIT_S, connect=CONNECT_LIMIT_S),
            limits=limits,
            headers={"Accept-Encoding": "identity"},
            follow_redirects=False,
        )
    except (ValueError, ImportError, httpx.InvalidURL, OSError) as error:
        if proxy is None:
            raise
        raise BackendFailed(_unusable_proxy(proxy, url, error)) from error


@contextmanager
def in_words(url: httpx.URL, start: Start) -> Iterator[None]:
    """Turn the HTTP library's exceptions into BackendFailed.

    Args:
        url: the server's URL.
        start: code of the hint on how to start the server.
    """
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, TimeoutError) as error:
        raise BackendFailed(transport_problem(error, url, start)) from error


def transport_problem(error: Exception, url: httpx.URL, start: Start) -> Problem:
    """Return why a connection could not be made or was lost.

    Args:
        error: the exception of the HTTP library.
        url: the server's URL.
        start: code of the hint on how to start the server.
    """
    where = public_address(url).removeprefix("http://")
    proxy = proxy_for(url)
    if proxy is not None and isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError):
        return _proxy_problem(error, proxy, url)
    if isinstance(error, httpx.ConnectError):
        return _connect_problem(error, where, start)
    if isinstance(error, httpx.ConnectTimeout):
        return Problem(code="no_connection", args={"where": where, "seconds": CONNECT_LIMIT_S})
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return Problem(code="silent", args={"where": where})
    if isinstance(error, httpx.RemoteProtocolError) and not _closed_by_peer(error):
        if url.scheme == "http" and _TLS_ALERT in str(error):
            return https_wanted(where)
        return Problem(code="not_http", args={"where": where})
    if isinstance(error, httpx.RemoteProtocolError | httpx.NetworkError):
        return Problem(code="cut", args={"where": where})
    return Problem(code="http", args={"where": where}, detail=str(error))


def _unusable_proxy(proxy: Proxy, url: httpx.URL, error: Exception) -> Problem:
    args: dict[str, Argument] = {"proxy": proxy.where, "variable": proxy.variable, "host": url.host}
    scheme = proxy.url.partition("://")[0]
    if isinstance(error, ImportError):
        return Problem(code="proxy_needs_socksio", args={**args, "scheme": scheme})
    if isinstance(error, ValueError):
        return Problem(code="proxy_kind", args={**args, "scheme": scheme})
    return Problem(code="proxy_unusable", args=args, detail=without_login(str(error)))


def _proxy_problem(error: Exception, proxy: Proxy, url: httpx.URL) -> Problem:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLError):
            return _tls_problem(cause, public_address(url).removeprefix("http://"))
    args: dict[str, Argument] = {"proxy": proxy.where, "variable": proxy.variable, "host": url.host}
    if isinstance(error, httpx.ProxyError):
        return Problem(code="proxy_refused", args=args, detail=str(error))
    return Problem(code="proxy_absent", args=args)


def _certificates_problem(error: OSError) -> Problem:
    why = None if isinstance(error, ssl.SSLError) else error.strerror
    named = next((v for v in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(v)), None)
    if named is None:
        return Problem(code="system_certificates_unusable", detail=why)
    return Problem(code="certificates_unusable", args={"variable": named, "path": os.environ[named]}, detail=why)


def _connect_problem(error: httpx.ConnectError, where: str, start: Start) -> Problem:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLError):
            return _tls_problem(cause, where)
        if isinstance(cause, socket.gaierror):
            return Problem(code="unknown_host", args={"where": where})
        if isinstance(cause, OSError) and cause.errno == errno.ECONNREFUSED:
            return Problem(code="refused", args={"where": where, "start": start})
        if isinstance(cause, OSError) and cause.errno:
            return Problem(code="unreachable", args={"where": where}, detail=os.strerror(cause.errno))
    return Problem(code="unreachable", args={"where": where}, detail=str(error))


def _tls_problem(error: ssl.SSLError, where: str) -> Problem:
    if isinstance(error, ssl.SSLCertVerificationError):
        why = getattr(error, "verify_message", None) or str(error)
        return Problem(code="certificate_untrusted", args={"where": where}, detail=why)
    if error.reason in _NOT_TLS:
        return Problem(code="http_wanted", args={"where": where, "bare": where.removeprefix("https://")})
    return Problem(code="tls", args={"where": where}, detail=str(error))


def _closed_by_peer(error: httpx.RemoteProtocolError) -> bool:
    words = str(error)
    return "disconnected" in words or "peer closed connection" in words


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and all its causes, including the members of exception groups."""
    seen: list[BaseException] = [error]
    for cause in seen:
        yield cause
        further = [cause.__cause__ or cause.__context__]
        if isinstance(cause, BaseExceptionGroup):
            further.extend(cause.exceptions)
        seen.extend(item for item in further if item is not None and item not in seen)


def bad_address(address: str, why: str) -> Problem:
    """Return the problem that a text is not an address, with the parser's reason."""
    return Problem(code="bad_address", args={"address": without_login(address)}, detail=why)
