"""The user's own prompt file: which file it is, and its content when it is created."""

from __future__ import annotations

from pathlib import Path

from llmtui.config.errors import SettingsError
from llmtui.config.packs import PACK_NAME
from llmtui.config.prompt_files import FORMAT
from llmtui.core.prompts import PromptPack

_HEAD = """\
# Your own prompts. What stands here takes the place of the prompts that come with llmtui; delete what you do not
# change, and theirs are asked again. The first prompt of a category is the one that is asked by default.
# A speed needs at least 64 tokens of answer. All of it: docs/prompts.md
"""


def own_prompt_file(pack: PromptPack, config_dir: Path | None) -> Path:
    """Return the file with the user's own prompts. If there is none, create it with the current prompts.

    Args:
        pack: the current prompts. If it has several sources, the last is the user's file.
        config_dir: the settings folder, for a new file; None if the user has no home folder.

    Raises:
        SettingsError: there is no folder for the file, or it cannot be written.
    """
    if len(pack.sources) > 1:
        return Path(pack.sources[-1])
    if config_dir is None:
        raise SettingsError("no_home", key="HOME")
    path = config_dir / PACK_NAME
    try:
        config_dir.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(pack_text(pack))
    except FileExistsError:
        pass
    except OSError as error:
        raise SettingsError("cannot_write", file=str(path), why=error.strerror or str(error)) from None
    return path


def pack_text(pack: PromptPack) -> str:
    """Return a pack's categories as a prompt file in one language."""
    parts = [_HEAD, f"[llmtui]\nformat = {FORMAT}\n"]
    for category in pack.categories:
        parts.append(f"\n[categories.{category.id}]\ntitle = {_line(category.title)}\n")
        parts += [
            f"\n[[categories.{category.id}.prompts]]\nid = {_line(prompt.id)}\ntitle = {_line(prompt.title)}\n"
            f"text = {_lines(prompt.text)}\n"
            for prompt in category.prompts
        ]
    return "\n".join(parts)


def _line(text: str) -> str:
    return f'"{_escaped(text)}"'


def _lines(text: str) -> str:
    return f'"""\n{_escaped(text)}"""'


def _escaped(text: str) -> str:
    """Return a text escaped for a basic string in TOML. Line ends are kept."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return "".join(one if one.isprintable() or one == "\n" else f"\\U{ord(one):08X}" for one in plain)
