"""The options that commands share, and how an option's help is made of what a choice may be."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from llmtui.cli.completion import complete_model
from llmtui.config import flag_of
from llmtui.core.choices import Bounds, bounds_of
from llmtui.words.choices import purpose
from llmtui.words.lists import or_list

WHAT: Final = "What to measure"
HOW: Final = "How"
SERVER: Final = "Server"
OUTPUT: Final = "Output"

Host = Annotated[
    list[str] | None,
    typer.Option(
        "--host",
        metavar="ADDRESS",
        rich_help_panel=SERVER,
        help="Host, host:port or URL, of Ollama or of OpenAI's protocol (its address mostly ends in /v1); `builtin`, "
        "`builtin:FOLDER` or FILE.gguf (llama.cpp inside llmtui). One server per run. Default: 127.0.0.1:11434.",
    ),
]
Results = Annotated[
    str | None,
    typer.Option("--results", metavar="FOLDER", rich_help_panel=OUTPUT, help="Where sessions are saved."),
]
Prompts = Annotated[
    str | None,
    typer.Option("--prompts", metavar="FILE", rich_help_panel=WHAT, help="A prompts.toml of your own."),
]
ApiKeyFile = Annotated[
    str | None,
    typer.Option(
        "--api-key-file",
        metavar="FILE",
        rich_help_panel=SERVER,
        help="File with the server's API key. Else LLMTUI_API_KEY; for OpenAI's protocol OPENAI_API_KEY, for Ollama's "
        "OLLAMA_API_KEY; for a user name and password LLMTUI_USER and LLMTUI_PASSWORD.",
    ),
]
Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        "-m",
        metavar="MODEL",
        rich_help_panel=WHAT,
        autocompletion=complete_model,
        help="A model's name; repeat it. A name in the server's list is the server's model, also where a file has that "
        "name. `file:PATH` and `builtin:NAME` are run inside llmtui, beside the server's: "
        "`-m llama3.2:1b -m file:own.gguf`; so is FILE.gguf where it exists and the server does not list it.",
    ),
]


class Command(TyperCommand):
    """A command whose flags and arguments show no Python type in its help."""

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401  # Typer has no public name for it
        """Return the parameters."""
        return _untyped(super().get_params(ctx))


class CommandGroup(TyperGroup):
    """The same for the command that has the others."""

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401
        """Return the parameters."""
        return _untyped(super().get_params(ctx))


def _untyped(params: list[Any]) -> list[Any]:
    for one in params:
        if getattr(one, "is_flag", False) and one.metavar is None:
            one.metavar = ""
        if one.param_type_name == "argument":  # its name stands before it already
            one.display_type_rich = lambda *_args, **_named: None
    return params


def chosen(name: str, panel: str = HOW) -> Any:  # noqa: ANN401  # Typer has no public name for it
    """Return the option of a choice: its flag, its help, and the words that complete it.

    The text behind the flag is read where settings are, so that a bad one is refused in the same words as there.
    """
    bounds = bounds_of()[name]
    if bounds.kind == "flag":
        return typer.Option(flag_of(name), help=purpose(name), rich_help_panel=panel)
    metavar = {"one_of": "WORD", "time": "TIME"}.get(bounds.kind, "N")
    return typer.Option(
        flag_of(name),
        metavar=metavar,
        rich_help_panel=panel,
        help=_help(bounds),
        autocompletion=lambda: list(bounds.among),
    )


def _help(bounds: Bounds) -> str:
    """Return what a choice is for, what it may be, and its default."""
    text = purpose(bounds.name)
    if bounds.among:
        text = f"{text[:-1]}: {or_list(bounds.among)}."
    elif bounds.kind in ("whole", "number") and bounds.name != "seed":
        text = f"{text[:-1]} ({bounds.least} to {bounds.most})."
    if bounds.default is None:
        return text
    default = f"{bounds.default:g}" if isinstance(bounds.default, float) else str(bounds.default)
    return f"{text} Default: {default}."
