from __future__ import annotations

import errno
import socket
import ssl

import httpx
import pytest

from llmtui.backends.base import BackendFailed, ServerEndpoint
from llmtui.backends.http_client import (
    in_words,
    is_loopback,
    open_client,
    place_of,
    proxy_for,
    public_address,
    server_url,
    transport_problem,
)
from llmtui.backends.http_stamping import StampingTransport
from llmtui.words.problems import problem_remedy, problem_what

URL = httpx.URL("http://box:11434")


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080"),
        ("127.0.0.1:1", "http://127.0.0.1:1"),
        (" box ", "http://box:8080"),
        ("http://box", "http://box"),
        ("https://box/prefix/", "https://box/prefix"),
        ("0.0.0.0:5", "http://127.0.0.1:5"),
        ("[::]:5", "http://[::1]:5"),
        ("http://me:secret@box:5", "http://box:5"),
    ],
)
def test_addresses(address: str, url: str) -> None:
    assert public_address(server_url(address, 8080)) == url


@pytest.mark.parametrize(
    "address", ["", "ftp://box", "http://", "box:port", "box:99999", "box:0", "256.1.1.1:9", "a\nb"]
)
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(BackendFailed) as failed:
        server_url(address, 8080)

    assert failed.value.problem.code in ("bad_address", "bad_scheme", "no_host", "bad_port")


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("[::1]", True),
        ("localhost", True),
        ("x.localhost", True),
        ("192.0.2.1", False),
        ("localhost.example", False),
        ("box", False),
    ],
)
def test_this_machine(host: str, loopback: bool) -> None:
    assert is_loopback(httpx.URL(f"http://{host}:11434")) is loopback


PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.mark.parametrize(
    ("environment", "address", "proxied"),
    [
        ({}, "http://box:11434", False),
        ({"HTTP_PROXY": "http://192.0.2.9:3128"}, "http://box:11434", True),
        ({"HTTP_PROXY": "http://192.0.2.9:3128"}, "https://box:11434", False),
        ({"ALL_PROXY": "http://192.0.2.9:3128"}, "https://box:11434", True),
        ({"ALL_PROXY": "http://192.0.2.9:3128", "NO_PROXY": "box"}, "http://box:11434", False),
        ({"ALL_PROXY": "http://192.0.2.9:3128"}, "http://127.0.0.1:11434", False),
    ],
)
def test_a_proxy_is_used_where_the_environment_names_one(
    environment: dict[str, str], address: str, proxied: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in PROXY_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.lower(), raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)

    assert (proxy_for(httpx.URL(address)) is not None) is proxied
    assert isinstance(open_client(httpx.URL(address))._transport, StampingTransport) is not proxied


def chained(error: Exception, *causes: BaseException) -> Exception:
    """Return the error with its causes, as the library raises it."""
    last: BaseException = error
    for cause in causes:
        last.__cause__ = cause
        last = cause
    return error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (chained(httpx.ConnectError("x"), OSError("x"), OSError(errno.ECONNREFUSED, "x")), "refused"),
        (
            chained(httpx.ConnectError("x"), OSError("x"), ExceptionGroup("x", [OSError(errno.ECONNREFUSED, "x")])),
            "refused",
        ),
        (chained(httpx.ConnectError("x"), OSError(errno.EHOSTUNREACH, "x")), "unreachable"),
        (httpx.ConnectError("x"), "unreachable"),
        (chained(httpx.ConnectError("x"), socket.gaierror(-2, "x")), "unknown_host"),
        (chained(httpx.ConnectError("x"), ssl.SSLCertVerificationError("x")), "certificate_untrusted"),
        (httpx.ConnectTimeout("x"), "no_connection"),
        (httpx.ReadTimeout("x"), "silent"),
        (TimeoutError(), "silent"),
        (httpx.ReadError("x"), "cut"),
        (httpx.RemoteProtocolError("Server disconnected without sending a response."), "cut"),
        (httpx.RemoteProtocolError("peer closed connection without sending complete message body"), "cut"),
        (httpx.RemoteProtocolError("illegal status line"), "not_http"),
        (httpx.ProxyError("x"), "http"),
        (httpx.DecodingError("x"), "http"),
    ],
)
def test_every_failure_has_a_code_words_and_a_remedy(error: Exception, code: str) -> None:
    problem = transport_problem(error, URL, "ollama")

    assert problem.code == code
    assert "box:11434" in problem_what(problem)
    assert problem_remedy(problem)


def test_a_refused_connection_says_how_to_start_the_server() -> None:
    error = chained(httpx.ConnectError("x"), OSError(errno.ECONNREFUSED, "x"))

    problem = transport_problem(error, URL, "ollama")
    assert problem_remedy(problem) == "Start it with `ollama serve`, or use another address."


@pytest.mark.parametrize("error", [httpx.ReadError("x"), httpx.InvalidURL("x"), httpx.StreamClosed(), TimeoutError()])
def test_the_librarys_exceptions_become_words(error: Exception) -> None:
    with pytest.raises(BackendFailed), in_words(URL, "ollama"):
        raise error


def test_a_name_and_password_in_the_address_are_never_shown() -> None:
    problem = transport_problem(httpx.ReadError("x"), httpx.URL("http://me:secret@box:11434"), "ollama")

    assert "secret" not in problem_what(problem)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://127.0.0.1:8080", ServerEndpoint(addresses=("127.0.0.1",), port=8080)),
        ("http://127.1.2.3:1/v1", ServerEndpoint(addresses=("127.1.2.3",), port=1)),
        ("http://[::1]:11434", ServerEndpoint(addresses=("::1",), port=11434)),
        ("http://localhost", ServerEndpoint(addresses=("127.0.0.1", "::1"), port=80)),
        ("https://api.localhost", ServerEndpoint(addresses=("127.0.0.1", "::1"), port=443)),
        ("http://box:8080", None),
        ("http://192.0.2.1:8080", None),
    ],
)
def test_a_server_of_this_machine_is_at_one_of_its_addresses(url: str, place: ServerEndpoint | None) -> None:
    assert place_of(httpx.URL(url)) == place
