"""A session as data frames: the only file that imports pandas."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from llmtui.core.session import Session
from llmtui.report.rows import by_category, by_model


def trials_frame(path: Path) -> pd.DataFrame:
    """Gives trials.csv as a frame: a row a trial, figures as numbers, missing ones as NaN."""
    return pd.read_csv(path, keep_default_na=False, na_values=[""], parse_dates=["started_utc"])


def model_frame(session: Session) -> pd.DataFrame:
    """Gives the table by model as text cells."""
    return pd.DataFrame(by_model(session), dtype="object")


def category_frame(session: Session) -> pd.DataFrame:
    """Gives the table by category with the models side by side: one row a category and figure."""
    frame = pd.DataFrame(by_category(session), dtype="object")
    if frame.empty:
        return frame
    model, category, *figures = frame.columns
    tall = frame.melt(id_vars=[category, model], value_vars=figures, var_name="figure")
    wide = tall.pivot_table(index=[category, "figure"], columns=model, values="value", aggfunc="first", sort=False)
    return wide.reset_index()
