"""Every line of an audit is computed from the file: it changes as an independent calculation says."""

from __future__ import annotations

import csv
import io
import json
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

from llmtui.core.session import Session, fold
from llmtui.core.summary import summarise
from llmtui.core.verdict import verdicts
from llmtui.legacy.audit import Audit, Claim, Level, audit, legacy_rows
from llmtui.legacy.events import legacy_events
from llmtui.legacy.table import HEADER, parse_legacy

DATA = Path(__file__).parents[3] / "shared" / "data"
SHORT = ("Modelo", "Categoria", "TTFT(s)", "Total(s)", "t/s", "RAM_MB", "Tokens")
ENGLISH = ("Model", "Category", "Prompt", "TTFT (s)", "Total Time (s)", "Tokens/s", "RAM used (MB)", "Total tokens")
CATEGORIES = ("Creatividad", "Razonamiento", "Coding", "Resumen", "Datos")


def session_of(text: str) -> Session:
    made = fold(legacy_events(parse_legacy(text), name="old.csv", session_id="x", wall_ns=0, version="0"))
    assert made is not None
    return made


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
    rows = parse_legacy(seed[0])
    for row, expected in zip(rows, seed[1]["rows"], strict=True):
        assert row.naive_tps is not None
        assert row.decode_tps is not None
        assert row.ttft_s is not None
        assert row.total_s is not None
        found = {
            "model": row.model, "category": row.category, "ttft_s": row.ttft_s, "total_s": row.total_s,
            "tokens": row.tokens, "naive_tps": round(row.naive_tps, 4), "decode_tps": round(row.decode_tps, 4),
            "tpot_ms": round(1000 / row.decode_tps, 2), "ttft_share": round(row.ttft_s / row.total_s, 4),
            "cold": row.cold,
        }  # fmt: skip
        assert found == {name: expected[name] for name in found}


def test_the_earlier_comparisons_flags(seed: tuple[str, dict[str, Any]]) -> None:
    rows = session_of(seed[0]).rows
    for row, expected in zip(rows, seed[1]["rows"], strict=True):
        assert (row.trial.kind == "cold") is expected["cold"]
        assert ("short_output" in row.flags) is expected["short_output"]


def test_the_earlier_comparison_model_by_model(seed: tuple[str, dict[str, Any]]) -> None:
    for one in audit(parse_legacy(seed[0])).models:
        expected = seed[1]["models"][one.model]
        recorded, usual, usual_warm = map(known, (one.recorded, one.usual, one.usual_warm))
        decode, decode_long, ram = map(known, (one.decode, one.decode_long, one.ram_mb))
        warm, every = map(known, (one.warm_ttft_s, one.ttft_s))
        found = {
            "naive_mean_csv_column": recorded.mean, "naive_mean": usual.mean, "naive_cv_pct": pct(usual.cv),
            "naive_warm_mean": usual_warm.mean, "naive_warm_cv_pct": pct(usual_warm.cv), "decode_mean": decode.mean,
            "decode_median": decode.median, "decode_cv_pct": pct(decode.cv), "decode_min": decode.low,
            "decode_max": decode.high, "decode_pooled": one.pooled_tps, "decode_ge50_mean": decode_long.mean,
            "decode_ge50_cv_pct": pct(decode_long.cv), "warm_ttft_median_s": warm.median, "warm_ttft_mean_s": warm.mean,
            "warm_ttft_min_s": warm.low, "warm_ttft_max_s": warm.high, "warm_ttft_cv_pct": pct(warm.cv),
            "ttft_mean_all_s": every.mean, "cold_ttft_s": one.cold_ttft_s, "cold_penalty_s": one.cold_penalty_s,
            "ram_level_mean_mb": ram.mean, "ram_level_max_mb": ram.high,
        }  # fmt: skip
        assert found.keys() == expected.keys()
        for name, value in found.items():
            digits = len(str(expected[name]).partition(".")[2])
            assert value == pytest.approx(expected[name], abs=0.5001 * 10**-digits), name


