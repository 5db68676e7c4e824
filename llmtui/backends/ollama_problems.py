"""What an Ollama server's refusals mean, in words: status codes, error lines, error bodies, failed downloads."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from llmtui.backends.http_client import OTHER_ADDRESS
from llmtui.core.facts import Problem

START = "Start it with `ollama serve`"
START_ELSEWHERE = "Start `ollama serve` there with OLLAMA_HOST=0.0.0.0"

_SHOWN_CHARACTERS = 300
_TAG = re.compile(r"<[^>]*>")


def refusal(status: int, body: bytes, *, where: str, model: str | None = None) -> Problem:
    """Say what an answer other than 200 means that is Ollama's own.

    Args:
        status: the HTTP status.
        body: the body, or its beginning.
        where: the server as a person knows it: ``127.0.0.1:11434``.
        model: the model that was asked for, if one was.
    """
    said = error_text(body)
    if status == 401:
        return Problem(
            code="sign_in",
            what=f"{where} wants a sign-in" + (f" for {model}." if model else "."),
            remedy="Sign in with `ollama signin`, or pick a model that runs here.",
        )
    if status == 403:
        return _forbidden(said, where)
    if status == 404 and said is None:
        return not_ollama(where)
    if said is None:
        return _not_from_ollama(status, body, where)
    return model_problem(said, model, where=where, status=status)


def model_problem(said: str, model: str | None, *, where: str, status: int | None = None) -> Problem:
    """Says what an error text of the server means: in an error body, or in a line in the middle of an answer."""
    name = model or "the model"
    text = said.strip()
    words = text.lower()
    if status == 404 or "try pulling it first" in words:
        remedy = f"Get it with `ollama pull {model}`." if model else None
        return Problem(code="no_such_model", what=f"{where} has no model {name}.", remedy=remedy)
    if "does not support thinking" in words or "think value" in words:
        return Problem(
            code="no_thinking",
            what=f"{name} cannot think as asked: {_last_line(text)}",
            remedy="Switch thinking off for it, or update Ollama.",
        )
    if "does not support chat" in words or "does not support generate" in words:
        # Old servers say the same of a model whose file they cannot read.
        return Problem(
            code="embedding_only",
            what=f"{name} answers no chats: it makes vectors, not text, or its file is broken.",
            remedy="Pick another model, or pull it again.",
        )
    if any(said in words for said in ("invalid model name", "invalid model path", "model is required")):
        return Problem(
            code="bad_name", what=f"“{model or ''}” is not a model's name.", remedy="Pick one from the list."
        )
    if status == 503 or "server busy" in words:
        return Problem(
            code="busy",
            what=f"{where} is busy: too many requests wait already.",
            remedy="Stop the other programs that use it, or try again later.",
        )
    return _running_problem(text, name, status)


def error_text(body: bytes) -> str | None:
    """Gives the text under ``error`` in a body or a line; None if it is not such a JSON object."""
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
    """Something else answers at the address."""
    return Problem(
        code="not_ollama",
        what=f"What answers at {where} is not Ollama.",
        remedy=f"Check the port, or {OTHER_ADDRESS}",
    )


def bad_line(data: bytes, where: str) -> Problem:
    """A line in the middle of an answer that is not what Ollama sends."""
    return Problem(
        code="bad_answer",
        what=f"{where} sent something that is not an answer of Ollama: {_shown(data)}",
        remedy="A proxy in between may have spoken; ask the server itself.",
    )


def cut_line(where: str) -> Problem:
    """The stream ended in the middle of a line."""
    return Problem(
        code="cut",
        what=f"The answer of {where} ended in the middle of a line.",
        remedy="Look at the server's log; it may have been stopped or crashed.",
    )


def pull_problem(said: str, name: str, *, where: str) -> Problem:
    """Says why a download failed."""
    text = said.strip()
    words = text.lower()
    if "file does not exist" in words or "not found" in words or "invalid model name" in words:
        return Problem(
            code="no_such_model",
            what=f"There is no model “{name}” to be had.",
            remedy="Check the spelling: the names are at ollama.com/library.",
        )
    if "newer version" in words:
        return Problem(
            code="server_too_old", what=f"{name} needs a newer Ollama.", remedy="Update Ollama on the server."
        )
    if "no space left" in words or "disk quota" in words:
        return Problem(
            code="disk_full",
            what=f"The disk of {where} is full.",
            remedy="Make room (`ollama rm` drops a model) and pull again: it goes on where it stopped.",
        )
    if any(sign in words for sign in ("dial tcp", "no such host", "i/o timeout", "tls handshake", "connection reset")):
        return Problem(
            code="registry_unreachable",
            what=f"{where} cannot reach the place where models come from: {_last_line(text)}",
            remedy="Check its network and pull again: it goes on where it stopped.",
        )
    return Problem(code="pull_failed", what=f"{name} could not be pulled: {_last_line(text)}", remedy="Pull again.")


def _running_problem(text: str, name: str, status: int | None) -> Problem:
    words = text.lower()
    if "system memory" in words or "out of memory" in words or "out-of-memory" in words:
        return Problem(
            code="out_of_memory",
            what=f"{name} does not fit into memory: {_last_line(text)}",
            remedy="Close other programs, or pick a smaller model or context.",
        )
    if "prompt is longer than the context" in words or "exceeds the available context" in words:
        return Problem(
            code="prompt_too_long",
            what=f"The prompt is longer than {name}'s context.",
            remedy="Ask for a larger context, or shorten the prompt.",
        )
    if "token repeat limit" in words:
        return Problem(
            code="repeats",
            what=f"{name} said one thing over and over, and the server broke the answer off.",
            remedy="A higher temperature helps (Options in Setup, --temperature).",
        )
    if "this server cannot run this remote model" in words:
        return Problem(
            code="cloud",
            what=f"{name} runs elsewhere, and this server may not ask for it.",
            remedy="Pick a model that runs here.",
        )
    if status == 500 and any(sign in words for sign in ("runner", "llama-server", "load", "gguf")):
        return Problem(
            code="load_failed",
            what=f"{name} could not be loaded: {_last_line(text)}",
            remedy="Look at the server's log; pulling the model again helps if its file is broken.",
        )
    told = f" (status {status})" if status is not None else ""
    return Problem(
        code="server_error",
        what=f"The server reports an error{told}: {_last_line(text)}",
        remedy="Look at the server's log; a runner that ends by itself has often run out of memory.",
    )


def _forbidden(said: str | None, where: str) -> Problem:
    if said is None:
        return Problem(
            code="forbidden_host",
            what=f"{where} refuses requests that call it by this name.",
            remedy="Use its loopback address, or start it with OLLAMA_HOST=0.0.0.0.",
        )
    return Problem(code="forbidden", what=f"{where} refuses: {_last_line(said)}", remedy="Pick a model that runs here.")


def _not_from_ollama(status: int, body: bytes, where: str) -> Problem:
    if status in (502, 503, 504):
        return Problem(
            code="proxy",
            what=f"A proxy answers at {where}, but the server behind it does not (status {status}).",
            remedy=f"{START} behind it, or {OTHER_ADDRESS}",
        )
    shown = _shown(body)
    if status == 500 and not shown:
        what = f"{where} failed and does not say why."
        return Problem(code="server_error", what=what, remedy="Look at the server's log.")
    what = f"{where} answers with status {status}" + (f": {shown}" if shown else ".")
    return Problem(code="server_error", what=what, remedy=f"Check the address, or {OTHER_ADDRESS}")


def _shown(data: bytes) -> str:
    """Gives the beginning of what a person could read in bytes that were not expected."""
    text = _TAG.sub(" ", data.decode("utf-8", "replace"))
    return _short(" ".join(text.split()))


def _last_line(text: str) -> str:
    """Gives the last line that says something, as the end of a sentence: a runner's own words stand at the end."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    said = _short(lines[-1]) if lines else "no reason given"
    return said if said.endswith((".", "!", "?", "…")) else f"{said}."


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"
