"""Commands: the messages that the user interface sends to the engine."""

from __future__ import annotations

from typing import Literal

from llmtui.core.plan import Plan
from llmtui.core.records import AddressSource, ServerKind, Tagged


class SetServer(Tagged, frozen=True, kw_only=True):
    """Command: use another server. The engine replies with ServerChanged and ModelsListed."""

    address: str
    kind: ServerKind = "ollama"
    with_builtin: bool = False
    """Whether to list the models of the built-in server too, if it is installed."""
    address_source: AddressSource = "search"
    """Where the address comes from. API keys are sent only to servers that the user or the settings named."""
    login: str | None = None
    """User name and password from the address, separated by a colon; None if there are none."""


class FindServers(Tagged, frozen=True, kw_only=True):
    """Command: look for servers on the usual ports of this machine. The engine replies with ServersFound."""


class ListModels(Tagged, frozen=True, kw_only=True):
    """Command: list the server's models again. The engine replies with ServerChanged and ModelsListed."""


class ShowModel(Tagged, frozen=True, kw_only=True):
    """Command: get the details of one model. The engine replies with ModelShown."""

    name: str
    backend: ServerKind | None = None
    """Kind of the server that has the model; None: the main server."""


class PullModel(Tagged, frozen=True, kw_only=True):
    """Command: download a model. The engine sends PullProgressed messages until the download ends."""

    name: str


class CancelPull(Tagged, frozen=True, kw_only=True):
    """Command: stop the download. The part already downloaded is kept for the next attempt."""


class StartPlan(Tagged, frozen=True, kw_only=True):
    """Command: run a plan. Its session folder is created in ``results_dir``."""

    plan: Plan
    results_dir: str
    ui_pid: int | None = None
    """Process id of the user interface, so that its CPU time is not counted as another program's."""


class ResumeSession(Tagged, frozen=True, kw_only=True):
    """Command: run the remaining trials of an interrupted session."""

    folder: str
    """Path of the session's folder."""
    accept_changes: bool = False
    """Whether to resume even if the server or a model has changed. If False, the engine replies with CommandFailed and
    lists the changes."""
    ui_pid: int | None = None
    """Process id of the user interface, so that its CPU time is not counted as another program's."""


class ExtendPlan(Tagged, frozen=True, kw_only=True):
    """Command: add ``rounds`` rounds to the current session."""

    rounds: int


class Pause(Tagged, frozen=True, kw_only=True):
    """Command: pause after the current trial."""


class Resume(Tagged, frozen=True, kw_only=True):
    """Command: continue after a pause."""


class Skip(Tagged, frozen=True, kw_only=True):
    """Command: skip the current trial, or all remaining trials of its model."""

    what: Literal["trial", "model"] = "trial"


class StopWaiting(Tagged, frozen=True, kw_only=True):
    """Command: send the request now, without waiting for other programs to leave the CPU idle."""


class Cancel(Tagged, frozen=True, kw_only=True):
    """Command: end the run now. Finished trials are kept."""


class Shutdown(Tagged, frozen=True, kw_only=True):
    """Command: cancel the run, clean up and exit. The engine does the same at the end of its input."""


Command = (
    SetServer | FindServers | ListModels | ShowModel | PullModel | CancelPull | StartPlan | ResumeSession | ExtendPlan
    | Pause | Resume | Skip | StopWaiting | Cancel | Shutdown
)  # fmt: skip
