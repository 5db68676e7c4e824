"""Write a table of the keys of every screen, from their bindings: ``python -m tools.key_table docs/keys.md``."""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

os.environ["LANGUAGE"] = "en"

from textual.binding import Binding
from textual.screen import Screen
from textual.widget import Widget

from llmtui.tui import screens
from llmtui.tui.keys import app_bindings

INTRODUCTION = """# Keys

Every key can be reassigned: `[keymap]` in config.toml takes the name in the last column, such as
`keymap = { "live.stop" = "ctrl+x" }`. The last line of a screen shows the keys that work at the moment; F1 lists all
keys of the screen, and `^p` finds commands by name.

On Setup, Live, Results and History these keys mean the same wherever they appear: `e` evidence, `x` export, `y` copy,
`c` compare, `m` enlarge, Del delete, `,` sort, `+` more rounds, Esc back. `r` replays in Results, and refreshes the
list in Setup and History. `g` runs a plan again in Setup and Results, and shows or hides the graphs in Live. In windows
some letters differ: `y` and `n` answer a confirmation, `m` switches the format of an answer, `e` edits the prompts,
`r` restarts a replay, and `g` opens the glossary from the help.

This page is generated: `python -m tools.key_table docs/keys.md`.
"""
SHOWN = {"escape": "Esc", "enter": "Enter", "plus": "+", "comma": ",", "slash": "/", "question_mark": "?",
         "exclamation_mark": "!", "delete": "Del", "left": "←", "right": "→", "up": "↑", "down": "↓", "home": "Home",
         "end": "End", "left_square_bracket": "[",
         "right_square_bracket": "]", "space": "Space", "tab": "Tab", "pageup": "PgUp", "pagedown": "PgDn"}  # fmt: skip


class Key(NamedTuple):
    """One key binding of a screen: the key, what it does, its name in the keymap, and the class that binds it."""

    key: str
    does: str
    name: str
    owner: str


def keys_of(screen: type[Screen[object]]) -> Iterator[Key]:
    """Yield the keys that a screen and its widgets bind, except those without a description, which move the cursor."""
    for owner in (screen, *sorted(_widgets(screen, set()), key=lambda one: one.__name__)):
        for binding in _bindings(owner):
            if binding.description:
                for key in binding.key.split(","):
                    yield Key(key.strip(), binding.tooltip or binding.description, binding.id or "", owner.__name__)


def _widgets(of: type, seen: set[type]) -> set[type]:
    """Return the llmtui widgets that a class names in its source, with their base classes and the widgets they name."""
    named = vars(importlib.import_module(of.__module__))
    source = inspect.getsource(of)
    found = {
        one
        for name, one in named.items()
        if isinstance(one, type) and _is_ours(one) and re.search(rf"\b{re.escape(name)}\(", source)
    }
    found |= {base for one in found for base in one.__mro__ if _is_ours(base)}
    for one in found - seen:
        seen.add(one)
        _widgets(one, seen)
    return seen


def all_screens() -> Iterator[tuple[str, tuple[Key, ...]]]:
    """Yield title and keys of each screen that has keys, in the order of the modules."""
    for info in pkgutil.iter_modules(screens.__path__):
        module = importlib.import_module(f"{screens.__name__}.{info.name}")
        for one in vars(module).values():
            if isinstance(one, type) and issubclass(one, Screen) and one.__module__ == module.__name__:
                keys = tuple(keys_of(one))
                if any(key.owner == one.__name__ for key in keys):
                    yield _title(one.__name__), keys


def app_keys() -> tuple[Key, ...]:
    """Return the keys that work on every screen."""
    return tuple(Key(one.key, one.tooltip or one.description, one.id or "", "") for one in app_bindings())


def document() -> str:
    """Return the whole page as Markdown."""
    parts = [INTRODUCTION, _table("Everywhere", app_keys())]
    parts += [_table(title, keys) for title, keys in all_screens()]
    return "\n".join(parts)


def _table(title: str, keys: tuple[Key, ...]) -> str:
    rows: dict[tuple[str, str, str], list[str]] = {}
    for key in keys:
        rows.setdefault((key.does, key.name, key.owner), []).append(f"`{_shown(key.key)}`")
    lines = [f"## {title}", "", "| key | does | name |", "|---|---|---|"]
    lines += [
        f"| {' '.join(dict.fromkeys(named))} | {does} | {f'`{name}`' if name else ''} |"
        for (does, name, _owner), named in rows.items()
    ]
    return "\n".join(lines) + "\n"


def _shown(key: str) -> str:
    if key in SHOWN:
        return SHOWN[key]
    if key.startswith("ctrl+"):
        return "^" + key.removeprefix("ctrl+")
    return key.upper() if re.fullmatch(r"f\d+", key) else key


def _title(name: str) -> str:
    words = re.sub(r"(?<!^)(?=[A-Z])", " ", name.removesuffix("Screen").removesuffix("Dialog")).lower()
    return words.capitalize()


def _bindings(owner: type) -> list[Binding]:
    return [one for one in owner.__dict__.get("BINDINGS", ()) if isinstance(one, Binding)]


def _is_ours(one: type) -> bool:
    return one.__module__.startswith("llmtui") and issubclass(one, Widget) and not issubclass(one, Screen)


def main() -> int:
    """Write the page to the file given on the command line; return the exit code."""
    Path(sys.argv[1]).write_text(document(), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
