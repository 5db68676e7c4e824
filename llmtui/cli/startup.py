"""Preparation of every command: settings, language, prompts, folders and the server."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import msgspec

from llmtui.cli.exits import Exit
from llmtui.config import (
    Settings,
    SettingsError,
    builtin_place,
    config_dir,
    config_path,
    expanded,
    find_prompt_pack,
    load_settings,
    normalise_host,
    pick_language,
    results_dir,
    with_flags,
)
from llmtui.config.access import read_key_file
from llmtui.config.interfaces import protocol_of
from llmtui.config.packs import unused_pack_here
from llmtui.core.commands import SetServer
from llmtui.core.prompts import PromptPack
from llmtui.core.records import AddressSource, Argument, Problem
from llmtui.words import _, use_language
from llmtui.words.problems import whole_problem
from llmtui.words.settings import not_used, settings_words

_HOST_KEYS = ("host", "LLMTUI_HOST", "OLLAMA_HOST")


class Startup(msgspec.Struct, frozen=True, kw_only=True):
    """The settings, prompts and folders that apply to this command."""

    settings: Settings
    problems: tuple[str, ...]
    """Sentences on settings that are invalid and therefore not used."""
    language: str
    pack: PromptPack
    prompts: str | None = None
    """The file given with ``--prompts``."""
    results: Path
    host_problem: str | None = None
    """Why the server in the settings or the environment cannot be used; no other server may be measured instead."""
    api_key: str | None = None
    """The API key from the file given with ``--api-key-file``."""
    server_named: bool = False
    """Whether the server was given on the command line; if so, no other server may replace it."""


class Refused(Exception):
    """The command cannot be carried out; has a sentence for stderr and an exit code."""

    def __init__(self, sentence: str, code: Exit = Exit.USAGE) -> None:
        super().__init__(sentence)
        self.code = code


def cannot_write(path: object, error: OSError) -> str:
    """Return the message that a file cannot be written, with the reason and what to do."""
    return _("{path} cannot be written: {why}. Choose another place.").format(path=path, why=error.strerror or error)


def speak_language() -> None:
    """Set the language from the settings, for texts that are shown before a command has read the settings."""
    use_language(pick_language(load_settings(os.environ, config_path()).settings.language, os.environ))


def load_startup(
    flags: Mapping[str, object],
    *,
    prompts: str | None = None,
    results: str | None = None,
    api_key_file: str | None = None,
) -> Startup:
    """Read settings and prompts, and set the language.

    Args:
        flags: setting → value given on the command line, as text or parsed; None if the flag was not given.
        prompts: the file given with ``--prompts``.
        results: the folder given with ``--results``.
        api_key_file: the file given with ``--api-key-file``.

    Raises:
        Refused: a flag, the prompt file or the key file is invalid.
    """
    loaded = load_settings(os.environ, config_path())
    language = pick_language(loaded.settings.language, os.environ)
    use_language(language)
    try:
        settings = with_flags(loaded.settings, flags)
        pack = find_prompt_pack(prompts, Path.cwd(), config_dir(), language)
        api_key = None if api_key_file is None else read_key_file(expanded(api_key_file))
        folder = results_dir(results, settings, Path.cwd())
        passed_over = None if prompts is not None else unused_pack_here(Path.cwd())
    except SettingsError as error:
        raise Refused(settings_words(error)) from error
    return Startup(
        settings=settings,
        problems=(
            *(not_used(error) for error in loaded.problems),
            *([] if passed_over is None else [f"{settings_words(passed_over)} {_('It is not used.')}"]),
        ),
        language=language,
        pack=pack,
        prompts=prompts,
        results=folder,
        api_key=api_key,
        host_problem=next((settings_words(error) for error in loaded.problems if error.key in _HOST_KEYS), None),
        server_named=flags.get("host") is not None,
    )


def tell_problems(of: Startup) -> None:
    """Print which settings are not used and why, for commands without screens."""
    for sentence in of.problems:
        print(f"llmtui: {sentence}", file=sys.stderr)


def cannot_list(results: Path, error: OSError) -> str:
    """Return the message that the saved sessions cannot be read, with the reason."""
    args: dict[str, Argument] = {"task": "list_sessions", "path": str(error.filename or results)}
    return whole_problem(Problem(code="task_refused", args=args, detail=error.strerror or str(error)))


def server_of(host: str | None, address_source: AddressSource = "search") -> SetServer:
    """Return the command that selects the server at an address.

    ``builtin`` is llama.cpp inside llmtui; ``builtin:PATH`` and ``FILE.gguf`` mean the same server with the user's own
    files. For other addresses, OpenAI's protocol is tried first if the path ends in a version such as ``/v1``, else
    Ollama's.

    Args:
        host: the address as written; None for the default one.
        address_source: where the address comes from.

    Raises:
        Refused: the address is malformed.
    """
    place = builtin_place(host or "")
    if place is not None:
        return SetServer(address=place, kind="builtin")
    try:
        address = normalise_host(host)
    except SettingsError as error:
        raise Refused(settings_words(error)) from error
    kind = protocol_of(address.url)
    return SetServer(
        address=address.url,
        kind=kind,
        with_builtin=builtin_available(),
        address_source=address_source,
        login=address.login,
    )


def builtin_available() -> bool:
    """Return whether the library of the built-in server (xllamacpp) is installed, without importing it."""
    return find_spec("xllamacpp") is not None


def synthetic_available() -> bool:
    """Return whether numpy and gguf are installed, which make the built-in server's speed-only models."""
    return find_spec("numpy") is not None and find_spec("gguf") is not None
