"""Prompt packs: what the models are asked, in one language. How files become packs: ``config.prompt_files``."""

from __future__ import annotations

import hashlib

import msgspec


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """One question to a model, in one language."""

    id: str
    category: str
    title: str
    text: str
    """As it is sent, but for the tag that a trial puts before it; no blanks at either end."""


class Category(msgspec.Struct, frozen=True, kw_only=True):
    """Prompts of one kind; the first is the one that is asked where one prompt per category is asked."""

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


def prompt_sha256(text: str) -> str:
    """Return the SHA-256 of a prompt's text in hexadecimal: the prompt in a trial's key.

    Args:
        text: the prompt as the pack holds it, without the tag that a trial puts before it.
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
