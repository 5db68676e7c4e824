"""What an answer means that is not one of the protocol asked for: a page, a login, another address, another port."""

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


def what_answered(
    response: httpx.Response, *, where: str, path: str, access: Access | None, challenge_is_login: bool = True
) -> Problem | None:
    """Return what an answer is that every protocol judges alike; None where the protocol itself has to look at it.

    Args:
        response: with its body, or the beginning of it.
        where: the server as a person knows it.
        path: what was asked for, after the address that a person would name.
        access: what the request was sent with.
        challenge_is_login: a 401 speaks of the server, not of a model behind it.
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
    if page:
        return web_page(body, status, where=where)
    return None


def is_page(response: httpx.Response) -> bool:
    """Return whether an answer, of which the body was read, is a page for browsers.

    Servers made with a web framework send JSON as text/html unless told otherwise.
    """
    body = response.content[:4096].lstrip()
    if body[:1] in (b"{", b"["):
        return False
    is_marked_up = body[:9].lower().startswith((b"<!doctype", b"<html"))
    return is_marked_up or "html" in response.headers.get("content-type", "")


def as_response(refused: RequestRefused, request: httpx.Request) -> httpx.Response:
    """Return a refusal as the library's response, its body as it was read: unpacked, or the beginning of it."""
    packing = ("content-encoding", "content-length", "transfer-encoding")
    headers = {name: value for name, value in refused.headers.items() if name not in packing}
    return httpx.Response(refused.status, headers=headers, content=refused.body, request=request)


def redirect(location: str | None, asked: httpx.URL, *, where: str, path: str) -> Problem:
    """Return that a server redirects to another address, and to which."""
    if not location:
        return Problem(code="redirect_unnamed", args={"where": where})
    try:
        target = str(asked.join(location)).partition("?")[0].removesuffix(path)
    except httpx.InvalidURL:
        target = location
    return Problem(code="redirect", args={"where": where, "to": part_of_sentence(without_login(target))})


def https_wanted(where: str) -> Problem:
    """Return that plain HTTP was sent to a port that wants TLS."""
    return Problem(code="https_wanted", args={"where": where, "bare": where.partition("://")[2] or where})


def login(challenge: str, *, where: str, access: Access | None, said: str | None) -> Problem:
    """Return that a server wants a key or a login, or refuses the one that was sent."""
    basic = challenge.lower().startswith("basic")
    if access is not None and not (basic and access.header.startswith("Bearer")):
        return Problem(code="key_refused", args={"where": where, "source": access.source}, detail=said)
    return Problem(code="needs_login" if basic else "needs_key", args={"where": where}, detail=said)


def web_page(body: bytes, status: int, *, where: str) -> Problem:
    """Return that a page for browsers answers, with its title."""
    found = _TITLE.search(body[:65536].decode("utf-8", "replace"))
    title = part_of_sentence(unescape(_TAG.sub(" ", found[1]))) if found else None
    return Problem(code="web_page", args={"where": where, "status": status}, detail=title)


def said(body: bytes) -> str | None:
    """Return the message in an error body; servers wrap it in several ways. None where it is no JSON or says nothing.

    Of pydantic's list of details the fields are kept, since they say what was wrong.
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
    """Return the beginning of a server's text, fit to stand in a sentence."""
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return f"{text[: _SHOWN_CHARACTERS - 1]}…" if len(text) > _SHOWN_CHARACTERS else text


def _detail(one: object) -> str:
    if not isinstance(one, dict):
        return str(one)
    where = ".".join(str(part) for part in one.get("loc") or ())
    return f"{where}: {one.get('msg', '')}" if where else str(one.get("msg", one))
