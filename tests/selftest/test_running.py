"""The self-test measures: it says what is so, also where that is bad."""

from __future__ import annotations

import io
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from llmtui.cli import selftest as command
from llmtui.core.metrics import MIN_TOKENS_COMPARED
from llmtui.core.session import Session, fold
from llmtui.selftest import cost as selftest_cost
from llmtui.selftest import running
from llmtui.selftest.cost import Cost, cost_of, measure_cost
from llmtui.selftest.screen import ScreenFailed
from llmtui.selftest.script import CAP_TOKENS, QUIET_TOKENS, THINKING_TOKENS, drawn_script
from llmtui.selftest.truth import Accuracy, compare
from llmtui.simulator import SentChunk, SentRequest, Truth
from llmtui.words.install import install_command
from tests.core import made


def sent(*, ttft_ms: float, tokens: int, token_ms: float, bundle: int = 1) -> SentRequest:
    """What a server logs of an answer that it sent in bundles."""

    def chunk(number: int) -> SentChunk:
        last = min(number + bundle - 1, tokens)
        at_ns = round((ttft_ms + (last - bundle) * token_ms) * made.MS)
        ends = last == tokens
        return SentChunk(
            kind="done" if ends else "text", channel=None if ends else "answer", handed_ns=at_ns, sent_ns=at_ns,
            sent_monotonic_ns=at_ns, created_ns=0, first_token=number, last_token=last, characters=4,
        )  # fmt: skip

    return SentRequest(
        number=1, connection=1, method="POST", path="/api/chat", model="m", body={}, received_ns=0,
        received_monotonic_ns=0, headers_ns=0, status=200, chunks=tuple(map(chunk, range(1, tokens + 1, bundle))),
        truth=Truth(), finished_ns=None, disconnected_ns=None,
    )  # fmt: skip


def session_of(*, ttft_ms: float, token_ms: float, tokens: int = 100, outcome: str = "ok") -> Session:
    plan = made.plan("m")
    finished = made.finished(plan, ttft_ms=ttft_ms, token_ms=token_ms, tokens=tokens, outcome=outcome)
    session = fold([made.started(plan), finished])
    assert session is not None
    return session


# --- truth beside measured ---------------------------------------------------------------------------------------


def test_a_figure_stands_beside_what_the_log_says() -> None:
    (test,) = compare(session_of(ttft_ms=502, token_ms=10).rows, [sent(ttft_ms=500, tokens=100, token_ms=10)])
    assert test.ttft_ms is not None
    assert test.ttft_ms.difference == pytest.approx(2)
    assert test.decode_tps is not None
    assert test.decode_tps.truth == pytest.approx(100)
    assert test.decode_tps.share == pytest.approx(0)


def test_the_truth_of_bundles_counts_the_tokens_after_the_first_bundle() -> None:
    (test,) = compare(session_of(ttft_ms=500, token_ms=10).rows, [sent(ttft_ms=500, tokens=100, token_ms=10, bundle=4)])
    assert test.decode_tps is not None
    assert test.decode_tps.truth == pytest.approx(100)


def test_few_tokens_have_no_speed() -> None:
    few = MIN_TOKENS_COMPARED - 1
    (test,) = compare(
        session_of(ttft_ms=500, token_ms=10, tokens=few).rows, [sent(ttft_ms=500, tokens=few, token_ms=10)]
    )
    assert test.ttft_ms is not None
    assert test.decode_tps is None


def test_as_many_answers_as_tests_are_compared_or_none() -> None:
    rows = session_of(ttft_ms=500, token_ms=10).rows
    with pytest.raises(ScreenFailed, match="2 answers, llmtui measured 1"):
        compare(rows, [sent(ttft_ms=500, tokens=100, token_ms=10)] * 2)
    with pytest.raises(ScreenFailed, match="ended as stalled"):
        compare(session_of(ttft_ms=500, token_ms=10, outcome="stalled").rows, [])


@pytest.mark.parametrize(
    ("ttft_ms", "token_ms", "good"),
    [
        (501.9, 10.0, [True, True]),
        (498.1, 10.0, [True, True]),
        (502.1, 10.0, [False, True]),
        (497.9, 10.0, [False, True]),
        (500.0, 10.04, [True, True]),
        (500.0, 10.06, [True, False]),
        (500.0, 9.94, [True, False]),
    ],
)
def test_what_is_out_of_bounds_is_said(ttft_ms: float, token_ms: float, good: list[bool]) -> None:
    session = session_of(ttft_ms=ttft_ms, token_ms=token_ms)
    found = Accuracy(session=session, trials=compare(session.rows, [sent(ttft_ms=500, tokens=100, token_ms=10)]))
    verdicts = running.accuracy_verdicts(found)
    assert [verdict.ok for verdict in verdicts] == good
    assert found.within_bounds == all(good)
    assert ["OUT OF BOUNDS" not in verdict.sentence for verdict in verdicts] == good


def test_the_table_of_errors_fits_80_columns_and_names_its_units_in_the_heads() -> None:
    session = session_of(ttft_ms=12345.67, token_ms=5)
    found = Accuracy(session=session, trials=compare(session.rows, [sent(ttft_ms=12340, tokens=100, token_ms=10)]))
    console = Console(file=io.StringIO(), width=80)
    console.print(running.accuracy_table(found))
    assert isinstance(console.file, io.StringIO)
    head, row = (line.rstrip() for line in console.file.getvalue().splitlines())
    assert head.endswith("sent TTFT ms  err ms  sent tok/s     err %")
    assert row.split()[-4:] == ["12340.00", "+5.67", "100.00", "+100.000"]


