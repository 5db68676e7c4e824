"""Old files are read in any spelling, keep every row, and are written back as they were."""

from __future__ import annotations

import csv
import io
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtui.legacy.table import HEADER, LegacyRow, NotLegacy, legacy_text, parse_legacy

FIXTURE = (Path(__file__).parents[1] / "legacy" / "legacy.csv").read_text("utf-8")
LONG = ",".join(HEADER)
SHORT = "Modelo,Categoria,TTFT(s),Total(s),t/s,RAM_MB,Tokens"


def one(header: str, *cells: str) -> LegacyRow:
    return parse_legacy(f"{header}\n{','.join(cells)}\n")[0]


def test_a_file_is_written_back_byte_for_byte() -> None:
    assert legacy_text(parse_legacy(FIXTURE)) == FIXTURE


def test_every_column_is_read() -> None:
    row = parse_legacy(FIXTURE)[1]
    assert row == LegacyRow(
        line=3, model="alpha", category="Razonamiento", prompt="Si llueve, ¿se moja la calle? Explica por qué.",
        ttft_s=0.9, total_s=40.9, usual_tps=4.91, ram_mb=12.5, tokens=201,
    )  # fmt: skip


def test_the_short_header_has_no_prompt() -> None:
    row = one(SHORT, "a", "Coding", "1.5", "11.5", "8.87", "-3.5", "102")
    assert (row.prompt, row.ttft_s, row.total_s, row.usual_tps, row.ram_mb, row.tokens) == (
        "", 1.5, 11.5, 8.87, -3.5, 102,
    )  # fmt: skip


@pytest.mark.parametrize(
    "header",
    [
        " modelo , CATEGORÍA ,prompt, Latencia_ttft (S),total_time(s),TOKENS_SEG(T/S),ram_usada(mb),tokens_total",
        "Model,Category,Prompt,TTFT (s),Total Time (s),Tokens/s,RAM used (MB),Total tokens",
        "model,category,prompt,ttft_s,total_s,tokens_per_second,ram_mb,tokens",
        "Nombre modelo,Tarea,Pregunta,Latencia (s),Tiempo total (s),t/s,RAM [MB],Tokens",
        "MODELO,CATEGORIA,PROMPT,LATENCIATTFT,TOTALTIME,TPS,RAM,TOKENS",
    ],
)
def test_renamed_columns(header: str) -> None:
    row = one(header, "a", "Coding", "why", "1.5", "11.5", "8.87", "-3.5", "102")
    assert (row.model, row.category, row.prompt, row.ttft_s, row.total_s, row.usual_tps, row.ram_mb, row.tokens) == (
        "a", "Coding", "why", 1.5, 11.5, 8.87, -3.5, 102,
    )  # fmt: skip


def test_milliseconds_are_turned_into_seconds() -> None:
    assert one("Model,Category,TTFT(ms),Total(ms),Tokens", "a", "b", "1500", "11500", "102").ttft_s == 1.5
    assert one("Model,Category,ttft_ms,total_ms,Tokens", "a", "b", "1500", "11500", "102").total_s == 11.5


def test_an_unknown_unit_is_refused_rather_than_guessed() -> None:
    with pytest.raises(NotLegacy, match=r"unit of the column TTFT\(h\)"):
        parse_legacy("Model,Category,TTFT(h),Total(s),Tokens\na,b,1,2,3\n")


def test_columns_in_any_order_and_others_between() -> None:
    row = one("Tokens,date,Total(s),Modelo,TTFT(s),Categoria", "102", "monday", "11.5", "a", "1.5", "Coding")
    assert (row.model, row.category, row.ttft_s, row.total_s, row.tokens) == ("a", "Coding", 1.5, 11.5, 102)


def test_a_byte_order_mark_semicolons_and_decimal_commas() -> None:
    text = "\ufeffModelo;Categoria;TTFT(s);Total(s);Tokens\r\na;Coding;1,5;11,5;102\r\n"
    row = parse_legacy(text)[0]
    assert (row.ttft_s, row.total_s, row.tokens) == (1.5, 11.5, 102)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "no column Modelo"),
        ("Modelo,Categoria,TTFT(s),Total(s)\na,b,1,2\n", "no column Tokens_Total"),
        ("root:x:0:0\n", "no column Modelo, Categoria"),
        (SHORT + "\n", "no rows"),
        (SHORT + "\n\n   \n", "no rows"),
    ],
)
def test_what_is_no_such_file_says_what_is_missing(text: str, match: str) -> None:
    with pytest.raises(NotLegacy, match=match):
        parse_legacy(text)


