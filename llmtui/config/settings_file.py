"""The settings file: reading of its usable values, and changes that keep its comments."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmtui.config.errors import SettingsError
from llmtui.config.settings import checked, lasting
from llmtui.config.toml_text import read_text, read_toml
from llmtui.core.choices import Value

_HEAD = "# Settings of llmtui. The program changes only what you choose in it; comments and other lines stay.\n\n"


def read_settings_file(path: Path) -> tuple[dict[str, Any], list[SettingsError]]:
    """Return the usable values of a settings file, and one error for each that cannot be used.

    A missing file is not an error and has no values.
    """
    try:
        tree = read_toml(_read(path), str(path))
    except SettingsError as error:
        return {}, [error]
    values: dict[str, Any] = {}
    problems: list[SettingsError] = []
    for name, value in tree.items():
        try:
            values[name] = _checked(name, value, file=str(path))
        except SettingsError as error:
            problems.append(error)
    return values, problems


def save_choices(path: Path, changes: Mapping[str, object]) -> None:
    """Write changed settings into the settings file and leave everything else in it unchanged.

    The file and its folder are created if missing. The new text replaces the old one in one step, so the file is never
    half written. A symbolic link is kept, and the file that it points to is replaced.

    Args:
        path: the settings file.
        changes: values by setting; None removes the setting from the file, so that the built-in value applies.

    Raises:
        SettingsError: a value is invalid, the file is not TOML, or it cannot be read or written. The file is then
            unchanged.
    """
    new: dict[str, Any] = {
        name: None if value is None else _plain(_checked(name, value)) for name, value in changes.items()
    }
    text = _read(path)
    tree = read_toml(text, str(path))
    wanted = {name: value for name, value in {**tree, **new}.items() if value is not None}
    if _same(wanted, tree):
        return
    changed = _edited(text, tree, new, str(path))
    if not _same(read_toml(changed, str(path)), wanted):
        raise SettingsError("cannot_change", file=str(path))
    _replace(path, changed if text else _HEAD + changed)


def _edited(text: str, tree: Mapping[str, object], new: Mapping[str, Any], file: str) -> str:
    # Imported only for saving: it takes as long as loading all settings.
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(text)
        for name, value in new.items():
            if value is None:
                document.pop(name, None)
            elif name not in tree or not _same(tree[name], value):
                document[name] = value
        return tomlkit.dumps(document)
    except (TOMLKitError, RecursionError):
        raise SettingsError("cannot_change", file=file) from None


def _read(path: Path) -> str:
    try:
        return read_text(path)
    except FileNotFoundError:
        return ""


def _checked(name: str, value: object, *, file: str = "") -> Value:
    """Return a valid value in the form in which ``Settings`` stores it.

    Raises:
        SettingsError: there is no such setting, or the value is invalid.
    """
    bounds = lasting().get(name)
    if bounds is None:
        raise SettingsError("unknown_key", file=file, key=name, name=name, known=", ".join(lasting()))
    return checked(bounds, value, file=file)


def _plain(value: Value) -> object:
    """Return a value as a type that TOML has."""
    return list(value) if isinstance(value, tuple) else value


def _same(one: object, other: object) -> bool:
    """Return whether two TOML values are equal in value and type. NaN equals itself."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(_same(*pair) for pair in zip(one, other, strict=True))
    return type(one) is type(other) and (one == other or (one != one and other != other))


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
        raise SettingsError("cannot_write", file=str(path), why=error.strerror or str(error)) from None
