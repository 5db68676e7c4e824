"""Folders of the program: its settings, its data, its results."""

from __future__ import annotations

from pathlib import Path

from llmtui.config.settings import Settings

APP = "llmtui"


def config_dir() -> Path:
    """Gives the user's folder for the settings file and an own ``prompts.toml``; it need not exist."""
    from platformdirs import user_config_path

    return user_config_path(APP, appauthor=False)


def config_path() -> Path:
    """Gives the settings file's path; it need not exist."""
    return config_dir() / "config.toml"


def data_dir() -> Path:
    """Gives the user's folder for results and generated models; it need not exist."""
    from platformdirs import user_data_path

    return user_data_path(APP, appauthor=False)


def results_dir(flag: str | Path | None, settings: Settings, cwd: Path) -> Path:
    """Gives the folder for sessions; it need not exist.

    The flag's, else the settings', else ``./results`` where that is a folder, else one in the user's data folder.
    A relative path is one from ``cwd``; ``~`` is the home folder.
    """
    chosen = flag or settings.results_dir
    if chosen:
        return cwd / Path(chosen).expanduser()
    here = cwd / "results"
    return here if here.is_dir() else data_dir() / "results"
