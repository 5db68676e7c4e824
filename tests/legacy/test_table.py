"""Tables are read in any spelling, keep every row, and are written back unchanged."""

from __future__ import annotations

import csv
import io
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtui.core.records import Recorded
from llmtui.legacy.events import can_be_measured
from llmtui.legacy.rows import CannotImport, FileRow, Stated
from llmtui.legacy.source import file_text
from llmtui.legacy.table import read_table
from llmtui.legacy.write_back import HEADER, legacy_text

FIXTURE = (Path(__file__).parents[1] / "legacy" / "legacy.csv").read_text("utf-8")
LONG = ",".join(HEADER)
WILD_FILES = Path(__file__).parents[3] / "shared" / "wild" / "import"
SHORT = "Modelo,Categoria,TTFT(s),Total(s),t/s,RAM_MB,Tokens"


def figures(row: FileRow) -> tuple[float | None, ...]:
    of = row.recorded
    return of.ttft_s, of.total_s, of.overall_tps, of.ram_change_mb, of.tokens


def one(header: str, *cells: str) -> FileRow:
    return read_table(f"{header}\n{','.join(cells)}\n")[0]


def test_a_file_is_written_back_byte_for_byte() -> None:
    assert legacy_text(read_table(FIXTURE)) == FIXTURE


def test_every_column_is_read() -> None:
    row = read_table(FIXTURE)[1]
    assert row == FileRow(
        model="alpha",
        category="Razonamiento",
        prompt="Si llueve, ¿se moja la calle? Explica por qué.",
        recorded=Recorded(line=3, ttft_s=0.9, total_s=40.9, overall_tps=4.91, ram_change_mb=12.5, tokens=201),
    )


def test_the_short_header_has_no_prompt() -> None:
    row = one(SHORT, "a", "Coding", "1.5", "11.5", "8.87", "-3.5", "102")
    assert (row.prompt, *figures(row)) == ("", 1.5, 11.5, 8.87, -3.5, 102)


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
    assert (row.model, row.category, row.prompt) == ("a", "Coding", "why")
    assert figures(row) == (1.5, 11.5, 8.87, -3.5, 102)


def test_milliseconds_are_turned_into_seconds() -> None:
    assert one("Model,Category,TTFT(ms),Total(ms),Tokens", "a", "b", "1500", "11500", "102").recorded.ttft_s == 1.5
    assert one("Model,Category,ttft_ms,total_ms,Tokens", "a", "b", "1500", "11500", "102").recorded.total_s == 11.5


def test_an_unknown_unit_is_refused_rather_than_guessed() -> None:
    with pytest.raises(CannotImport, match="unknown_unit"):
        read_table("Model,Category,TTFT(weeks),Total(s),Tokens\na,b,1,2,3\n")


def test_columns_in_any_order_and_others_between() -> None:
    row = one("Tokens,date,Total(s),Modelo,TTFT(s),Categoria", "102", "monday", "11.5", "a", "1.5", "Coding")
    assert (row.model, row.category, *figures(row)) == ("a", "Coding", 1.5, 11.5, None, None, 102)


def test_a_byte_order_mark_semicolons_and_decimal_commas() -> None:
    text = "\ufeffModelo;Categoria;TTFT(s);Total(s);Tokens\r\na;Coding;1,5;11,5;102\r\n"
    row = read_table(text)[0]
    assert figures(row) == (1.5, 11.5, None, None, 102)


WORDS = [
    ("Model", "Time to first token (s)", "Total time in s", "Output tokens"),
    ("Modelo", "Tiempo hasta el primer token (s)", "Tiempo total (s)", "Tokens generados"),
    ("modelo", "Tiempo al primer token [seg]", "Duración en segundos", "Nº tokens"),
    ("LLM", "TTFT_s", "elapsed_s", "completion_tokens"),
    ("Nombre del modelo", "Latencia TTFT (s)", "Tiempo de respuesta (s)", "Número de tokens"),
]


