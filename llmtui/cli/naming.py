"""Lookup of the models that are named on the command line."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from llmtui.cli.startup import Refused
from llmtui.config import GGUF, builtin_model, builtin_place, file_here
from llmtui.core.events import ListedModel
from llmtui.core.names import find_model, name_digest, nearest_names
from llmtui.core.plan import BUILTIN, Model
from llmtui.words import _
from llmtui.words.lists import few
from llmtui.words.problems import problem_remedy, unfit_words, whole_problem


def only_builtin(names: Sequence[str], *, files_count: bool) -> bool:
    """Return whether models are named and all are the built-in server's, so that no other server is needed.

    Args:
        names: the names as typed.
        files_count: whether the path of an existing file selects the built-in server. False while another server might
            have a model of that name, since that server must be asked first.
    """
    return bool(names) and all(
        builtin_model(name) is not None or (files_count and file_here(name) is not None) for name in names
    )


def spelled_models(spellings: Collection[str], listed: Sequence[ListedModel]) -> list[Model]:
    """Return the listed models that have one of these spellings (names as users type them), in the list's order."""
    return [one.model for one in listed if one.model.spelling in spellings]


def named_models(
    names: Sequence[str], listed: Sequence[ListedModel], *, server: str, named: bool, say: Callable[[str], None]
) -> list[Model]:
    """Return the models that the names refer to.

    A name in the server's list is the server's model, even if a file has the same name. A file is selected by
    ``file:PATH`` or ``builtin:PATH``, or by the path of a .gguf file that the server does not list.

    Args:
        names: the names as typed.
        listed: the models of all servers.
        server: kind of the main server, to which names without a prefix belong.
        named: whether the server is given on the command line.
        say: called with a sentence on a model that cannot be measured, or on a name that is taken as a file.

    Raises:
        Refused: the server does not list a name; or the server was given, but all names are files, so that it would not
            be used.
    """
    found: list[Model] = []
    files: list[str] = []
    for name in names:
        one, inside = _listed(name, listed, server), _inside(name, server)
        if one is None and inside is None:
            inside = _file_beside(name, listed, server)
            files += [] if inside is None else [name]
        if one is not None:
            if one.why_not is not None:
                say(f"{name}: {unfit_words(one)}. {problem_remedy(one.why_not)}".rstrip())
            found.append(one.model)
        elif inside is None:
            found.append(_unlisted(name, listed, server))
        else:
            found.append(_inside_model(inside))
    if files and named and all(model.backend != server for model in found):
        raise Refused(_not_listed(files[0], listed, server))
    for name in files if named else ():
        say(_("The server has no model {name}; llmtui runs the file of that name itself.").format(name=name))
    return found


def _inside(name: str, server: str) -> str | None:
    """Return the model's name on the built-in server; None if the typed name does not select that server."""
    inside = builtin_model(name)
    if inside is None and server == BUILTIN and name.lower().endswith(GGUF):
        return builtin_model(f"{BUILTIN}:{name}")
    return inside


def _listed(name: str, listed: Sequence[ListedModel], server: str) -> ListedModel | None:
    inside = _inside(name, server)
    backend, wanted = (server, name) if inside is None else (BUILTIN, inside)
    return find_model(wanted, listed, backend)


def _unlisted(name: str, listed: Sequence[ListedModel], server: str) -> Model:
    """Return the model with this name if the server lists no models at all.

    Raises:
        Refused: the server lists models, but not this one.
    """
    names = [one.model.name for one in listed if one.model.backend == server]
    if not names:
        return Model(name=name, digest=name_digest(name), backend=server)
    near = nearest_names(name, names)
    there = _("Similar names: {names}.") if near else _("It has: {names}.")
    sentence = _("The server has no model {name}.").format(name=name)
    remedy = _("Get it: ollama pull {name}.").format(name=name) if server == "ollama" else ""
    raise Refused(f"{sentence} {there.format(names=few(near or names))} {remedy}".rstrip())


def _file_beside(name: str, listed: Sequence[ListedModel], server: str) -> str | None:
    """Return the file that an unlisted name refers to; None if there is none, or if the server lists no models.

    A server that lists no models may still have one of this name.
    """
    return file_here(name) if any(one.model.backend == server for one in listed) else None


def _not_listed(name: str, listed: Sequence[ListedModel], server: str) -> str:
    names = few([one.model.name for one in listed if one.model.backend == server])
    words = _("The server has no model {name}. It has: {names}. To use the file of that name: -m file:{name}.")
    return words.format(name=name, names=names)


def _inside_model(name: str) -> Model:
    """Return an unlisted model of the built-in server, as described by its file.

    Raises:
        Refused: the file is missing or is not a model.
    """
    from llmtui.backends.base import BackendFailed
    from llmtui.backends.builtin_models import shown_model

    try:
        return shown_model(name, Path()).model
    except BackendFailed as failed:
        raise Refused(whole_problem(failed.problem)) from failed


def refuse_place_without_models(place: str, listed: Sequence[ListedModel]) -> None:
    """Refuse a file or folder that is given as the server if none of its models can be used.

    Args:
        place: the server as typed; does nothing unless this is a file or folder.
        listed: the built-in server's models, including those that come with it.

    Raises:
        Refused: no model can be used. The exception has the reason for the first one.
    """
    path = builtin_place(place)
    if path is None or path == BUILTIN:
        return
    why_not = [one.why_not for one in listed if Path(one.model.name).is_relative_to(path)]
    unusable = [problem for problem in why_not if problem is not None]
    if unusable and len(unusable) == len(why_not):
        raise Refused(whole_problem(unusable[0]))
