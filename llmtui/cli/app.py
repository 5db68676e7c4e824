"""The commands and their flags. Only this file knows Typer; what a command does lives in the file of its name."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated, Any

import typer

from llmtui import __version__
from llmtui.cli.exits import Exit
from llmtui.cli.frame import Refused, frame, tell_problems
from llmtui.config import flag_of
from llmtui.core.choices import bounds_of
from llmtui.words.choices import purpose

cli = typer.Typer(
    name="llmtui",
    help="Compare language models on your own machine. Without a command: the screens.",
    add_completion=True,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Host = Annotated[
    list[str] | None,
    typer.Option(
        "--host",
        help="Server: host, host:port or URL, of Ollama or of OpenAI's protocol (its address mostly ends in /v1); "
        "`builtin`, `builtin:FOLDER` or FILE.gguf (llama.cpp inside llmtui). One server per run.",
    ),
]
Results = Annotated[str | None, typer.Option("--results", help="Folder for sessions.")]
Prompts = Annotated[str | None, typer.Option("--prompts", help="A prompts.toml of your own.")]
ApiKeyFile = Annotated[
    str | None,
    typer.Option(
        "--api-key-file",
        metavar="FILE",
        help="File with the server's API key. Else LLMTUI_API_KEY; for OpenAI's protocol OPENAI_API_KEY, for Ollama's "
        "OLLAMA_API_KEY; for a user name and password LLMTUI_USER and LLMTUI_PASSWORD.",
    ),
]
Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        "-m",
        help="A model's name; repeat it. A name in the server's list is the server's model, also where a file has that "
        "name. `file:PATH` and `builtin:NAME` are run inside llmtui, beside the server's: "
        "`-m llama3.2:1b -m file:own.gguf`; so is FILE.gguf where it exists and the server does not list it.",
    ),
]


def _chosen(name: str) -> Any:  # noqa: ANN401  # Typer has no public name for it
    """Return the option of a choice: its flag, its help, and the words that complete it.

    The text behind the flag is read where settings are, so that a bad one is refused in the same words as there.
    """
    bounds = bounds_of()[name]
    text = purpose(name)
    if bounds.kind == "flag":
        return typer.Option(flag_of(name), help=text)
    within = {"one_of": "|".join(bounds.among), "time": "TIME"}.get(bounds.kind, f"{bounds.least}..{bounds.most}")
    if bounds.name == "seed":
        within = "NUMBER"
    usual = "" if bounds.default is None else f" [{bounds.default}]"
    return typer.Option(
        flag_of(name),
        metavar=within,
        help=text + usual,
        autocompletion=lambda: list(bounds.among),
    )


@cli.callback(invoke_without_command=True)
def screens(
    context: typer.Context,
    host: Host = None,
    results: Results = None,
    prompts: Prompts = None,
    api_key_file: ApiKeyFile = None,
    version: Annotated[bool, typer.Option("--version", help="Say the version and end.")] = False,
) -> None:
    """Compare language models on your own machine."""
    if context.invoked_subcommand is not None:
        for flag, given in (
            ("--host", host),
            ("--results", results),
            ("--prompts", prompts),
            ("--api-key-file", api_key_file),
        ):
            if given is not None:
                raise Refused(
                    f"`{flag}` has no effect before `{context.invoked_subcommand}`: write it after that word."
                )
        return
    if version:
        print(f"llmtui {__version__}")
        raise typer.Exit(Exit.OK)
    from llmtui.cli.screen import show

    raise typer.Exit(show(frame({"host": one_host(host)}, prompts=prompts, results=results, api_key_file=api_key_file)))


@cli.command("run")
def run_command(
    model: Models = None,
    category: Annotated[list[str] | None, typer.Option("--category", "-c", help="A category's id; repeat it.")] = None,
    preset: Annotated[str | None, _chosen("preset")] = None,
    rounds: Annotated[str | None, _chosen("rounds")] = None,
    budget: Annotated[str | None, _chosen("budget_s")] = None,
    twice: Annotated[bool, _chosen("twice")] = False,
    host: Host = None,
    results: Results = None,
    prompts: Prompts = None,
    api_key_file: ApiKeyFile = None,
    think: Annotated[str | None, _chosen("think")] = None,
    unload_others: Annotated[bool, _chosen("unload_others")] = False,
    all_prompts: Annotated[bool, _chosen("all_prompts")] = False,
    num_ctx: Annotated[str | None, _chosen("num_ctx")] = None,
    num_thread: Annotated[str | None, _chosen("num_thread")] = None,
    num_predict: Annotated[str | None, _chosen("num_predict")] = None,
    temperature: Annotated[str | None, _chosen("temperature")] = None,
    seed: Annotated[str | None, _chosen("seed")] = None,
    csv: Annotated[str | None, typer.Option("--csv", help="Copy of trials.csv to write.")] = None,
    markdown: Annotated[str | None, typer.Option("--markdown", help="Report to write: conclusions and tables.")] = None,
    request_json: Annotated[
        str | None,
        typer.Option("--request-json", help="A file with a JSON object whose fields go into every request."),
    ] = None,
    events: Annotated[str | None, typer.Option("--events", help="`-`: events on stdout instead of the table.")] = None,
) -> None:
    """Measure without screens: the table on stdout, progress on stderr.

    Exit codes: 0 all tests ok, 1 internal error, 2 usage, 3 some tests failed, 4 no server, 130 interrupted.
    """
    from llmtui.cli import run as running
    from llmtui.cli.request_json import extra_fields

    if events not in (None, "-"):
        raise Refused("`--events` takes `-`: the events go to stdout.")
    if rounds is not None and budget is not None:
        raise Refused("`--rounds` and `--budget` both say how many rounds: give one of them.")
    flags = {
        "preset": preset,
        "rounds": rounds,
        "budget_s": budget,
        "twice": twice,
        "think": think,
        "unload_others": unload_others,
        "all_prompts": all_prompts,
        "num_ctx": num_ctx,
        "num_thread": num_thread,
        "num_predict": num_predict,
        "temperature": temperature,
        "seed": seed,
    }
    of = frame(flags, prompts=prompts, results=results, api_key_file=api_key_file)
    tell_problems(of)
    order = running.Order(
        models=tuple(model or ()),
        categories=tuple(category or ()),
        host=one_host(host),
        csv=csv,
        markdown=markdown,
        chosen=frozenset(name for name, given in flags.items() if given is not None),
        extra_fields={} if request_json is None else extra_fields(request_json),
        events=events == "-",
    )
    raise typer.Exit(running.run(of, order))


def one_host(hosts: list[str] | None) -> str | None:
    """Return the server that was named; None where none was.

    Raises:
        Refused: several were named.
    """
    named = list(dict.fromkeys(hosts or ()))
    if len(named) > 1:
        raise Refused("`--host` takes one server: a run measures one. Give each server a run of its own.")
    return named[0] if named else None


@cli.command("watch")
def watch_command(
    source: Annotated[str, typer.Argument(help="A journal, a session's folder or id, or `-` for a pipe.")],
    results: Results = None,
) -> None:
    """Watch a saved or a running session, read-only: ssh box llmtui run --events - | llmtui watch -."""
    from llmtui.cli.watch import watch as watching

    raise typer.Exit(watching(frame({}, results=results), source))


@cli.command("selftest")
def selftest_command(
    seed: Annotated[
        int | None, typer.Option("--seed", help="Of the simulated server; the same draws the same.")
    ] = None,
    cost: Annotated[bool, typer.Option("--cost/--no-cost", help="Also measure what the screen costs.")] = True,
) -> None:
    """Test on this machine that llmtui measures right, and that watching costs next to nothing; under a minute.

    Exit codes: 0 all within bounds, 1 not.
    """
    if sys.platform == "win32":
        raise Refused("The self-test draws in a terminal of its own, and Windows has none of that kind.")
    from llmtui.cli.selftest import selftest as testing

    tell_problems(frame({}))  # sets the language
    raise typer.Exit(testing(seed=seed, with_cost=cost))


@cli.command("report")
def report_command(
    sessions: Annotated[
        list[str],
        typer.Argument(
            metavar="SESSION…", help="`last`, `last~1` (the one before it), an id, a folder, or a file of events."
        ),
    ],
    csv: Annotated[str | None, typer.Option("--csv", metavar="FILE", help="One row per trial.")] = None,
    excel_csv: Annotated[
        str | None,
        typer.Option("--excel-csv", metavar="FILE", help="The same for spreadsheets, with this locale's decimal sign."),
    ] = None,
    summary: Annotated[
        bool, typer.Option("--summary", help="In CSV: one row per model and per category instead.")
    ] = False,
    json: Annotated[
        str | None,
        typer.Option("--json", metavar="FILE", help="One document with a published schema."),
    ] = None,
    jsonl: Annotated[
        str | None, typer.Option("--jsonl", metavar="FILE", help="One trial per line, with its chunks' times.")
    ] = None,
    markdown: Annotated[str | None, typer.Option("--markdown", metavar="FILE", help="Conclusions and tables.")] = None,
    table: Annotated[
        str | None,
        typer.Option("--table", metavar="llama-bench[=FILE]", help="The table that people paste; stdout without FILE."),
    ] = None,
    benchstat: Annotated[
        str | None,
        typer.Option("--benchstat", metavar="FILE", help="Go benchmark lines, for `benchstat OLD NEW`."),
    ] = None,
    anonymous: Annotated[
        bool,
        typer.Option("--anonymous", help="Leave out host name, user name, paths, prompts and answers in every form."),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there already.")] = False,
    results: Results = None,
) -> None:
    """Write saved sessions in other forms; several at once, `-` is stdout. Without a form: the tables.

    A session may still be running. Exit codes: 0 written, 2 no such session or a file that cannot be written.
    """
    from llmtui.cli.report import Asked, report

    kind, _, place = (table or "").partition("=")
    if table is not None and kind != "llama-bench":
        raise Refused("`--table` takes `llama-bench`, or `llama-bench=FILE`.")
    targets = {
        "csv": csv,
        "excel-csv": excel_csv,
        "json": json,
        "jsonl": jsonl,
        "markdown": markdown,
        "llama-bench": (place or "-") if kind else None,
        "benchstat": benchstat,
    }
    asked = Asked(
        sessions=tuple(sessions),
        targets={name: target for name, target in targets.items() if target is not None},
        summary=summary,
        anonymous=anonymous,
        force=force,
    )
    raise typer.Exit(report(frame({}, results=results), asked))


class TimeUnit(StrEnum):
    """Units in which a file may count its times."""

    S = "s"
    MS = "ms"
    US = "us"
    NS = "ns"


@cli.command("import")
def import_command(
    source: Annotated[str, typer.Argument(metavar="FILE", help="A table of trials, or another benchmark's results.")],
    unit: Annotated[
        TimeUnit | None, typer.Option("--unit", help="Unit of times whose column does not state one.")
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option("--map", metavar="NAME=COLUMN,…", help="Columns by name: model=…,tokens=…,seconds=…"),
    ] = None,
    legacy: Annotated[
        str | None, typer.Option("--legacy", metavar="OUT", help="Also write it with the old script's eight columns.")
    ] = None,
    results: Results = None,
) -> None:
    """Import what another program measured, and check which conclusions it supports.

    Exit codes: 0 imported, 2 the file cannot be used.
    """
    from llmtui.cli.import_ import import_file, told_of

    of = frame({}, results=results)
    tell_problems(of)
    told = told_of(None if unit is None else unit.value, columns)
    raise typer.Exit(import_file(of, source, told, legacy))


def main() -> int:
    """Runs the command line; gives the exit code."""
    try:
        cli(standalone_mode=True)
    except Refused as error:
        print(f"llmtui: {error}", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    return Exit.OK
