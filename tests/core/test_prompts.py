"""A prompt's hash is what trials of it are known by."""

from __future__ import annotations

import hashlib

from llmtui.core.prompts import prompt_sha256


def test_the_hash_is_of_the_text_alone() -> None:
    assert prompt_sha256("¿Qué?") == hashlib.sha256("¿Qué?".encode()).hexdigest()
    assert prompt_sha256("[4817] Why?") != prompt_sha256("Why?")
    assert prompt_sha256("\ud800") != prompt_sha256("\ud801")