def known(of: Level | None) -> Level:
    assert of is not None
    return of


def pct(share: float | None) -> float:
    assert share is not None
    return 100 * share


def test_the_earlier_comparison_under_todays_rules(seed: tuple[str, dict[str, Any]]) -> None:
    lines = {line.label: line for line in summarise(session_of(seed[0])).lines}
    speeds = {name: line.decode_tps.value for name, line in lines.items() if line.decode_tps is not None}
    assert {name: round(value, 4) for name, value in speeds.items()} == {
        "llama3": 5.8313, "mistral": 6.1059, "gemma:7b": 3.9255,
    }  # fmt: skip
    assert [one.compared_rows for one in audit(parse_legacy(seed[0])).models] == [2, 2, 1]


def test_the_earlier_comparisons_verdicts(seed: tuple[str, dict[str, Any]]) -> None:
    session = session_of(seed[0])
    labels = [one.label for one in session.plan.contenders]
    for found in (audit(parse_legacy(seed[0])).verdicts, verdicts(session)):
        by_pair = {f"{labels[one.first]}/{labels[one.second]}": one for one in found}
        assert by_pair.keys() == seed[1]["ratios"].keys()
        for pair, expected in seed[1]["ratios"].items():
            one = by_pair[pair]
            assert (one.word, one.rounds, one.unit) == (expected["verdict"], 4, "category")
            assert one.ratio is not None
            assert one.low is not None
            assert one.high is not None
            assert [round(value, 4) for value in (one.ratio, one.low, one.high)] == [
                expected["ratio"], *expected["ci95"],
            ]  # fmt: skip


def test_the_earlier_comparisons_sentences(seed: tuple[str, dict[str, Any]]) -> None:
    found = claims(audit(parse_legacy(seed[0])))
    assert {name: one.finding for name, one in found.items()} == {
        "fastest": "order_only", "steadiest": "artefact", "slowest_category": "artefact", "most_memory": "artefact",
        "cold_start": "stands", "best_latency": "wrong_winner",
    }  # fmt: skip
    assert (found["fastest"].model, found["fastest"].other) == ("mistral", "llama3")
    assert (found["steadiest"].model, found["steadiest"].why) == ("mistral", "least_steady")
    slow = found["slowest_category"]
    assert (slow.model, slow.category, slow.why) == ("gemma:7b", "Creatividad", "cold_start")
    assert (slow.figures["usual_tps"], slow.figures["ttft_s"], slow.figures["total_s"]) == (1.58, 26.7033, 43.6738)
    assert (found["most_memory"].model, found["most_memory"].why) == ("llama3", "first_row")
    assert (found["cold_start"].figures["low_s"], found["cold_start"].figures["high_s"]) == (19.1477, 26.7033)
    assert (found["best_latency"].model, found["best_latency"].other) == ("llama3", "mistral")


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
    return written(records, number)


