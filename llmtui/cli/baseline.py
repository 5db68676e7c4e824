"""``llmtui baseline``: names for sessions that later ones are compared with."""

from __future__ import annotations

import re
from typing import Annotated, Final

import typer

from llmtui.cli.completion import complete_session
from llmtui.cli.options import Command, CommandGroup, Results
from llmtui.cli.sessions import baselines, journal_of
from llmtui.cli.startup import Refused, Startup, cannot_write, load_startup
from llmtui.words import _, marked
from llmtui.words.commands import BASELINE, BASELINE_LIST, BASELINE_REMOVE, BASELINE_SET

BASELINE_EXAMPLES: Final = (
    "Example: llmtui baseline set main last\n\nExample: llmtui compare main last --fail-if 'decode_tps < -5%'"
)
_NAME: Final = re.compile(r"[\w.+-]{1,64}")
_TAKEN: Final = re.compile(r"last(~\d+)?")

baseline_group = typer.Typer(
    cls=CommandGroup,
    help=BASELINE,
    epilog=BASELINE_EXAMPLES,
    no_args_is_help=True,
)
BaselineName = Annotated[str, typer.Argument(metavar="NAME", help=marked("Letters, digits, and . _ + -"))]


@baseline_group.command("set", cls=Command, help=BASELINE_SET)
def set_command(
    name: BaselineName,
    session: Annotated[
        str,
        typer.Argument(
            metavar="SESSION",
            autocompletion=complete_session,
            help=marked("`last`, `last~1` (the one before it), a session's id or folder."),
        ),
    ] = "last",
    results: Results = None,
) -> None:
    """Carry out ``llmtui baseline set``."""
    of = load_startup({}, results=results)
    if not _NAME.fullmatch(name) or _TAKEN.fullmatch(name):
        raise Refused(_("{name} is not a baseline name: use letters, digits, and . _ + -").format(name=name))
    folder = journal_of(of, session).parent
    if folder.parent.resolve() != of.results.resolve():
        raise Refused(_("{session} is not in {folder}: copy it there first.").format(session=folder, folder=of.results))
    _keep(of, name, folder.name)
    print(_("{name} is {session}").format(name=name, session=folder.name))


@baseline_group.command("list", cls=Command, help=BASELINE_LIST)
def list_command(results: Results = None) -> None:
    """Carry out ``llmtui baseline list``."""
    for name, session in baselines(load_startup({}, results=results)).items():
        print(f"{name}\t{session}")


@baseline_group.command("remove", cls=Command, help=BASELINE_REMOVE)
def remove_command(name: BaselineName, results: Results = None) -> None:
    """Carry out ``llmtui baseline remove``."""
    of = load_startup({}, results=results)
    if name not in baselines(of):
        raise Refused(_("There is no baseline {name} in {folder}.").format(name=name, folder=of.results))
    _keep(of, name, None)


def _keep(of: Startup, name: str, session: str | None) -> None:
    from llmtui.store.baselines import keep_baseline

    baselines(of)  # raises Refused if the file is damaged
    try:
        keep_baseline(of.results, name, session)
    except OSError as error:
        raise Refused(cannot_write(error.filename or of.results, error)) from error