# --- rows ---------------------------------------------------------------------------------------------------------


def test_a_cell_that_is_no_number_keeps_its_row() -> None:
    row = one(SHORT, "a", "Coding", "error", "11.5", "", "", "102")
    assert (row.ttft_s, row.total_s, row.tokens) == (None, 11.5, 102)
    assert row.problems == (("not_a_number", "ttft_s=error"),)
    assert row.decode_tps is None
    assert ",error,11.5000," in legacy_text([row])


@pytest.mark.parametrize("cell", ["nan", "inf", "1e999", "12.5"])
def test_tokens_are_whole_and_finite(cell: str) -> None:
    row = one(SHORT, "a", "Coding", "1.5", "11.5", "", "", cell)
    assert row.tokens is None
    assert row.problems == (("not_a_number", f"tokens={cell}"),)


def test_oddities_are_told_and_nothing_is_rejected() -> None:
    odd = {
        "usual_off": one(SHORT, "a", "b", "1.0", "10.0", "9.0", "", "100"),
        "ttft_not_below_total": one(SHORT, "a", "b", "10.0", "10.0", "10.0", "", "100"),
        "tokens_below_2": one(SHORT, "a", "b", "1.0", "10.0", "0.1", "", "1"),
    }
    for code, row in odd.items():
        assert [name for name, _ in row.problems] == [code]


def test_rounding_of_the_recorded_rate_is_no_oddity() -> None:
    assert one(SHORT, "a", "b", "1.0", "40.0840", "3.14", "", "126").problems == ()


def test_speed_leaves_out_the_first_token_and_the_wait() -> None:
    row = one(SHORT, "a", "b", "1.0", "11.0", "", "", "101")
    assert (row.decode_tps, row.naive_tps) == (10.0, 101 / 11)


# --- starts from off ----------------------------------------------------------------------------------------------


def waits(*rows: tuple[str, float]) -> list[bool]:
    lines = [f"{model},c{at},{ttft},100,,,200" for at, (model, ttft) in enumerate(rows)]
    return [row.cold for row in parse_legacy("\n".join([SHORT, *lines]))]


def test_a_models_first_row_is_a_start_if_it_waited_five_times_as_long() -> None:
    assert waits(("a", 5.1), ("a", 1.0), ("a", 1.0)) == [True, False, False]
    assert waits(("a", 5.0), ("a", 1.0), ("a", 1.0)) == [False, False, False]


def test_a_later_row_is_none_however_long_it_waited() -> None:
    assert waits(("a", 1.0), ("a", 30.0), ("a", 1.0)) == [False, False, False]


def test_models_that_take_turns_start_where_they_are_slow() -> None:
    rows = [("a", 9.0), ("b", 8.0), ("a", 1.0), ("b", 1.0), ("a", 1.0), ("b", 1.0)]
    assert waits(*rows) == [True, True, False, False, False, False]


def test_a_model_with_one_row_has_nothing_to_be_compared_with() -> None:
    assert waits(("a", 99.0)) == [False]


# --- any file -----------------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20).map(str.strip)


@given(
    st.lists(
        st.tuples(
            TEXT.filter(bool), TEXT, TEXT, st.floats(0, 99), st.floats(0, 999), st.floats(-9999, 9999),
            st.integers(0, 5000),
        ),
        min_size=1,
        max_size=8,
    )
)  # fmt: skip
def test_reading_and_writing_come_back_to_the_same_file(
    cells: list[tuple[str, str, str, float, float, float, int]],
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    for model, category, prompt, ttft, total, ram, tokens in cells:
        writer.writerow(
            (
                model,
                category,
                prompt,
                f"{ttft:.4f}",
                f"{total:.4f}",
                f"{tokens / (total or 1):.2f}",
                f"{ram:.2f}",
                tokens,
            )
        )
    text = out.getvalue()
    rows = parse_legacy(text)
    assert len(rows) == len(cells)
    assert legacy_text(rows) == text


@given(st.text(max_size=200))
def test_no_text_does_worse_than_be_refused(text: str) -> None:
    with suppress(NotLegacy):
        assert parse_legacy(text)


@given(st.lists(st.lists(TEXT, max_size=8), max_size=6))
def test_no_row_is_lost_whatever_stands_in_it(lines: list[list[str]]) -> None:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(lines)
    full = [line for line in lines if any(cell.strip() for cell in line)]
    if full:
        assert len(parse_legacy(out.getvalue())) == len(full)
