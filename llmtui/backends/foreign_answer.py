"""HTTP responses outside of the expected protocol: a web page, a login, a redirect, the wrong port."""

from __future__ import annotations

import re
from html import unescape

import httpx

from llmtui.backends.base import RequestRefused
from llmtui.backends.lenient import NotJson, document
from llmtui.config.access import Access, without_login
from llmtui.core.records import Problem

_SHOWN_CHARACTERS = 160
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_PLAIN_TO_TLS = ("plain http request was sent to https port", "http request to an https server")


def foreign_answer(
    response: httpx.Response, *, where: str, path: str, access: Access | None, challenge_is_login: bool = True
) -> Problem | None:
    """Return the problem for a response that means the same in every protocol; None if the protocol must interpret it.

    Args:
        response: the response with its body or the beginning of it.
        where: the server's address for messages.
        path: the requested path, relative to that address.
        access: key or login of the request.
        challenge_is_login: whether a 401 concerns the server, not a model behind it.
    """
    status, body = response.status_code, response.content
    if 300 <= status < 400:
        return redirect(response.headers.get("location"), response.request.url, where=where, path=path)
    words = body[:4096].lower().decode("utf-8", "replace")
    if status == 400 and any(sign in words for sign in _PLAIN_TO_TLS):
        return https_wanted(where)
    if status == 401 and challenge_is_login:
        return login(response.headers.get("www-authenticate", ""), where=where, access=access, said=said(body))
    page = is_page(response)
    if status in (502, 503, 504) and page:
        return Problem(code="proxy", args={"where": where, "status": status})
    if page and status == httpx.codes.INTERNAL_SERVER_ERROR:
        problem = web_page(body, status, where=where)
        return Problem(code="failed_http", args={"status": status}, detail=problem.detail)
    if page:
        return web_page(body, status, where=where)
    return None


def is_page(response: httpx.Response) -> bool:
    """Return whether a response is a web page. Its body must have been read.

    The content type alone is not enough: many web frameworks send JSON as text/html by default.
    """
    body = response.content[:4096].lstrip()
    if body[:1] in (b"{", b"["):
        return False
    is_marked_up = body[:9].lower().startswith((b"<!doctype", b"<html"))
    return is_marked_up or "html" in response.headers.get("content-type", "")


def as_response(refused: RequestRefused, request: httpx.Request) -> httpx.Response:
    """Return a refusal as a response of the HTTP library, with the decoded body or its beginning."""
    packing = ("content-encoding", "content-length", "transfer-encoding")
    headers = {name: value for name, value in refused.headers.items() if name not in packing}
    return httpx.Response(refused.status, headers=headers, content=refused.body, request=request)


def redirect(location: str | None, asked: httpx.URL, *, where: str, path: str) -> Problem:
    """Return the problem that a server redirects to another address.

    Args:
        location: the ``Location`` header; None if it is missing.
        asked: the requested URL.
        where: the server's address for messages.
        path: the requested path, left out of the new address.
    """
    if not location:
        return Problem(code="redirect_unnamed", args={"where": where})
    try:
        target = str(asked.join(location)).partition("?")[0].removesuffix(path)
    except httpx.InvalidURL:
        target = location
    return Problem(code="redirect", args={"where": where, "to": part_of_sentence(without_login(target))})


def https_wanted(where: str) -> Problem:
    """Return the problem that plain HTTP was sent to a TLS port."""
    return Problem(code="https_wanted", args={"where": where, "bare": where.partition("://")[2] or where})


def login(challenge: str, *, where: str, access: Access | None, said: str | None) -> Problem:
    """Return the problem that a server wants a key or a login, or refuses the one that was sent.

    Args:
        challenge: the ``WWW-Authenticate`` header, or "".
        where: the server's address for messages.
        access: key or login that was sent; None if none was.
        said: the server's message, if any.
    """
    basic = challenge.lower().startswith("basic")
    if access is not None and not (basic and access.header.startswith("Bearer")):
        return Problem(code="key_refused", args={"where": where, "source": access.source}, detail=said)
    return Problem(code="needs_login" if basic else "needs_key", args={"where": where}, detail=said)


def web_page(body: bytes, status: int, *, where: str) -> Problem:
    """Return the problem that the response is a web page, with the page's title."""
    found = _TITLE.search(body[:65536].decode("utf-8", "replace"))
    title = part_of_sentence(unescape(_TAG.sub(" ", found[1]))) if found else None
    return Problem(code="web_page", args={"where": where, "status": status}, detail=title)


def said(body: bytes) -> str | None:
    """Return the message in an error body; None if it is not JSON or has no message.

    Servers wrap the message in several ways. The field names in pydantic's list of details are kept, since they show
    which value was wrong.
    """
    try:
        found = document(body)
    except NotJson:
        return None
    for key in ("error", "detail", "message", "msg"):
        if isinstance(found, dict) and found.get(key):
            found = found[key]
    if isinstance(found, list):
        found = "; ".join(_detail(one) for one in found)
    if not found or isinstance(found, dict):
        return None if not found else part_of_sentence(str(found))
    return part_of_sentence(str(found)).rstrip(".")


def part_of_sentence(text: str) -> str:
    """Return the beginning of a server's text, in one line that fits into a sentence."""
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return f"{text[: _SHOWN_CHARACTERS - 1]}…" if len(text) > _SHOWN_CHARACTERS else text


def _detail(one: object) -> str:
    if not isinstance(one, dict):
        return str(one)
    where = ".".join(str(part) for part in one.get("loc") or ())
    return f"{where}: {one.get('msg', '')}" if where else str(one.get("msg", one))
