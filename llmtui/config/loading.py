"""Loading of settings from their sources.

The sources, each overriding those before it: built-in value, settings file, environment (``LLMTUI_NUM_CTX``),
command-line flag.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from llmtui.config.errors import ENVIRONMENT, SettingsError
from llmtui.config.settings import Settings, checked, lasting, read
from llmtui.config.settings_file import read_settings_file
from llmtui.core.choices import bounds_of

ENVIRONMENT_PREFIX = "LLMTUI_"


class LoadedSettings(NamedTuple):
    """Settings, with the problems found while loading them."""

    settings: Settings
    problems: tuple[SettingsError, ...]
    """One error for each value that was not used."""


def load_settings(env: Mapping[str, str], config_path: Path | None) -> LoadedSettings:
    """Return the settings from file and environment, before the command-line flags are applied.

    An unusable settings file or environment variable does not stop the program. It becomes a problem, and the value
    from the source with the next lower priority is used. An empty environment variable counts as not set.

    Args:
        env: the environment. ``OLLAMA_HOST`` sets the host if ``LLMTUI_HOST`` is not set.
        config_path: the settings file, which need not exist; None without a home folder.
    """
    values, problems = ({}, []) if config_path is None else read_settings_file(config_path)
    for name, bounds in lasting().items():
        for variable in (f"{ENVIRONMENT_PREFIX}{name.upper()}", *(("OLLAMA_HOST",) if name == "host" else ())):
            text = env.get(variable, "").strip()
            if not text:
                continue
            try:
                values[name] = read(bounds, text, file=ENVIRONMENT, key=variable)
            except SettingsError as error:
                problems.append(error)
                continue
            break
    return LoadedSettings(Settings(**values), tuple(problems))


def with_flags(settings: Settings, flags: Mapping[str, object]) -> Settings:
    """Return settings with the command-line flags applied.

    Args:
        settings: the settings without flags.
        flags: text or value of each flag, by setting; None means not given.

    Raises:
        SettingsError: the value of a flag is invalid.
    """
    known = bounds_of(Settings)
    given = {
        name: read(known[name], value, key=flag_of(name))
        if isinstance(value, str)
        else checked(known[name], value, key=flag_of(name))
        for name, value in flags.items()
        if value is not None
    }
    return msgspec.structs.replace(settings, **given)


def flag_of(name: str) -> str:
    """Return the command-line flag of a setting, such as ``--num-ctx``."""
    return "--" + name.removesuffix("_s").replace("_", "-")