def written(records: list[dict[str, Any]], number: int) -> str:
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
        """Geometric mean of the categories' ratios with its 95 % interval."""
        frame = self.frame
        logs = [
            math.log(
                self.pooled(frame[(frame["model"] == a) & (frame["category"] == category)])
                / self.pooled(frame[(frame["model"] == b) & (frame["category"] == category)])
            )
            for category in dict.fromkeys(frame["category"])
        ]
        spread = max(float(np.std(logs, ddof=1)), 0.001) / math.sqrt(len(logs))
        low, high = scipy_stats.t.interval(0.95, len(logs) - 1, loc=float(np.mean(logs)), scale=spread)
        return float(np.exp(np.mean(logs))), math.exp(low), math.exp(high)

    def chance_of(self, a: str, b: str) -> float:
        ratio, _, high = self.ratio(a, b)
        n = self.frame["category"].nunique()
        error = math.log(high / ratio) / float(scipy_stats.t.ppf(0.975, n - 1))
        return 2 * float(scipy_stats.t.sf(abs(math.log(ratio)) / error, n - 1))

    def separated(self, a: str, b: str) -> bool:
        """Whether a is told apart as faster than b."""
        ratio, low, high = self.ratio(a, b)
        if low > 1.03:
            return True
        if ratio <= 1 or (low > 1 / 1.03 and high < 1.03):
            return False
        pairs = [(x, y) for at, x in enumerate(self.models) for y in self.models[at + 1 :]]
        ranked = sorted((self.chance_of(x, y), {x, y} == {a, b}) for x, y in pairs)
        adjusted = 0.0
        for rank, (p, mine) in enumerate(ranked):
            adjusted = max(adjusted, min(1.0, p * (len(pairs) - rank)))
            if mine:
                return adjusted < 0.01
        raise AssertionError("the pair is among the pairs")

    def fastest(self) -> tuple[str, str]:
        said = str(self.frame.groupby("model", sort=False)["tps"].mean().idxmax())
        others = [one for one in self.models if one != said]
        ahead = [one for one in others if self.ratio(one, said)[0] > 1]
        if ahead:
            best = max(ahead, key=lambda one: self.ratio(one, said)[0])
            return said, "wrong_winner" if self.separated(best, said) else "reversed"
        return said, "stands" if all(self.separated(said, one) for one in others) else "order_only"

    def steadiest(self) -> tuple[str, str, str | None]:
        by_model = self.frame.groupby("model", sort=False)
        usual = by_model["tps"].std() / by_model["tps"].mean()
        decode = by_model["decode"].std() / by_model["decode"].mean()
        said = str(usual.idxmin())
        if not (decode.max() > 2 * decode.min() and decode.max() > 0.03):
            return said, "artefact", "equally_steady"
        if decode.idxmin() == said:
            return said, "stands", None
        return said, "artefact", "least_steady" if decode.idxmax() == said else "another_is"

    def slowest_category(self) -> tuple[str, str, str, str | None]:
        frame = self.frame
        category = str(frame.groupby("category", sort=False)["tps"].mean().idxmin())
        inside = frame[frame["category"] == category]
        row = frame.loc[int(str(inside["tps"].idxmin()))]
        rest = self.pooled(frame[(frame["model"] == row["model"]) & (frame.index != row.name)])
        if row["decode"] < 0.9 * rest:
            return str(row["model"]), category, "stands", None
        return str(row["model"]), category, "artefact", "cold_start" if row["cold"] else "waiting"

    def most_memory(self) -> tuple[str, str, str]:
        at = int(str(self.frame["ram"].idxmax()))
        said = str(self.frame.at[at, "model"])
        highest = str(self.frame.groupby("model", sort=False)["level"].max().idxmax())
        return said, "order_only" if highest == said else "artefact", highest

    def cold_start(self) -> tuple[str, float | None, float | None]:
        cold = self.frame[self.frame["cold"]].drop_duplicates("model")
        if cold.empty:
            return "cannot_be_judged", None, None
        whole = len(cold) == len(self.models)
        return "stands" if whole else "in_part", float(cold["ttft"].min()), float(cold["ttft"].max())

    def best_latency(self) -> tuple[str, str, str]:
        warm = self.frame[~self.frame["cold"]]
        said = str(self.frame.groupby("model", sort=False)["ttft"].mean().idxmin())
        medians = warm.groupby("model", sort=False)["ttft"].median()
        best = str(medians.idxmin())
        if best != said:
            return said, "wrong_winner", best
        for other in self.models:
            if other != said and not self._sooner(warm, said, other, medians):
                return said, "order_only", best
        return said, "stands", best

    def _sooner(self, warm: pd.DataFrame, a: str, b: str, medians: pd.Series[float]) -> bool:
        apart = float(medians[b] - medians[a])
        wide = pd.pivot_table(warm, index="category", columns="model", values="ttft", aggfunc="median")
        both = wide[[a, b]].dropna()
        return apart >= 0.05 and apart >= 0.1 * float(medians[b]) and len(both) >= 3 and bool((both[a] < both[b]).all())


