"""Disturbances of a measurement are in its row, and no model is called faster for them: with a scripted server."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from llmtui.simulator import (
    OtherClientAsks,
    OtherClientLoads,
    Planned,
    RunningSimulator,
    Script,
    ScriptedAnswer,
    SimulatedModel,
    SpeedPoint,
)
from llmtui.simulator.process import running_simulator
from llmtui.simulator.scenarios import crowded, faulty, skewed
from tests.acceptance.program import Home

Row = dict[str, str]
THREE = ("-c", "creativity", "-c", "reasoning", "-c", "coding")


def model(name: str, tokens: int = 100, tps: float = 400.0, **changes: object) -> SimulatedModel:
    """Return a small model with answers long enough to compare."""
    answer = changes.pop("answer", ScriptedAnswer(tokens=tokens))
    fields = {"load_s": 0.1, "decode_tps": tps, "answers": (answer,), "size_bytes": 10**9, "parameter_size": "1B"}
    return SimulatedModel(name=name, **(fields | changes))  # type: ignore[arg-type]  # by their names


def measure(home: Home, server: RunningSimulator, *words: str) -> tuple[str, list[Row]]:
    """Run the program; return its output and the rows of its table."""
    done = home.run("run", "--host", server.url, "--words", *words)
    assert done.returncode in (0, 3), done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout, home.trials()


def flagged(rows: Iterable[Row], flag: str) -> list[Row]:
    return [row for row in rows if flag in row["flags"].split()]


def warm(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row["kind"] == "warm"]


# --- what disturbs ------------------------------------------------------------------------------------------------


def test_a_prompt_that_the_server_remembers_has_no_reading_rate(home: Home) -> None:
    """Another client sends the same prompt just before; the tag is known, since the seed is."""
    script = Script(models=(model("a:1b", prefill_tps=4000.0),))
    words = ("--seed", "7", "-m", "a:1b", "-c", "coding", "--rounds", "1")
    with running_simulator(script) as server:
        _, rows = measure(home, server, *words)
        assert not flagged(rows, "cached_prompt")
        question = warm_question(home)
    rendered = f"<|user|>\n{question}<|end|>\n"
    planned = Planned(before_trial=2, change=OtherClientAsks(model="a:1b", seconds=0.01, prompt=rendered))
    with running_simulator(msgspec.structs.replace(script, plan=(planned,))) as server:
        _, rows = measure(home, server, *words)
    (row,) = warm(rows)
    assert "cached_prompt" in row["flags"].split(), row
    assert row["prefill_tps"] == ""
    assert row["decode_tps"] != ""


def warm_question(home: Home) -> str:
    """Return the prompt of the newest session's only warm trial, as sent."""
    from llmtui.core.plan import prompt_tag, tagged
    from llmtui.core.session import fold
    from llmtui.store.journal import read_events

    session = fold(read_events(home.sessions()[-1] / "events.jsonl"))
    assert session is not None
    return tagged(prompt_tag(session.plan, 1, 0), session.plan.prompts[0].text)


def test_a_model_that_another_client_loads_again_is_asked_once_more(home: Home) -> None:
    reload = Planned(after_trial=3, change=OtherClientLoads(model="a:1b", options={"num_ctx": 16_384}))
    with running_simulator(Script(models=(model("a:1b"),), plan=(reload,))) as server:
        _, rows = measure(home, server, "-m", "a:1b", *THREE, "--rounds", "1")
    reloaded = flagged(rows, "unexpected_reload")
    assert len(reloaded) == 1
    again = [row for row in rows if row["repeats"] == reloaded[0]["trial_id"]]
    assert len(again) == 1
    assert "unexpected_reload" not in again[0]["flags"].split()


def test_a_machine_that_slows_from_round_to_round_is_named_and_the_verdict_stands(home: Home) -> None:
    # In every round: a rank test over five rounds cannot distinguish one step in the middle from chance.
    points = tuple(SpeedPoint(after_trials=10 * at, speed=1 - 0.07 * at) for at in range(1, 5))
    script = Script(models=(model("a:1b", speed_points=points), model("b:1b", tps=280.0, speed_points=points)))
    with running_simulator(script) as server:
        printed, _ = measure(home, server, "-m", "a:1b", "-m", "b:1b", *THREE, "--rounds", "5")
    assert re.search(r"The machine slowed by \d+ % during the session\.", printed), printed
    assert "a:1b is faster than b:1b" in printed


# --- what is missing ----------------------------------------------------------------------------------------------


def only(rows: Iterable[Row], name: str) -> Row:
    (row,) = [row for row in warm(rows) if row["model"] == name]
    return row


