"""The report in Markdown: everything that Results shows, for readers who have not seen it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from markdown_it import MarkdownIt

from llmtui.core.across import Earlier
from llmtui.core.session import Session, fold
from llmtui.legacy.events import legacy_events
from llmtui.legacy.readers import read_any
from llmtui.report.markdown import markdown, write_markdown
from llmtui.report.rows import by_category, by_model
from llmtui.words.conclusions import telling
from tests.core.compared import compared, compared_plan, warm

PARSER = MarkdownIt("commonmark").enable("table")


def session() -> Session:
    return compared({"llama3": [10.0, 10.1, 9.9], "gemma:7b": [5.0, 5.1, 4.9]})


def texts(of: str, kind: str) -> list[str]:
    """The text of every inline block inside a kind of block, without its marks."""
    tokens = PARSER.parse(of)
    found: list[str] = []
    for at, token in enumerate(tokens):
        if token.type == "inline" and tokens[at - 1].type == f"{kind}_open":
            found.append("".join(child.content for child in token.children or ()))
    return found


def test_its_parts_in_order() -> None:
    assert texts(markdown(session()), "heading") == [
        "llama3, gemma:7b", "Conclusions", "By model", "By category", "In words", "Pair by pair", "Conditions",
        "How the figures are made",
    ]  # fmt: skip


def test_conclusions_are_those_of_the_screen() -> None:
    paragraphs = texts(markdown(session()), "paragraph")
    for line in telling(session()):
        assert f"{line.heading}: {line.said}" in paragraphs


def test_tables_are_those_of_the_screen() -> None:
    found = texts(markdown(session()), "td")
    expected = [cell for rows in (by_model(session()), by_category(session())) for row in rows for cell in row.values()]
    assert found == expected


def test_conditions_and_formulas_are_named() -> None:
    text = markdown(session())
    assert "num_ctx=4096" in text
    assert "Answers: up to 128 tokens, temperature 0, seed 42" in text
    assert "Plan: standard, 3 rounds, order seed 7" in text
    assert "Prompt coding-1: Write two hundred words on the subject of coding, please, with care." in text
    assert "(`decode_tps`): (output tokens − those of the first chunk) ÷" in text


def test_the_servers_address_stays_at_home() -> None:
    assert "127.0.0.1" not in markdown(session())


def test_names_with_signs_of_their_own_stay_text() -> None:
    name = "a|b *c* <script> `d` [e](f) _g_ h_i ~~j~~ &lt;k&gt; R&D"
    made = compared({name: [10.0, 10.0, 10.0]}, of=compared_plan(name))
    html = PARSER.render(markdown(made))
    assert "<script>" not in html
    assert "<em>" not in html
    assert "href" not in html
    assert name in texts(markdown(made), "td")


def test_since_last_time_stands_in_it() -> None:
    text = markdown(session(), Earlier(session=session()))
    assert "no verdict: the day-to-day variation of this machine is not known yet" in text


def test_problems_of_tests_are_noted() -> None:
    from llmtui.core.records import Problem

    of = compared_plan("a")
    broken = warm(of, 0, 1, 0, 10.0, outcome="error", problem=Problem(code="cut", what="The connection broke."))
    assert "r1-m1-warm-p1: The connection broke." in markdown(compared({"a": []}, broken, of=of))


def test_an_imported_file_says_that_nothing_is_known_of_its_machine() -> None:
    made = fold(
        legacy_events(
            read_any("Modelo,Categoria,TTFT(s),Total(s),t/s,RAM_MB,Tokens\na,x,9,19,5,100,101\n"),
            name="old.csv", session_id="x", wall_ns=0, version="0",
        )
    )  # fmt: skip
    assert made is not None
    text = markdown(made)
    assert "Imported from old.csv: machine, server and settings are unknown." in text
    assert "temperature" not in text
    assert "**What this file can show**" in text


def test_a_session_that_has_just_begun_can_be_reported() -> None:
    begun = msgspec.structs.replace(session(), rows=())
    assert "nothing is measured yet" in markdown(begun)


def test_it_is_written_where_it_was_asked_for(tmp_path: Path) -> None:
    target = tmp_path / "new" / "report.md"
    write_markdown(session(), target)
    assert target.read_text("utf-8") == markdown(session())
    with pytest.raises(OSError, match="Is a directory"):
        write_markdown(session(), tmp_path)
