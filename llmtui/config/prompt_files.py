"""Prompt files: TOML texts that become prompt packs, or errors with file, key and reason.

One complete pack ships with the program. A user's file needs only the changes and is merged over it. docs/prompts.md
describes the format and the merge rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from llmtui.config.errors import Reason, SettingsError
from llmtui.config.toml_text import KeyPath, dotted, kind_of, read_toml
from llmtui.core.choices import shown
from llmtui.core.prompts import Category, Prompt, PromptPack

FORMAT = 1
LANGUAGES = ("en", "es")

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_TITLE_LENGTH = 40


class PartialCategory(msgspec.Struct, frozen=True, kw_only=True):
    """A category in a file that changes a pack. A title of None leaves the title unchanged."""

    id: str
    title: str | None
    prompts: tuple[Prompt, ...]


class PartialPack(msgspec.Struct, frozen=True, kw_only=True):
    """The content of a file that changes a pack. None and empty values mean "unchanged"."""

    name: str
    language: str
    categories: tuple[PartialCategory, ...]
    cold: str | None
    follow_up: str | None
    sources: tuple[str, ...]


def is_prompt_pack(text: str) -> bool:
    """Return whether a text is meant as a prompt pack: it has an ``[llmtui]`` table.

    A text that is not valid TOML counts if it has that header line. So a typo in a pack is reported, while another
    program's broken file is ignored.
    """
    try:
        return "llmtui" in read_toml(text, "")
    except SettingsError:
        return re.search(r"^[ \t]*\[[ \t]*llmtui[ \t]*\]", text, re.MULTILINE) is not None


def parse_pack(text: str, *, file: str, language: str) -> PromptPack:
    """Return a complete pack.

    Args:
        text: the TOML text.
        file: the name of its file, for messages and for ``sources``.
        language: "en" or "es". A text that is missing in this language is used in English, or else in any language.

    Raises:
        SettingsError: the text is not a pack, or lacks ``[cold]``, ``[follow_up]``, or categories with prompts.
    """
    partial = parse_partial(text, file=file, language=language)
    nothing = PromptPack(name="", language=language, categories=(), cold="", follow_up="", sources=())
    for key, given in (("cold", partial.cold), ("follow_up", partial.follow_up), ("categories", partial.categories)):
        if not given:
            raise SettingsError("missing", file=file, key=key)
    return merge(nothing, partial)


def parse_partial(text: str, *, file: str, language: str) -> PartialPack:
    """Return the changes in a file. Every part may be missing except the ``[llmtui]`` table.

    Args:
        text: the TOML text.
        file: the name of its file, for messages and for ``sources``.
        language: as in ``parse_pack``.

    Raises:
        SettingsError: the text is not a pack.
    """
    tree = read_toml(text, file)
    reader = _Reader(file, language)
    if "llmtui" not in tree:
        raise reader.error(("llmtui",), "no_header", format=str(FORMAT))
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
    """Return a pack with another pack, or changes, merged over it.

    A category in both keeps its position. It has the override's prompts in place of its own, and the override's title
    if that has one. Categories that only the override has follow in its order. Cold and follow-up texts are replaced if
    the override has them. The name is the override's, and its sources are appended.

    Raises:
        SettingsError: a prompt in the override has the id of a prompt in another category.
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
        for index, prompt in enumerate(category.prompts):
            if prompt.id in taken:
                key = dotted(("categories", category.id, "prompts", index, "id"))
                raise SettingsError(
                    "taken_id", file=override.sources[-1], key=key, id=prompt.id, category=taken[prompt.id]
                )


def _as_title(category_id: str) -> str:
    words = category_id.replace("_", " ").replace("-", " ")
    return words[:1].upper() + words[1:]


def _first_words(text: str) -> str:
    """Return a title for a prompt without one: its first words, at most 40 characters."""
    line = " ".join(text.split())
    return line if len(line) <= _TITLE_LENGTH else line[:_TITLE_LENGTH].rsplit(" ", 1)[0] + "…"


