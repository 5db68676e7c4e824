"""Every line of an audit is computed from the file: it changes as an independent calculation says."""

from __future__ import annotations

import csv
import io
import json
import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

from llmtui.core import recorded
from llmtui.core.events import SessionEvent, TrialFinished
from llmtui.core.records import Recorded, ServerCounters, Timeline
from llmtui.core.session import Session, fold
from llmtui.core.summary import summarise
from llmtui.core.verdict import SEPARATING, verdicts
from llmtui.legacy.audit import Audit, audit
from llmtui.legacy.claims import Claim
from llmtui.legacy.events import legacy_events
from llmtui.legacy.model_audit import Level, level
from llmtui.legacy.readers import read_any
from llmtui.legacy.write_back import HEADER

DATA = Path(__file__).parents[3] / "shared" / "data"
SHORT = ("Modelo", "Categoria", "TTFT(s)", "Total(s)", "t/s", "RAM_MB", "Tokens")
ENGLISH = ("Model", "Category", "Prompt", "TTFT (s)", "Total Time (s)", "Tokens/s", "RAM used (MB)", "Total tokens")
CATEGORIES = ("Creatividad", "Razonamiento", "Coding", "Resumen", "Datos")


def session_of(text: str) -> Session:
    made = fold(legacy_events(read_any(text), name="old.csv", session_id="x", wall_ns=0, version="0"))
    assert made is not None
    return made


def audit_of(text: str) -> Audit:
    return audit(session_of(text))


def claims(of: Audit) -> dict[str, Claim]:
    return {one.says: one for one in of.claims}


# --- the comparison that this grew out of -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def seed() -> tuple[str, dict[str, Any]]:
    if not DATA.exists():
        pytest.skip("the earlier comparison's file is not beside this checkout")
    accepted: dict[str, Any] = json.loads((DATA / "seed_acceptance.json").read_text("utf-8"))
    return (DATA / "seed_benchmark.csv").read_text("utf-8"), accepted


def test_the_earlier_comparison_row_by_row(seed: tuple[str, dict[str, Any]]) -> None:
    for row, expected in zip(session_of(seed[0]).rows, seed[1]["rows"], strict=True):
        figures = row.figures
        assert figures.ttft_ms is not None
        assert figures.e2e_ms is not None
        found = {
            "ttft_s": figures.ttft_ms / 1000, "total_s": figures.e2e_ms / 1000, "tokens": figures.tokens,
            "naive_tps": figures.e2e_tps, "ttft_share": figures.ttft_ms / figures.e2e_ms,
        }  # fmt: skip
        # Under 16 tokens there is no decode rate to show.
        found |= {"decode_tps": figures.decode_tps, "tpot_ms": figures.tpot_ms} if figures.decode_tps else {}
        for name, value in found.items():
            assert value == pytest.approx(expected[name], abs=0.00501 if name == "tpot_ms" else 0.0000501), name
        assert (row.trial.kind == "cold") is expected["cold"]
        assert ("short_output" in row.flags) is (expected["short_output"])


def test_the_earlier_comparison_model_by_model(seed: tuple[str, dict[str, Any]]) -> None:
    for one in audit_of(seed[0]).models:
        expected = seed[1]["models"][one.model]
        overall, writing = known(one.overall), known(one.writing)
        warm, every = known(one.warm_ttft_s), known(one.ttft_s)
        assert one.speed is not None
        found = {
            "naive_mean_csv_column": overall.mean, "decode_mean": writing.mean, "decode_median": writing.median,
            "decode_cv_pct": pct(writing.cv), "decode_min": writing.low, "decode_max": writing.high,
            "warm_ttft_median_s": warm.median, "warm_ttft_mean_s": warm.mean, "warm_ttft_min_s": warm.low,
            "warm_ttft_max_s": warm.high, "warm_ttft_cv_pct": pct(warm.cv), "ttft_mean_all_s": every.mean,
            "cold_ttft_s": one.cold_ttft_s, "ram_level_max_mb": one.highest_mb,
        }  # fmt: skip
        for name, value in found.items():
            digits = len(str(expected[name]).partition(".")[2])
            assert value == pytest.approx(expected[name], abs=0.5001 * 10**-digits), name


