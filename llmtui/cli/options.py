"""Options shared by several commands, and help texts in the user's language."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from llmtui.cli.completion import complete_category, complete_model, complete_session
from llmtui.config import flag_of
from llmtui.core.choices import Bounds, bounds_of
from llmtui.words import _, marked
from llmtui.words.choices import purpose
from llmtui.words.lists import or_list

WHAT: Final = marked("What to measure")
HOW: Final = marked("How to measure")
SERVER: Final = marked("Server")
OUTPUT: Final = marked("Output")

Host = Annotated[
    list[str] | None,
    typer.Option(
        "--host",
        metavar="ADDRESS",
        rich_help_panel=SERVER,
        help=marked(
            "Measure on this server: host, host:port or URL of Ollama or of an OpenAI-compatible "
            "server (usually ending in /v1). `builtin`, `builtin:FOLDER` or FILE.gguf runs llama.cpp "
            "inside llmtui. Default: Ollama at 127.0.0.1:11434; if it does not answer, `run` uses a "
            "server on port 8080, 1234 or 8000. Example: --host box:8080/v1."
        ),
    ),
]
Results = Annotated[
    str | None,
    typer.Option(
        "--results",
        metavar="FOLDER",
        rich_help_panel=OUTPUT,
        help=marked(
            "Save sessions in this folder. Default: the folder in the settings, else ./results if it "
            "exists, else the user's data folder."
        ),
    ),
]
Prompts = Annotated[
    str | None,
    typer.Option(
        "--prompts",
        metavar="FILE",
        rich_help_panel=WHAT,
        help=marked("Use the prompts in this file (prompts.toml). Default: the prompts that come with llmtui."),
    ),
]
ApiKeyFile = Annotated[
    str | None,
    typer.Option(
        "--api-key-file",
        metavar="FILE",
        rich_help_panel=SERVER,
        help=marked(
            "Read the server's API key from this file. Default: LLMTUI_API_KEY from the environment, else "
            "OPENAI_API_KEY (OpenAI-compatible server) or OLLAMA_API_KEY (Ollama). For a login, set LLMTUI_USER and "
            "LLMTUI_PASSWORD."
        ),
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
        help=marked(
            "Measure this model; repeat the option to compare several. `file:PATH` and `builtin:NAME` run inside "
            "llmtui, and so does an existing FILE.gguf that the server does not list. Default: the models measured "
            "last, else those in memory, else the three smallest. Example: -m llama3.2:1b -m file:own.gguf."
        ),
    ),
]
Categories = Annotated[
    list[str] | None,
    typer.Option(
        "--category",
        "-c",
        metavar="CATEGORY",
        rich_help_panel=WHAT,
        autocompletion=complete_category,
        help=marked(
            "Use the prompts of the category with this id; repeat the option for several. Default: "
            "the categories used last, else all."
        ),
    ),
]
RunCsv = Annotated[
    str | None,
    typer.Option(
        "--csv",
        metavar="FILE",
        rich_help_panel=OUTPUT,
        help=marked("Also write one row per trial to this CSV file."),
    ),
]
RunMarkdown = Annotated[
    str | None,
    typer.Option(
        "--markdown",
        metavar="FILE",
        rich_help_panel=OUTPUT,
        help=marked("Also write conclusions and tables to this file."),
    ),
]
RunWords = Annotated[
    bool,
    typer.Option(
        "--words", rich_help_panel=OUTPUT, help=marked("Also print all tables, and the conclusions in words.")
    ),
]
RunResume = Annotated[
    str | None,
    typer.Option(
        "--resume",
        metavar="[SESSION]",
        rich_help_panel=WHAT,
        autocompletion=complete_session,
        help=marked(
            "Run the remaining trials of an interrupted session; without SESSION, those of the "
            "newest interrupted session."
        ),
    ),
]
RequestJson = Annotated[
    str | None,
    typer.Option(
        "--request-json",
        metavar="FILE",
        rich_help_panel=SERVER,
        help=marked("Add the fields of the JSON object in this file to every request."),
    ),
]
RunEvents = Annotated[
    str | None,
    typer.Option(
        "--events",
        metavar="-",
        rich_help_panel=OUTPUT,
        help=marked("Print events on stdout, one JSON object per line, instead of the table. The only value is `-`."),
    ),
]
_OF_TYPER: Final = (
    marked("Options"),
    marked("Arguments"),
    marked("Commands"),
    marked("Usage:"),
    marked("[required]"),
    marked("Show this message and exit."),
    marked("Install completion for the current shell."),
    marked("Show completion for the current shell, to copy it or customize the installation."),
)
"""Texts that Typer itself adds to every help."""


class _Translated:
    """A command whose help is shown in the user's language and without the names of Python types."""

    _help: str | None = None
    _epilog: str | None = None

    @property
    def help(self) -> str | None:  # the name that Typer reads
        """Return the command's help text in the user's language."""
        return _(self._help) if self._help else self._help

    @help.setter  # noqa: A003  # the name that Typer reads
    def help(self, text: str | None) -> None:
        self._help = text

    @property
    def epilog(self) -> str | None:
        """Return the examples that are shown below the options."""
        return self._epilog and self._epilog.replace("Example:", _("Example:"))

    @epilog.setter
    def epilog(self, text: str | None) -> None:
        self._epilog = text

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401  # Typer has no public name for it
        """Return the command's parameters with their help texts in the user's language."""
        return [_shown(one) for one in super().get_params(ctx)]  # type: ignore[misc]

    def get_usage(self, ctx: Any) -> str:  # noqa: ANN401
        """Return the usage line of the help in the user's language."""
        return str(super().get_usage(ctx)).replace("Usage:", _("Usage:"), 1)  # type: ignore[misc]

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401
        """Print the help, with Typer's own headings in the user's language."""
        from typer import rich_utils

        rich_utils.OPTIONS_PANEL_TITLE = _("Options")
        rich_utils.ARGUMENTS_PANEL_TITLE = _("Arguments")
        rich_utils.COMMANDS_PANEL_TITLE = _("Commands")
        rich_utils.REQUIRED_LONG_STRING = _("[required]")
        super().format_help(ctx, formatter)  # type: ignore[misc]


