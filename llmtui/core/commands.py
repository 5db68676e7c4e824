"""Commands to the engine."""

from __future__ import annotations

from typing import Literal

from llmtui.core.plan import Plan
from llmtui.core.records import NamedBy, ServerKind, Tagged


class SetServer(Tagged, frozen=True, kw_only=True):
    """Use another server; answered by ServerChanged and ModelsListed."""

    address: str
    kind: ServerKind = "ollama"
    with_builtin: bool = False
    """Also list the models of the built-in server, where it is installed."""
    named_by: NamedBy = "nobody"
    """API keys are sent only to servers that were named."""
    login: str | None = None
    """User name and password from the address, separated by a colon."""


class FindServers(Tagged, frozen=True, kw_only=True):
    """Look for servers on the usual ports of this machine; answered by ServersFound."""


class ListModels(Tagged, frozen=True, kw_only=True):
    """List the server's models again; answered by ServerChanged and ModelsListed."""


class ShowModel(Tagged, frozen=True, kw_only=True):
    """Show one model's details; answered by ModelShown."""

    name: str
    backend: ServerKind | None = None
    """Of the server that has the model, where another one is listed beside the chosen one; None: the chosen one."""


class PullModel(Tagged, frozen=True, kw_only=True):
    """Download a model; answered by PullProgressed until done."""

    name: str


class CancelPull(Tagged, frozen=True, kw_only=True):
    """Stop the download; the part already there is kept for the next attempt."""


class StartPlan(Tagged, frozen=True, kw_only=True):
    """Run a plan; its session folder is created under ``results_dir``."""

    plan: Plan
    results_dir: str
    ui_pid: int | None = None
    """Process id of the user interface, so that its CPU time is not counted as another program's."""


class ResumeSession(Tagged, frozen=True, kw_only=True):
    """Run what is left of an interrupted session."""

    folder: str
    """The session's."""
    accept_changes: bool = False
    """Also where its server or a model has changed since; else CommandFailed says what has."""
    ui_pid: int | None = None
    """As in StartPlan."""


class ExtendPlan(Tagged, frozen=True, kw_only=True):
    """Run this many more rounds."""

    rounds: int


class Pause(Tagged, frozen=True, kw_only=True):
    """Pause after the current trial."""


class Resume(Tagged, frozen=True, kw_only=True):
    """Continue after a pause."""


class Skip(Tagged, frozen=True, kw_only=True):
    """Skip this trial, or all remaining trials of this model."""

    what: Literal["trial", "model"] = "trial"


class StopWaiting(Tagged, frozen=True, kw_only=True):
    """Ask now, however busy other programs are."""


class Cancel(Tagged, frozen=True, kw_only=True):
    """End the run now; finished trials are kept."""


class Shutdown(Tagged, frozen=True, kw_only=True):
    """Cancel, clean up, exit. The end of the command stream means the same."""


Command = (
    SetServer | FindServers | ListModels | ShowModel | PullModel | CancelPull | StartPlan | ResumeSession | ExtendPlan
    | Pause | Resume | Skip | StopWaiting | Cancel | Shutdown
)  # fmt: skip
