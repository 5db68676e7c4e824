"""A prompt file becomes a pack, or a sentence that says what is wrong with it and where."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmtui.config.errors import SettingsError
from llmtui.config.prompt_files import PartialPack, is_prompt_pack, merge, parse_pack, parse_partial
from llmtui.core.prompts import PromptPack
from llmtui.words.settings import settings_words

COMPLETE = """\
[llmtui]
format = 1
name = "Kitchen"

[cold]
text.en = "Boil water."
text.es = "Hierve agua."

[follow_up]
text = "And then?"

[categories.cooking]
title.en = "Cooking"
title.es = "Cocina"

[[categories.cooking.prompts]]
id = "cooking-soup"
title = { en = "Soup", es = "Sopa" }
text.en = "How is soup made?"
text.es = "¿Cómo se hace la sopa?"

[[categories.cooking.prompts]]
text = '''
Describe in about two hundred words how bread rises.
'''

[categories.wine-and-beer]
[[categories.wine-and-beer.prompts]]
title = "Wine"
text = { es = "¿Qué vino va con el pescado?" }
"""


def complete(language: str = "en") -> PromptPack:
    return parse_pack(COMPLETE, file="kitchen.toml", language=language)


def refusal(text: str) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        parse_partial(text, file="mine.toml", language="en")
    return caught.value


HEAD = "[llmtui]\nformat = 1\n\n"


def test_a_pack_is_read_in_the_language_asked_for() -> None:
    english, spanish = complete("en"), complete("es")
    assert english.name == "Kitchen"
    assert english.cold == "Boil water."
    assert spanish.cold == "Hierve agua."
    assert english.follow_up == spanish.follow_up == "And then?"
    assert [category.title for category in spanish.categories] == ["Cocina", "Wine and beer"]
    assert english.categories[0].prompts[0].text == "How is soup made?"
    assert spanish.categories[0].prompts[0].title == "Sopa"
    assert english.sources == ("kitchen.toml",)


def test_a_text_without_the_language_is_taken_in_the_one_there_is() -> None:
    assert complete("en").categories[1].prompts[0].text == "¿Qué vino va con el pescado?"


def test_what_is_left_out_is_filled_in() -> None:
    bread = complete().categories[0].prompts[1]
    assert bread.id == "cooking-2"
    assert bread.category == "cooking"
    assert bread.title == "Describe in about two hundred words how…"
    assert bread.text == "Describe in about two hundred words how bread rises."
    nameless = parse_partial(HEAD, file="mine.toml", language="en")
    assert nameless.name == "mine.toml"


@pytest.mark.parametrize("missing", ["cold", "follow_up", "categories"])
def test_a_complete_pack_needs_all_parts(missing: str) -> None:
    parts = {
        "cold": '[cold]\ntext = "a"\n',
        "follow_up": '[follow_up]\ntext = "b"\n',
        "categories": '[[categories.c.prompts]]\ntext = "c"\n',
    }
    text = HEAD + "".join(part for name, part in parts.items() if name != missing)
    with pytest.raises(SettingsError) as caught:
        parse_pack(text, file="mine.toml", language="en")
    assert settings_words(caught.value) == f"mine.toml, {missing}: is missing but required."


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("a = 1\n[llmtui\n", "", "line 2: is not valid TOML"),
        ("a = 1\n", "llmtui", "this table is missing"),
        ("llmtui = 1\n", "llmtui", "must be a table, not a whole number"),
        ("[llmtui]\nname = 'x'\n", "llmtui", "needs format = 1"),
        ("[llmtui]\nformat = 2\n", "llmtui.format", "reads format = 1"),
        ("[llmtui]\nformat = true\n", "llmtui.format", "reads format = 1"),
        ("[llmtui]\nformat = 1\nnaem = 'x'\n", "llmtui.naem", "did you mean 'name'?"),
        ("[llmtui]\nformat = 1\nname = 1\n", "llmtui.name", "must be text in quotes, not a whole number"),
        ('[llmtui]\nformat = 1\nname = "two\\nlines"\n', "llmtui.name", "one line without control characters"),
        (HEAD + "[colt]\ntext = 'x'\n", "colt", "did you mean 'cold'?"),
        (HEAD + "[cold]\n", "cold", "needs text"),
        (HEAD + "[cold]\ntxt = 'x'\n", "cold.txt", "did you mean 'text'?"),
        (HEAD + "[cold]\ntext = ''\n", "cold.text", "is empty"),
        (HEAD + "[cold]\ntext.fr = 'x'\n", "cold.text.fr", "known here: en, es"),
        (HEAD + "[cold]\ntext = {}\n", "cold.text", "needs text in one of the languages en, es"),
        (HEAD + "[cold]\ntext.en = 'x'\ntext.es = 1\n", "cold.text.es", "must be text in quotes"),
        (HEAD + "[follow_up]\ntext = ['x']\n", "follow_up.text", "not a list"),
        (HEAD + "cold = 'x'\n", "llmtui.cold", "unknown key 'cold'"),
        (HEAD + "[[categories]]\ntext = 'x'\n", "categories", "must be a table, not a list"),
        (HEAD + "[categories.Código]\n".replace("Código", '"Código"'), "categories.Código", "an id has 1 to 40"),
        (HEAD + "[categories.coding]\ntitle = 'x'\n", "categories.coding", "has no prompts"),
        (
            HEAD + "[categories.coding]\nprompts = 'x'\n",
            "categories.coding.prompts",
            "[[categories.coding.prompts]]",
        ),
        (HEAD + "[categories.coding]\nprompt = []\n", "categories.coding.prompt", "did you mean 'prompts'?"),
        (HEAD + "[categories.c]\nprompts = ['x']\n", "categories.c.prompts[1]", "must be a table, not text"),
        (HEAD + "[[categories.c.prompts]]\nid = 'c-1'\n", "categories.c.prompts[1]", "needs text"),
        (
            HEAD + "[[categories.c.prompts]]\ntext = 'x'\nid = 1\n",
            "categories.c.prompts[1].id",
            "letter or digit; 1 does not",
        ),
        (HEAD + "[[categories.c.prompts]]\nid = 'C 1'\ntext = 'x'\n", "categories.c.prompts[1].id", "'C 1' does not"),
        (
            HEAD + "[[categories.c.prompts]]\nid='x'\ntext='x'\n[[categories.d.prompts]]\nid='x'\ntext='y'\n",
            "categories.d.prompts[1].id",
            "the id “x” is also used by categories.c.prompts[1]",
        ),
    ],
)
def test_a_bad_file_is_refused_with_file_key_and_reason(text: str, key: str, words: str) -> None:
    error = refusal(text)
    assert (error.file, error.key) == ("mine.toml", key)
    assert settings_words(error).startswith("mine.toml, " + (f"{key}: " if key else ""))
    assert words in settings_words(error)


def test_an_override_replaces_what_it_gives_and_leaves_the_rest() -> None:
    text = HEAD.replace("1\n", '1\nname = "Mine"\n', 1) + (
        '[follow_up]\ntext = "Why?"\n'
        '[[categories.cooking.prompts]]\ntext = "Only this one."\n'
        '[categories.baking]\ntitle = "Baking"\n[[categories.baking.prompts]]\ntext = "Cake?"\n'
    )
    merged = merge(complete(), parse_partial(text, file="mine.toml", language="en"))
    assert merged.name == "Mine"
    assert merged.cold == "Boil water."
    assert merged.follow_up == "Why?"
    assert [category.id for category in merged.categories] == ["cooking", "wine-and-beer", "baking"]
    assert [category.title for category in merged.categories] == ["Cooking", "Wine and beer", "Baking"]
    assert [prompt.text for prompt in merged.categories[0].prompts] == ["Only this one."]
    assert merged.sources == ("kitchen.toml", "mine.toml")


def test_an_id_of_another_category_is_refused() -> None:
    text = HEAD + "[[categories.baking.prompts]]\nid = 'cooking-soup'\ntext = 'x'\n"
    with pytest.raises(SettingsError) as caught:
        merge(complete(), parse_partial(text, file="mine.toml", language="en"))
    assert settings_words(caught.value) == (
        "mine.toml, categories.baking.prompts[1].id: "
        "the id “cooking-soup” belongs to a prompt in “cooking”; choose another."
    )


def test_an_id_of_prompts_that_are_replaced_is_free_again() -> None:
    text = HEAD + (
        "[[categories.cooking.prompts]]\nid = 'cooking-new'\ntext = 'x'\n"
        "[[categories.baking.prompts]]\nid = 'cooking-soup'\ntext = 'y'\n"
    )
    merged = merge(complete(), parse_partial(text, file="mine.toml", language="en"))
    assert [prompt.id for category in merged.categories for prompt in category.prompts] == [
        "cooking-new",
        "wine-and-beer-1",
        "cooking-soup",
    ]


def test_a_whole_pack_can_be_laid_over_another() -> None:
    base = complete()
    over = msgspec.structs.replace(base, name="Over", cold="Other", sources=("over.toml",))
    merged = merge(base, over)
    assert merged == msgspec.structs.replace(over, sources=("kitchen.toml", "over.toml"))


@pytest.mark.parametrize(
    ("text", "own"),
    [
        (HEAD, True),
        ("[ llmtui ]\nbroken = \n", True),
        ("llmtui.format = 1\n", True),
        ("[prompts]\nhello = 'x'\n", False),
        ("[prompts]\nbroken = \n", False),
        ("note = '''\n[llmtui]\n'''\n", False),
        ("", False),
    ],
)
def test_a_file_is_a_pack_if_it_has_the_table(text: str, own: bool) -> None:
    assert is_prompt_pack(text) is own


IDS = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,12}", fullmatch=True)
TEXTS = st.text(
    st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("\n\t\"'\\"), min_size=1, max_size=60
).filter(lambda text: bool(text.strip()))
TITLES = TEXTS.map(lambda text: " ".join(text.split())).filter(lambda text: bool(text) and text.isprintable())
PROMPTS = st.fixed_dictionaries({"text": TEXTS}, optional={"title": TITLES})
CATEGORIES = st.dictionaries(IDS, st.lists(PROMPTS, min_size=1, max_size=3), max_size=4)


def written(categories: dict[str, list[dict[str, str]]], cold: str | None, follow_up: str | None) -> str:
    text = HEAD
    for name, lone in (("cold", cold), ("follow_up", follow_up)):
        text += "" if lone is None else f"[{name}]\ntext = {quoted(lone)}\n"
    for category, prompts in categories.items():
        for number, prompt in enumerate(prompts):
            text += f"[[categories.{category}.prompts]]\nid = 'p-{len(category)}-{category[:20]}-{number}'\n"
            text += "".join(f"{key} = {quoted(value)}\n" for key, value in prompt.items())
    return text


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


@settings(deadline=None)
@given(CATEGORIES, st.none() | TEXTS, st.none() | TEXTS)
def test_what_is_written_is_what_is_read(
    categories: dict[str, list[dict[str, str]]], cold: str | None, follow_up: str | None
) -> None:
    pack = parse_partial(written(categories, cold, follow_up), file="f", language="es")
    assert pack.cold == (cold and cold.strip())
    assert pack.follow_up == (follow_up and follow_up.strip())
    assert [category.id for category in pack.categories] == list(categories)
    for category in pack.categories:
        assert [prompt.text for prompt in category.prompts] == [
            given["text"].strip() for given in categories[category.id]
        ]
        for prompt, given_prompt in zip(category.prompts, categories[category.id], strict=True):
            assert prompt.category == category.id
            assert prompt.title == given_prompt["title"] if "title" in given_prompt else prompt.title


@settings(deadline=None)
@given(CATEGORIES, st.none() | TEXTS, st.none() | TEXTS)
def test_merging_keeps_every_category_and_prefers_the_override(
    categories: dict[str, list[dict[str, str]]], cold: str | None, follow_up: str | None
) -> None:
    base = complete()
    over = parse_partial(written(categories, cold, follow_up), file="f", language="en")
    merged = merge(base, over)
    replaced = {category.id: category.prompts for category in over.categories}
    kept = {category.id: category.prompts for category in base.categories}
    assert {category.id: category.prompts for category in merged.categories} == kept | replaced
    assert [category.id for category in merged.categories][: len(kept)] == list(kept)
    assert (merged.cold, merged.follow_up) == (over.cold or base.cold, over.follow_up or base.follow_up)
    assert msgspec.structs.replace(merge(merged, over), sources=merged.sources) == merged


@settings(deadline=None)
@given(st.data())
def test_a_file_with_a_slip_is_read_or_refused_but_never_trips_the_program(data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(COMPLETE)))
    end = data.draw(st.integers(cut, min(len(COMPLETE), cut + 12)))
    put = data.draw(st.text(st.sampled_from("[]{}=.\"'\\#\n abctextidñ1"), max_size=6))
    text = COMPLETE[:cut] + put + COMPLETE[end:]
    read, error = read_or_refused(text)
    if error is not None:
        assert settings_words(error).startswith("mine.toml")
        assert error.line is None or 1 <= error.line <= text.count("\n") + 1
    if read is not None:
        assert all(prompt.text for category in read.categories for prompt in category.prompts)
    assert (read is None) is (error is not None)


def read_or_refused(text: str) -> tuple[PartialPack | None, SettingsError | None]:
    try:
        return parse_partial(text, file="mine.toml", language="en"), None
    except SettingsError as error:
        return None, error
