"""Prompt packs: the prompts of a run, in one language. Reading the files: ``config.prompt_files``."""

from __future__ import annotations

import hashlib

import msgspec


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """One prompt, in one language."""

    id: str
    category: str
    title: str
    text: str
    """The text as sent, without the tag of a trial; no blanks at either end."""


class Category(msgspec.Struct, frozen=True, kw_only=True):
    """Prompts of one kind; the first is used where one prompt per category is run."""

    id: str
    title: str
    prompts: tuple[Prompt, ...]


class PromptPack(msgspec.Struct, frozen=True, kw_only=True):
    """All prompts that a run can use, in one language."""

    name: str
    language: str
    categories: tuple[Category, ...]
    cold: str
    """The fixed prompt of every cold trial."""
    follow_up: str
    """The prompt of the follow-up trial, which continues a conversation."""
    sources: tuple[str, ...]
    """The files it was read from, the most general first."""


def prompt_sha256(text: str) -> str:
    """Return the SHA-256 of a prompt's text in hexadecimal: the prompt in a trial's key.

    Args:
        text: the prompt as the pack holds it, without the tag that a trial puts before it.
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
