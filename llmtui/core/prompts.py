"""Prompt packs: what the models are asked.

A pack is a TOML text. One complete pack ships with the program; a person's own file needs to hold only what it changes
and is merged over it. The format and the merge rules are written down for users in docs/prompts.md.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from llmtui.core.toml_text import (
    KeyPath,
    Statement,
    TomlProblem,
    dotted,
    kind_of,
    line_of,
    read_toml,
    statements,
    unknown_key,
)

FORMAT = 1
LANGUAGES = ("en", "es")

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_TITLE_LENGTH = 40


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """One question to a model, in one language."""

    id: str
    category: str
    title: str
    text: str
    """As it is sent, but for the tag that a trial puts before it; no blanks at either end."""


class Category(msgspec.Struct, frozen=True, kw_only=True):
    """Prompts of one kind; the first is the one asked where one prompt a category is asked."""

    id: str
    title: str
    prompts: tuple[Prompt, ...]


class PromptPack(msgspec.Struct, frozen=True, kw_only=True):
    """All that a run can ask, in one language."""

    name: str
    language: str
    categories: tuple[Category, ...]
    cold: str
    """The fixed prompt of every cold trial."""
    follow_up: str
    """The question that continues a conversation."""
    sources: tuple[str, ...]
    """The files it came from, the most general first."""


class PartialCategory(msgspec.Struct, frozen=True, kw_only=True):
    """A category as an overriding file gives it; a title of None leaves the title as it is."""

    id: str
    title: str | None
    prompts: tuple[Prompt, ...]
    lines: tuple[int | None, ...]
    """The line of each prompt in its file, for messages."""


class PartialPack(msgspec.Struct, frozen=True, kw_only=True):
    """A file that changes a pack. None and empty mean "as it is"."""

    name: str
    language: str
    categories: tuple[PartialCategory, ...]
    cold: str | None
    follow_up: str | None
    sources: tuple[str, ...]


class PromptPackError(ValueError):
    """A prompt file that cannot be used.

    Attributes:
        file: the file's name, as a person would look for it.
        key: the key in question, such as ``categories.coding.prompts[2].text`` (positions from 1); empty for the file.
        line: its line, from 1; None where the key is not in the file.
        problem: what is wrong and what would be right.
    """

    def __init__(self, *, file: str, key: str, line: int | None, problem: str) -> None:
        place = [file, *([] if line is None else [f"line {line}"]), *([key] if key else [])]
        super().__init__(f"{', '.join(place)}: {problem}")
        self.file = file
        self.key = key
        self.line = line
        self.problem = problem


def prompt_sha256(text: str) -> str:
    """Gives the SHA-256 of a prompt's text in hexadecimal: the prompt in a trial's key.

    Args:
        text: the prompt as the pack holds it, without the tag that a trial puts before it.
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def is_prompt_pack(text: str) -> bool:
    """Tells whether a text claims to be a pack: it has an ``[llmtui]`` table.

    A text that is not valid TOML counts where it has the header's line, so that a slip of the pen in a pack is
    reported and another program's broken file is left alone.
    """
    try:
        return "llmtui" in read_toml(text)
    except TomlProblem:
        return re.search(r"^[ \t]*\[[ \t]*llmtui[ \t]*\]", text, re.MULTILINE) is not None


def parse_pack(text: str, *, file: str, language: str) -> PromptPack:
    """Reads a complete pack.

    Args:
        text: the TOML text.
        file: its name, for messages and for ``sources``.
        language: "en" or "es". A text that is not given in it is taken in English, or else in the language there is.

    Raises:
        PromptPackError: the text is no pack, or lacks ``[cold]``, ``[follow_up]``, or categories with prompts.
    """
    partial = parse_partial(text, file=file, language=language)
    nothing = PromptPack(name="", language=language, categories=(), cold="", follow_up="", sources=())
    for key, given in (("cold", partial.cold), ("follow_up", partial.follow_up), ("categories", partial.categories)):
        if not given:
            raise PromptPackError(file=file, key=key, line=None, problem="is missing, and a complete pack needs it")
    return merge(nothing, partial)


