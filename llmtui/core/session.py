"""The state of a session, built from its events.

``SessionBuilder.apply`` takes events in order; ``snapshot`` returns a frozen Session at any time. A Session has
figures, but no texts and timelines: those stay on disk and are read when displayed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from llmtui.core.events import (
    SCHEMA,
    Event,
    Noted,
    Paused,
    PhaseChanged,
    PlanExtended,
    Resumed,
    Sampled,
    SessionFinished,
    SessionResumed,
    SessionStarted,
    TrialFinished,
    TrialStarted,
)
from llmtui.core.flags import row_flags
from llmtui.core.metrics import measure
from llmtui.core.plan import Contender, Plan, Trial, trials_per_round
from llmtui.core.recorded import recorded_figures
from llmtui.core.records import (
    Fingerprint,
    Phase,
    PhaseDetail,
    Problem,
    Step,
)
from llmtui.core.remainder import without_open
from llmtui.core.session_flags import with_session_flags
from llmtui.core.trial_row import TrialRow

MAX_SAMPLES = 2400
"""Largest number of samples kept. Above it every second one is dropped, since plots have only a few hundred columns."""


class SamplePoint(msgspec.Struct, frozen=True):
    """The part of one machine reading that plots use."""

    t_ns: int
    cores_busy: float
    runner_cores: float | None
    llmtui_cores: float | None
    runner_bytes: int | None
    """RssFile + RssAnon of the model's process (the runner)."""
    used_bytes: int | None
    """Total RAM of the machine − available RAM."""
    swap_used_bytes: int | None
    gpu_busy: float | None
    vram_bytes: int | None
    temperature_c: float | None = None
    frequency_mhz: float | None = None
    watts: float | None = None
    gpu_temperature_c: float | None = None
    gpu_clock_mhz: float | None = None
    gpu_watts: float | None = None


_RELOAD_OF_SCHEMA_1 = " again, as it was before"


class PhaseMark(msgspec.Struct, frozen=True):
    """The beginning of a phase: from ``t_ns`` on, the engine was in ``phase``."""

    t_ns: int
    phase: Phase
    trial_id: str | None
    step: Step | None = None
    """The step within the phase; None if there is none."""
    names: tuple[str, ...] = ()
    """Names of the models that the step concerns."""


class Note(msgspec.Struct, frozen=True):
    """A message kept with the session, with its time."""

    t_ns: int
    level: str
    problem: Problem


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a session at one time."""

    session_id: str
    wall_ns: int
    t_ns: int
    """Start of the session on the engine's clock; subtract it from other times to get session time."""
    fingerprint: Fingerprint
    plan: Plan
    rounds: int
    """Number of promised rounds: those of the plan and those added since."""
    rows: tuple[TrialRow, ...] = ()
    current: Trial | None = None
    """The running trial; None between trials."""
    order: int = 0
    total: int = 0
    phases: tuple[PhaseMark, ...] = ()
    samples: tuple[SamplePoint, ...] = ()
    """Machine readings, thinned to a limited number; samples.csv has all of them."""
    latest_sample_t_ns: int | None = None
    per_core: tuple[float, ...] = ()
    notes: tuple[Note, ...] = ()
    standstills: tuple[tuple[int, int], ...] = ()
    """Idle times before more rounds were added or the session was resumed, as (from, until) on the engine's clock."""
    paused: bool = False
    """Whether a pause was requested. It begins after the current trial."""
    finished: str | None = None
    """``complete``, ``cancelled`` or ``failed``; None if the session is running or was interrupted."""
    last_t_ns: int = 0
    """Time of the newest event, on the engine's clock."""

    def begin_of(self, end_ns: int, before_ns: int) -> int:
        """Return the time at which a trial or round began, on the engine's clock.

        The result is the end of the previous one or, if the session was idle in between, the time at which the session
        continued.

        Args:
            end_ns: end of the trial or round.
            before_ns: end of the previous one.
        """
        return max((until for _, until in self.standstills if before_ns < until <= end_ns), default=before_ns)

    def contender(self, trial: Trial) -> Contender:
        """Return the contender that a trial belongs to."""
        return self.plan.contenders[trial.contender]


