"""Texts for those arguments of problems which are themselves codes, such as ``start``. Each fits into its sentence."""

from __future__ import annotations

from typing import Final

from llmtui.core.codes import Cost, Fault, Side, Start, Task, When
from llmtui.words import marked

_START: Final[dict[Start, str]] = {
    "ollama": marked("Start it with `ollama serve`"),
    "ollama_elsewhere": marked("Start `ollama serve` there with OLLAMA_HOST=0.0.0.0"),
    "server": marked("Start the server"),
}
_WHEN: Final[dict[When, str]] = {
    "importing": marked("when it was imported"),
    "loading": marked("while it loaded the model"),
    "answering": marked("in the middle of an answer"),
}
_FAULT: Final[dict[Fault, str]] = {
    "entries": marked("it declares {n:,} entries"),
    "strings": marked("it holds more than {n:,} strings in arrays"),
    "name_length": marked("it holds a name of {n:,} bytes"),
    "value_type": marked("it holds a value of the unknown type {n}"),
    "array_type": marked("it holds an array of the unknown type {n}"),
    "alignment": marked("it asks for an alignment of {n}"),
    "dimensions": marked("it holds a tensor of {n} dimensions"),
    "tensor_size": marked("it declares a tensor with more elements than any file can hold"),
}
_COST: Final[dict[Cost, str]] = {
    "no_count": marked("tokens and speed are missing unless the server sends a count anyway"),
    "no_first_count": marked("the token count of the first chunk is unknown"),
    "no_repeat": marked("answers may differ between rounds"),
    "any_length": marked("the length of answers is not limited"),
    "own_thinking": marked("the server decides whether the model thinks"),
    "may_reuse": marked("the server may use its prompt cache"),
    "stays_loaded": marked("the server decides how long the model stays in memory"),
}
_SIDE: Final[dict[Side, str]] = {
    "ours": marked("llmtui received the text late"),
    "server": marked("the server's times are wrong"),
    "unknown": marked("it is not known which side is wrong"),
}
_TASK: Final[dict[Task, str]] = {
    "follow": marked("following the run"),
    "last_plan": marked("reading the last plan"),
    "save_settings": marked("saving the settings"),
    "open_session": marked("reading the session"),
    "list_sessions": marked("reading the saved sessions"),
    "change_session": marked("changing a saved session"),
    "read_answers": marked("reading the answer"),
    "export": marked("saving the table"),
    "earlier": marked("reading the earlier session"),
    "past_speeds": marked("reading the speeds of earlier sessions"),
    "plots": marked("loading the plots"),
}
TERMS: Final[dict[str, dict[str, str]]] = {
    "start": dict(_START.items()),
    "when": dict(_WHEN.items()),
    "fault": dict(_FAULT.items()),
    "task": dict(_TASK.items()),
    "cost": dict(_COST.items()),
    "side": dict(_SIDE.items()),
    "variable": {"system": marked("the system's settings")},
    "name": {"": marked("the model")},
}
"""Argument name → code → text; a value without an entry is used unchanged."""
