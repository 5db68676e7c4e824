"""Files have the screen's verdicts on pairs, the cost of a token, and never a mixture of kinds."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from llmtui.core.records import MachineFigures
from llmtui.core.summary import summarise
from llmtui.store.pairs_csv import pairs_csv, write_pairs
from llmtui.store.trials_csv import row_cells
from tests.core.compared import compared, compared_plan, other, warm


def read(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode())))


def test_what_a_token_took_is_that_of_the_whole_trial() -> None:
    of = compared_plan("a")
    machine = MachineFigures(runner_cpu_s=12.8, joules=64.0)
    session = compared({"a": []}, warm(of, 0, 1, 0, 10.0, machine=machine), of=of)
    cells = row_cells(session.rows[0], session)
    assert (cells["runner_cpu_s"], cells["runner_cpu_s_per_token"]) == ("12.8", "0.1")
    assert (cells["joules"], cells["joules_per_token"]) == ("64", "0.5")
    bare = row_cells(compared({"a": [10.0]}).rows[0], compared({"a": [10.0]}))
    assert (bare["runner_cpu_s_per_token"], bare["joules_per_token"]) == ("", "")


def test_pairs_have_their_ratio_interval_and_word(tmp_path: Path) -> None:
    session = compared({"a": [20.0, 20.2, 19.9], "b": [10.0, 10.05, 9.9]})
    write_pairs(tmp_path, session)
    rows = read((tmp_path / "pairs.csv").read_bytes())
    assert list(rows[0]) == ["first", "second", "figure", "n", "ratio", "low", "high", "p_adjusted", "word"]
    (speed,) = (row for row in rows if row["figure"] == "decode_tps")
    assert (speed["first"], speed["second"], speed["n"], speed["word"]) == ("a", "b", "3", "faster")
    assert float(speed["low"]) < float(speed["ratio"]) < float(speed["high"])
    assert float(speed["p_adjusted"]) < 0.01


def test_without_an_interval_its_cells_are_empty() -> None:
    (speed, *_others) = read(pairs_csv(compared({"a": [20.0], "b": [10.0]})))
    assert (speed["low"], speed["high"], speed["p_adjusted"]) == ("", "", "")
    assert (speed["word"], speed["ratio"]) == ("leads_in_this_round", "2")


def test_the_prompt_rate_of_two_kinds_is_never_mixed() -> None:
    """Cold 258, warm 814: one kind for all models."""
    of = compared_plan("a", "b")
    rows = [other(of, "cold", contender, 1, ttft_ms=500) for contender in (0, 1)]
    session = compared({"a": [10.0], "b": [10.0]}, *rows, of=of)
    kinds = {
        kind: {row.figures.prefill_tps for row in session.rows if row.trial.kind == kind} for kind in ("cold", "warm")
    }
    for line in summarise(session).lines:
        assert line.prefill_tps is not None
        assert line.prefill_tps.n == 1
        assert line.prefill_tps.value in kinds["cold"]
