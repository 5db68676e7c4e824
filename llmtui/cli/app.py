"""The commands and their flags. What a command does lives in the file of its name."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from typing import Annotated, Final

import typer

from llmtui import __version__
from llmtui.cli.completion import complete_category, complete_session, for_bash
from llmtui.cli.exits import COMPLETION_VARIABLE, NAME, Exit
from llmtui.cli.options import (
    OUTPUT,
    SERVER,
    WHAT,
    ApiKeyFile,
    Command,
    CommandGroup,
    Host,
    Models,
    Prompts,
    Results,
    chosen,
)
from llmtui.cli.startup import Refused, load_startup, tell_problems

_RUN_EXAMPLES: Final = (
    "Example: llmtui run -m llama3.1:8b -m qwen3:4b --rounds 3 --csv trials.csv\n\n"
    "Example: llmtui run --host box:8080/v1 --budget 20m --markdown report.md"
)
_SCREEN_EXAMPLES: Final = "Example: llmtui --host 192.168.1.20\n\nExample: llmtui --host builtin --results sessions"
_WATCH_EXAMPLES: Final = (
    "Example: llmtui watch 20261122T224107Z-ab12\n\nExample: ssh box llmtui run --events - | llmtui watch -"
)
_SELFTEST_EXAMPLES: Final = "Example: llmtui selftest\n\nExample: llmtui selftest --seed 3 --no-cost"
_REPORT_EXAMPLES: Final = (
    "Example: llmtui report last --markdown report.md --csv trials.csv\n\n"
    "Example: llmtui report last~1 last --csv both.csv --summary"
)
_IMPORT_EXAMPLES: Final = (
    "Example: llmtui import benchmark.csv\n\n"
    "Example: llmtui import table.csv --unit ms --map model=Name,tokens=Count,seconds=Time"
)

cli = typer.Typer(
    name=NAME,
    cls=CommandGroup,
    help="Compare language models on your own machine. Without a command: the screens.",
    epilog=_SCREEN_EXAMPLES,
    add_completion=True,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:  # Typer hands over the value by its place
    """Print the version and exit, whatever else is on the command line."""
    if asked:
        print(f"{NAME} {__version__}")
        raise typer.Exit(Exit.OK)


@cli.callback(invoke_without_command=True)
def screens(
    context: typer.Context,
    host: Host = None,
    results: Results = None,
    prompts: Prompts = None,
    api_key_file: ApiKeyFile = None,
    version: Annotated[  # printed before anything else is looked at
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and exit.")
    ] = False,
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
    from llmtui.cli.screen import show

    raise typer.Exit(
        show(load_startup({"host": one_host(host)}, prompts=prompts, results=results, api_key_file=api_key_file))
    )


@cli.command("run", cls=Command, epilog=_RUN_EXAMPLES)
def run_command(
    model: Models = None,
    category: Annotated[
        list[str] | None,
        typer.Option(
            "--category",
            "-c",
            metavar="CATEGORY",
            rich_help_panel=WHAT,
            autocompletion=complete_category,
            help="A category's id; repeat it. Default: those picked last, else all.",
        ),
    ] = None,
    preset: Annotated[str | None, chosen("preset", WHAT)] = None,
    rounds: Annotated[str | None, chosen("rounds", WHAT)] = None,
    budget: Annotated[str | None, chosen("budget_s", WHAT)] = None,
    twice: Annotated[bool, chosen("twice")] = False,
    host: Host = None,
    results: Results = None,
    prompts: Prompts = None,
    api_key_file: ApiKeyFile = None,
    think: Annotated[str | None, chosen("think")] = None,
    unload_others: Annotated[bool, chosen("unload_others")] = False,
    all_prompts: Annotated[bool, chosen("all_prompts", WHAT)] = False,
    num_ctx: Annotated[str | None, chosen("num_ctx")] = None,
    num_thread: Annotated[str | None, chosen("num_thread")] = None,
    num_predict: Annotated[str | None, chosen("num_predict")] = None,
    temperature: Annotated[str | None, chosen("temperature")] = None,
    seed: Annotated[str | None, chosen("seed")] = None,
    csv: Annotated[
        str | None,
        typer.Option("--csv", metavar="FILE", rich_help_panel=OUTPUT, help="Copy of trials.csv to write."),
    ] = None,
    markdown: Annotated[
        str | None,
        typer.Option(
            "--markdown", metavar="FILE", rich_help_panel=OUTPUT, help="Report to write: conclusions and tables."
        ),
    ] = None,
    words: Annotated[
        bool,
        typer.Option("--words", rich_help_panel=OUTPUT, help="Also the conclusions in words, and all tables."),
    ] = False,
    request_json: Annotated[
        str | None,
        typer.Option(
            "--request-json",
            metavar="FILE",
            rich_help_panel=SERVER,
            help="File with a JSON object whose fields go into every request.",
        ),
    ] = None,
    events: Annotated[
        str | None,
        typer.Option(
            "--events", metavar="-", rich_help_panel=OUTPUT, help="`-`: events on stdout instead of the table."
        ),
    ] = None,
) -> None:
    """Measure without screens: table, verdicts and paths on stdout, progress on stderr.

    Exit codes: 0 all trials ok, 1 internal error, 2 usage, 3 some trials failed, 4 no server, 130 interrupted.
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
    of = load_startup(flags, prompts=prompts, results=results, api_key_file=api_key_file)
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
        words=words,
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


