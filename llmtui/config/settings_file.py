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
from llmtui.config.settings import checked, lasting
from llmtui.core.choices import Value
from llmtui.core.toml_text import KeyPath, TomlProblem, line_of, read_toml, statements

_HEAD = "# Settings of llmtui. The program changes only what you choose in it; comments and other lines stay.\n\n"


def read_settings_file(path: Path) -> tuple[dict[str, Any], list[SettingsError]]:
    """Return the usable values of a settings file, and an error for everything in it that is not usable.

    A file that is not there is no problem and has no values.
    """
    try:
        text = _read(path)
        tree = _parse(path, text)
    except SettingsError as error:
        return {}, [error]
    found = statements(text)
    values: dict[str, Any] = {}
    problems: list[SettingsError] = []
    for name, value in tree.items():
        try:
            values[name] = _checked(name, value, file=str(path), line=line_of(found, (name,)))
        except SettingsError as error:
            problems.append(error)
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
        raise SettingsError("cannot_change", file=str(path))
    _replace(path, changed if text else _HEAD + changed)


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError:
        raise SettingsError("not_utf8", file=str(path)) from None
    except OSError as error:
        raise SettingsError("cannot_read", file=str(path), detail=error.strerror or str(error)) from None


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return read_toml(text)
    except TomlProblem as error:
        raise SettingsError("not_toml", file=str(path), line=error.line, detail=error.problem) from None


def _checked(name: str, value: object, *, file: str = "", line: int | None = None) -> Value:
    """Return a value as ``Settings`` holds it; SettingsError where it is none that may be kept."""
    bounds = lasting().get(name)
    if bounds is None:
        raise SettingsError("unknown_key", file=file, key=name, line=line)
    return checked(bounds, value, file=file, line=line)


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
        raise SettingsError("cannot_write", file=str(path), detail=error.strerror or str(error)) from None