def parse_partial(text: str, *, file: str, language: str) -> PartialPack:
    """Reads a file that changes a pack: every part of it may be missing but the ``[llmtui]`` table.

    Args:
        text: the TOML text.
        file: its name, for messages and for ``sources``.
        language: as for ``parse_pack``.

    Raises:
        PromptPackError: the text is no pack.
    """
    try:
        tree = read_toml(text)
    except TomlProblem as error:
        raise PromptPackError(file=file, key="", line=error.line, problem=error.problem) from None
    reader = _Reader(file, language, statements(text))
    if "llmtui" not in tree:
        raise reader.error(("llmtui",), f"this table is missing; put [llmtui] with format = {FORMAT} at the top")
    reader.known((), tree, ("llmtui", "cold", "follow_up", "categories"))
    name = reader.head(tree["llmtui"])
    categories = tuple(
        reader.category(("categories", key), key, value)
        for key, value in reader.table(("categories",), tree.get("categories", {})).items()
    )
    reader.unique_ids(categories)
    return PartialPack(
        name=name,
        language=language,
        categories=categories,
        cold=reader.lone_text(("cold",), tree),
        follow_up=reader.lone_text(("follow_up",), tree),
        sources=(file,),
    )


def merge(base: PromptPack, override: PromptPack | PartialPack) -> PromptPack:
    """Lays a pack or a part of one over another.

    A category that both have keeps its place and gets the override's prompts instead of its own, and the override's
    title where there is one. Categories that only the override has follow in its order. Cold and follow-up texts are
    replaced where given. The name is the override's; the sources add up.

    Raises:
        PromptPackError: a prompt's id in the override is taken by a prompt of another category.
    """
    categories = {category.id: category for category in base.categories}
    for category in override.categories:
        old = categories.get(category.id)
        title = category.title or (old.title if old else _as_title(category.id))
        categories[category.id] = Category(id=category.id, title=title, prompts=category.prompts)
    _refuse_taken_ids(override, categories.values())
    return PromptPack(
        name=override.name,
        language=base.language,
        categories=tuple(categories.values()),
        cold=override.cold or base.cold,
        follow_up=override.follow_up or base.follow_up,
        sources=(*base.sources, *override.sources),
    )


def _refuse_taken_ids(override: PromptPack | PartialPack, merged: Iterable[Category]) -> None:
    own = {category.id for category in override.categories}
    taken = {prompt.id: category.id for category in merged if category.id not in own for prompt in category.prompts}
    for category in override.categories:
        lines = category.lines if isinstance(category, PartialCategory) else (None,) * len(category.prompts)
        for index, (prompt, line) in enumerate(zip(category.prompts, lines, strict=True)):
            if prompt.id in taken:
                raise PromptPackError(
                    file=override.sources[-1],
                    key=dotted(("categories", category.id, "prompts", index, "id")),
                    line=line,
                    problem=f"the id {prompt.id!r} belongs to a prompt in {taken[prompt.id]!r}; choose another",
                )


def _as_title(category_id: str) -> str:
    words = category_id.replace("_", " ").replace("-", " ")
    return words[:1].upper() + words[1:]


def _first_words(text: str) -> str:
    """A title for a prompt that has none: its first words, cut at a blank."""
    line = " ".join(text.split())
    return line if len(line) <= _TITLE_LENGTH else line[:_TITLE_LENGTH].rsplit(" ", 1)[0] + "…"


