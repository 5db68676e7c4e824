"""Problems of an Ollama server, recognised from status codes, error lines, error bodies and failed downloads."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from llmtui.core.records import Argument, Problem

_SHOWN_CHARACTERS = 300
_TAG = re.compile(r"<[^>]*>")


def refusal(status: int, body: bytes, *, where: str, model: str | None = None) -> Problem:
    """Return the problem for an error response that is in Ollama's own format.

    Args:
        status: the HTTP status.
        body: the body, or its beginning.
        where: the server's address for messages: ``127.0.0.1:11434``.
        model: the requested model, if any.
    """
    said = error_text(body)
    if status == 401:
        if model:
            return Problem(code="sign_in_model", args={"where": where, "name": model})
        return Problem(code="sign_in", args={"where": where})
    if status == 403:
        return _forbidden(said, where)
    if status == 404 and said is None:
        return not_ollama(where)
    if said is None:
        return _not_from_ollama(status, body, where, model)
    return model_problem(said, model, where=where, status=status)


def model_problem(said: str, model: str | None, *, where: str, status: int | None = None) -> Problem:
    """Return the problem for an error text of the server, from an error body or from a line within an answer.

    Args:
        said: the error text.
        model: the requested model, if any.
        where: the server's address for messages.
        status: the HTTP status; None within an answer.
    """
    of_model: dict[str, Argument] = {"name": model or ""}
    text = said.strip()
    words = text.lower()
    if status == 404 or "try pulling it first" in words:
        if not model:
            return Problem(code="model_not_there", args={"where": where})
        return Problem(code="no_such_model", args={"where": where, "name": model})
    if "does not support thinking" in words or "think value" in words:
        return Problem(code="no_thinking", args=of_model, detail=_last_line(text))
    if "does not support chat" in words or "does not support generate" in words:
        # Old servers send the same text for a model whose file they cannot read.
        return Problem(code="embedding_only", args=of_model)
    if any(said in words for said in ("invalid model name", "invalid model path", "model is required")):
        return Problem(code="bad_name", args={"text": model or ""})
    if status == 503 or "server busy" in words:
        return Problem(code="busy", args={"where": where})
    return _running_problem(text, of_model, status)


def error_text(body: bytes) -> str | None:
    """Return the text under ``error`` in a body or a line; None if it is not a JSON object with that key."""
    try:
        answer: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(answer, dict) or "error" not in answer:
        return None
    error = answer["error"]
    if isinstance(error, dict):
        error = error.get("message", error)
    return error if isinstance(error, str) else msgspec.json.encode(error).decode()


def not_ollama(where: str) -> Problem:
    """Return the problem that a program other than Ollama responds at the address."""
    return Problem(code="not_ollama", args={"where": where})


def bad_line(data: bytes, where: str) -> Problem:
    """Return the problem for a line within an answer that is not in Ollama's format."""
    return Problem(code="bad_answer", args={"where": where}, detail=_shown(data))


def cut_line(where: str) -> Problem:
    """Return the problem for a stream that ended in the middle of a line."""
    return Problem(code="cut_line", args={"where": where})


def pull_problem(said: str, name: str, *, where: str) -> Problem:
    """Return why a download failed.

    Args:
        said: the server's error text.
        name: the model's name.
        where: the server's address for messages.
    """
    text = said.strip()
    words = text.lower()
    if "file does not exist" in words or "not found" in words or "invalid model name" in words:
        return Problem(code="not_in_library", args={"name": name})
    if "newer version" in words:
        return Problem(code="server_too_old", args={"name": name})
    if "no space left" in words or "disk quota" in words:
        return Problem(code="disk_full", args={"where": where})
    if any(sign in words for sign in ("dial tcp", "no such host", "i/o timeout", "tls handshake", "connection reset")):
        return Problem(code="registry_unreachable", args={"where": where}, detail=_last_line(text))
    return Problem(code="pull_failed", args={"name": name}, detail=_last_line(text))


def _running_problem(text: str, of_model: dict[str, Argument], status: int | None) -> Problem:
    words = text.lower()
    if "system memory" in words or "out of memory" in words or "out-of-memory" in words:
        return Problem(code="out_of_memory", args=of_model, detail=_last_line(text))
    if "prompt is longer than the context" in words or "exceeds the available context" in words:
        return Problem(code="prompt_too_long", args=of_model)
    if "token repeat limit" in words:
        return Problem(code="repeats", args=of_model)
    if "this server cannot run this remote model" in words:
        return Problem(code="cloud", args=of_model)
    if status == 500 and any(sign in words for sign in ("runner", "llama-server", "load", "gguf")):
        return Problem(code="load_failed", args=of_model, detail=_last_line(text))
    if status is None:
        return Problem(code="server_error", detail=_last_line(text))
    return Problem(code="error_status", args={"status": status}, detail=_last_line(text))


def _forbidden(said: str | None, where: str) -> Problem:
    if said is None:
        return Problem(code="forbidden_host", args={"where": where})
    return Problem(code="forbidden", args={"where": where}, detail=_last_line(said))


def _not_from_ollama(status: int, body: bytes, where: str, model: str | None) -> Problem:
    if status in (502, 503, 504):
        return Problem(code="proxy", args={"where": where, "status": status})
    shown = _shown(body)
    if status == 500 and not shown:
        return Problem(code="failed_silently", args={"where": where})
    if status == 500:
        return _running_problem(body.decode("utf-8", "replace"), {"name": model or ""}, status)
    return Problem(code="bad_status", args={"where": where, "status": status}, detail=shown or None)


def _shown(data: bytes) -> str:
    """Return the beginning of the readable text in unexpected bytes."""
    text = _TAG.sub(" ", data.decode("utf-8", "replace"))
    return _short(" ".join(text.split()))


def _last_line(text: str) -> str | None:
    """Return the last line with text, since the message of llama.cpp comes last; None if there is no text."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return _short(lines[-1]) if lines else None


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"