def test_the_earlier_comparisons_other_ways_to_average(seed: tuple[str, dict[str, Any]]) -> None:
    """Figures that are not shown, from the same rows: they confirm how the file is read."""
    session = session_of(seed[0])
    for at, contender in enumerate(session.plan.contenders):
        expected = seed[1]["models"][contender.label]
        mine = [row for row in session.rows if row.trial.contender == at]
        warm = [row for row in mine if row.trial.kind == "warm"]
        steps = {row.trial.id: recorded.decode_amount(row) or (0.0, 1.0) for row in mine}
        long = [steps[row.trial.id] for row in mine if (row.figures.tokens or 0) >= 50]
        overall, usual_warm = (known(level(row.figures.e2e_tps for row in some)) for some in (mine, warm))
        decode_long = known(level(done / over_s for done, over_s in long))
        found = {
            "naive_mean": overall.mean, "naive_cv_pct": pct(overall.cv), "naive_warm_mean": usual_warm.mean,
            "naive_warm_cv_pct": pct(usual_warm.cv),
            "decode_pooled": sum(done for done, _ in steps.values()) / sum(over_s for _, over_s in steps.values()),
            "decode_ge50_mean": decode_long.mean, "decode_ge50_cv_pct": pct(decode_long.cv),
        }  # fmt: skip
        for name, value in found.items():
            digits = len(str(expected[name]).partition(".")[2])
            assert value == pytest.approx(expected[name], abs=0.5001 * 10**-digits), name


def known(of: Level | None) -> Level:
    assert of is not None
    return of


def pct(share: float | None) -> float:
    assert share is not None
    return 100 * share


def test_one_speed_for_one_thing(seed: tuple[str, dict[str, Any]]) -> None:
    """Table, audit and ratios show the same figures: the quotient of two of them is the ratio of their pair."""
    session = session_of(seed[0])
    found = audit(session)
    lines = summarise(session).lines
    for one, line in zip(found.models, lines, strict=True):
        assert one.speed is not None
        assert line.decode_tps is not None
        assert one.speed.value == line.decode_tps.value
    for pair in found.verdicts:
        first, second = found.models[pair.first].speed, found.models[pair.second].speed
        assert first is not None
        assert second is not None
        assert first.value / second.value == pytest.approx(pair.ratio, rel=1e-12)


def test_the_earlier_comparisons_verdicts(seed: tuple[str, dict[str, Any]]) -> None:
    session = session_of(seed[0])
    labels = [one.label for one in session.plan.contenders]
    assert audit(session).verdicts == verdicts(session)
    by_pair = {f"{labels[one.first]}/{labels[one.second]}": one for one in verdicts(session)}
    assert by_pair.keys() == seed[1]["ratios"].keys()
    for pair, expected in seed[1]["ratios"].items():
        one, shown = by_pair[pair], seed[1]["ratios_simultaneous"][pair]
        assert (one.word == "faster") is (expected["verdict"] == "faster")
        assert (one.word in SEPARATING, one.rounds, one.unit) == (one.word == "faster", 4, "category")
        assert one.ratio is not None
        assert one.low is not None
        assert one.high is not None
        assert [round(value, 4) for value in (one.ratio, one.low, one.high)] == [
            expected["ratio"], shown["low_simultaneous"], shown["high_simultaneous"],
        ]  # fmt: skip


def test_the_earlier_comparisons_sentences(seed: tuple[str, dict[str, Any]]) -> None:
    found = claims(audit_of(seed[0]))
    assert {name: one.finding for name, one in found.items()} == {
        "fastest": "not_shown", "steadiest": "artefact", "slow_category": "artefact", "most_memory": "artefact",
        "cold_start": "stands", "best_latency": "not_shown",
    }  # fmt: skip
    fastest = found["fastest"]
    assert (fastest.model, fastest.other, fastest.why) == ("mistral", "llama3", "interval_holds_1")
    assert (found["steadiest"].model, found["steadiest"].why) == ("mistral", "least_steady")
    slow = found["slow_category"]
    assert (slow.model, slow.category, slow.why) == ("gemma:7b", "Creatividad", "cold_start")
    assert (slow.figures["usual_tps"], slow.figures["ttft_s"]) == (1.58, 26.7033)
    assert slow.figures["total_s"] == pytest.approx(43.6738)
    assert (found["most_memory"].model, found["most_memory"].why) == ("llama3", "first_row")
    assert (found["cold_start"].figures["low_s"], found["cold_start"].figures["high_s"]) == (19.1477, 26.7033)
    assert (found["best_latency"].model, found["best_latency"].why) == ("llama3", "single_trials")


