"""What is said above the tables: plain words, every figure with its unit, and no winner without a verdict."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from llmtui.core.across import Earlier
from llmtui.core.day_noise import DayNoise
from llmtui.core.events import TrialFinished
from llmtui.core.plan import Plan
from llmtui.core.records import MachineFigures, Outcome, ResidentModel
from llmtui.core.session import Session, fold
from llmtui.legacy.events import legacy_events
from llmtui.legacy.readers import read_any
from llmtui.words.conclusions import headed, sentences, telling
from tests.core.compared import compared, compared_plan, other, warm
from tests.core.made import started

NEVER_ON_SCREEN = re.compile(r"\b(TPOT|ICL|nonce|Holm|MAD|RssAnon|RssFile|None|nan|tests?)\b|[{}]|_")
WINNING = re.compile(r"writes fastest|writes faster|slightly faster|seems faster|is ahead")
GB = 10**9


def said(session: Session, title: str, earlier: Earlier | None = None) -> str:
    return {line.heading: line.said for line in headed(session, earlier)}[title]


def rows(of: Plan, contender: int, tps: float, rounds: int = 3, **changes: Any) -> list[TrialFinished]:
    return [warm(of, contender, number, which, tps, **changes) for number in range(1, rounds + 1) for which in range(3)]


def rich_session() -> Session:
    """Three models with everything that can be measured."""
    of = compared_plan("llama3", "mistral", "gemma:7b")
    extra: list[TrialFinished] = []
    for contender, tps in enumerate((10.0, 10.1, 5.0)):
        machine = MachineFigures(
            runner_peak_bytes=(5 + contender) * GB, runner_steady_bytes=(4 + contender) * GB,
            runner_file_bytes=(4 + contender) * GB, runner_anon_bytes=GB, available_min_bytes=2 * GB,
            swap_in_bytes=contender * 10**6, runner_cpu_s=90.0, joules=300.0,
        )  # fmt: skip
        for number in (1, 2, 3):
            extra += [
                warm(
                    of,
                    contender,
                    number,
                    which,
                    tps * (1 + 0.01 * number * (-1) ** which),
                    machine=machine,
                    thinking=20,
                )
                for which in range(3)
            ]
            extra.append(other(of, "cold", contender, number, ttft_ms=20000 - 1000 * number, load_ms=15000))
            extra.append(other(of, "follow_up", contender, number, ttft_ms=200))
    return compared(dict.fromkeys(("llama3", "mistral", "gemma:7b"), ()), *extra, of=of)


def many_sessions() -> dict[str, Session]:
    of = compared_plan("a", "b")
    failed: tuple[Outcome, ...] = ("no_final", "thinking_only", "empty", "error", "stalled", "cancelled", "skipped")
    spilled = ResidentModel(name="b", digest="d", size_bytes=100, vram_bytes=40)
    begun = fold([started(of)])
    assert begun is not None
    old = fold(
        legacy_events(
            read_any("Modelo,Categoria,TTFT(s),Total(s),t/s,RAM_MB,Tokens\na,x,9,19,5,100,101\na,y,1,11,9,5,101\nb,x,1,9,11,-3,90\n"),
            name="old.csv", session_id="x", wall_ns=0, version="0",
        )
    )  # fmt: skip
    assert old is not None
    sessions = {
        "nothing yet": begun,
        "one model": compared({"a": [10.0]}),
        "one round": compared({"a": [10.0], "b": [10.2]}),
        "one round, a leader": compared({"a": [10.0], "b": [20.0]}),
        "ahead": compared({"a": [10.0] * 2, "b": [20.0] * 2}),
        "equal": compared({"a": [10.0, 10.1, 9.9], "b": [10.02, 9.98, 10.0]}),
        "open": compared({"a": [10.0, 10.5, 9.5], "b": [10.5, 10.3, 10.9]}),
        "two prompts": compared({"a": [10.0], "b": [20.0]}, of=compared_plan("a", "b", categories=("x", "y"))),
        "short": compared({"a": [], "b": []}, *rows(of, 0, 10.0, tokens=10), *rows(of, 1, 10.0, tokens=40), of=of),
        "disturbed": compared({"a": [10.0] * 3, "b": []}, *rows(of, 1, 9.0, flags=("noisy_start",)), of=of),
        "spilled": compared({"a": [10.0] * 3, "b": []}, *rows(of, 1, 9.0, resident=spilled), of=of),
        "rich": rich_session(),
        "imported": old,
    }
    for outcome in failed:
        rest = [warm(of, 1, 1, which, 10.0, outcome=outcome) for which in range(3)]
        sessions[outcome] = compared({"a": [10.0], "b": []}, *rest, of=of)
    return sessions


SESSIONS = many_sessions()


@pytest.mark.parametrize("name", SESSIONS)
def test_plain_words_only(name: str) -> None:
    for line in sentences(SESSIONS[name]):
        text = line.replace("old.csv", "")
        assert not NEVER_ON_SCREEN.search(text), line
        assert "  " not in text
        assert not re.search(r"\.\.|\s\.|\(\)|, ,|: \.", text), line


@pytest.mark.parametrize("name", SESSIONS)
def test_every_line_says_something(name: str) -> None:
    lines = headed(SESSIONS[name])
    assert len(lines) == 8 or name == "imported"
    assert all(line.heading and line.said.endswith(".") for line in lines)


@pytest.mark.parametrize("name", SESSIONS)
def test_readers_are_spared_the_lines_that_say_nothing(name: str) -> None:
    lines = telling(SESSIONS[name])
    assert [line for line in headed(SESSIONS[name]) if line in lines] == list(lines), "in the same order"
    assert not any(line.heading == "Since last time" for line in lines), "there is no earlier session"
    assert not any("every trial counts" in line.said for line in lines)
    if len(SESSIONS[name].plan.contenders) == 1:
        assert not any(line.heading == "Which model for what" for line in lines)


@pytest.mark.parametrize(
    "name",
    [
        "nothing yet",
        "one model",
        "one round",
        "one round, a leader",
        "two prompts",
        "equal",
        "open",
        "short",
        "disturbed",
    ],
)
def test_nobody_wins_without_a_verdict(name: str) -> None:
    assert not WINNING.search(said(SESSIONS[name], "Decode speed"))


# --- each line ----------------------------------------------------------------------------------------------------


def test_a_winner_with_ratio_interval_and_rounds() -> None:
    text = said(compared({"llama3": [10.0, 10.1, 9.9], "mistral": [20.0, 20.1, 19.9]}), "Decode speed")
    assert text.startswith("mistral writes fastest. mistral 20.0 tok/s (")
    assert re.search(r"mistral is faster than llama3: 2\.00 times as fast \(\d\.\d\d–\d\.\d\d, 3 rounds\)\.", text)


def test_one_round_has_a_leader_or_too_few_rounds() -> None:
    text = said(SESSIONS["one round, a leader"], "Decode speed")
    assert "b leads a in this round: at least 2.00 times as fast on every prompt." in text
    assert "2 more rounds until there is an interval." in text
    assert "too few rounds to tell" in said(SESSIONS["one round"], "Decode speed")
    assert "too few prompts to tell" in said(SESSIONS["two prompts"], "Decode speed")
    assert "Long answers" not in said(SESSIONS["one round, a leader"], "Which model for what")


def test_two_rounds_can_say_ahead() -> None:
    text = said(SESSIONS["ahead"], "Decode speed")
    assert text.startswith("b is ahead. ")
    assert "b is ahead of a: at least 2.00 times as fast on every prompt, in 2 rounds." in text


def test_an_open_answer_has_its_forecast() -> None:
    text = said(SESSIONS["open"], "Decode speed")
    assert "too close to tell yet" in text
    assert re.search(
        "To settle it: about \\d+ more rounds?, perhaps twice that \\(.*(s|min)\\)\\.|many more rounds", text
    )


def test_conditions_stand_beside_the_verdict() -> None:
    text = said(SESSIONS["spilled"], "Decode speed")
    assert "a is faster than b" in text
    assert "Under these conditions: partly on the CPU." in text


def test_a_missing_speed_says_why() -> None:
    text = said(SESSIONS["short"], "Decode speed")
    assert "a: speed not available: the text is too short." in text
    assert "b: speed not available: the answers are too short to compare speeds (under 64 tokens)." in text


def test_still_thinking_names_the_limit() -> None:
    of = compared_plan("a")
    thinking = rows(of, 0, 10.0, thinking=127, ended_by="length")
    text = said(compared({"a": []}, *thinking, of=of), "TTFT and cold start")
    assert "TTFT once loaded: a 0.500 s." in text


def test_more_tokens_less_text() -> None:
    of = compared_plan("a", "b")
    session = compared({"a": [], "b": []}, *rows(of, 0, 11.0, word="no "), *rows(of, 1, 10.0, word="letters "), of=of)
    assert "More tokens, less text: a writes" in said(session, "Decode speed")


def test_waiting_starts_and_savings() -> None:
    text = said(SESSIONS["rich"], "TTFT and cold start")
    assert "TTFT once loaded: llama3 0.500 s, mistral 0.500 s, gemma:7b 0.500 s." in text
    assert "TTFT: no noticeable difference (under 50 ms)." in text
    assert "Time to first output token, after thinking (TTFO): " in text
    assert "llama3 19.0 s (of which 15.0 s loading, later 17.5 s)" in text
    assert "Keeping a model loaded saves about 17.0 s for each later cold start that it avoids." in text


def test_the_shortest_ttft_takes_three_rounds() -> None:
    of = compared_plan("a", "b")
    for rounds, told in ((1, False), (2, False), (3, True)):
        extra = [*rows(of, 0, 10.0, rounds, ttft_ms=300), *rows(of, 1, 10.0, rounds, ttft_ms=900)]
        text = said(compared({"a": [], "b": []}, *extra, of=of), "TTFT and cold start")
        assert text.startswith("a has the shortest TTFT.") is told


def test_who_never_answered_within_the_limit_is_named() -> None:
    of = compared_plan("a", "b", "c")
    extra = [*rows(of, 0, 10.0), *rows(of, 1, 10.0), *rows(of, 2, 10.0, thinking=127, ended_by="length")]
    session = compared({"a": [], "b": [], "c": []}, *extra, of=of)
    assert "Only thinking, no answer, within 128 tokens: c." in said(session, "TTFT and cold start")
    assert "(time to first output token): a or b, of those compared. c never reached an answer." in said(
        session, "Which model for what"
    )


def test_variation_pauses_and_cost() -> None:
    text = said(SESSIONS["rich"], "Variation and cost")
    assert re.search(r"varies between rounds by \S+ ± [\d.]+ %, ", text)
    assert "steadiest" not in text, "from ten rounds on"
    assert "No pause lasted more than a second." in text
    assert "CPU time per token: llama3 0.703 s" in text
    assert "Energy per token: llama3 2.3 J" in text
    assert "llmtui received chunks 0.500 ms (median) after the server sent them." in text
    assert "needs 3 rounds" in said(SESSIONS["one round"], "Variation and cost")


def test_the_lag_of_a_server_elsewhere_is_beyond_the_network() -> None:
    session = SESSIONS["rich"]
    far = msgspec.structs.replace(
        session, fingerprint=msgspec.structs.replace(session.fingerprint, server_is_local=False)
    )
    text = said(far, "Variation and cost")
    assert "llmtui received chunks 0.500 ms late (median), not counting the network." in text
    assert "after the server had sent it" not in text


def test_memory_by_its_parts_what_is_left_and_swap() -> None:
    text = said(SESSIONS["rich"], "Memory")
    assert "llama3 up to 5.00 GB (model 4.00 GB + working memory 1.00 GB, 4.00 GB most of the time)" in text
    assert "gemma:7b needs 2.00 GB more than llama3." in text
    assert "At least 2.00 GB stayed free for other programs." in text
    assert "was read back from swap." in text
    assert said(SESSIONS["one model"], "Memory") == ("Not available: the model's process cannot be seen from here.")


def test_nobody_is_named_for_a_few_megabytes() -> None:
    of = compared_plan("a", "b")
    extra = [
        warm(of, contender, number, 0, 10.0, machine=MachineFigures(runner_peak_bytes=5 * GB + contender * 10**8))
        for contender in (0, 1)
        for number in (1, 2, 3)
    ]
    text = said(compared({"a": [], "b": []}, *extra, of=of), "Memory")
    assert text.startswith("The models need about the same amount. a up to 5.00 GB")


def test_the_gpus_memory_counts_and_mixed_sources_are_not_compared() -> None:
    of = compared_plan("a", "b")
    big = [
        warm(
            of, contender, 1, 0, 10.0, machine=MachineFigures(runner_peak_bytes=GB),
            resident=ResidentModel(name="x", digest="d", size_bytes=vram, vram_bytes=vram),
        )
        for contender, vram in enumerate((4 * GB, 20 * GB))
    ]  # fmt: skip
    text = said(compared({"a": [], "b": []}, *big, of=of), "Memory")
    assert text.startswith("b needs 16.0 GB more than a.")
    mixed = [big[0], warm(of, 1, 1, 0, 10.0, resident=ResidentModel(name="x", digest="d", size_bytes=GB))]
    one_told = compared({"a": [], "b": []}, *mixed, of=of)
    assert "needs" in said(one_told, "Memory"), "the server tells both sizes"
    unlike = [warm(of, 0, 1, 0, 10.0, machine=MachineFigures(runner_peak_bytes=6 * GB)), mixed[1]]
    text = said(compared({"a": [], "b": []}, *unlike, of=of), "Memory")
    assert "needs" not in text
    assert "about the same" not in text


def test_the_conditions_of_a_model_that_is_alone_are_named() -> None:
    of = compared_plan("a")
    text = said(compared({"a": []}, *rows(of, 0, 10.0, flags=("spilled",)), of=of), "Decode speed")
    assert text.endswith("Under these conditions: partly on the CPU.")


def test_processor_time_below_what_the_counter_tells_is_not_called_nothing() -> None:
    of = compared_plan("a")
    rows_of = rows(of, 0, 10.0, machine=MachineFigures(runner_cpu_s=0.0))
    assert "CPU time" not in said(compared({"a": []}, *rows_of, of=of), "Variation and cost")


def test_which_for_what_names_one_only_where_told_apart() -> None:
    text = said(SESSIONS["rich"], "Which model for what")
    assert "Long answers (chars/s, up to 128 tokens): llama3 or mistral." in text, "in the plan's order"
    assert "Quick answers (time to first output token): " in text
    assert "Occasional use (cold start plus an answer of 500 characters): " in text
    assert "Low memory use (RAM and GPU memory): llama3." in text
    assert text.endswith("Based on speed, waiting time and memory only; the quality of the answers was not judged.")


def test_who_failed_suits_nothing() -> None:
    of = compared_plan("a", "b", "c", "d")
    session = compared(
        {"a": [20.0] * 3, "b": [20.0] * 3, "c": [20.0] * 3, "d": []}, *rows(of, 3, 20.0, outcome="error"), of=of
    )
    text = said(session, "Which model for what")
    assert "any of those compared" in text
    assert "any of them" not in text


def test_the_fastest_of_those_compared() -> None:
    of = compared_plan("m0", "m1", "m2")
    disturbed = rows(of, 2, 19.4, flags=("noisy_start",))
    session = compared({"m0": [9.72] * 3, "m1": [7.78] * 3, "m2": []}, *disturbed, of=of)
    text = said(session, "Decode speed")
    assert text.startswith("Of those compared, m0 writes fastest. m2 19.4 tok/s (")
    assert "not compared" in text
    assert "(chars/s, up to 128 tokens): m0, of those compared." in said(session, "Which model for what")


def test_an_open_lead_is_not_called_shared() -> None:
    session = compared({"m0": [11.3, 11.31, 11.29], "m1": [10.2] * 3, "m2": [10.0, 13.0, 7.5]})
    text = said(session, "Decode speed")
    assert text.startswith("Not settled yet which is fastest: m0 or m2.")
    assert "share the lead" not in text


def test_the_usual_formula_and_why_it_differs() -> None:
    text = said(SESSIONS["rich"], "Usual formula")
    assert re.match(
        r"Tokens ÷ total time over the same warm trials: mistral \S+, llama3 \S+, gemma:7b \S+ tok/s\.", text
    )
    assert "It counts waiting as writing" in text
    assert "Cold starts only: " in text
    assert "Ollama's eval rate would be " in text


def test_since_last_time() -> None:
    before, now = compared({"a": [10.0, 10.1, 9.9]}), compared({"a": [12.0, 12.1, 11.9]})
    newer = msgspec.structs.replace(now.fingerprint, server_version="2")
    older = msgspec.structs.replace(before, fingerprint=msgspec.structs.replace(before.fingerprint, server_version="1"))
    now = msgspec.structs.replace(now, fingerprint=newer)
    text = said(now, "Since last time", Earlier(session=older, noise=DayNoise(1e-6, 5)))
    assert re.search(r"a is faster: × 1\.20 \(\d\.\d\d–\d\.\d\d\)\.", text)
    assert "Changed: server's version 1 → 2." in text
    assert text.endswith("The intervals include this machine's day-to-day variation, ± 0.10 %.")
    unknown = said(now, "Since last time", Earlier(session=older))
    assert not re.search("faster|slower", unknown)
    assert re.search(r"a: 10\.0 → 12\.0 tok/s, × 1\.20 \(\d\.\d\d–\d\.\d\d\), no verdict", unknown)
    assert said(now, "Since last time") == "Not available: this plan has not run before."


def test_older_sessions_are_judged_by_todays_rules() -> None:
    now = compared({"a": [12.0, 12.1, 11.9]})
    before = msgspec.structs.replace(now, fingerprint=msgspec.structs.replace(now.fingerprint, llmtui="0.1"))
    text = said(now, "Since last time", Earlier(session=before))
    assert text.endswith("The earlier session was judged again by today's rules.")


def test_two_differences_are_shown_without_a_verdict() -> None:
    before, now = compared({"a": [10.0, 10.1, 9.9]}), compared({"a": [12.0, 12.1, 11.9]})
    now = msgspec.structs.replace(
        now, fingerprint=msgspec.structs.replace(now.fingerprint, server_kind="openai", on_battery=True)
    )
    before = msgspec.structs.replace(before, fingerprint=msgspec.structs.replace(before.fingerprint, on_battery=False))
    text = said(now, "Since last time", Earlier(session=before))
    assert re.search(
        r"a: 10.0 → 12.0 tok/s, × 1\.20 \(\S+\), no verdict: more than one thing differs between the sessions\.",
        text,
    )


def test_what_was_not_counted_and_why() -> None:
    assert said(SESSIONS["one model"], "Not counted") == "Nothing: every trial counts."
    assert "b 3 trials (failed)" in said(SESSIONS["error"], "Not counted")
    assert "b: no verdict: too many trials were disturbed." in said(SESSIONS["disturbed"], "Not counted")


def test_an_imported_file_is_audited_and_no_more() -> None:
    lines = headed(SESSIONS["imported"])
    assert [line.heading for line in lines[:2]] == ["What this file can show", "Decode speed"]
    assert {line.heading[0] + line.heading[-1] for line in lines[2:]} == {"“”"}


@pytest.mark.parametrize("name", SESSIONS)
def test_nothing_english_is_left_in_spanish(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "es")
    for line in sentences(SESSIONS[name]):
        assert not re.search(r"\b(the|of|and|is|not|than|with|tests?|rounds?|speed|times)\b", line), line
        assert not NEVER_ON_SCREEN.search(line.replace("old.csv", "")), line