class SessionBuilder:
    """Builds a Session from its events.

    Only one thread may call ``apply``. Snapshots are frozen and can be used by any thread.
    """

    def __init__(self) -> None:
        self._session: Session | None = None
        self._rows: list[TrialRow] = []
        self._flagged: tuple[TrialRow, ...] = ()
        """The trials with all their flags, as of the last snapshot with new trials."""
        self._phases: list[PhaseMark] = []
        self._samples: list[SamplePoint] = []
        self._notes: list[Note] = []
        self._fields: dict[str, Any] = {}
        self._apply: dict[type, Callable[[Any], None]] = {
            SessionStarted: self._started,
            PlanExtended: self._extended,
            TrialStarted: self._trial_started,
            TrialFinished: self._trial_finished,
            Sampled: self._sampled,
            PhaseChanged: self._phase_changed,
            Paused: self._paused,
            Resumed: self._resumed,
            Noted: self._noted,
            SessionFinished: self._finished,
            SessionResumed: self._continued,
        }

    def apply(self, event: Event) -> bool:
        """Apply one event; return whether it changed the Session.

        Events of other kinds, and those before the first SessionStarted, are ignored. A second SessionStarted starts
        over. A trial that is not in the plan, as in a damaged file, is ignored too.
        """
        fold = self._apply.get(type(event))
        if fold is None or (self._session is None and type(event) is not SessionStarted):
            return False
        if isinstance(event, TrialStarted | TrialFinished) and not self._is_planned(event.trial):
            return False
        fold(event)
        self._fields["last_t_ns"] = event.t_ns  # type: ignore[union-attr]  # every session event has a time
        return True

    def snapshot(self) -> Session | None:
        """Return the current Session; None before SessionStarted."""
        if self._session is None:
            return None
        if len(self._flagged) != len(self._rows):
            self._flagged = with_session_flags(self._rows)
        return msgspec.structs.replace(
            self._session,
            rows=self._flagged,
            phases=tuple(self._phases),
            samples=tuple(self._samples),
            notes=tuple(self._notes),
            **self._fields,
        )

    def _started(self, event: SessionStarted) -> None:
        for series in (self._rows, self._phases, self._samples, self._notes):
            series.clear()
        self._fields.clear()
        self._flagged = ()
        self._session = Session(
            session_id=event.session_id,
            wall_ns=event.wall_ns,
            t_ns=event.t_ns,
            fingerprint=event.fingerprint,
            plan=event.plan,
            rounds=event.plan.rounds,
            total=event.plan.rounds * trials_per_round(event.plan),
        )
        if event.schema > SCHEMA:
            self._notes.append(Note(event.t_ns, "warning", Problem(code="newer_schema", args={"schema": event.schema})))

    def _extended(self, event: PlanExtended) -> None:
        assert self._session is not None
        self._fields |= {"rounds": event.rounds, "total": event.rounds * trials_per_round(self._session.plan)}
        if self._fields.get("finished") is not None:
            standstill = (self._fields["last_t_ns"], event.t_ns)
            self._fields["standstills"] = (*self._fields.get("standstills", ()), standstill)
        self._fields["finished"] = None

    def _continued(self, event: SessionResumed) -> None:
        assert self._session is not None
        standstill = (self._fields.get("last_t_ns", self._session.t_ns), event.t_ns)
        self._fields["standstills"] = (*self._fields.get("standstills", ()), standstill)
        self._fields |= {"finished": None, "current": None, "paused": False}
        self._rows[:] = without_open(self._rows)
        self._flagged = ()

    def _is_planned(self, trial: Trial) -> bool:
        assert self._session is not None
        plan = self._session.plan
        asks = trial.kind == "cold" if trial.prompt is None else 0 <= trial.prompt < len(plan.prompts)
        return asks and 0 <= trial.contender < len(plan.contenders)

    def _trial_started(self, event: TrialStarted) -> None:
        self._fields |= {"current": event.trial, "order": event.order, "total": event.total}

    def _trial_finished(self, event: TrialFinished) -> None:
        assert self._session is not None
        self._rows.append(row_of(event, self._session))
        self._fields["current"] = None

    def _sampled(self, event: Sampled) -> None:
        held = [part for part in (event.runner_file_bytes, event.runner_anon_bytes) if part is not None]
        used = None
        if event.ram_total_bytes is not None and event.available_bytes is not None:
            used = event.ram_total_bytes - event.available_bytes
        self._samples.append(
            SamplePoint(
                event.t_ns,
                event.cores_busy,
                event.runner_cores,
                event.llmtui_cores,
                sum(held) if held else None,
                used,
                event.swap_used_bytes,
                event.gpu_busy,
                event.vram_bytes,
                event.temperature_c,
                event.frequency_mhz,
                event.watts,
                event.gpu_temperature_c,
                event.gpu_clock_mhz,
                event.gpu_watts,
            )
        )
        if len(self._samples) > MAX_SAMPLES:
            del self._samples[1::2]
        self._fields["per_core"] = event.per_core
        self._fields["latest_sample_t_ns"] = event.t_ns

    def _phase_changed(self, event: PhaseChanged) -> None:
        detail = event.detail
        if isinstance(detail, str):
            detail = _detail_of_schema_1(event.phase, detail)
        step, names = (None, ()) if detail is None else (detail.step, detail.names)
        self._phases.append(PhaseMark(event.t_ns, event.phase, event.trial_id, step, names))

    def _paused(self, _: Paused) -> None:
        self._fields["paused"] = True

    def _resumed(self, _: Resumed) -> None:
        self._fields["paused"] = False

    def _noted(self, event: Noted) -> None:
        self._notes.append(Note(event.t_ns, event.level, event.problem))

    def _finished(self, event: SessionFinished) -> None:
        self._fields |= {"finished": event.how, "current": None, "paused": False}