@cli.command("watch", cls=Command, epilog=_WATCH_EXAMPLES)
def watch_command(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SESSION",
            autocompletion=complete_session,
            help="A session's id or folder, a journal, or `-` for a pipe.",
        ),
    ],
    results: Results = None,
) -> None:
    """Watch a saved or a running session, read-only."""
    from llmtui.cli.watch import watch as watching

    raise typer.Exit(watching(load_startup({}, results=results), source))


@cli.command("selftest", cls=Command, epilog=_SELFTEST_EXAMPLES)
def selftest_command(
    seed: Annotated[
        int | None,
        typer.Option("--seed", metavar="N", help="Of the simulated server; the same seed draws the same answers."),
    ] = None,
    cost: Annotated[
        bool, typer.Option("--cost/--no-cost", help="Also measure what the screen costs. Default: yes.")
    ] = True,
) -> None:
    """Test on this machine that llmtui measures right, and that watching costs next to nothing; under a minute.

    Exit codes: 0 all within bounds, 1 not.
    """
    if sys.platform == "win32":
        raise Refused("The self-test draws in a terminal of its own, and Windows has none of that kind.")
    from llmtui.cli.selftest import selftest as testing

    tell_problems(load_startup({}))  # sets the language
    raise typer.Exit(testing(seed=seed, with_cost=cost))


@cli.command("report", cls=Command, epilog=_REPORT_EXAMPLES)
def report_command(
    sessions: Annotated[
        list[str],
        typer.Argument(
            metavar="SESSION",
            autocompletion=complete_session,
            help="`last`, `last~1` (the one before it), an id, a folder, or a file of events.",
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
    html: Annotated[
        str | None, typer.Option("--html", metavar="FILE", help="One page with charts and answers; needs no network.")
    ] = None,
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
        "html": html,
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
    raise typer.Exit(report(load_startup({}, results=results), asked))


class TimeUnit(StrEnum):
    """Units in which a file may count its times."""

    S = "s"
    MS = "ms"
    US = "us"
    NS = "ns"


@cli.command("import", cls=Command, epilog=_IMPORT_EXAMPLES)
def import_command(
    source: Annotated[str, typer.Argument(metavar="FILE", help="A table of trials, or another benchmark's results.")],
    unit: Annotated[
        TimeUnit | None,
        typer.Option("--unit", metavar="UNIT", help="Unit of times whose column does not state one: s, ms, us or ns."),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option("--map", metavar="NAME=COLUMN,…", help="Columns by name: model=…,tokens=…,seconds=…"),
    ] = None,
    legacy: Annotated[
        str | None, typer.Option("--legacy", metavar="FILE", help="Also write it with the old script's eight columns.")
    ] = None,
    results: Results = None,
) -> None:
    """Import what another program measured, and check which conclusions it supports.

    Exit codes: 0 imported, 2 the file cannot be used.
    """
    from llmtui.cli.import_ import import_file, told_of

    of = load_startup({}, results=results)
    tell_problems(of)
    told = told_of(None if unit is None else unit.value, columns)
    raise typer.Exit(import_file(of, source, told, legacy))


def main() -> int:
    """Run the command line, or complete a word of it; return the exit code."""
    if os.environ.get(COMPLETION_VARIABLE) == "complete_bash":
        for_bash(lambda: cli(prog_name=NAME))
        return Exit.OK
    try:
        cli(prog_name=NAME, standalone_mode=True)
    except Refused as error:
        print(f"llmtui: {error}", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    return Exit.OK