def test_cold_starts_are_compared_with_the_slowest_other_row(seed: tuple[str, dict[str, Any]]) -> None:
    times = {one.model: one.cold_times_slowest for one in audit_of(seed[0]).models}
    assert {name: round(value or 0, 2) for name, value in times.items()} == {
        "llama3": 11.16, "mistral": 15.48, "gemma:7b": 4.27,
    }  # fmt: skip


def test_a_journal_of_an_earlier_import_is_audited_the_same(seed: tuple[str, dict[str, Any]]) -> None:
    """It kept the wait on a timeline and the count among the server's."""
    events: list[SessionEvent] = []
    for event in legacy_events(read_any(seed[0]), name="old.csv", session_id="x", wall_ns=0, version="0"):
        if isinstance(event, TrialFinished) and event.recorded is not None:
            of = event.recorded
            event = msgspec.structs.replace(
                event,
                done_ns=round((of.total_s or 0) * 1e9),
                counters=ServerCounters(output_tokens=of.tokens, output_steps=(of.tokens or 1) - 1),
                timeline=Timeline(t_ns=(round((of.ttft_s or 0) * 1e9),), chars=(0,), channels="a"),
                recorded=Recorded(line=of.line, overall_tps=of.overall_tps, ram_change_mb=of.ram_change_mb),
            )
        events.append(event)
    earlier = fold(events)
    assert earlier is not None
    found, before = audit_of(seed[0]), audit(earlier)
    assert [one.finding for one in before.claims] == [one.finding for one in found.claims]
    for one, other in zip(before.verdicts, found.verdicts, strict=True):
        assert one.word == other.word
        assert one.ratio == pytest.approx(other.ratio)
        assert one.low == pytest.approx(other.low)


# --- generated files, judged a second time by pandas and SciPy ----------------------------------------------------


def generated(number: int) -> str:
    """A file of its own kind: other models, winners, orders, headers; with and without starts, short rows, memory."""
    chance = random.Random(number)
    models = chance.sample(["llama3", "mistral", "gemma:7b", "phi3", "qwen2:1.5b"], chance.choice([2, 3, 4]))
    categories = chance.sample(CATEGORIES, chance.choice([3, 4, 5]))
    by_category = number % 5 == 4
    cells = (
        [(m, c) for c in categories for m in models] if by_category else [(m, c) for m in models for c in categories]
    )
    speed = {model: chance.uniform(3, 12) for model in models}
    if number % 3 == 0:
        speed = {model: 6 * chance.uniform(0.98, 1.02) for model in models}
    wait = {model: chance.uniform(0.4, 3) for model in models}
    seen: set[str] = set()
    records: list[dict[str, Any]] = []
    for model, category in cells:
        first = model not in seen
        seen.add(model)
        cold = first and number % 4 != 3
        ttft = chance.uniform(9, 30) if cold else wait[model] * chance.uniform(0.8, 1.25)
        tokens = chance.choice([12, 30, 90, 150, 260, 400])
        slow = 0.6 if number % 7 == 2 and category == categories[-1] else 1.0
        total = ttft + (tokens - 1) / (speed[model] * slow * chance.uniform(0.96, 1.04))
        ram = chance.uniform(1000, 4500) if first else chance.uniform(-50, 80)
        records.append(
            {
                "model": model, "category": category, "prompt": f"Escribe, por favor, sobre {category}.",
                "ttft": f"{ttft:.4f}", "total": f"{total:.4f}", "tps": f"{tokens / total:.2f}", "ram": f"{ram:.2f}",
                "tokens": str(tokens),
            }
        )  # fmt: skip
    return decode_amount(records, number)


def decode_amount(records: list[dict[str, Any]], number: int) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    header = (HEADER, SHORT, ENGLISH, tuple(f" {name.upper()} " for name in HEADER), tuple(map(str.lower, SHORT)))[
        number % 5
    ]
    writer.writerow(header)
    for one in records:
        values = list(one.values())
        writer.writerow(values if len(header) == 8 else [*values[:2], *values[3:]])
    return out.getvalue()


