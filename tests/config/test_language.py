"""The language follows the setting, then the locale."""

from __future__ import annotations

import pytest

from llmtui.config import pick_language


@pytest.mark.parametrize(
    ("env", "language"),
    [
        ({}, "en"),
        ({"LANG": "es_ES.UTF-8"}, "es"),
        ({"LANG": "es"}, "es"),
        ({"LANG": "es-MX"}, "es"),
        ({"LANG": "es@euro"}, "es"),
        ({"LANG": "est_EE.UTF-8"}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "de_DE"}, "en"),
        ({"LC_MESSAGES": "es_AR", "LANG": "en_US"}, "es"),
        ({"LC_ALL": "C", "LC_MESSAGES": "es_AR", "LANG": "es_AR"}, "en"),
        ({"LC_ALL": "", "LANG": "es_AR"}, "es"),
    ],
)
def test_auto_is_the_locale(env: dict[str, str], language: str) -> None:
    assert pick_language("auto", env) == language


def test_a_setting_is_stronger_than_the_locale() -> None:
    assert pick_language("en", {"LC_ALL": "es_ES"}) == "en"
    assert pick_language("es", {"LC_ALL": "en_GB"}) == "es"


def test_systems_without_these_variables_have_a_locale_of_their_own() -> None:
    assert pick_language("auto", {}, "Spanish_Spain.1252") == "es"
    assert pick_language("auto", {}, "es_ES") == "es"
    assert pick_language("auto", {"LANG": "en_GB"}, "es_ES") == "en"