@pytest.mark.parametrize("titles", WORDS)
def test_english_and_spanish_words(titles: tuple[str, ...]) -> None:
    assert figures(one(",".join(titles), "a", "1.5", "11.5", "102")) == (1.5, 11.5, None, None, 102)


def test_what_is_in_brackets_need_be_no_unit() -> None:
    header = "Model,Time to first token (TTFT),Total time (total),Tokens (output),Tokens/s (avg)"
    assert figures(one(header, "a", "1.5", "11.5", "102", "8.87")) == (1.5, 11.5, 8.87, None, 102)


def test_a_latency_is_the_wait_beside_a_total_and_else_the_whole_time() -> None:
    assert figures(one("model,latency,total,tokens", "a", "1.5", "11.5", "102")) == (1.5, 11.5, None, None, 102)
    assert figures(one("modelo,latencia (ms),tokens", "a", "11500", "102")) == (None, 11.5, None, None, 102)


def test_the_outputs_tokens_are_taken_where_all_tokens_are_counted_too() -> None:
    row = one("model,total_tokens,prompt_tokens,completion_tokens,total_s", "a", "142", "40", "102", "11")
    assert (row.recorded.tokens, row.recorded.prompt_tokens) == (102, 40)
    asked = Stated(columns={"tokens": "all tokens"})
    text = "model,all tokens,completion_tokens,total_s\na,142,102,11\n"
    assert read_table(text, asked)[0].recorded.tokens == 142


def test_a_header_that_comes_again_is_no_row() -> None:
    assert len(read_table("model,tokens,total_s\na,102,11\nmodel,tokens,total_s\nb,102,11\n")) == 2


def test_a_row_that_names_no_model_cannot_be_measured() -> None:
    rows = read_table("model,tokens,total_s\na,102,11\n,102,11\n")
    assert [can_be_measured(row) for row in rows] == [True, False]


def test_only_a_model_tokens_and_a_time_are_needed() -> None:
    row = one("model,prompt,tokens,time", "a", "why", "102", "11.5")
    assert (row.model, row.category, row.prompt, *figures(row)) == ("a", "", "why", None, 11.5, None, None, 102)
    assert one("model,tokens/s", "a", "9.5").recorded.overall_tps == 9.5


def test_ollamas_own_counters_are_nanoseconds() -> None:
    header = "model,total_duration,load_duration,prompt_eval_count,prompt_eval_duration,eval_count,eval_duration"
    of = one(header, "a", "12500000000", "1000000000", "26", "300000000", "102", "11000000000").recorded
    assert (of.total_s, of.load_s, of.prompt_tokens, of.tokens, of.decode_s) == (12.5, 1.0, 26, 102, 11.0)
    assert of.prompt_s == pytest.approx(0.3)
    assert one("model,eval_count,eval_duration,total_duration", "a", "102", "11.0", "12.5").recorded.decode_s == 11.0


# --- spreadsheets -------------------------------------------------------------------------------------------------

WILD = {
    "quoted decimal commas": 'Modelo,TTFT(s),Total(s),Tokens\na,"1,5000","1020,2000",300\n',
    "Spanish thousands": "Modelo;TTFT(s);Total(s);Tokens\na;1,5000;1.020,2000;300\n",
    "English thousands": 'Modelo,TTFT(ms),Total(ms),Tokens\na,"1,500","1,020,200",300\n',
    "a title above": "Comparación de modelos\n\nModelo,TTFT(s),Total(s),Tokens\na,1.5,1020.2,300\n",
    "a title with commas above": '"Modelos, noviembre",,,\nModelo,TTFT(s),Total(s),Tokens\na,1.5,1020.2,300\n',
    "blank lines above": "\n\n,,,\nModelo,TTFT(s),Total(s),Tokens\na,1.5,1020.2,300\n",
    "a sep line": "sep=;\r\nModelo;TTFT(s);Total(s);Tokens\r\na;1,5;1020,2;300\r\n",
    "old Mac line ends": "Modelo,TTFT(s),Total(s),Tokens\ra,1.5,1020.2,300\r",
    "tabs": "Modelo\tTTFT(s)\tTotal(s)\tTokens\na\t1,5\t1020,2\t300\n",
    "semicolons and points": "Modelo;TTFT(s);Total(s);Tokens\na;1.5;1020.2;300\n",
    "a Markdown table": "| Modelo | TTFT(s) | Total(s) | Tokens |\n|---|--:|--:|--:|\n| a | 1.5 | 1020.2 | 300 |\n",
    "units in the cells": "Modelo,TTFT,Total,Tokens\na,1500 ms,1020.2 s,300\n",
    "minutes": "Modelo,TTFT(s),Total(min),Tokens\na,1.5,17.003333333333334,300\n",
}


