from __future__ import annotations

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from llmtui.simulator.prose import prose, thinking_text, token_texts_of


@given(st.text())
def test_pieces_joined_are_the_text(text: str) -> None:
    assert "".join(token_texts_of(text)) == text


@given(st.text(min_size=1))
def test_no_piece_is_empty(text: str) -> None:
    assert all(token_texts_of(text))


def test_a_token_has_about_four_characters() -> None:
    token_texts = list(islice(prose("seed"), 2000))
    assert 3.5 <= sum(map(len, token_texts)) / len(token_texts) <= 4.7


def test_the_same_seed_gives_the_same_text_and_another_another() -> None:
    assert list(islice(prose("a"), 100)) == list(islice(prose("a"), 100))
    assert list(islice(prose("a"), 100)) != list(islice(prose("b"), 100))


def test_prose_is_varied() -> None:
    sentences = "".join(islice(prose("seed"), 4000)).split(". ")
    assert len(set(sentences)) > 0.9 * len(sentences)


def test_thinking_is_other_text_than_the_answer() -> None:
    assert "".join(islice(thinking_text("a"), 50)) != "".join(islice(prose("a"), 50))
