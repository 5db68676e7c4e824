"""The error of everything a person sets."""

from __future__ import annotations


class SettingsError(ValueError):
    """A setting that cannot be used.

    Attributes:
        file: the settings file, the name of an environment variable's source, or empty for a value just typed.
        key: the setting.
        line: its line in the file, from 1; None where there is none.
        problem: what is wrong and what would be right.
    """

    def __init__(self, *, file: str, key: str, line: int | None, problem: str) -> None:
        place = [*([file] if file else []), *([] if line is None else [f"line {line}"]), *([key] if key else [])]
        super().__init__(f"{', '.join(place)}: {problem}" if place else problem)
        self.file = file
        self.key = key
        self.line = line
        self.problem = problem