class Second:
    """The same audit by other means: frames instead of rows, SciPy instead of our own statistics."""

    def __init__(self, text: str) -> None:
        frame = pd.read_csv(io.StringIO(text), skipinitialspace=True)
        if len(frame.columns) == 7:
            frame.insert(2, "prompt", "")
        frame.columns = pd.Index(["model", "category", "prompt", "ttft", "total", "tps", "ram", "n"])
        frame["decode"] = (frame["n"] - 1) / (frame["total"] - frame["ttft"])
        frame["level"] = frame["ram"].cumsum()
        frame["cold"] = False
        for at, row in frame.iterrows():
            rest = frame[(frame["model"] == row["model"]) & (frame.index != at)]["ttft"].median()
            starts = at == 0 or frame.at[int(str(at)) - 1, "model"] != row["model"]
            frame.at[at, "cold"] = bool(starts and row["ttft"] > 5 * rest)
        self.frame = frame
        self.models = list(dict.fromkeys(frame["model"]))

    def pooled(self, rows: pd.DataFrame) -> float:
        return float((rows["n"] - 1).sum() / (rows["total"] - rows["ttft"]).sum())

    def ratio(self, a: str, b: str) -> tuple[float, float, float]:
        """Geometric mean of the categories' ratios with its 95 % interval, simultaneous over the pairs."""
        frame = self.frame
        logs = [
            math.log(
                self.pooled(frame[(frame["model"] == a) & (frame["category"] == category)])
                / self.pooled(frame[(frame["model"] == b) & (frame["category"] == category)])
            )
            for category in dict.fromkeys(frame["category"])
        ]
        spread = max(float(np.std(logs, ddof=1)), 0.001) / math.sqrt(len(logs))
        low, high = scipy_stats.t.interval(self.level, len(logs) - 1, loc=float(np.mean(logs)), scale=spread)
        return float(np.exp(np.mean(logs))), math.exp(low), math.exp(high)

    @property
    def level(self) -> float:
        """Of each interval, so that all hold with 95 %."""
        return 1 - 0.05 / math.comb(len(self.models), 2)

    def chance_of(self, a: str, b: str) -> float:
        ratio, _, high = self.ratio(a, b)
        n = self.frame["category"].nunique()
        error = math.log(high / ratio) / float(scipy_stats.t.ppf(0.5 + self.level / 2, n - 1))
        return 2 * float(scipy_stats.t.sf(abs(math.log(ratio)) / error, n - 1))

    def separated(self, a: str, b: str) -> bool:
        """Return whether a verdict calls a faster than b."""
        ratio, low, high = self.ratio(a, b)
        if low > 1.03:
            return True
        if ratio <= 1 or low <= 1 or (low > 1 / 1.03 and high < 1.03):
            return False
        pairs = [(x, y) for at, x in enumerate(self.models) for y in self.models[at + 1 :]]
        ranked = sorted((self.chance_of(x, y), {x, y} == {a, b}) for x, y in pairs)
        adjusted = 0.0
        for rank, (p, mine) in enumerate(ranked):
            adjusted = max(adjusted, min(1.0, p * (len(pairs) - rank)))
            if mine:
                return adjusted < 0.01
        raise AssertionError("the pair is among the pairs")

    def fastest(self) -> tuple[str, str] | None:
        means = self.frame.groupby("model", sort=False)["tps"].mean().sort_values(ascending=False)
        if means.iloc[0] < 1.01 * means.iloc[1]:
            return None
        said = str(means.index[0])
        others = [one for one in self.models if one != said]
        if any(self.separated(one, said) for one in others):
            return said, "wrong"
        return said, "stands" if all(self.separated(said, one) for one in others) else "not_shown"

    def steadiest(self) -> tuple[str, str, str] | None:
        by_model = self.frame.groupby("model", sort=False)
        overall = (by_model["tps"].std() / by_model["tps"].mean()).sort_values()
        if overall.iloc[1] < 0.03 or overall.iloc[1] < 1.1 * overall.iloc[0]:
            return None
        decode = by_model["decode"].std() / by_model["decode"].mean()
        said = str(overall.index[0])
        if decode.idxmin() == said:
            return said, "not_shown", "too_few_to_rank"
        return said, "artefact", "least_steady" if decode.idxmax() == said else "another_varies_less"

    def slow_category(self) -> tuple[str, str, str, str] | None:
        frame = self.frame
        category = str(frame.groupby("category", sort=False)["tps"].mean().idxmin())
        inside = frame[frame["category"] == category]
        row = frame.loc[int(str(inside["tps"].idxmin()))]
        mine = frame[(frame["model"] == row["model"]) & (frame.index != row.name)]
        if row["tps"] > mine["tps"].median() * 2 / 3:
            return None
        if row["decode"] < 0.9 * self.pooled(mine):
            return str(row["model"]), category, "not_shown", "single_trial"
        return str(row["model"]), category, "artefact", "cold_start" if row["cold"] else "waiting"

    def most_memory(self) -> tuple[str, str, str | None] | None:
        most = self.frame.groupby("model", sort=False)["ram"].max().sort_values(ascending=False)
        if most.iloc[0] <= 1.03 * most.iloc[1]:
            return None
        said = str(most.index[0])
        if not (self.frame["ram"] < 0).any():
            return said, "not_shown", None
        highest = str(self.frame.groupby("model", sort=False)["level"].max().idxmax())
        return said, "not_shown" if highest == said else "artefact", highest

    def cold_start(self) -> tuple[str, float, float] | None:
        cold = self.frame[self.frame["cold"]].drop_duplicates("model")
        if cold.empty:
            return None
        whole = len(cold) == len(self.models)
        return "stands" if whole else "in_part", float(cold["ttft"].min()), float(cold["ttft"].max())

    def best_latency(self) -> tuple[str, str] | None:
        means = self.frame.groupby("model", sort=False)["ttft"].mean().sort_values()
        if means.iloc[1] - means.iloc[0] < 0.05:
            return None
        said = str(means.index[0])
        warm = self.frame[~self.frame["cold"]]
        wide = np.log(pd.pivot_table(warm, index="category", columns="model", values="ttft", aggfunc="median"))
        logs = {(a, b): (wide[a] - wide[b]).dropna() for a in self.models for b in self.models if a != b}
        others = [one for one in self.models if one != said]
        if min(len(logs[said, one]) for one in others) < 4:
            return said, "not_shown"
        judged = sum(len(one) >= 3 for one in logs.values()) / 2
        if any(self._sooner(logs[one, said], judged) for one in others):
            return said, "wrong"
        return said, "stands" if all(self._sooner(logs[said, one], judged) for one in others) else "not_shown"

    def _sooner(self, logs: pd.Series[float], pairs: float) -> bool:
        error = max(float(logs.std()), 0.001) / math.sqrt(len(logs))
        return float(logs.mean()) + float(scipy_stats.t.ppf(1 - 0.025 / pairs, len(logs) - 1)) * error < -math.log(1.1)


