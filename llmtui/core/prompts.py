"""Prompt packs: all prompts that a run can use, in one language. ``config.prompt_files`` reads them from files."""

from __future__ import annotations

import hashlib

import msgspec


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """One prompt in one language."""

    id: str
    category: str
    title: str
    text: str
    """The text as sent, but without a trial's tag; no whitespace at either end."""


class Category(msgspec.Struct, frozen=True, kw_only=True):
    """Prompts of one kind. A run that uses one prompt per category uses the first."""

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
    """The prompt of a follow-up trial, which continues the conversation of the trial before it."""
    sources: tuple[str, ...]
    """The files from which the pack was read. Later files override earlier ones."""


def prompt_sha256(text: str) -> str:
    """Return the SHA-256 of a prompt's text in hexadecimal, which identifies the prompt in a trial's key.

    Args:
        text: the text in the pack, without the tag that a trial puts before it.
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
