"""What every command starts from: settings, language, prompts, folders and the server to talk to."""

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
    """What is in force for this command."""

    settings: Settings
    problems: tuple[str, ...]
    """Sentences about settings that were not used."""
    language: str
    pack: PromptPack
    results: Path
    host_problem: str | None = None
    """The server that the settings or the environment name cannot be used; another one would be measured instead."""
    api_key: str | None = None
    """The key in the file of ``--api-key-file``."""
    server_named: bool = False
    """The server stands on the command line: nothing else may stand in for it."""


class Refused(Exception):
    """The command cannot be carried out: a sentence for stderr and an exit code."""

    def __init__(self, sentence: str, code: Exit = Exit.USAGE) -> None:
        super().__init__(sentence)
        self.code = code


def cannot_write(path: object, error: OSError) -> str:
    """Says that a file cannot be written, why, and what to do."""
    return _("{path} cannot be written: {why}. Choose another place.").format(path=path, why=error.strerror or error)


def speak_language() -> None:
    """Set the language of the settings, for texts that are shown before a command has read them."""
    use_language(pick_language(load_settings(os.environ, config_path()).settings.language, os.environ))


def load_startup(
    flags: Mapping[str, object],
    *,
    prompts: str | None = None,
    results: str | None = None,
    api_key_file: str | None = None,
) -> Startup:
    """Reads settings and prompts and sets the language.

    Args:
        flags: what the command line says, by setting, as text or as a value; None means not given.
        prompts: the file of ``--prompts``.
        results: the folder of ``--results``.
        api_key_file: the file of ``--api-key-file``.

    Raises:
        Refused: a flag or a prompt file cannot be used.
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
        results=folder,
        api_key=api_key,
        host_problem=next((settings_words(error) for error in loaded.problems if error.key in _HOST_KEYS), None),
        server_named=flags.get("host") is not None,
    )


def tell_problems(of: Startup) -> None:
    """Print which settings are not used, and why, for commands without screens."""
    for sentence in of.problems:
        print(f"llmtui: {sentence}", file=sys.stderr)


def cannot_list(results: Path, error: OSError) -> str:
    """Return that the saved sessions cannot be read, and why."""
    args: dict[str, Argument] = {"task": "list_sessions", "path": str(error.filename or results)}
    return whole_problem(Problem(code="task_refused", args=args, detail=error.strerror or str(error)))


def server_of(host: str | None, named_by: NamedBy = "nobody") -> SetServer:
    """Return the server that an address means.

    ``builtin`` is llama.cpp inside the program, ``builtin:PATH`` and ``FILE.gguf`` the same with files of one's own.
    The path says which protocol is tried first: OpenAI's where it ends in a version such as ``/v1``, else Ollama's.

    Args:
        host: as written; None is the usual one.
        named_by: who wrote it.

    Raises:
        Refused: the address cannot be read.
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
    """Whether llama.cpp can be started inside the program: its library is installed. It is not imported here."""
    return find_spec("xllamacpp") is not None


def synthetic_available() -> bool:
    """Whether speed-only models can be made: numpy and gguf are installed."""
    return find_spec("numpy") is not None and find_spec("gguf") is not None