def test_ways_in_which_an_answer_is_none(home: Home) -> None:
    with running_simulator(faulty()) as server:
        printed, rows = measure(
            home, server, "-m", "thinks-only:1b", "-m", "repeats:1b", "-m", "short:1b", "-c", "coding", "--rounds", "1",
            "--think", "on", "--words",
        )  # fmt: skip
    thinks, repeats, short = (only(rows, name) for name in ("thinks-only:1b", "repeats:1b", "short:1b"))
    assert (thinks["outcome"], thinks["ttfo_ms"]) == ("thinking_only", "")
    assert thinks["ttft_ms"] != ""
    assert repeats["outcome"] == "no_final"
    assert repeats["ttft_ms"]
    assert repeats["decode_cps"]
    assert (repeats["tokens"], repeats["decode_tps"], repeats["tpot_ms"]) == ("", "", "")
    assert (short["outcome"], short["decode_tps"], short["flags"]) == ("ok", "", "short_output")
    assert "short:1b: speed not available: the text is too short." in printed
    assert "thinks-only:1b: speed not available: no complete trial (only thinking)." in printed
    assert not re.search(r"faster than|is ahead|writes fastest", printed)


def test_the_limit_inside_thinking_is_no_failure(home: Home) -> None:
    thinker = model(
        "t:1b", answer=ScriptedAnswer(thinking_tokens=400, tokens=50), capabilities=("completion", "thinking")
    )
    with running_simulator(Script(models=(thinker,))) as server:
        done = home.run(
            "run",
            "--host",
            server.url,
            "-m",
            "t:1b",
            "-c",
            "coding",
            "--rounds",
            "1",
            "--think",
            "on",
            "--num-predict",
            "90",
        )
    assert done.returncode == 0, done.stderr
    row = only(home.trials(), "t:1b")
    assert (row["outcome"], row["ended_by"], row["ttfo_ms"]) == ("ok", "length", "")
    assert row["tokens"] == "90"
    assert row["decode_tps"]


def test_answers_of_ten_tokens_get_no_verdict_and_it_is_said_why(home: Home) -> None:
    script = Script(models=(model("a:1b", tokens=10), model("b:1b", tokens=10, tps=100.0)))
    with running_simulator(script) as server:
        printed, rows = measure(home, server, "-m", "a:1b", "-m", "b:1b", *THREE, "--rounds", "3")
    assert {row["decode_tps"] for row in warm(rows)} == {""}
    assert "a:1b: speed not available: the text is too short." in printed
    assert not re.search(r"is (slightly )?faster than|is ahead|writes fastest|too close to tell", printed)


# --- lasting conditions keep the verdict --------------------------------------------------------------------------


def verdict_line(printed: str) -> str:
    return next(line for line in printed.splitlines() if line.startswith("Decode speed: "))


def compared(home: Home, script: Script, names: Mapping[str, str]) -> str:
    with running_simulator(script) as server:
        words = [word for name in names for word in ("-m", name)]
        printed, rows = measure(home, server, *words, *THREE, "--rounds", "3")
    for name, flag in names.items():
        assert not flag or flagged([row for row in warm(rows) if row["model"] == name], flag), (name, flag)
    return verdict_line(printed)


def test_a_server_whose_clock_is_wrong_still_gets_a_verdict(home: Home) -> None:
    models = (*skewed().models, model("right:1b", tps=300.0))
    line = compared(home, Script(models=models), {"skewed:7b": "clock_disagreement", "right:1b": ""})
    assert "right:1b is faster than skewed:7b" in line
    assert "Under these conditions: times differ." in line


def test_a_model_that_is_partly_on_the_cpu_beside_others_still_gets_a_verdict(home: Home) -> None:
    script = crowded()
    models = tuple(
        msgspec.structs.replace(one, decode_tps=300.0 if one.name == "quick:1b" else 150.0) for one in script.models
    )
    line = compared(
        home,
        msgspec.structs.replace(script, models=models),
        {"spilled:7b": "spilled", "quick:1b": "other_model_resident"},
    )
    assert "quick:1b is faster than spilled:7b" in line
    assert "Under these conditions: partly on the CPU; another model in memory." in line


def test_equal_models_are_not_told_apart(home: Home) -> None:
    script = Script(models=(model("a:1b", tps=200.0), model("b:1b", tps=200.0)))
    line = compared(home, script, {"a:1b": "", "b:1b": ""})
    assert not re.search(r"faster than|is ahead", line)


# --- since last time, and the report ------------------------------------------------------------------------------


def test_the_second_run_says_what_changed_and_writes_its_report(home: Home, tmp_path: Path) -> None:
    report = tmp_path / "report.md"
    words = ("-m", "a:1b", "-c", "coding", "--rounds", "2", "--markdown", str(report))
    with running_simulator(Script(models=(model("a:1b", tps=200.0),))) as server:
        first, _ = measure(home, server, *words)
    with running_simulator(Script(models=(model("a:1b", tps=100.0),), version="9.9.9")) as server:
        second, _ = measure(home, server, *words)
    assert "Since last time" not in first, "this plan has not run before"
    (line,) = [one for one in second.splitlines() if one.startswith("Since last time: ")]
    assert re.search(r"a:1b: \S+ → \S+ tok/s, × 0\.(?:49|5)\d* \(.+?\), no verdict: the day-to-day variation", line), (
        line
    )
    assert "Changed: server" in line
    text = report.read_text("utf-8")
    assert text.startswith("# a:1b\n")
    assert "no verdict: the day-to-day variation of this machine is not known yet" in text
    assert re.search(r"ollama, 9\.9\.9, http://127\.0\.0\.1", text, re.IGNORECASE), text
