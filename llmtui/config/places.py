"""Folders of the program: for its settings, its data and its results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from llmtui.config.errors import SettingsError
from llmtui.config.settings import Settings

APP = "llmtui"


def config_dir() -> Path | None:
    """Return the folder of the settings file and of the user's ``prompts.toml``. It need not exist.

    Returns:
        The folder; None if the user has no home folder, as in some containers.
    """
    from platformdirs import user_config_path

    return _of_user(user_config_path)


def config_path() -> Path | None:
    """Return the settings file's path; it need not exist. None if the user has no home folder."""
    folder = config_dir()
    return None if folder is None else folder / "config.toml"


def data_dir() -> Path | None:
    """Return the user's folder for results and generated models; it need not exist. None without a home folder."""
    from platformdirs import user_data_path

    return _of_user(user_data_path)


def expanded(path: str | Path) -> Path:
    """Return a path with ``~`` replaced by the home folder; unchanged if the user has none."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def _of_user(folder: Callable[..., Path]) -> Path | None:
    try:
        return folder(APP, appauthor=False)
    except RuntimeError:  # raised by platformdirs and pathlib if there is neither HOME nor such a user
        return None


def results_dir(flag: str | Path | None, settings: Settings, cwd: Path) -> Path:
    """Return the folder for sessions; it need not exist.

    It is the first of these that is set or exists: the flag, the setting, ``./results``. Otherwise it is a folder in
    the user's data folder. Relative paths start at ``cwd``, and ``~`` is the home folder.

    Raises:
        SettingsError: no folder is set, and the user has no home folder.
    """
    chosen = flag or settings.results_dir
    if chosen:
        return cwd / expanded(chosen)
    here, data = cwd / "results", data_dir()
    if here.is_dir():
        return here
    if data is None:
        raise SettingsError("no_home", key="--results")
    return data / "results"