@pytest.mark.parametrize("text", WILD.values(), ids=WILD)
def test_spreadsheets(text: str) -> None:
    of = read_table(text)[0].recorded
    assert (of.ttft_s, of.tokens) == (1.5, 300)
    assert of.total_s == pytest.approx(1020.2)


def test_numbers_that_may_all_be_thousands_are_decimals_in_seconds() -> None:
    text = 'Modelo,TTFT(s),Total(s),Tokens\na,"1,500","19,148",102\n'
    assert read_table(text)[0].recorded.total_s == 19.148


@pytest.mark.parametrize("name", sorted(path.name for path in WILD_FILES.glob("*")) or ["none"])
def test_the_wild_files_are_one_file(name: str) -> None:
    if not WILD_FILES.exists():
        pytest.skip("the files of other programs are not beside this checkout")
    first = read_table(file_text(WILD_FILES / name))[1].recorded
    assert (first.ttft_s, first.total_s, first.overall_tps, first.tokens) == (0.8, 15.3, 18.95, 290)


# --- units --------------------------------------------------------------------------------------------------------


def test_milliseconds_that_are_not_stated_are_asked_for() -> None:
    text = "model,ttft,total,tokens\na,908,48984,281\nb,726,69494,417\n"
    with pytest.raises(CannotImport, match="unit_not_stated") as caught:
        read_table(text)
    assert caught.value.told["columns"] == ["ttft", "total"]
    assert read_table(text, Stated(unit="ms"))[0].recorded.total_s == pytest.approx(48.984)
    assert read_table(text, Stated(unit="s"))[0].recorded.total_s == 48984


def test_a_wait_that_is_longer_than_the_whole_is_asked_about_too() -> None:
    with pytest.raises(CannotImport, match="unit_not_stated"):
        read_table("model,ttft,total (s),tokens\na,908,48.9,281\nb,726,69.4,417\n")


def test_a_stated_unit_is_believed_however_slow() -> None:
    assert read_table("model,total (s),tokens\na,48984,281\n")[0].recorded.total_s == 48984


# --- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code", "missing"),
    [
        ("Modelo,Categoria,TTFT(s),Total(s)\na,b,1,2\n", "no_columns", ["tokens"]),
        ("root:x:0:0\n", "no_columns", ["model", "tokens", "total"]),
        ("model,tokens\na,5\n", "no_columns", ["total"]),
        (SHORT + "\n", "no_rows", None),
        (SHORT + "\n\n   \n", "no_rows", None),
        (SHORT + "\na," + "x" * 200_000 + ",1,2,3,4,5\n", "broken_csv", None),
        (SHORT + "\n" + "a,b,1,9,,,90\n" * 10_001, "too_many_rows", None),
        (SHORT + "\n" + "".join(f"m{at},b,1,9,,,90\n" for at in range(61)), "too_many_models", None),
        (SHORT + "\n" + "".join(f"a,c{at},1,9,,,90\n" for at in range(1001)), "too_many_categories", None),
    ],
)
def test_what_is_no_such_file_says_what_is_missing(text: str, code: str, missing: list[str] | None) -> None:
    with pytest.raises(CannotImport) as caught:
        read_table(text)
    assert caught.value.code == code
    assert caught.value.told.get("missing") == missing


