"""Requests to OpenAI-compatible servers, and their error messages.

Only the fields that are used are declared. Unknown keys are ignored and every key may be missing, since servers differ.
llama.cpp adds ``timings`` to its answers, and vLLM sends ``usage`` with every chunk if asked.
"""

from __future__ import annotations

import msgspec

from llmtui.backends.base import ChatRequest, with_extra
from llmtui.backends.openai_listing import Dialect
from llmtui.core.plan import Think, ThinkingControl
from llmtui.core.records import Problem

MODELS_PATH = "/models"
CHAT_PATH = "/chat/completions"
"""``MODELS_PATH`` and ``CHAT_PATH`` follow the version in the URL, such as ``/v1``."""
_SHOWN_CHARS = 160
OUT_OF_MEMORY = ("out of memory", "outofmemory", "out-of-memory", "insufficient memory", "not enough memory")
_NO_CHATS = (
    "is not an llm", "not a chat model", "does not support chat", "does not support generat", "is an embedding model",
    "not support chat completions", "only supports embedding", "does not support the chat",
)  # fmt: skip
"""Texts that occur in a server's refusal to chat with a model for embeddings or speech."""


def request_body(request: ChatRequest, dialect: Dialect) -> dict[str, object]:
    """Return the JSON of a streaming chat request, with the extra fields that the dialect allows.

    ``num_ctx``, ``num_thread`` and ``keep_alive_s`` are left out: these servers fix them at startup.
    """
    stream_options: dict[str, object] = {"include_usage": True}
    body: dict[str, object] = {
        "model": request.model.name,
        "messages": msgspec.to_builtins(request.messages),
        "stream": True,
        "stream_options": stream_options,
        "max_tokens": request.num_predict,
        "temperature": request.temperature,
        "seed": request.seed,
    }
    control = request.model.thinking_control or ("effort" if dialect == "plain" else "template")
    body |= thinking_fields(request.think, control)
    if dialect == "llamacpp":
        body["timings_per_token"] = True
        body["cache_prompt"] = request.reuse_prefix
    elif dialect == "vllm":
        stream_options["continuous_usage_stats"] = True
    return with_extra(body, request.extra_fields)


def thinking_fields(think: Think | None, control: ThinkingControl) -> dict[str, object]:
    """Return the request fields that control whether and how much to think; empty if nothing needs to be sent."""
    if think is None:
        return {}
    level = think if isinstance(think, str) else "medium"
    match control:
        case "template":
            fields: dict[str, object] = {"chat_template_kwargs": {"enable_thinking": think is not False}}
            return fields | ({"reasoning_effort": think} if isinstance(think, str) else {})
        case "reasoning":
            return {"reasoning": {"effort": level} if think else {"enabled": False}}
        case "effort" | "effort_none":
            off: dict[str, object] = {"reasoning_effort": "none"} if control == "effort_none" else {}
            return {"reasoning_effort": level} if think else off


def error_problem(status: int | None, body: bytes) -> Problem:
    """Return the problem for a server's refusal.

    Args:
        status: the HTTP status; None for an error within an answer.
        body: the body of the response.
    """
    said = _error_text(body)
    if (status is None or status >= 500) and any(sign in said.lower() for sign in OUT_OF_MEMORY):
        return Problem(code="server_out_of_memory", detail=said)
    if status in (401, 403):
        return Problem(code="key_wanted", detail=said)
    if status == 429:
        return Problem(code="rate_limited", detail=said)
    if status == 503:
        return Problem(code="loading", detail=said)
    if "exceed_context_size" in said or "context length" in said or "context size" in said:
        return Problem(code="prompt_over_context", detail=said)
    if status in (400, 404, 422) and any(sign in said.lower() for sign in _NO_CHATS):
        return Problem(code="no_chats", detail=said)
    if status == 404:
        return Problem(code="not_known", detail=said)
    if status is None:
        return Problem(code="failed_midway", detail=said)
    return Problem(code="failed_http", args={"status": status}, detail=said)


def _error_text(body: bytes) -> str:
    """Return the message in an error body, which servers wrap in several ways."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return excerpt(body)
    if isinstance(found, dict):
        found = found.get("error", found.get("detail", found.get("message", found)))
    if isinstance(found, dict):
        found = found.get("message", found)
    return excerpt(str(found).encode()).rstrip(".")


def excerpt(data: bytes) -> str:
    """Return the beginning of a server's text, at most 160 characters that fit into a sentence."""
    text = data.decode("utf-8", "replace").strip()
    text = "".join(c if c.isprintable() else " " for c in text)
    return text[:_SHOWN_CHARS] + "…" if len(text) > _SHOWN_CHARS else text