class _Reader:
    """Turns the tables of one file into data; every refusal names the file, the key and its line."""

    def __init__(self, file: str, language: str, found: Sequence[Statement]) -> None:
        self._file = file
        self._language = language
        self._found = found

    def error(self, path: KeyPath, problem: str) -> PromptPackError:
        line = line_of(self._found, path)
        return PromptPackError(file=self._file, key=dotted(path), line=line, problem=problem)

    def known(self, path: KeyPath, table: dict[str, Any], names: Sequence[str]) -> None:
        for name in table:
            if name not in names:
                raise self.error((*path, name), unknown_key(name, names))

    def table(self, path: KeyPath, value: object) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.error(path, f"must be a table, not {kind_of(value)}")
        return value

    def head(self, value: object) -> str:
        """Checks ``[llmtui]``; gives the pack's name, which is the file's where none is given."""
        table = self.table(("llmtui",), value)
        self.known(("llmtui",), table, ("format", "name"))
        number = table.get("format")
        if number is None:
            raise self.error(("llmtui",), f"needs format = {FORMAT}")
        if isinstance(number, bool) or number != FORMAT:
            problem = f"this version reads format = {FORMAT}; a newer one may read this file"
            raise self.error(("llmtui", "format"), problem)
        return self.line(("llmtui", "name"), table["name"]) if "name" in table else self._file

    def lone_text(self, path: KeyPath, tree: dict[str, Any]) -> str | None:
        """Reads ``[cold]`` or ``[follow_up]``: a table with a text and nothing else."""
        if path[0] not in tree:
            return None
        table = self.table(path, tree[str(path[0])])
        self.known(path, table, ("text",))
        if "text" not in table:
            raise self.error(path, "needs a text")
        return self.text((*path, "text"), table["text"])

    def category(self, path: KeyPath, key: str, value: object) -> PartialCategory:
        table = self.table(path, value)
        self.identifier(path, key)
        self.known(path, table, ("title", "prompts"))
        title = self.line((*path, "title"), table["title"]) if "title" in table else None
        listed = table.get("prompts", [])
        if not isinstance(listed, list):
            problem = f"must be tables that begin with [[{dotted(path)}.prompts]], not {kind_of(listed)}"
            raise self.error((*path, "prompts"), problem)
        if not listed:
            raise self.error(path, f"has no prompts; add one under [[{dotted(path)}.prompts]]")
        paths = [(*path, "prompts", index) for index in range(len(listed))]
        return PartialCategory(
            id=key,
            title=title,
            prompts=tuple(self.prompt(where, key, index, listed[index]) for index, where in enumerate(paths)),
            lines=tuple(line_of(self._found, where) for where in paths),
        )

    def prompt(self, path: KeyPath, category: str, index: int, value: object) -> Prompt:
        table = self.table(path, value)
        self.known(path, table, ("id", "title", "text"))
        if "text" not in table:
            raise self.error(path, "needs a text")
        text = self.text((*path, "text"), table["text"])
        title = self.line((*path, "title"), table["title"]) if "title" in table else _first_words(text)
        name = table.get("id", f"{category}-{index + 1}")
        return Prompt(id=self.identifier((*path, "id"), name), category=category, title=title, text=text)

    def identifier(self, path: KeyPath, value: object) -> str:
        if not isinstance(value, str) or _ID.fullmatch(value) is None:
            shown = repr(value) if isinstance(value, str) else kind_of(value)
            problem = f"an id has 1 to 40 of a to z, 0 to 9, - and _, and begins with a letter or digit: not {shown}"
            raise self.error(path, problem)
        return value

    def unique_ids(self, categories: Iterable[PartialCategory]) -> None:
        seen: dict[str, str] = {}
        for category in categories:
            for index, prompt in enumerate(category.prompts):
                path = ("categories", category.id, "prompts", index)
                if prompt.id in seen:
                    raise self.error((*path, "id"), f"the id {prompt.id!r} is also that of {seen[prompt.id]}")
                seen[prompt.id] = dotted(path)

    def line(self, path: KeyPath, value: object) -> str:
        """Reads a title or name: one line without control characters."""
        text = self.text(path, value)
        if not text.isprintable():
            raise self.error(path, "must be one line without control characters")
        return text

    def text(self, path: KeyPath, value: object) -> str:
        """Reads a text: one string for every language, or a table with a string a language."""
        if isinstance(value, dict):
            self.known(path, value, LANGUAGES)
            for name, given in value.items():
                self.string((*path, name), given)
            chosen = next((name for name in (self._language, *LANGUAGES) if name in value), None)
            if chosen is None:
                raise self.error(path, f"needs a text for one of the languages {', '.join(LANGUAGES)}")
            return self.string((*path, chosen), value[chosen])
        return self.string(path, value)

    def string(self, path: KeyPath, value: object) -> str:
        if not isinstance(value, str):
            raise self.error(path, f"must be text in quotes, not {kind_of(value)}")
        if not value.strip():
            raise self.error(path, "is empty")
        return value.strip()