class _Reader:
    """Converts the tables of one file. Every error names the file and the key."""

    def __init__(self, file: str, language: str) -> None:
        self._file = file
        self._language = language

    def error(self, path: KeyPath, reason: Reason, **facts: str) -> SettingsError:
        return SettingsError(reason, file=self._file, key=dotted(path), line=None, **facts)

    def known(self, path: KeyPath, table: dict[str, Any], names: Sequence[str]) -> None:
        for name in table:
            if name not in names:
                raise self.error((*path, name), "unknown_key", name=name, known=", ".join(names))

    def table(self, path: KeyPath, value: object) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.error(path, "not_table", kind=kind_of(value))
        return value

    def head(self, value: object) -> str:
        """Check the table ``[llmtui]``; return the pack's name, which defaults to the file's name."""
        table = self.table(("llmtui",), value)
        self.known(("llmtui",), table, ("format", "name"))
        number = table.get("format")
        if number is None:
            raise self.error(("llmtui",), "needs_format", format=str(FORMAT))
        if isinstance(number, bool) or number != FORMAT:
            raise self.error(("llmtui", "format"), "other_format", format=str(FORMAT))
        return self.line(("llmtui", "name"), table["name"]) if "name" in table else self._file

    def lone_text(self, path: KeyPath, tree: dict[str, Any]) -> str | None:
        """Return the text of ``[cold]`` or ``[follow_up]``: a table that may have only the key ``text``.

        Return None if that table is missing.
        """
        if path[0] not in tree:
            return None
        table = self.table(path, tree[str(path[0])])
        self.known(path, table, ("text",))
        if "text" not in table:
            raise self.error(path, "needs_text")
        return self.text((*path, "text"), table["text"])

    def category(self, path: KeyPath, key: str, value: object) -> PartialCategory:
        table = self.table(path, value)
        self.identifier(path, key)
        self.known(path, table, ("title", "prompts"))
        title = self.line((*path, "title"), table["title"]) if "title" in table else None
        listed = table.get("prompts", [])
        if not isinstance(listed, list):
            raise self.error((*path, "prompts"), "not_prompts", head=f"{dotted(path)}.prompts", kind=kind_of(listed))
        if not listed:
            raise self.error(path, "no_prompts", head=f"{dotted(path)}.prompts")
        return PartialCategory(
            id=key,
            title=title,
            prompts=tuple(
                self.prompt((*path, "prompts", index), key, index, value) for index, value in enumerate(listed)
            ),
        )

    def prompt(self, path: KeyPath, category: str, index: int, value: object) -> Prompt:
        table = self.table(path, value)
        self.known(path, table, ("id", "title", "text"))
        if "text" not in table:
            raise self.error(path, "needs_text")
        text = self.text((*path, "text"), table["text"])
        title = self.line((*path, "title"), table["title"]) if "title" in table else _first_words(text)
        name = table.get("id", f"{category}-{index + 1}")
        return Prompt(id=self.identifier((*path, "id"), name), category=category, title=title, text=text)

    def identifier(self, path: KeyPath, value: object) -> str:
        if not isinstance(value, str) or _ID.fullmatch(value) is None:
            raise self.error(path, "bad_id", given=shown(value))
        return value

    def unique_ids(self, categories: Iterable[PartialCategory]) -> None:
        seen: dict[str, str] = {}
        for category in categories:
            for index, prompt in enumerate(category.prompts):
                path = ("categories", category.id, "prompts", index)
                if prompt.id in seen:
                    raise self.error((*path, "id"), "same_id", id=prompt.id, other=seen[prompt.id])
                seen[prompt.id] = dotted(path)

    def line(self, path: KeyPath, value: object) -> str:
        """Return a title or name, which must be one line without control characters."""
        text = self.text(path, value)
        if not text.isprintable():
            raise self.error(path, "not_one_line")
        return text

    def text(self, path: KeyPath, value: object) -> str:
        """Return a text: one string for all languages, or the string for this language from a table of strings."""
        if isinstance(value, dict):
            self.known(path, value, LANGUAGES)
            for name, given in value.items():
                self.string((*path, name), given)
            chosen = next((name for name in (self._language, *LANGUAGES) if name in value), None)
            if chosen is None:
                raise self.error(path, "needs_language", languages=", ".join(LANGUAGES))
            return self.string((*path, chosen), value[chosen])
        return self.string(path, value)

    def string(self, path: KeyPath, value: object) -> str:
        if not isinstance(value, str):
            raise self.error(path, "not_text", kind=kind_of(value))
        if not value.strip():
            raise self.error(path, "empty")
        return value.strip()