def row_of(event: TrialFinished, session: Session) -> TrialRow:
    """Return the row of a finished trial: its figures, and the flags that follow from this trial alone."""
    figures = recorded_figures(event) or measure(event, local=bool(session.fingerprint.server_is_local))
    flags = row_flags(event, figures, session.plan)
    return TrialRow(
        trial=event.trial,
        order=event.order,
        outcome=event.outcome,
        figures=figures,
        wall_ns=event.wall_ns,
        t0_ns=event.t0_ns,
        t_ns=event.t_ns,
        ended_by=event.ended_by,
        problem=event.problem,
        flags=tuple(name for name, _ in flags),
        evidence=tuple(evidence for _, evidence in flags),
        machine=event.machine,
        resident=event.resident,
        cold_source=event.cold_source,
        num_predict=event.num_predict,
        repeats=event.repeats,
        recorded=event.recorded,
    )


def fold(events: Iterable[Event]) -> Session | None:
    """Return the Session that a series of events leads to; None if there is no SessionStarted."""
    builder = SessionBuilder()
    for event in events:
        builder.apply(event)
    return builder.snapshot()


def _detail_of_schema_1(phase: Phase, said: str) -> PhaseDetail | None:
    """Return the step that a text in a journal of schema 1 describes; None if the text is not known."""
    if phase == "unload":
        return PhaseDetail(step="unloading", names=tuple(said.split(", ")))
    if said.startswith("loading ") and said.endswith(_RELOAD_OF_SCHEMA_1):
        return PhaseDetail(step="loading_again", names=(said[len("loading ") : -len(_RELOAD_OF_SCHEMA_1)],))
    if said == "loading" or said.startswith("loading "):
        return PhaseDetail(step="loading", names=tuple(said.split(" ")[1:2]))
    steps: dict[str, Step] = {"other programs are busy": "waiting_for_others", "paused": "paused"}
    return PhaseDetail(step=steps[said]) if said in steps else None