@pytest.mark.parametrize("number", range(20))
def test_generated_files_are_audited_as_a_second_calculation_says(number: int) -> None:
    text = generated(number)
    second, found = Second(text), claims(audit_of(text))
    assert parts(found, "fastest", "model", "finding") == second.fastest()
    assert parts(found, "steadiest", "model", "finding", "why") == second.steadiest()
    assert parts(found, "slow_category", "model", "category", "finding", "why") == second.slow_category()
    assert parts(found, "most_memory", "model", "finding", "other") == second.most_memory()
    cold = found.get("cold_start")
    assert (cold and (cold.finding, cold.figures["low_s"], cold.figures["high_s"])) == approximately(
        second.cold_start()
    )
    assert parts(found, "best_latency", "model", "finding") == second.best_latency()


def approximately(of: tuple[str, float, float] | None) -> Any:
    return None if of is None else (of[0], pytest.approx(of[1]), pytest.approx(of[2]))


def parts(found: dict[str, Claim], says: str, *names: str) -> tuple[Any, ...] | None:
    one = found.get(says)
    return None if one is None else tuple(getattr(one, name) for name in names)


@pytest.mark.parametrize("number", range(20))
def test_generated_files_have_the_same_ratios(number: int) -> None:
    text = generated(number)
    second, found = Second(text), audit_of(text)
    for one in found.verdicts:
        a, b = found.models[one.first].model, found.models[one.second].model
        assert (one.ratio, one.low, one.high) == pytest.approx(second.ratio(a, b), rel=1e-9)
        assert (one.word in SEPARATING) is second.separated(a, b)


