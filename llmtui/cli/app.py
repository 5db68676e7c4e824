"""The commands and their flags; what a command does is in the file named after it."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from typing import Annotated, Final

import typer

from llmtui import __version__
from llmtui.cli.baseline import baseline_group
from llmtui.cli.compare import COMPARE_EXAMPLES, compare_command
from llmtui.cli.completion import complete_session, for_bash
from llmtui.cli.exits import COMPLETION_VARIABLE, NAME, Exit
from llmtui.cli.options import (
    WHAT,
    ApiKeyFile,
    Categories,
    Command,
    CommandGroup,
    Host,
    Models,
    Prompts,
    RequestJson,
    Results,
    RunCommand,
    RunCsv,
    RunEvents,
    RunMarkdown,
    RunResume,
    RunWords,
    chosen,
)
from llmtui.cli.report_options import (
    ReportAnonymous,
    ReportBenchstat,
    ReportCsv,
    ReportExcelCsv,
    ReportForce,
    ReportHtml,
    ReportJson,
    ReportJsonl,
    ReportMarkdown,
    ReportSessions,
    ReportSummary,
    ReportTable,
)
from llmtui.cli.session_commands import sessions_cli
from llmtui.cli.startup import Refused, load_startup, speak_language, tell_problems
from llmtui.cli.trend import TREND_EXAMPLES, trend_command
from llmtui.words import _, marked
from llmtui.words.commands import COMPARE, IMPORT, REPORT, RUN, SELFTEST, TREND, WATCH

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
    help=marked("Compare language models on your own machine. Without a command, open the interactive screens."),
    epilog=_SCREEN_EXAMPLES,
    add_completion=True,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:  # Typer passes the value by position
    """Print the version and exit if ``--version`` is given, whatever else is on the command line."""
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
    version: Annotated[  # printed before anything else is checked
        bool,
        typer.Option("--version", is_eager=True, callback=_print_version, help=marked("Print the version and exit.")),
    ] = False,
) -> None:
    """Open the screens, unless a command follows on the command line."""
    if context.invoked_subcommand is not None:
        for flag, given in (
            ("--host", host),
            ("--results", results),
            ("--prompts", prompts),
            ("--api-key-file", api_key_file),
        ):
            if given is not None:
                raise Refused(
                    _("`{flag}` has no effect before `{command}`. Put it after the command.").format(
                        flag=flag, command=context.invoked_subcommand
                    )
                )
        return
    from llmtui.cli.screen import show

    raise typer.Exit(
        show(load_startup({"host": one_host(host)}, prompts=prompts, results=results, api_key_file=api_key_file))
    )


@cli.command("run", cls=RunCommand, help=RUN, epilog=_RUN_EXAMPLES)
def run_command(
    model: Models = None,
    category: Categories = None,
    resume: RunResume = None,
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
    csv: RunCsv = None,
    markdown: RunMarkdown = None,
    words: RunWords = False,
    request_json: RequestJson = None,
    events: RunEvents = None,
) -> None:
    """Carry out ``llmtui run``."""
    from llmtui.cli import run as running
    from llmtui.cli.request_json import extra_fields
    from llmtui.cli.resume import folder_to_resume

    _refuse_contradictions(events=events, rounds=rounds, budget=budget)
    flags = {
        "preset": preset, "rounds": rounds, "budget_s": budget, "twice": twice, "think": think,
        "unload_others": unload_others, "all_prompts": all_prompts, "num_ctx": num_ctx, "num_thread": num_thread,
        "num_predict": num_predict, "temperature": temperature, "seed": seed,
    }  # fmt: skip
    others = {"host": host, "model": model, "category": category, "prompts": prompts, "request_json": request_json}
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
        resume=None if resume is None else folder_to_resume(of, resume, beside={**others, **flags}),
        words=words,
    )
    raise typer.Exit(running.run(of, order))


def _refuse_contradictions(*, events: str | None, rounds: str | None, budget: str | None) -> None:
    """Refuse options of ``llmtui run`` that have one value only, or exclude each other.

    Raises:
        Refused: with the option to leave out.
    """
    if events not in (None, "-"):
        raise Refused(_("`--events` takes only `-`: events go to stdout."))
    if rounds is not None and budget is not None:
        raise Refused(_("`--rounds` and `--budget` both set the number of rounds. Use one of them."))


def one_host(hosts: list[str] | None) -> str | None:
    """Return the server given with ``--host``; None if none is given.

    Raises:
        Refused: several different servers are given.
    """
    named = list(dict.fromkeys(hosts or ()))
    if len(named) > 1:
        raise Refused(_("`--host` takes one server, since a run measures one. Start a run per server."))
    return named[0] if named else None


@cli.command("watch", cls=Command, help=WATCH, epilog=_WATCH_EXAMPLES)
def watch_command(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SESSION",
            autocompletion=complete_session,
            help=marked("A session's id or folder, a journal (events.jsonl), or `-` to read events from a pipe."),
        ),
    ],
    results: Results = None,
) -> None:
    """Carry out ``llmtui watch``."""
    from llmtui.cli.watch import watch as watching

    raise typer.Exit(watching(load_startup({}, results=results), source))


@cli.command("selftest", cls=Command, help=SELFTEST, epilog=_SELFTEST_EXAMPLES)
def selftest_command(
    seed: Annotated[
        str | None,
        typer.Option(
            "--seed", metavar="N", help=marked("Set the simulated server's seed; the same seed repeats the answers.")
        ),
    ] = None,
    cost: Annotated[
        bool,
        typer.Option(
            "--cost/--no-cost",
            show_default=False,
            help=marked("Also measure how much drawing the screens slows a model down. Default: yes."),
        ),
    ] = True,
) -> None:
    """Carry out ``llmtui selftest``."""
    if sys.platform == "win32":
        raise Refused(_("The self-test needs a Unix pseudo-terminal, which Windows does not have."))
    from llmtui.cli.selftest import selftest as testing

    of = load_startup({"seed": seed})
    tell_problems(of)
    raise typer.Exit(testing(seed=of.settings.seed, with_cost=cost))


@cli.command("report", cls=Command, help=REPORT, epilog=_REPORT_EXAMPLES)
def report_command(
    sessions: ReportSessions,
    csv: ReportCsv = None,
    excel_csv: ReportExcelCsv = None,
    summary: ReportSummary = False,
    json: ReportJson = None,
    jsonl: ReportJsonl = None,
    markdown: ReportMarkdown = None,
    html: ReportHtml = None,
    table: ReportTable = None,
    benchstat: ReportBenchstat = None,
    words: RunWords = False,
    anonymous: ReportAnonymous = False,
    force: ReportForce = False,
    results: Results = None,
) -> None:
    """Carry out ``llmtui report``."""
    from llmtui.cli.report import Asked, report

    kind, _separator, place = (table or "").partition("=")
    if table is not None and kind != "llama-bench":
        raise Refused(_("`--table` takes `llama-bench` or `llama-bench=FILE`."))
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
        words=words,
    )
    raise typer.Exit(report(load_startup({}, results=results), asked))


cli.command("compare", cls=Command, help=COMPARE, epilog=COMPARE_EXAMPLES)(compare_command)
cli.command("trend", cls=Command, help=TREND, epilog=TREND_EXAMPLES)(trend_command)
cli.add_typer(baseline_group, name="baseline")
cli.add_typer(sessions_cli, name="sessions")


class TimeUnit(StrEnum):
    """Units of the time columns in an imported file."""

    S = "s"
    MS = "ms"
    US = "us"
    NS = "ns"


@cli.command("import", cls=Command, help=IMPORT, epilog=_IMPORT_EXAMPLES)
def import_command(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE", help=marked("A table of trials, or the results of another benchmark.")),
    ],
    unit: Annotated[
        TimeUnit | None,
        typer.Option(
            "--unit",
            metavar="UNIT",
            help=marked("Set the unit of time columns that do not state one: s, ms, us or ns."),
        ),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            "--map",
            metavar="NAME=COLUMN,…",
            help=marked("Say which column holds which value. Example: --map model=Name,tokens=Count,seconds=Time."),
        ),
    ] = None,
    legacy: Annotated[
        str | None,
        typer.Option(
            "--legacy",
            metavar="FILE",
            help=marked(
                "Also write a CSV with the eight columns (Modelo, Categoria, …) of the script that preceded llmtui."
            ),
        ),
    ] = None,
    results: Results = None,
) -> None:
    """Carry out ``llmtui import``."""
    from llmtui.cli.import_ import import_files, statements_of

    of = load_startup({}, results=results)
    tell_problems(of)
    told = statements_of(None if unit is None else unit.value, columns)
    raise typer.Exit(import_files(of, files, told, legacy))


def main() -> int:
    """Carry out the command line and return the exit code; if a shell asks for completions, print them instead."""
    if os.environ.get(COMPLETION_VARIABLE) == "complete_bash":
        for_bash(lambda: cli(prog_name=NAME))
        return Exit.OK
    speak_language()
    try:
        cli(prog_name=NAME, standalone_mode=True)
    except Refused as error:
        print(f"llmtui: {error}", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    return Exit.OK