class Command(_Translated, TyperCommand):
    """A command without subcommands."""


class RunCommand(Command):
    """The command ``run``, whose ``--resume`` may be given with or without a session."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401
        """Parse the arguments; ``--resume`` without a session becomes ``--resume=last``."""
        said = [*args]
        for at, word in enumerate(said):
            if word == "--resume" and (at + 1 == len(said) or said[at + 1].startswith("-")):
                said[at] = "--resume=last"
        return super().parse_args(ctx, said)


class CommandGroup(_Translated, TyperGroup):
    """A command that has subcommands."""


def _shown(one: Any) -> Any:  # noqa: ANN401
    """Return a parameter with its texts translated for the help; the original texts are kept in ``source_*``."""
    if getattr(one, "is_flag", False) and one.metavar is None:
        one.metavar = ""
    if one.param_type_name == "argument":  # its name is shown anyway
        one.display_type_rich = lambda *_args, **_named: None
    for field in ("help", "rich_help_panel"):
        source = one.__dict__.setdefault(f"source_{field}", getattr(one, field, None))
        if source:
            setattr(one, field, _help_of(source))
    return one


def chosen(name: str, panel: str = HOW) -> Any:  # noqa: ANN401  # Typer has no public name for it
    """Return the Typer option for an option of a run (see ``core.choices``), such as ``temperature``.

    Until it is shown, its help is only its name, because the language is not known yet. The value stays text; it is
    parsed together with the settings, so that invalid values have the same message.

    Args:
        name: name of the option in ``core.choices``.
        panel: heading of the help under which the option is shown.
    """
    bounds = bounds_of()[name]
    if bounds.kind == "flag":
        return typer.Option(flag_of(name), help=name, rich_help_panel=panel)
    metavar = {"one_of": "WORD", "time": "TIME"}.get(bounds.kind, "N")
    return typer.Option(
        flag_of(name),
        metavar=metavar,
        rich_help_panel=panel,
        help=name,
        autocompletion=lambda: list(bounds.among),
    )


def _help_of(source: str) -> str:
    """Return a help text in the user's language; ``source`` is the English text or the name of an option of a run."""
    bounds = bounds_of().get(source)
    if bounds is None:
        return _(source)
    return purpose(source) if bounds.kind == "flag" else _help(bounds)


def _help(bounds: Bounds) -> str:
    """Return the help text of an option of a run: its purpose, valid values and default."""
    text = purpose(bounds.name)
    if bounds.among:
        text = f"{text[:-1]}: {or_list(bounds.among)}."
    elif bounds.kind in ("whole", "number") and bounds.name != "seed":
        text = _("{text} ({low} to {high}).").format(text=text[:-1], low=bounds.least, high=bounds.most)
    if bounds.name == "num_thread":
        return f"{text} " + _("Default: the server's choice.")
    if bounds.default is None:
        return text
    default = f"{bounds.default:g}" if isinstance(bounds.default, float) else str(bounds.default)
    return f"{text} " + _("Default: {value}.").format(value=default)