def test_the_generated_files_differ_in_what_is_found() -> None:
    """Or the comparison above would not show that anything is computed."""
    found = [claims(audit_of(generated(number))) for number in range(20)]
    kinds: dict[str, set[str]] = {}
    for one in found:
        for says, claim in one.items():
            kinds.setdefault(says, set()).add(claim.finding)
    assert kinds["fastest"] >= {"stands", "not_shown"}
    assert kinds["steadiest"] == {"not_shown", "artefact"}
    assert kinds["slow_category"] >= {"artefact"}
    assert kinds["most_memory"] == {"not_shown", "artefact"}
    assert kinds["cold_start"] >= {"stands"}
    assert kinds["best_latency"] >= {"not_shown"}
    assert len({one["fastest"].model for one in found if "fastest" in one}) >= 4
    assert any("cold_start" not in one for one in found)


# --- no more than the figures bear --------------------------------------------------------------------------------


def rows(*cells: str, header: str = ",".join(SHORT)) -> str:
    return "\n".join([header, *cells]) + "\n"


def trials(model: str, waits: Sequence[float], tps: Sequence[float], runs: int = 1, tokens: int = 200) -> list[str]:
    """A row per run and category, with the wait and the speed of the category."""
    return [
        f"{model},c{at},{wait},{wait + (tokens - 1) / speed:.6f},,,{tokens}"
        for _ in range(runs)
        for at, (wait, speed) in enumerate(zip(waits, tps, strict=True))
    ]


def test_an_order_whose_interval_holds_1_is_not_shown() -> None:
    text = rows(*trials("a", [1, 1, 1, 1], [10, 11, 10, 9]), *trials("b", [1, 1, 1, 1], [9, 10, 11, 9]))
    fastest = claims(audit_of(text))["fastest"]
    assert (fastest.finding, fastest.why) == ("not_shown", "interval_holds_1")
    assert fastest.figures["low"] < 1 < fastest.figures["high"]


def test_the_usual_formula_can_name_the_wrong_model() -> None:
    text = rows(*trials("a", [1, 1, 1, 1], [10, 11, 10, 9]), *trials("b", [30, 30, 30, 30], [15, 16, 15, 14]))
    fastest = claims(audit_of(text))["fastest"]
    assert (fastest.model, fastest.other, fastest.finding) == ("a", "b", "wrong")


def test_three_pairs_of_single_trials_name_no_winner_of_the_wait() -> None:
    text = rows(*trials("a", [0.5, 0.5, 0.5], [10] * 3), *trials("b", [2, 2, 2], [10] * 3))
    latency = claims(audit_of(text))["best_latency"]
    assert (latency.finding, latency.why, latency.figures["units"]) == ("not_shown", "single_trials", 3.0)


def test_waits_of_three_runs_can_name_one() -> None:
    text = rows(*trials("a", [0.5, 0.6, 0.5], [10] * 3, runs=3), *trials("b", [2, 2.1, 2], [10] * 3, runs=3))
    assert claims(audit_of(text))["best_latency"].finding == "stands"


def test_a_mean_with_a_cold_start_in_it_can_name_the_wrong_model() -> None:
    a, b = [8, 8, 8, 8, 8], [60, 1, 1.1, 1, 1.1]
    text = rows(*trials("a", a, [10] * 5), *trials("b", b, [10] * 5))
    latency = claims(audit_of(text))["best_latency"]
    assert (latency.model, latency.other, latency.finding) == ("a", "b", "wrong")


def test_the_files_own_repetitions_are_the_unit() -> None:
    three = audit_of(rows(*trials("a", [1, 1], [10, 11], runs=3), *trials("b", [1, 1], [8, 9], runs=3)))
    assert (three.layout.unit, three.layout.runs, three.layout.order) == ("run", 3, "one_after_another")
    assert (three.verdicts[0].rounds, three.verdicts[0].unit) == (3, "run")
    turns = [row for _ in range(5) for name in ("a", "b") for row in trials(name, [1, 1], [10, 11])]
    five = audit_of(rows(*turns))
    assert (five.layout.runs, five.layout.order, five.verdicts[0].rounds) == (5, "taking_turns", 5)


