"""Why an answer ended: the reasons that servers send, and which of them mean a normal end."""

from __future__ import annotations

from typing import Final

from llmtui.backends.base import BackendFailed
from llmtui.core.records import EndedBy, Problem

_STOPPED: Final = frozenset(
    ("stop", "stopped", "eos", "eos_token", "end_turn", "stop_sequence", "stop_string", "stop_token", "complete",
     "completed", "end", "done", "finish", "finished", "normal", "natural")
)  # fmt: skip
_AT_LIMIT: Final = frozenset(
    ("length", "max_tokens", "max_length", "max_new_tokens", "max_output_tokens", "max_completion_tokens",
     "model_length", "token_limit", "length_limit", "length_cap")
)  # fmt: skip
_NO_END: Final = frozenset(("", "null", "none"))
"""Finish reasons that some servers send in place of null."""
NOT_TEXT: Final = frozenset(("tool_calls", "tool_call", "function_call", "tool_use"))
"""Finish reasons of an answer that calls a tool."""


def is_no_end(word: str) -> bool:
    """Return whether a finish reason means that the answer has not ended."""
    return word.strip().lower() in _NO_END


def ended_by(word: str) -> EndedBy:
    """Return why an answer ended.

    Args:
        word: the server's reason, "" if it sent none. The name of a type before it (``FinishReason.STOP``) is ignored.

    Raises:
        BackendFailed: the reason is not a known normal end.
    """
    plain = word.strip().lower().rpartition(".")[2].replace("-", "_")
    if plain in _STOPPED:
        return "stop"
    if plain in _AT_LIMIT:
        return "length"
    if not plain or plain in NOT_TEXT:
        return "other"
    raise BackendFailed(odd_end(word))


def odd_end(word: str) -> Problem:
    """Return the problem for an answer that ended for an abnormal or unknown reason.

    Args:
        word: the reason, as the server words it.
    """
    return Problem(code="odd_end", args={"word": word})
