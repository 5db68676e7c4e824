"""The start of every command: settings, language, prompts, folders and the server."""

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
from llmtui.core.records import Argument, NamedBy, Problem
from llmtui.words import _, use_language
from llmtui.words.problems import whole_problem
from llmtui.words.settings import not_used, settings_words

_HOST_KEYS = ("host", "LLMTUI_HOST", "OLLAMA_HOST")


class Startup(msgspec.Struct, frozen=True, kw_only=True):
    """The settings in force for this command."""

    settings: Settings
    problems: tuple[str, ...]
    """Sentences about settings that were not used."""
    language: str
    pack: PromptPack
    prompts: str | None = None
    """The file of ``--prompts``."""
    results: Path
    host_problem: str | None = None
    """Why the server of the settings or the environment cannot be used; another one must not be measured instead."""
    api_key: str | None = None
    """The key in the file of ``--api-key-file``."""
    server_named: bool = False
    """The server is on the command line: no other may replace it."""


class Refused(Exception):
    """The command cannot be carried out; has a sentence for stderr and an exit code."""

    def __init__(self, sentence: str, code: Exit = Exit.USAGE) -> None:
        super().__init__(sentence)
        self.code = code


def cannot_write(path: object, error: OSError) -> str:
    """Return that a file cannot be written, why, and what to do."""
    return _("{path} cannot be written: {why}. Choose another place.").format(path=path, why=error.strerror or error)


def speak_language() -> None:
    """Set the language from the settings, for texts that are shown before a command has read them."""
    use_language(pick_language(load_settings(os.environ, config_path()).settings.language, os.environ))


def load_startup(
    flags: Mapping[str, object],
    *,
    prompts: str | None = None,
    results: str | None = None,
    api_key_file: str | None = None,
) -> Startup:
    """Read settings and prompts and set the language.

    Args:
        flags: flags of the command line, by setting, as text or as a value; None means not given.
        prompts: the file of ``--prompts``.
        results: the folder of ``--results``.
        api_key_file: the file of ``--api-key-file``.

    Raises:
        Refused: a flag or a prompt file is invalid.
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
    """Print the unused settings with their reasons, for commands without screens."""
    for sentence in of.problems:
        print(f"llmtui: {sentence}", file=sys.stderr)


def cannot_list(results: Path, error: OSError) -> str:
    """Return that the saved sessions cannot be read, and why."""
    args: dict[str, Argument] = {"task": "list_sessions", "path": str(error.filename or results)}
    return whole_problem(Problem(code="task_refused", args=args, detail=error.strerror or str(error)))


def server_of(host: str | None, named_by: NamedBy = "nobody") -> SetServer:
    """Return the server for an address.

    ``builtin`` is llama.cpp inside the program, ``builtin:PATH`` and ``FILE.gguf`` the same with the user's files. The
    path decides which protocol is tried first: OpenAI's where it ends in a version such as ``/v1``, else Ollama's.

    Args:
        host: as written; None: the default one.
        named_by: the source of the address.

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
        address=address.url, kind=kind, with_builtin=builtin_available(), named_by=named_by, login=address.login
    )


def builtin_available() -> bool:
    """Return whether llama.cpp can be started inside the program: its library is installed. It is not imported here."""
    return find_spec("xllamacpp") is not None


def synthetic_available() -> bool:
    """Return whether speed-only models can be made: numpy and gguf are installed."""
    return find_spec("numpy") is not None and find_spec("gguf") is not None