def test_a_row_that_occurs_twice_makes_no_second_run() -> None:
    once = [*trials("a", [1, 1, 1], [10, 11, 12]), *trials("b", [1, 1, 1], [8, 9, 10])]
    layout = audit_of(rows(*once, once[0])).layout
    assert (layout.unit, layout.runs) == ("category", 1)


def test_what_the_file_says_of_its_runs_is_taken() -> None:
    header = "model,run,ttft_s,total_s,tokens"
    cells = [f"{model},{run},1,{20 + run},200" for model in "ab" for run in (3, 1, 2)]
    assert [row.trial.round for row in session_of(rows(*cells, header=header)).rows] == [3, 1, 2] * 2


def test_nobodys_sentence_is_answered() -> None:
    """A category hardly slower than the others, equal models, equal waits, one model: no such claim is made."""
    close = rows(
        *trials("a", [1, 1, 1, 1], [5.7, 5.74, 5.64, 5.67]), *trials("b", [1, 1, 1, 1], [5.7, 5.74, 5.64, 5.67])
    )
    assert claims(audit_of(close)) == {}
    assert claims(audit_of(rows(*trials("a", [1, 1, 1], [5, 6, 7])))) == {}


def test_a_memory_column_that_only_rises_may_be_anything() -> None:
    header = "model,category,ttft_s,total_s,ram_mb,tokens"
    cells = [f"{model},c{at},1,20,{mb},200" for model, mb in (("a", 4000), ("b", 2000)) for at in range(3)]
    memory = claims(audit_of(rows(*cells, header=header)))["most_memory"]
    assert (memory.model, memory.finding, memory.why) == ("a", "not_shown", "not_known_what")


# --- files that say less ------------------------------------------------------------------------------------------


def test_without_a_time_to_first_token_only_the_usual_formula_is_judged() -> None:
    cells = [f"{model},c{at},{seconds},200" for model, seconds in (("a", 10), ("b", 20)) for at in range(4)]
    found = audit_of(rows(*cells, header="model,category,seconds,tokens"))
    assert (found.layout.basis, found.layout.overall_recorded) == ("usual", False)
    assert (claims(found)["fastest"].model, claims(found)["fastest"].finding) == ("a", "stands")
    assert "best_latency" not in claims(found)
    session = session_of(rows(*cells, header="model,category,seconds,tokens"))
    assert [line.decode_tps for line in summarise(session).lines] == [None, None]


def test_a_file_of_rates_alone_is_judged_by_them() -> None:
    cells = [f"{model},c{at},{tps + at / 10}" for model, tps in (("a", 10), ("b", 20)) for at in range(4)]
    found = audit_of(rows(*cells, header="model,category,tokens/s"))
    assert (found.layout.basis, found.layout.overall_recorded) == ("usual", True)
    assert found.verdicts[0].ratio == pytest.approx(
        math.exp(np.mean([math.log((20 + k / 10) / (10 + k / 10)) for k in range(4)]))
    )


def test_ollamas_counters_give_the_speed_without_the_wait() -> None:
    header = "model,total_duration,load_duration,prompt_eval_duration,eval_count,eval_duration"
    cells = [
        f"a,{s + 2}000000000,{load},300000000,101,{s}000000000"
        for s, load in ((10, 9 * 10**9), (20, 10**8), (20, 10**8))
    ]
    session = session_of(rows(*cells, header=header))
    assert [row.figures.decode_tps for row in session.rows] == [10.0, 5.0, 5.0]
    assert {row.figures.tps_source for row in session.rows} == {"server"}
    assert [row.trial.kind for row in session.rows] == ["cold", "warm", "warm"]
    assert [row.figures.ttft_ms for row in session.rows] == [None] * 3


def test_models_without_common_rows_are_not_compared() -> None:
    text = rows(*trials("a", [1, 1], [10, 11]), "b,other,1,20,,,100")
    fastest = claims(audit_of(text))["fastest"]
    assert (fastest.finding, fastest.why) == ("cannot_be_judged", "no_common_rows")


def test_the_largest_file_that_is_read_is_audited_in_seconds() -> None:
    cells = [f"m{m},c{c},1,{20 + m / 10 + c / 100:.2f},,,200" for m in range(50) for c in range(200)]
    found = audit_of(rows(*cells))
    assert len(found.verdicts) == 50 * 49 // 2
