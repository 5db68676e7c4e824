"""The sampler: reads the machine's sensors at a steady rate, and collects the readings of each trial.

It is a separate thread with absolute deadlines: a late reading does not delay the next one, and missed readings are
skipped. Each event includes the CPU time that the sampler itself used.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from llmtui.core.events import Sampled
from llmtui.engine.sensors.account import TrialAccount, TrialMachine
from llmtui.engine.sensors.machine import Machine
from llmtui.engine.sensors.machine_reading import MachineReading, elapsed_between_s, sampled, shares
from llmtui.engine.sensors.runner import RunnerProcess, RunnerTarget
from llmtui.engine.sensors.thermal import ThermalReading

STEADY_HZ = 2.0
FIRST_TOKEN_HZ = 5.0
DEMO_HZ = 10.0
_THERMAL_EVERY_S = 5.0
_SEARCH_EVERY_S = 1.0
_BEFORE_TRIAL_S = 1.0
_READINGS_KEPT = 32


def latest_deadline_ns(previous_ns: int, now_ns: int, period_ns: int) -> int:
    """Return the last deadline that has passed, a whole number of periods after the previous one.

    The next wait starts from that deadline. So missed readings are skipped, and the deadlines do not drift.
    """
    return previous_ns + (now_ns - previous_ns) // period_ns * period_ns


class Sampler:
    """Emits ``Sampled`` events at 2 Hz, and at 5 Hz from a trial's start until its first token.

    The runner is the process in which a model runs. ``emit`` is called from the sampler's thread and must not block.
    All methods are thread-safe. ``first_token`` never waits; the other methods wait for at most one reading or one
    search.
    """

    def __init__(
        self,
        machine: Machine,
        emit: Callable[[Sampled], None],
        *,
        steady_hz: float = STEADY_HZ,
        clock_ns: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        self._machine = machine
        self._emit = emit
        self._clock_ns = clock_ns
        self._looking = threading.Lock()
        self._wake = threading.Condition()
        self._steady_hz = steady_hz
        # guarded by _wake
        self._hurried = False
        self._loading = False
        """Whether a model is being loaded, so that its process may appear at any time."""
        self._stopped = False
        # guarded by _looking
        self._readings: deque[MachineReading] = deque(maxlen=_READINGS_KEPT)
        self._others_from: MachineReading | None = None
        self._account: TrialAccount | None = None
        self._target: RunnerTarget | None = None
        self._searched_ns: int | None = None
        self._thermal = ThermalReading()
        # used by the thread alone
        self._thermal_ns: int | None = None
        self._charged_ns = 0
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)

    def start(self) -> None:
        """Start to sample. The first event comes one period later, since the load of the cores needs two readings."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread. No event comes after this returns."""
        with self._wake:
            self._stopped = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def hz(self) -> float:
        """The present number of readings per second."""
        with self._wake:
            return self._rate_hz()

    # --- the runner -----------------------------------------------------------------------------------------------

    def expect_runner(self, target: RunnerTarget | None) -> None:
        """Set the model that will run next; None if it runs on another machine, or if nothing runs yet.

        This method does not search for the model's process. ``find_runner`` and ``end_trial`` do, and while a model
        loads, the sampler searches once per second. It never searches while text is generated, because a search uses
        the CPU for tens of milliseconds.
        """
        with self._looking:
            if target != self._target:
                self._target = target
                self._searched_ns = None
                self._machine.expect_runner(here=target is not None)

    def find_runner(self) -> RunnerProcess | None:
        """Search for the expected model's process now; takes a few milliseconds, or tens with many processes."""
        with self._looking:
            return self._search() if self._target else None

    # --- trials ---------------------------------------------------------------------------------------------------

    def begin_trial(self, *, loading: bool) -> None:
        """Start to collect readings for a trial, right before its request. From now on, sample at 5 Hz or more.

        Args:
            loading: the model must be loaded first, so its process is searched for until the first token.
        """
        with self._looking:
            edge = self._machine.edge(self._clock_ns())
            self._account = TrialAccount(edge, self._others_before(edge.reading), self._looked_before(edge.reading))
        self._hurry(True, loading=loading)

    def first_token(self) -> None:
        """Return to the usual rate, and stop searching for the model's process."""
        self._hurry(False)

    def end_trial(self) -> TrialMachine:
        """Stop collecting readings, right after the end of the answer; return the trial's machine figures.

        If the model's process has not been seen yet or is gone, it is searched for once more.

        Raises:
            RuntimeError: no trial has begun.
        """
        self._hurry(False)
        with self._looking:
            if self._account is None:
                raise RuntimeError("end_trial without begin_trial")
            account, self._account = self._account, None
            edge = self._machine.edge(self._clock_ns())
            if edge.reading.runner is None and self._target is not None and self._search() is not None:
                edge = self._machine.edge(self._clock_ns())
            return account.close(edge, self._thermal)

    def others_cores(self) -> float | None:
        """Return how many cores other programs kept busy in the last second; None before the second reading."""
        with self._looking:
            return self._others_before(self._machine.reading(self._clock_ns()))

    def count_others_from_now(self) -> None:
        """Ignore the CPU time that other programs have used until now, such as a model's process that just ended."""
        with self._looking:
            self._others_from = self._machine.reading(self._clock_ns())

    def _looked_before(self, now: MachineReading) -> MachineReading | None:
        """Return the latest reading that is at least a second old, else the oldest one.

        Readings from before the last call of ``count_others_from_now`` are not used; the one taken by that call is used
        in their place.
        """
        then = next(
            (reading for reading in reversed(self._readings) if elapsed_between_s(reading, now) >= _BEFORE_TRIAL_S),
            None,
        )
        then = then or (self._readings[0] if self._readings else None)
        if self._others_from is not None and (then is None or then.t_ns < self._others_from.t_ns):
            return self._others_from
        return then

    def _others_before(self, now: MachineReading) -> float | None:
        then = self._looked_before(now)
        found = shares(then, now) if then else None
        return found.others if found else None

    # --- the thread -----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        self._machine.probe()
        due_ns = self._clock_ns()
        self._read_machine()
        self._read_temperatures()
        self._charged_ns = time.thread_time_ns()
        while self._wait_after(due_ns):
            now_ns = self._clock_ns()
            event = self._read_machine()
            if event is not None:
                self._emit(event)
            self._read_temperatures()
            due_ns = latest_deadline_ns(due_ns, now_ns, self._period_ns())

    def _wait_after(self, previous_ns: int) -> bool:
        """Wait until one period after a deadline, even if the rate changes meanwhile.

        Returns:
            False if the sampler was stopped.
        """
        with self._wake:
            while not self._stopped:
                left_ns = previous_ns + round(1e9 / self._rate_hz()) - self._clock_ns()
                if left_ns <= 0:
                    return True
                self._wake.wait(left_ns / 1e9)
            return False

    def _read_machine(self) -> Sampled | None:
        with self._looking:
            now_ns = self._clock_ns()
            before = self._readings[-1] if self._readings else None
            if before is not None and before.runner is None and self._search_is_due(now_ns):
                self._search()
            reading = self._machine.reading(now_ns)
            self._readings.append(reading)
            if self._account is not None:
                self._account.add(reading)
            return sampled(before, reading, self._thermal, self._charge_ms()) if before else None

    def _charge_ms(self) -> float:
        """Return the CPU time of this thread since the last event, in ms."""
        spent_ns = time.thread_time_ns()
        charged_ns, self._charged_ns = self._charged_ns, spent_ns
        return (spent_ns - charged_ns) / 1e6

    def _search_is_due(self, now_ns: int) -> bool:
        with self._wake:
            loading = self._loading
        if not loading or self._target is None:
            return False
        return self._searched_ns is None or now_ns - self._searched_ns >= _SEARCH_EVERY_S * 1e9

    def _search(self) -> RunnerProcess | None:
        assert self._target is not None
        self._searched_ns = self._clock_ns()
        return self._machine.find_runner(self._target).runner

    def _read_temperatures(self) -> None:
        """Read temperatures. This is done outside of the lock, since it may take tens of milliseconds."""
        now_ns = self._clock_ns()
        if self._thermal_ns is None or now_ns - self._thermal_ns >= _THERMAL_EVERY_S * 1e9:
            self._thermal_ns = now_ns
            thermal = self._machine.thermal()
            with self._looking:
                self._thermal = thermal

    # --- the rate -------------------------------------------------------------------------------------------------

    def _hurry(self, hurried: bool, *, loading: bool = False) -> None:
        with self._wake:
            self._hurried = hurried
            self._loading = loading
            self._wake.notify()

    def _period_ns(self) -> int:
        with self._wake:
            return round(1e9 / self._rate_hz())

    def _rate_hz(self) -> float:
        return max(self._steady_hz, FIRST_TOKEN_HZ) if self._hurried else self._steady_hz