@pytest.mark.parametrize("number", range(20))
def test_generated_files_are_audited_as_a_second_calculation_says(number: int) -> None:
    text = generated(number)
    second, found = Second(text), claims(audit(parse_legacy(text)))
    assert (found["fastest"].model, found["fastest"].finding) == second.fastest()
    assert (found["steadiest"].model, found["steadiest"].finding, found["steadiest"].why) == second.steadiest()
    slow = found["slowest_category"]
    assert (slow.model, slow.category, slow.finding, slow.why) == second.slowest_category()
    memory = found["most_memory"]
    assert (memory.model, memory.finding, memory.other) == second.most_memory()
    start = found["cold_start"]
    assert (start.finding, start.figures.get("low_s"), start.figures.get("high_s")) == second.cold_start()
    latency = found["best_latency"]
    assert (latency.model, latency.finding, latency.other) == second.best_latency()


@pytest.mark.parametrize("number", range(20))
def test_generated_files_have_the_same_ratios(number: int) -> None:
    text = generated(number)
    second, found = Second(text), audit(parse_legacy(text))
    for one in found.verdicts:
        a, b = found.models[one.first].model, found.models[one.second].model
        assert (one.ratio, one.low, one.high) == pytest.approx(second.ratio(a, b), rel=1e-9)
        assert (one.word in ("faster", "slightly_faster")) is second.separated(a, b)


def test_the_generated_files_differ_in_what_is_found() -> None:
    """Or the comparison above would not show that anything is computed."""
    found = [claims(audit(parse_legacy(generated(number)))) for number in range(20)]
    kinds = {says: {one[says].finding for one in found} for says in found[0]}
    assert kinds["fastest"] >= {"stands", "order_only", "reversed"}
    assert kinds["steadiest"] == {"stands", "artefact"}
    assert kinds["slowest_category"] == {"stands", "artefact"}
    assert kinds["most_memory"] == {"order_only", "artefact"}
    assert kinds["cold_start"] >= {"stands", "cannot_be_judged"}
    assert kinds["best_latency"] == {"stands", "order_only", "wrong_winner"}
    assert len({one["fastest"].model for one in found}) >= 4


# --- a session says the same as its file --------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(0, 20, 3))
def test_a_session_is_audited_as_its_file_is(number: int) -> None:
    text = generated(number)
    of_file, of_session = audit(parse_legacy(text)), audit(legacy_rows(session_of(text)))
    for one, other in zip(of_file.claims, of_session.claims, strict=True):
        assert (one.says, one.finding, one.model, one.category, one.other, one.why) == (
            other.says, other.finding, other.model, other.category, other.other, other.why,
        )  # fmt: skip
        assert one.figures == pytest.approx(other.figures)


# --- files about which little can be said -------------------------------------------------------------------------


def test_one_model_alone_cannot_be_the_fastest() -> None:
    found = claims(audit(parse_legacy(",".join(SHORT) + "\na,x,1,9,,,90\na,y,1,9,,,90\n")))
    assert {one.finding for says, one in found.items() if says != "slowest_category"} == {"cannot_be_judged"}
    assert found["most_memory"].why == "no_memory"
    assert found["cold_start"].why == "no_cold_rows"


def test_rows_without_usable_times_are_not_judged() -> None:
    found = claims(audit(parse_legacy(",".join(SHORT) + "\na,x,?,9,1,,90\nb,x,?,9,2,,90\n")))
    assert (found["fastest"].finding, found["fastest"].why) == ("cannot_be_judged", "no_common_rows")
    assert found["steadiest"].finding == "cannot_be_judged"
    assert found["slowest_category"].why == "one_category"
    assert found["best_latency"].finding == "cannot_be_judged"
