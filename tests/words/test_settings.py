"""Every way in which a setting or a prompt file can be wrong has a sentence."""

from __future__ import annotations

from typing import get_args

from llmtui.config.errors import ENVIRONMENT, Reason, SettingsError
from llmtui.words.settings import known_reasons, not_used, settings_words


def test_every_reason_has_a_clause() -> None:
    assert sorted(known_reasons()) == sorted(get_args(Reason))


def test_a_sentence_names_place_reason_and_what_follows() -> None:
    broken = SettingsError("not_toml", file="config.toml", line=3, why="Invalid value")
    assert settings_words(broken) == "config.toml, line 3: is not valid TOML: Invalid value."
    assert not_used(broken).endswith(". The settings file is not used.")
    unknown = SettingsError("unknown_key", file="config.toml", key="them", name="them", known="theme, host")
    assert not_used(unknown) == "config.toml, them: unknown key 'them'; did you mean 'theme'? It is not used."
    far = SettingsError("unknown_key", file="config.toml", key="zzz", name="zzz", known="theme, host")
    assert settings_words(far) == "config.toml, zzz: unknown key 'zzz'; known here: theme, host."
    variable = SettingsError("bad_value", file=ENVIRONMENT, key="LLMTUI_BELL", setting="bell", given="'perhaps'")
    assert settings_words(variable) == "environment, LLMTUI_BELL: must be true or false, not 'perhaps'."
