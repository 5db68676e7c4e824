"""What the engine can be told."""

from __future__ import annotations

from typing import Literal

from llmtui.core.plan import Plan
from llmtui.core.records import NamedBy, ServerKind, Tagged


class SetServer(Tagged, frozen=True, kw_only=True):
    """Talk to another server; answered by ServerChanged and ModelsListed."""

    address: str
    kind: ServerKind = "ollama"
    with_builtin: bool = False
    """List the models of the built-in server beneath this one's, where it is installed."""
    named_by: NamedBy = "nobody"
    """Keys go to servers that were named, and to no others."""
    login: str | None = None
    """User name and password that stood in the address, with a colon between them."""


class FindServers(Tagged, frozen=True, kw_only=True):
    """Look for servers on the usual ports of this machine; answered by ServersFound."""


class ListModels(Tagged, frozen=True, kw_only=True):
    """Ask again; answered by ServerChanged and ModelsListed."""


class ShowModel(Tagged, frozen=True, kw_only=True):
    """Answered by ModelShown."""

    name: str
    backend: ServerKind | None = None
    """Of the server that has the model, where another one is listed beside the chosen one; None: the chosen one."""


class PullModel(Tagged, frozen=True, kw_only=True):
    """Answered by PullProgressed until done."""

    name: str


class CancelPull(Tagged, frozen=True, kw_only=True):
    """Stop the download; what is there stays for the next try."""


class StartPlan(Tagged, frozen=True, kw_only=True):
    """Run a plan; sessions are kept under ``results_dir``."""

    plan: Plan
    results_dir: str
    ui_pid: int | None = None
    """The process that draws, so that its CPU time can be told from other programs'."""


class ExtendPlan(Tagged, frozen=True, kw_only=True):
    """Run so many rounds more."""

    rounds: int


class Pause(Tagged, frozen=True, kw_only=True):
    """Pause after the current trial."""


class Resume(Tagged, frozen=True, kw_only=True):
    """Go on."""


class Skip(Tagged, frozen=True, kw_only=True):
    """Skip this trial, or everything that is left of this model."""

    what: Literal["trial", "model"] = "trial"


class Cancel(Tagged, frozen=True, kw_only=True):
    """End the run now; what is finished is kept."""


class Shutdown(Tagged, frozen=True, kw_only=True):
    """Cancel, clean up, exit. The end of the command stream means the same."""


Command = (
    SetServer | FindServers | ListModels | ShowModel | PullModel | CancelPull | StartPlan | ExtendPlan | Pause
    | Resume | Skip | Cancel | Shutdown
)  # fmt: skip
