"""Every text that people read has its translation, with the same figures in it."""

from __future__ import annotations

import gettext
import importlib.util
import io
import re
import string
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from llmtui.words import LOCALE_DIR, _, plural, use_language

TOOL = Path(__file__).parents[2] / "tools" / "translate.py"
LANGUAGES = sorted(folder.name for folder in LOCALE_DIR.iterdir() if folder.is_dir())


def tool() -> ModuleType:
    if not TOOL.exists():
        pytest.skip("tools/ is not part of this copy of the source", allow_module_level=True)
    spec = importlib.util.spec_from_file_location("translate", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


TRANSLATE = tool()
RUN = "run: python tools/translate.py --missing"


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def texts(message: Any) -> list[tuple[str, str]]:
    """Return (source, translation) of each form of a translated message; another test requires translations of all."""
    ids = message.id if isinstance(message.id, tuple | list) else [message.id]
    strings = message.string if isinstance(message.string, tuple | list) else [message.string]
    return [(ids[min(at, len(ids) - 1)], one) for at, one in enumerate(strings) if one]


def test_spanish_is_there() -> None:
    assert "es" in LANGUAGES


def test_texts_within_f_strings_are_collected_as_well() -> None:
    source = 'f"━ {_(\'model\')} {n:.1f}"; plural("{n} model", "{n} models", n); _(name)'
    assert list(TRANSLATE.texts_in(source)) == ["model", ("{n} model", "{n} models")]


def test_every_text_of_the_source_is_translated(language: str) -> None:
    catalogue = TRANSLATE.read(language)
    known = {message.id for message in catalogue if message.id}
    assert {message.id for message in TRANSLATE.collected() if message.id} - known == set(), RUN
    assert TRANSLATE.missing(catalogue) == [], RUN


def test_no_text_is_left_that_the_source_does_not_have(language: str) -> None:
    known = {message.id for message in TRANSLATE.collected()}
    assert [message.id for message in TRANSLATE.read(language) if message.id not in known] == [], RUN


def test_figures_stand_in_every_translation(language: str) -> None:
    for message in TRANSLATE.read(language):
        if not message.id:
            continue
        for source, translation in texts(message):
            wanted = {(name, spec) for _text, name, spec, _conversion in string.Formatter().parse(source) if name}
            found = {(name, spec) for _text, name, spec, _conversion in string.Formatter().parse(translation) if name}
            # One thing may be said without its number: "one more round".
            assert found == wanted or (isinstance(message.id, tuple) and found < wanted), source


def test_marks_of_formatting_are_kept(language: str) -> None:
    for message in TRANSLATE.read(language):
        if message.id:
            for source, translation in texts(message):
                for pattern in (r"\*\*", r"^\s*#+ ", r"^\s*- ", r"\[/?b\]"):
                    count = len(re.findall(pattern, source, re.MULTILINE))
                    assert len(re.findall(pattern, translation, re.MULTILINE)) == count, source
                assert source.startswith("\n") == translation.startswith("\n"), source


def test_what_gettext_reads_is_what_stands_in_the_text(language: str) -> None:
    compiled = gettext.GNUTranslations(io.BytesIO(TRANSLATE.po_path(language).with_suffix(".mo").read_bytes()))
    for message in TRANSLATE.read(language):
        if not message.id:
            continue
        if isinstance(message.id, tuple | list):
            one, many = message.id
            assert (compiled.ngettext(one, many, 1), compiled.ngettext(one, many, 2)) == tuple(message.string), RUN
        else:
            assert compiled.gettext(message.id) == message.string, RUN


def test_the_language_can_be_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "en")
    use_language("es")
    assert _("Decode speed") == "Velocidad de generación"
    assert plural("{n} trial", "{n} trials", 1) == "{n} prueba"
    assert plural("{n} trial", "{n} trials", 2) == "{n} pruebas"
    use_language("en")
    assert _("Decode speed") == "Decode speed"


def test_a_language_without_catalogue_is_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "xx")
    assert _("Decode speed") == "Decode speed"


def test_nothing_is_said_of_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The empty text is where gettext keeps its own notes."""
    monkeypatch.setenv("LANGUAGE", "es")
    assert _("") == ""
