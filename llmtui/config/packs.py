"""The prompts for a run: the shipped pack, with the user's prompt files merged over it."""

from __future__ import annotations

from pathlib import Path

from llmtui.config.errors import SettingsError
from llmtui.config.places import expanded
from llmtui.config.prompt_files import FORMAT, is_prompt_pack, merge, parse_pack, parse_partial
from llmtui.config.toml_text import read_text, read_toml
from llmtui.core.prompts import PromptPack

PACK_NAME = "prompts.toml"
_PARTS = frozenset({"cold", "follow_up", "categories"})
_PACKAGE = Path(__file__).resolve().parent.parent


def shipped_pack(language: str) -> PromptPack:
    """Return the prompt pack that comes with the program.

    Raises:
        SettingsError: the installation is damaged: the file is missing or unreadable.
    """
    path = _shipped_path()
    return parse_pack(_read(path), file=str(path), language=language)


def find_prompt_pack(flag: str | Path | None, cwd: Path, config_dir: Path | None, language: str) -> PromptPack:
    """Return the prompts for a run.

    With ``--prompts``, that file is merged over the shipped pack and no other is read, so that the same command runs
    the same prompts in every folder. Otherwise two files are merged over the shipped pack: ``prompts.toml`` of the
    settings folder, then that of the current folder. The latter needs an ``[llmtui]`` table, since other programs use
    that file name too.

    Args:
        flag: the file of ``--prompts``; None if not given.
        cwd: the current folder.
        config_dir: the settings folder; None if there is none.
        language: "en" or "es".

    Raises:
        SettingsError: a file is unreadable or invalid.
    """
    pack = shipped_pack(language)
    if flag is not None:
        return _lay_over(pack, cwd / expanded(flag), language)
    own = None if config_dir is None else config_dir / PACK_NAME
    if own is not None and own.exists():
        pack = _lay_over(pack, own, language)
    here = cwd / PACK_NAME
    if _is_own_pack(here) and not (own is not None and own.is_file() and here.samefile(own)):
        pack = _lay_over(pack, here, language)
    return pack


def unused_pack_here(cwd: Path) -> SettingsError | None:
    """Return why ``prompts.toml`` in the current folder is not used, if it seems meant as a prompt pack; else None.

    A file that is readable TOML without any part of a pack belongs to another program and is ignored.
    """
    path = cwd / PACK_NAME
    if not path.exists() or _is_own_pack(path):
        return None
    try:
        tree = read_toml(_read(path), str(path))
    except SettingsError as error:
        return error
    if "llmtui" in tree or not _PARTS.intersection(tree):
        return None
    return SettingsError("no_header", file=str(path), key="llmtui", format=str(FORMAT))


def _shipped_path() -> Path:
    """Return the path of the shipped prompts: inside the package in a wheel, at the top level in a checkout."""
    inside = _PACKAGE / PACK_NAME
    return inside if inside.is_file() else _PACKAGE.parent / PACK_NAME


def _read(path: Path) -> str:
    try:
        return read_text(path)
    except FileNotFoundError as error:
        raise SettingsError("cannot_read", file=str(path), why=error.strerror or str(error)) from None


def _lay_over(pack: PromptPack, path: Path, language: str) -> PromptPack:
    return merge(pack, parse_partial(_read(path), file=str(path), language=language))


def _is_own_pack(path: Path) -> bool:
    """Return whether a file is the user's prompt pack: neither another program's file nor the shipped one."""
    if not path.is_file():
        return False
    try:
        text = _read(path)
    except SettingsError:
        return False
    return is_prompt_pack(text) and text != _read(_shipped_path())
