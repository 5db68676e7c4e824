"""The settings file: reading it without stumbling, and changing it without spoiling it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmtui.config.errors import SettingsError
from llmtui.config.rules import RULES
from llmtui.core.toml_text import KeyPath, Statement, TomlProblem, line_of, read_toml, statements, unknown_key

_HEAD = "# Settings of llmtui. The program changes only what you choose in it; comments and other lines stay.\n\n"


def read_settings_file(path: Path) -> tuple[dict[str, Any], list[str]]:
    """Gives the usable values of a settings file and a sentence for everything in it that is not.

    A file that is not there is no problem and has no values.
    """
    try:
        text = _read(path)
        tree = _parse(path, text)
    except SettingsError as error:
        return {}, [f"{error}; the settings file is not used"]
    found = statements(text)
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name, value in tree.items():
        problem = _problem(path, found, name, value)
        if problem is None:
            values[name] = RULES[name].shape(value)
        else:
            problems.append(f"{problem}; it is not used")
    return values, problems


def save_choices(path: Path, changes: Mapping[str, object]) -> None:
    """Writes changed settings into the settings file and leaves everything else in it as it is.

    The file and its folder are made where missing. The new text takes the old one's place in one step, so that a
    reader or a crash never meets half a file; a symbolic link stays one.

    Args:
        path: the settings file.
        changes: setting → value; None takes the setting out of the file, so that the built-in value holds again.

    Raises:
        SettingsError: a value is not one the setting may have, the file is not TOML, or it cannot be read or written.
            The file is then as it was.
    """
    shaped = {name: None if value is None else _checked(name, value) for name, value in changes.items()}
    text = _read(path)
    expected = _parse(path, text) | {name: value for name, value in shaped.items() if value is not None}
    changed = text
    for name, value in shaped.items():
        if value is None:
            expected.pop(name, None)
        changed = _with_setting(changed, name, None if value is None else _as_toml(value))
    if changed == text:
        return
    if _canonical(_parse(path, changed)) != _canonical(expected):
        raise SettingsError(file=str(path), key="", line=None, problem="cannot be changed here; edit it by hand")
    _replace(path, changed if text else _HEAD + changed)


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError:
        raise SettingsError(file=str(path), key="", line=None, problem="is not UTF-8 text") from None
    except OSError as error:
        problem = f"cannot be read: {error.strerror or error}"
        raise SettingsError(file=str(path), key="", line=None, problem=problem) from None


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return read_toml(text)
    except TomlProblem as error:
        raise SettingsError(file=str(path), key="", line=error.line, problem=error.problem) from None


def _problem(path: Path, found: tuple[Statement, ...], name: str, value: object) -> SettingsError | None:
    if name not in RULES:
        problem = unknown_key(name, tuple(RULES))
    elif not RULES[name].accepts(value):
        problem = f"must be {RULES[name].words}, not {_short(value)}"
    else:
        return None
    return SettingsError(file=str(path), key=name, line=line_of(found, (name,)), problem=problem)


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}…"


def _checked(name: str, value: object) -> object:
    if name not in RULES:
        raise SettingsError(file="", key=name, line=None, problem=unknown_key(name, tuple(RULES)))
    if not RULES[name].accepts(value):
        problem = f"must be {RULES[name].words}, not {_short(value)}"
        raise SettingsError(file="", key=name, line=None, problem=problem)
    return RULES[name].shape(value)


def _as_toml(value: object) -> str:
    """Writes text, true or false, a number, a list of texts or a table of texts; no setting is anything else."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(_as_toml(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{_as_toml(key)} = {_as_toml(item)}' for key, item in value.items())} }}"
    return repr(value)


def _canonical(tree: dict[str, Any]) -> str:
    """Values as one text, to be compared: the order of keys is left out, and a value that is not a number is itself."""
    return repr(sorted((name, list(value) if isinstance(value, tuple) else value) for name, value in tree.items()))


def _with_setting(text: str, name: str, value: str | None) -> str:
    """Gives the text with ``name = value`` in it, or without the setting for None."""
    own = [statement for statement in statements(text) if statement.path[0] == name]
    plain: KeyPath = (name,)
    if value is not None and [(statement.path, statement.header) for statement in own] == [(plain, False)]:
        return text[: own[0].value_start] + value + text[own[0].value_end :]
    for statement in reversed(own):
        text = text[: statement.start] + text[statement.end :]
    if value is None:
        return text
    at = _end_of_top_level(text)
    before = text[:at]
    gap = "\n" if before and not before.endswith("\n") else ""
    space = "\n" if text[at:].startswith("[") else ""
    return f"{before}{gap}{name} = {value}\n{space}{text[at:]}"


def _end_of_top_level(text: str) -> int:
    """Where a further top-level key may stand: behind the last one, or before the first table, or at the end."""
    at = None
    for statement in statements(text):
        if statement.header:
            return statement.start if at is None else at
        at = statement.end
    return len(text) if at is None else at


def _replace(path: Path, text: str) -> None:
    target = path.resolve()
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, partial)
        partial.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        problem = f"cannot be written: {error.strerror or error}"
        raise SettingsError(file=str(path), key="", line=None, problem=problem) from None
