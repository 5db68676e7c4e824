"""Tables as data frames."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from llmtui.report.frames import category_frame, model_frame, trials_frame
from llmtui.store.trials_csv import trials_csv
from tests.core.compared import compared, compared_plan, warm


def test_missing_figures_are_not_a_number_and_leave_statistics_alone(tmp_path: Path) -> None:
    of = compared_plan("a")
    session = compared({"a": []}, warm(of, 0, 1, 0, 10.0), warm(of, 0, 1, 1, 10.0, tokens=10), of=of)
    path = tmp_path / "trials.csv"
    path.write_bytes(trials_csv(session))
    frame = trials_frame(path)
    assert frame["decode_tps"].isna().tolist() == [False, True]
    assert frame["decode_tps"].mean() == 10
    assert isinstance(frame["started_utc"].dtype, pd.DatetimeTZDtype)


def test_models_side_by_side_in_each_category() -> None:
    frame = category_frame(compared({"a": [10.0], "b": [20.0]}))
    speed = frame[frame["figure"] == "Speed tok/s"]
    assert speed[["a", "b"]].to_numpy().tolist() == [["10.0", "20.0"]] * 3


def test_the_table_by_model() -> None:
    assert model_frame(compared({"a": [10.0], "b": [20.0]}))["Model"].tolist() == ["a", "b"]
    assert category_frame(compared({"a": []}, of=compared_plan("a", categories=()))).empty
