"""Structure of the JSON document. Its published schema, docs/report.schema.json, is generated from these records."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from llmtui.core.plan import PlanOptions
from llmtui.core.records import Argument

VERSION: Final = 1
"""Version of the document: increased when a field is removed or changes its meaning, not when fields are added."""
Count = Annotated[int, msgspec.Meta(ge=0)]
Over = Literal["rounds", "trials"]


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure, unrounded; if `value` is null, `missing` has the code of the reason."""

    value: float | None
    unit: str
    n: Count | None = None
    """Number of rounds or trials that the range covers; null if the figure has no range."""
    low: float | None = None
    high: float | None = None
    over: Over | None = None
    """Kind of observation of which `low` and `high` are the extremes."""
    missing: str | None = None


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Something that went wrong: a code with its arguments, and the message of a server or the system."""

    code: str
    args: dict[str, Argument]
    detail: str | None
    level: str
    """`info`, `warning` or `error`."""
    trial_id: str | None


class MachineSeen(msgspec.Struct, frozen=True, kw_only=True):
    """The machine on which llmtui ran."""

    llmtui: str
    python: str
    os: str
    cpu: str | None
    cores_physical: int | None
    cores_logical: int | None
    ram_total_bytes: int | None
    gpu: str | None
    on_battery: bool | None
    sampling_hz: float


class ServerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A server that was measured."""

    protocol: str
    product: str | None
    version: str | None
    address: str | None
    """Null in anonymous reports."""
    on_this_machine: bool | None


class AskedPrompt(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt that was sent; its text and hash are null in anonymous reports."""

    id: str
    category: str
    text: str | None
    sha256: str | None


class PlanFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The prompts, options and order of a run."""

    preset: str
    kinds: tuple[str, ...]
    rounds: int
    max_rounds: int
    budget_s: float | None
    seed: int
    others: str
    pack: str
    language: str
    options: PlanOptions
    prompts: tuple[AskedPrompt, ...]
    cold_text: str | None
    follow_up_text: str | None


class CategoryFigures(msgspec.Struct, frozen=True, kw_only=True):
    """A model's figures in one category of prompts."""

    category: str
    finished: Count
    failed: Count
    capped: bool
    """Whether an answer reached the limit on tokens; `e2e_ms` is then a lower bound."""
    figures: dict[str, Figure]


class ModelFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A model with its options, and its figures over the whole session."""

    label: str
    """Unique in the session; verdicts and trials refer to models by it."""
    name: str
    digest: str
    backend: str
    variant: str
    size_bytes: int | None
    parameters: str | None
    quantisation: str | None
    family: str | None
    format: str | None
    context_limit: int | None
    note: str | None
    thinks: bool
    finished: Count
    failed: Count
    disturbed: Count
    conditions: tuple[str, ...]
    """Flags of conditions that at least a fifth of the model's compared trials have."""
    figures: dict[str, Figure]
    categories: tuple[CategoryFigures, ...]


class VerdictFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on two models in one figure; if one of them leads, it is `first`."""

    figure: str
    word: str
    """The verdict's code; see docs/method.md, "Verdicts"."""
    first: str
    second: str
    rounds: Count
    unit: str = "round"
    """The kind of independent observation: `round`, or `category` or `run` for an imported file."""
    ratio: float | None
    low: float | None
    high: float | None
    """`low` and `high`: 95 % interval of the ratio, valid for all pairs together; null below three observations."""
    p_adjusted: float | None
    smallest_lead: float | None = None
    difference_ms: float | None = None
    more_rounds: int | None = None
    """Number of further rounds after which an open verdict is expected to be final."""
    why: str | None = None
    conditions: tuple[str, ...] = ()


class TrialFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one trial."""

    trial_id: str
    model: str
    round: int
    kind: str
    category: str | None
    prompt_id: str | None
    outcome: str
    ended_by: str | None
    started_utc: str
    flags: tuple[str, ...]
    figures: dict[str, float | None]
    """Figures by their column name in trials.csv."""
    missing: dict[str, str]


class SessionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One session with its machine, servers, plan, models, verdicts and trials."""

    session_id: str
    started_utc: str
    state: Literal["running", "interrupted", "complete", "cancelled", "failed"]
    rounds_begun: Count
    machine: MachineSeen
    servers: tuple[ServerFacts, ...]
    plan: PlanFacts
    models: tuple[ModelFacts, ...]
    verdicts: tuple[VerdictFacts, ...]
    trials: tuple[TrialFigures, ...]
    failures: tuple[Failure, ...]


class ReportDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A report of one or more sessions."""

    format: Literal["llmtui-report"] = "llmtui-report"
    version: Literal[1] = 1
    written_by: str
    """Version of llmtui that wrote the document."""
    anonymous: bool
    sessions: tuple[SessionFacts, ...]


def schema_text(document: type[msgspec.Struct] = ReportDocument, title: str = f"llmtui report {VERSION}") -> bytes:
    """Return a document's JSON Schema (2020-12) in the form published in docs/.

    Args:
        document: the structure of the document.
        title: its name and version.
    """
    made = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **msgspec.json.schema(document),
    }
    return msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n"