def test_columns_can_be_pointed_out() -> None:
    text = "setup,variant,gen,wall\nx,a,102,11.5\n"
    told = Stated(columns={"model": "variant", "tokens": "gen", "seconds": "wall"}, unit="s")
    row = read_table(text, told)[0]
    assert (row.model, *figures(row)) == ("a", None, 11.5, None, None, 102)
    with pytest.raises(CannotImport, match="no_such_column"):
        read_table(text, Stated(columns={"model": "nobody"}))
    with pytest.raises(CannotImport, match="no_such_column"):
        read_table(text, Stated(columns={"colour": "setup"}))


# --- rows ---------------------------------------------------------------------------------------------------------


def test_a_cell_that_is_no_number_keeps_its_row() -> None:
    row = one(SHORT, "a", "Coding", "error", "11.5", "", "", "102")
    assert figures(row) == (None, 11.5, None, None, 102)
    assert row.unreadable == {"ttft": "error"}
    assert not can_be_measured(row)
    assert ",error,11.5000," in legacy_text([row])


@pytest.mark.parametrize("cell", ["inf", "1e999", "12.5"])
def test_tokens_are_whole_and_finite(cell: str) -> None:
    row = one(SHORT, "a", "Coding", "1.5", "11.5", "", "", cell)
    assert row.recorded.tokens is None
    assert row.unreadable == {"tokens": cell}


@pytest.mark.parametrize("cell", ["", "-", "N/A", "null"])
def test_what_was_not_measured_is_missing_and_no_mistake(cell: str) -> None:
    row = one(SHORT, "a", "Coding", cell, "11.5", "", "", "102")
    assert (row.recorded.ttft_s, row.unreadable) == (None, {})
    assert can_be_measured(row)


def test_oddities_are_told_and_nothing_is_rejected() -> None:
    odd = {
        "usual_off": one(SHORT, "a", "b", "1.0", "10.0", "9.0", "", "100"),
        "ttft_not_below_total": one(SHORT, "a", "b", "10.0", "10.0", "10.0", "", "100"),
        "tokens_below_2": one(SHORT, "a", "b", "1.0", "10.0", "0.1", "", "1"),
    }
    for code, row in odd.items():
        assert row.oddities == (code,)


def test_rounding_of_the_recorded_rate_is_no_oddity() -> None:
    assert one(SHORT, "a", "b", "1.0", "40.0840", "3.14", "", "126").oddities == ()


# --- cold starts ----------------------------------------------------------------------------------------------------


def waits(*rows: tuple[str, float]) -> list[bool]:
    lines = [f"{model},c{at},{ttft},100,,,200" for at, (model, ttft) in enumerate(rows)]
    return [row.cold for row in read_table("\n".join([SHORT, *lines]))]


def test_a_models_first_row_is_cold_if_it_waited_five_times_as_long() -> None:
    assert waits(("a", 5.1), ("a", 1.0), ("a", 1.0)) == [True, False, False]
    assert waits(("a", 5.0), ("a", 1.0), ("a", 1.0)) == [False, False, False]


def test_a_later_row_is_none_however_long_it_waited() -> None:
    assert waits(("a", 1.0), ("a", 30.0), ("a", 1.0)) == [False, False, False]


def test_models_that_take_turns_are_cold_where_they_are_slow() -> None:
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
    rows = read_table(text)
    assert len(rows) == len(cells)
    assert legacy_text(rows) == text


@given(st.text(max_size=200))
def test_no_text_does_worse_than_be_refused(text: str) -> None:
    with suppress(CannotImport):
        assert read_table(text)


@given(st.lists(st.lists(TEXT, max_size=8), max_size=6))
def test_no_row_is_lost_whatever_stands_in_it(lines: list[list[str]]) -> None:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(lines)
    full = [line for line in lines if any(cell.strip() for cell in line)]
    if full:
        assert len(read_table(out.getvalue())) == len(full)