# --- the server --------------------------------------------------------------------------------------------------


def test_a_seed_draws_one_server_and_another_seed_another() -> None:
    assert drawn_script(1) == drawn_script(1)
    assert drawn_script(1) != drawn_script(2)


@pytest.mark.parametrize("seed", range(20))
def test_every_drawn_answer_ends_by_itself_and_has_a_speed(seed: int) -> None:
    for model in drawn_script(seed).models:
        for answer in model.answers:
            assert MIN_TOKENS_COMPARED <= answer.tokens <= CAP_TOKENS - THINKING_TOKENS
            assert answer.thinking_tokens <= THINKING_TOKENS
            assert all(stall.before_token >= QUIET_TOKENS > answer.tokens_per_chunk for stall in answer.stalls)


# --- what the screen costs ---------------------------------------------------------------------------------------


def turns(count: int, *, without: float = 400.0, cost: float = 0.0, drift: float = 0.0) -> list[float]:
    """Return speeds in turns A B B A on a machine whose speed changes by ``drift`` from one trial to the next."""
    speeds = [without, without * (1 - cost), without * (1 - cost), without] * count
    return [speed * (1 + drift) ** place for place, speed in enumerate(speeds)]


def test_a_machine_that_slows_down_is_no_cost_of_the_screen() -> None:
    found = cost_of(turns(6, drift=-0.02))
    assert found is not None
    assert found.share == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.05])
def test_the_cost_is_the_share_of_speed_that_is_missing(share: float) -> None:
    found = cost_of(turns(4, cost=share, drift=0.01))
    assert found is not None
    assert found.share == pytest.approx(share)
    assert found.turns == 4


def test_the_interval_holds_what_the_turns_say() -> None:
    found = cost_of([*turns(2, cost=0.01), *turns(2, cost=0.03)])
    assert found is not None
    assert found.low < 0.01 < 0.02 < found.high < 0.05
    assert found.low < found.share < found.high


def test_one_turn_says_nothing() -> None:
    assert cost_of(turns(1)) is None
    assert cost_of([]) is None
    assert cost_of(turns(2)[:-1]) is None


@pytest.mark.parametrize(("low", "good"), [(-0.3, True), (0.019, True), (0.021, False)])
def test_only_a_cost_that_is_certain_is_out_of_bounds(low: float, *, good: bool) -> None:
    found = Cost(share=0.05, low=low, high=0.1, turns=6, headless_tps=400.0)
    assert running.cost_verdict(found).ok is good


@pytest.mark.parametrize(("high", "said"), [(0.02, "Good."), (0.30, "Inconclusive because other programs are busy")])
def test_an_interval_that_says_nothing_is_not_called_good(high: float, said: str) -> None:
    found = Cost(share=0.01, low=0.0, high=high, turns=6, headless_tps=400.0)
    assert said in running.cost_verdict(found).sentence
    assert running.cost_verdict(found).ok


def test_a_machine_too_slow_to_tell_is_not_out_of_bounds() -> None:
    verdict = running.cost_verdict(None)
    assert verdict.ok
    assert "is not available" in verdict.sentence


@pytest.mark.skipif(find_spec("xllamacpp") is None, reason="the built-in server is not installed")
@pytest.mark.slow
def test_the_screen_stands_still_and_draws_in_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selftest_cost, "TURNS", 2)
    monkeypatch.setattr(selftest_cost, "TOKENS", 64)
    done: list[str] = []
    before = psutil.Process().children(recursive=True)
    found = measure_cost(tmp_path, limit_s=60, progress=done.append)
    assert done == [f"{number}/8" for number in range(1, 9)]
    assert found is not None
    assert found.turns == 2
    assert found.headless_tps > 0
    assert found.low <= found.share <= found.high
    assert psutil.Process().children(recursive=True) == before, "nothing is left behind"


# --- the command -------------------------------------------------------------------------------------------------


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measuring without a mistake, in no time."""
    session = session_of(ttft_ms=500, token_ms=10)
    trials = compare(session.rows, [sent(ttft_ms=500, tokens=100, token_ms=10)])
    monkeypatch.setattr(running, "measure_accuracy", lambda *_: Accuracy(session=session, trials=trials))


@pytest.mark.usefixtures("exact")
def test_without_the_built_in_server_that_half_is_said_to_be_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "builtin_available", lambda: False)
    assert command.selftest(seed=1, with_cost=True) == 0
    said = capsys.readouterr().out
    assert "was not measured: the built-in server is not installed" in said
    assert install_command("builtin,synthetic") in said


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize(("low", "code"), [(0.0, 0), (0.03, 1)])
def test_a_certain_cost_changes_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], low: float, code: int
) -> None:
    found = Cost(share=0.04, low=low, high=0.05, turns=6, headless_tps=400.0)
    monkeypatch.setattr(command, "builtin_available", lambda: True)
    monkeypatch.setattr(running, "measure_cost", lambda *_args, **_kwargs: found)
    assert command.selftest(seed=1, with_cost=True) == code
    assert "Drawing the screens costs 4.0 %" in capsys.readouterr().out
