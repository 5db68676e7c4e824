"""Settings: what a person can choose, and where a choice comes from.

A setting is looked for, the last one found wins: built-in value, settings file, environment (``LLMTUI_NUM_CTX``),
flag of the command line.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from llmtui.config.errors import SettingsError
from llmtui.config.rules import RULES, Rule
from llmtui.config.settings_file import read_settings_file
from llmtui.core.toml_text import unknown_key

ENVIRONMENT_PREFIX = "LLMTUI_"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a person can set, each with its built-in value."""

    host: str | None = None
    """The server's address as typed; None: this machine. ``normalise_host`` reads it."""
    results_dir: str | None = None
    language: Literal["auto", "en", "es"] = "auto"
    theme: str | None = None
    """Name of a Textual theme; None: the program's own."""
    models: tuple[str, ...] | None = None
    """The models picked last; None: never picked."""
    categories: tuple[str, ...] | None = None
    """Ids of the categories picked last; None: never picked, which means all."""
    preset: Literal["auto", "quick", "standard", "thorough"] = "auto"
    num_ctx: int = 4096
    num_thread: int | None = None
    """Threads that a server computes with; None: as many as it chooses itself."""
    num_predict: int = 128
    temperature: float = 0.0
    think: Literal["off", "on"] = "off"
    unload_others: bool = True
    stall_s: float = 120.0
    stall_loading_s: float = 300.0
    quiet_wait_s: float = 10.0
    """Longest wait for other programs to come to rest before a start from off; 0: none."""
    bell: bool = True
    keymap: dict[str, str] = {}
    """Keys by the id of what they do, such as ``{"pause": "ctrl+p,f6"}``."""


class Loaded(NamedTuple):
    """Settings with what was wrong on the way and where each came from."""

    settings: Settings
    problems: tuple[str, ...]
    """One sentence a value that was not used."""
    origins: dict[str, str]
    """Setting → the file's path, the environment variable's name or "flag"; built-in values are not listed."""


def load_settings(env: Mapping[str, str], flags: Mapping[str, object], config_path: Path) -> Loaded:
    """Gives the settings in force.

    A settings file or an environment variable that cannot be used does not stop the program: what is wrong with it
    becomes a sentence, and the next best value is taken. An empty environment variable counts as not set.

    Args:
        env: the environment. ``OLLAMA_HOST`` is the host where ``LLMTUI_HOST`` is not set.
        flags: what was given on the command line, by setting; None means not given.
        config_path: the settings file; it need not exist.

    Raises:
        SettingsError: a flag cannot be used.
    """
    values, problems = read_settings_file(config_path)
    origins = dict.fromkeys(values, str(config_path))
    for name, rule in RULES.items():
        for variable in (f"{ENVIRONMENT_PREFIX}{name.upper()}", *(("OLLAMA_HOST",) if name == "host" else ())):
            text = env.get(variable, "").strip()
            if not text:
                continue
            try:
                values[name] = _from_environment(rule, variable, text)
            except SettingsError as error:
                problems.append(f"{error}; it is not used")
                continue
            origins[name] = variable
            break
    for name, value in flags.items():
        if value is not None:
            values[name] = _from_flag(name, value)
            origins[name] = "flag"
    return Loaded(_settings(values), tuple(problems), origins)


def _settings(values: Mapping[str, Any]) -> Settings:
    return Settings(**values)


def _from_environment(rule: Rule, variable: str, text: str) -> object:
    problem = SettingsError(file="environment", key=variable, line=None, problem=f"must be {rule.words}, not {text!r}")
    try:
        value = rule.read(text)
    except ValueError:
        raise problem from None
    if not rule.accepts(value):
        raise problem
    return rule.shape(value)


def _from_flag(name: str, value: object) -> object:
    if name not in RULES:
        raise SettingsError(file="", key=name, line=None, problem=unknown_key(name, tuple(RULES)))
    if not RULES[name].accepts(value):
        problem = f"must be {RULES[name].words}, not {value!r}"
        raise SettingsError(file="", key=name, line=None, problem=problem)
    return RULES[name].shape(value)
