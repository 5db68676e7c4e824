"""Figures in trials.csv against the simulator's send log: what happened, never what was planned."""

from __future__ import annotations

import random
import secrets
import statistics
import warnings
from collections.abc import Callable, Sequence

import pytest

from llmtui.simulator import OtherClientAsks, Planned, RunningSimulator, Script, ScriptedAnswer, SimulatedModel
from llmtui.simulator.process import running_simulator
from tests.acceptance.bystander import bystander
from tests.acceptance.deviations import BUSY, EXACT, Deviations, Measured, Row, deviations
from tests.acceptance.program import Home, say, start
from tests.terminal import Terminal, needs_tmux, wait_until


def matched(rows: Sequence[Row], server: RunningSimulator) -> list[Measured]:
    """Pair each row with its request: both are in the order of asking."""
    answers = server.answers()
    assert len(answers) >= len(rows)
    trials = [Measured(row, truth) for row, truth in zip(rows, answers, strict=False)]
    assert all(one.row["model"] == one.truth.model for one in trials)
    return trials


def drawn(
    source: random.Random, name: str, *, load_s: tuple[float, float] = (0.1, 0.4), **more: object
) -> SimulatedModel:
    """Return a model with random speeds."""
    return SimulatedModel(
        name=name, load_s=source.uniform(*load_s), prefill_tps=source.uniform(200, 1500),
        decode_tps=source.uniform(80, 160), size_bytes=source.randrange(10**9, 5 * 10**9), **more,  # type: ignore[arg-type]
    )  # fmt: skip


def drawn_script(seed: int) -> Script:
    """Return four models: plain, 4 tokens per chunk, thinking, and one whose server counts 10 % wrong."""
    source = random.Random(seed)
    answer = ScriptedAnswer(tokens=source.randrange(80, 160), jitter=0.1)
    return Script(
        seed=seed,
        models=(
            drawn(source, "plain:1b", answers=(answer,)),
            drawn(
                source, "bundles:2b",
                answers=(ScriptedAnswer(tokens=source.randrange(80, 160), tokens_per_chunk=4),),
            ),
            drawn(
                source, "thinks:3b", capabilities=("completion", "thinking"),
                answers=(ScriptedAnswer(thinking_tokens=source.randrange(20, 45), tokens=source.randrange(60, 90)),),
            ),
            drawn(source, "skewed:4b", counter_scale=source.choice((0.9, 1.1)), answers=(answer,)),
        ),
    )  # fmt: skip


def within_limits(measure: Callable[[int], Deviations], seed: int) -> None:
    """Measure, and once more if the first result was too far off: a wrong program is wrong twice."""
    first = measure(seed)
    say(f"seed {seed}\n{first}")
    too_far = first.too_far(EXACT)
    if not too_far:
        return
    say(f"beyond the exact limits: {too_far}")
    if first.judged_by == BUSY and not first.too_far(BUSY):
        warnings.warn(f"no core to spare: only the loose limits could be told\n{first}", stacklevel=1)
        return
    again = measure(seed + 1)
    say(f"again, seed {seed + 1}\n{again}")
    assert not again.too_far(again.judged_by), f"twice too far off\n{first}\nthen\n{again}"


@needs_tmux
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.timed
def test_figures_follow_the_send_times_while_the_screen_is_drawn(home: Home) -> None:
    """Under the screens: TTFT and TTFO, the decode rate, with 4 tokens a chunk, with thinking, with wrong counters."""

    def measure(seed: int) -> Deviations:
        with running_simulator(drawn_script(seed)) as server:
            with bystander() as beside:
                rows = rounds_on_screen(home, server, rounds=2, trials=4 * 5)
            trials = matched(rows, server)
        return deviations(trials, beside)

    within_limits(measure, secrets.randbelow(2**31))


def rounds_on_screen(home: Home, server: RunningSimulator, *, rounds: int, trials: int) -> list[Row]:
    """Run all models with all prompts in a terminal; return the rows of this many rounds."""
    env = {
        "LLMTUI_THINK": "on", "LLMTUI_PRESET": "standard", "LLMTUI_NUM_PREDICT": "90",
        "LLMTUI_CATEGORIES": "creativity,reasoning,coding",
        "LLMTUI_MODELS": "plain:1b,bundles:2b,thinks:3b,skewed:4b",
    }  # fmt: skip
    before = len(home.sessions())
    with home.screens("--host", server.url, env=env) as screen:
        start(screen)
        wait_until(
            lambda: len(home.sessions()) > before and len(home.trials()) >= rounds * trials,
            timeout_s=110, what=f"{rounds} rounds are on disk",
        )  # fmt: skip
        leave(screen)
    rows = home.trials()[: rounds * trials]
    assert {row["outcome"] for row in rows} == {"ok"}
    return rows


def leave(screen: Terminal) -> None:
    """Leave during the run."""
    screen.press("C-c")
    screen.wait_for_exit()


@pytest.mark.timed
def test_requests_behind_another_clients_say_queued(home: Home) -> None:
    """Their TTFT follows the send times all the same, and their decode rate is kept."""
    waits_s, behind = 0.4, (2, 4, 5)
    script = Script(
        models=(drawn(random.Random(3), "shared:1b"),),
        plan=tuple(
            Planned(before_trial=number, change=OtherClientAsks(model="shared:1b", seconds=waits_s))
            for number in behind
        ),
    )  # fmt: skip
    with running_simulator(script) as server:
        done = home.run("run", "--host", server.url, "--preset", "quick")
        trials = matched(home.trials(), server)
    assert done.returncode == 0, done.stderr
    assert [int(one.row["order"]) for one in trials if "queued" in one.row["flags"].split()] == list(behind)
    queued = [trials[number - 1] for number in behind]
    for one in queued:
        assert "queued: queued ms=" in one.row["evidence"]
        assert float(one.row["ttft_ms"]) > waits_s * 1000
    assert statistics.median(abs(one.off_ms("ttft_ms")) for one in queued) < BUSY.nearly_all_ms
    assert statistics.median(abs(one.rate_off()) for one in queued) < BUSY.rate_share


@pytest.mark.timed
def test_wrong_counters_are_told_in_the_row_and_left_out_of_it(home: Home) -> None:
    """The server's counters are 10 % off: decode TPS is the send log's, not theirs."""
    script = Script(models=(drawn(random.Random(4), "skewed:1b", counter_scale=1.1),))
    with running_simulator(script) as server:
        done = home.run("run", "--host", server.url, "--preset", "quick")
        trials = matched(home.trials(), server)
    assert done.returncode == 0, done.stderr
    warm = [one for one in trials if one.row["kind"] == "warm"]
    assert len(warm) == 4
    for one in warm:
        assert "clock_disagreement" in one.row["flags"].split()
        assert "side=server" in one.row["evidence"]
    assert statistics.median(abs(one.rate_off()) for one in warm) < BUSY.rate_share
    by_counters = statistics.median(float(one.row["server_decode_tps"]) / (one.truth.decode_tps or 1) for one in warm)
    assert by_counters == pytest.approx(1 / 1.1, rel=0.02)
