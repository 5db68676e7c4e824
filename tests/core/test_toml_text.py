"""Positions in a TOML text agree with the values that the standard parser reads from it."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmtui.core.toml_text import KeyPath, TomlProblem, dotted, kind_of, line_of, read_toml, statements, unknown_key

KEYS = ("plain", "with-dash", "under_score", "7", '"a.b"', "'lit eral'", r'"quo\"te"', '"ñ"')
VALUES = (
    "1",
    "-0.5e3",
    "true",
    "1979-05-27T07:32:00Z",
    '""',
    '"# no comment"',
    r'"back\\slash \" quote"',
    "'[not a header]'",
    '"""one\ntwo = 2\n[three]\n# four\n"""',
    '""""quoted""""',
    '"""ends with a backslash \\\n   joined"""',
    "'''\n\"\"\" inside \\\n'''",
    "[1, 2, 3]",
    "[\n  1, # one ]\n  '2',\n]",
    '[["a"], []]',
    '{ a = "}", b = { c = [1] } }',
    "[{ a = 1 }, { a = 2 }]",
)
FILLERS = ("", "\n", "# a comment = 1\n", "  \t\n", "#\n\n# [x]\n")
ENDS = ("", "  ", '\t# a comment ] } "', " # '''")


@st.composite
def toml_texts(draw: st.DrawFn) -> tuple[str, list[int]]:
    """A valid TOML text with every key and header once, and the line of each in order."""
    text, lines = "", []
    names = iter(range(1000))
    for group in range(draw(st.integers(0, 4))):
        text += draw(st.sampled_from(FILLERS))
        if group:
            head = draw(st.sampled_from(("[t{n}]", "[ t{n} . 'x y' ]", "[[list]]", "[t{n}.deep.er]")))
            lines.append(text.count("\n") + 1)
            text += draw(st.sampled_from(("", "  "))) + head.format(n=next(names))
            text += draw(st.sampled_from(ENDS)) + "\n"
        for key in draw(st.lists(st.sampled_from(KEYS), max_size=4, unique=True)):
            text += draw(st.sampled_from(FILLERS))
            lines.append(text.count("\n") + 1)
            dots = draw(st.sampled_from(("", ".sub", " . sub")))
            value = draw(st.sampled_from(VALUES))
            text += f"{key}{dots}{draw(st.sampled_from(('=', ' = ')))}{value}{draw(st.sampled_from(ENDS))}\n"
    text += draw(st.sampled_from(("", "# last", "  ")))
    if draw(st.booleans()):
        text = text.removesuffix("\n")
    return text, lines


def at(tree: Any, path: KeyPath) -> Any:
    for part in path:
        tree = tree[part]
    return tree


@settings(deadline=None)
@given(toml_texts(), st.booleans())
def test_every_key_and_header_is_found_at_its_line_with_its_value(made: tuple[str, list[int]], crlf: bool) -> None:
    text, lines = made
    if crlf:
        text = text.replace("\n", "\r\n")
    tree = tomllib.loads(text)
    found = statements(text)
    assert [statement.line for statement in found] == lines
    for statement in found:
        if statement.header:
            assert isinstance(at(tree, statement.path), dict)
        else:
            value = tomllib.loads(f"value = {text[statement.value_start : statement.value_end]}")["value"]
            assert value == at(tree, statement.path)


@settings(deadline=None)
@given(toml_texts())
def test_taking_a_statement_out_leaves_the_others_as_they_were(made: tuple[str, list[int]]) -> None:
    text, _ = made
    for statement in statements(text):
        if not statement.header:
            rest = text[: statement.start] + text[statement.end :]
            kept = {other.path for other in statements(text) if not other.header} - {statement.path}
            assert {other.path for other in statements(rest) if not other.header} == kept
            assert all(at(tomllib.loads(rest), path) == at(tomllib.loads(text), path) for path in kept)


@settings(deadline=None)
@given(st.text())
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    tree, refusal = read_or_refused(text)
    if refusal is not None:
        assert refusal.problem.startswith(("is not valid TOML", "is nested too deeply"))
        assert refusal.line is None or 1 <= refusal.line <= text.count("\n") + 1
    if tree is not None:
        assert {str(statement.path[0]) for statement in statements(text)} == set(tree)
    assert (tree is None) is (refusal is not None)


def read_or_refused(text: str) -> tuple[dict[str, Any] | None, TomlProblem | None]:
    try:
        return read_toml(text), None
    except TomlProblem as refusal:
        return None, refusal


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("a = 1\nb = \nc = 3\n", 2, "Invalid value"),
        ("a = 1\n\na = 2\n", 3, "overwrite"),
        ('a = """\nnever closed\n', 3, "string"),
        ("a = " + "[" * 5000, None, "nested too deeply"),
        ("a = " + "9" * 5000, None, "not valid TOML"),
    ],
)
def test_what_is_wrong_comes_with_the_line(text: str, line: int | None, word: str) -> None:
    with pytest.raises(TomlProblem) as refusal:
        read_toml(text)
    assert refusal.value.line == line
    assert word in refusal.value.problem


def test_a_key_that_is_not_there_has_the_line_of_the_table_around_it() -> None:
    found = statements("top = 1\n[a.b]\nx = { deep = 1 }\n[[a.list]]\ny = 1\n[[a.list]]\ny = 2\n")
    assert line_of(found, ("top",)) == 1
    assert line_of(found, ("a",)) == 2
    assert line_of(found, ("a", "b", "x", "deep")) == 3
    assert line_of(found, ("a", "b", "gone")) == 2
    assert line_of(found, ("a", "list", 0, "y")) == 5
    assert line_of(found, ("a", "list", 1, "y")) == 7
    assert line_of(found, ("elsewhere",)) is None


def test_keys_in_messages_count_from_one() -> None:
    assert dotted(("categories", "coding", "prompts", 1, "text")) == "categories.coding.prompts[2].text"


def test_an_unknown_key_is_told_the_nearest_known_one() -> None:
    assert unknown_key("txt", ("id", "title", "text")) == "unknown key 'txt'; did you mean 'text'?"
    assert unknown_key("zzzz", ("id", "text")) == "unknown key 'zzzz'; known here: id, text"


def test_values_have_a_kind_in_words() -> None:
    tree = tomllib.loads("a = true\nb = 1\nc = 1.5\nd = ''\ne = []\nf = {}\ng = 1979-05-27\n")
    kinds = [kind_of(value) for value in tree.values()]
    assert kinds == ["true or false", "a whole number", "a number", "text", "a list", "a table", "a date or time"]
