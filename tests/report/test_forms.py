"""Every form of a report: its values are those of the summary, and no text of a model breaks it or runs."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import msgspec
import pandas as pd
import pytest
from markdown_it import MarkdownIt

from llmtui.core.summary import summarise
from llmtui.report.anonymous import HIDDEN, anonymous
from llmtui.report.csv_forms import BOM
from llmtui.report.forms import Form, forms, terminal_tables
from llmtui.report.saved import Saved
from llmtui.store.csv_cells import cell
from llmtui.store.summary_csv import summary_cells
from llmtui.store.trials_csv import row_cells, trials_csv
from tests.report.recorded import FOLDER, FORMULA, HOST, NAMES, SECRET_PROMPT, USER, saved

NAMES_OF_FORMS = tuple(forms())
NO_TEXTS = {"csv", "excel-csv", "markdown"}
"""Forms without answers."""


@pytest.fixture
def one(tmp_path: Path) -> Saved:
    return saved(tmp_path / "session")


def of(name: str, **how: bool) -> Form:
    return forms(**how)[name]


def rows(content: bytes, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""), delimiter=delimiter))


def test_csv_is_the_file_of_the_session(one: Saved) -> None:
    assert of("csv")([one]) == trials_csv(one.session)


def test_csv_of_several_sessions_has_one_header(one: Saved) -> None:
    assert len(rows(of("csv")([one, one]))) == 2 * len(one.session.rows)


def test_the_summary_is_that_of_the_session(one: Saved) -> None:
    found = rows(of("csv", summary=True)([one]))
    assert found == list(summary_cells(summarise(one.session), one.session))
    assert [row["model"] for row in found[:3]] == [f"'{FORMULA}", *NAMES[1:]]


@pytest.mark.parametrize("comma", [False, True])
@pytest.mark.parametrize("summary", [False, True])
def test_a_spreadsheet_has_the_same_figures_in_its_countrys_form(one: Saved, comma: bool, summary: bool) -> None:
    content = of("excel-csv", summary=summary, decimal_comma=comma)([one])
    assert content.startswith(BOM.encode())
    assert content.count(b"\r\n") == content.count(b"\n")
    found = rows(content.removeprefix(BOM.encode()), ";" if comma else ",")
    wanted = rows(of("csv", summary=summary)([one]))
    assert len(found) == len(wanted)
    number = "decode_tps"
    assert [row[number].replace(",", ".") if comma else row[number] for row in found] == [row[number] for row in wanted]
    assert any("," in row[number] for row in found) is comma
    assert [row["model"] for row in found] == [row["model"] for row in wanted]


@pytest.mark.parametrize("comma", [False, True])
def test_pandas_reads_the_summarys_figures_from_a_spreadsheets_csv(one: Saved, comma: bool) -> None:
    content = of("excel-csv", summary=True, decimal_comma=comma)([one])
    sep, decimal = (";", ",") if comma else (",", ".")
    frame = pd.read_csv(io.BytesIO(content), sep=sep, decimal=decimal, encoding="utf-8-sig")
    for at, line in enumerate(summarise(one.session).lines):
        assert line.decode_tps is not None
        assert line.ttft is not None
        assert cell(float(frame["decode_tps"][at])) == cell(line.decode_tps.value)
        assert cell(float(frame["ttft_ms_high"][at])) == cell(line.ttft.high)
        assert frame["decode_tps_n"][at] == 5


@pytest.mark.parametrize("name", ["csv", "excel-csv"])
@pytest.mark.parametrize("summary", [False, True])
def test_no_cell_of_a_table_is_a_formula(one: Saved, name: str, summary: bool) -> None:
    for row in rows(of(name, summary=summary)([one]).removeprefix(BOM.encode())):
        texts = [text for text in row.values() if text and not text.lstrip("-").replace(".", "").isdigit()]
        assert not [text for text in texts if text[0] in "=+-@\t\r＝＋－＠"]


def test_a_line_of_json_is_a_trial_with_its_figures_and_chunk_times(one: Saved) -> None:
    lines = [json.loads(line) for line in of("jsonl")([one]).splitlines()]
    assert len(lines) == len(one.session.rows)
    for line, (row, event) in zip(lines, one.finished(), strict=True):
        wanted = row_cells(row, one.session)
        for column in ("trial_id", "decode_tps", "ttft_ms", "runner_peak_bytes", "outcome"):
            assert cell(line[column]) == wanted[column], column
        assert line["missing"] == row.figures.why
        chunks = line["chunks"]
        assert [round(at * 1e6) for at in chunks["t_ms"]] == list(event.timeline.t_ns)
        assert "".join(chunks["text"]) == event.text
        assert len(chunks["t_ms"]) == len(chunks["chars"]) == len(chunks["channel"]) == len(chunks["text"])


def test_markdown_holds_its_tables_whatever_the_names(one: Saved) -> None:
    html = MarkdownIt("commonmark").enable("table").render(of("markdown")([one]).decode())
    assert "<script" not in html
    assert "<img" not in html
    heads, cells = html.count("<th>"), html.count("<td>")
    assert heads > 0
    assert cells > 0
    for block in html.split("<table>")[1:]:
        head, body = block.split("</table>")[0].split("<tbody>")
        assert {line.count("<td>") for line in body.split("</tr>")[:-1]} == {head.count("<th>")}


@pytest.mark.parametrize("name", NAMES_OF_FORMS)
def test_no_form_holds_a_control_character(one: Saved, name: str) -> None:
    content = of(name)([one]).decode("utf-8").removeprefix(BOM)
    assert not [sign for sign in content if (ord(sign) < 32 and sign not in "\r\n") or 0x7F <= ord(sign) < 0xA0]


PRIVATE = (HOST, USER, FOLDER, "/home", SECRET_PROMPT, "landlord", "onerror", "alert(1)", "cmd()", "no such", "1+1")
"""What the recorded session's host, user, paths, prompts and answers have in them, and words of its server."""


@pytest.mark.parametrize("name", NAMES_OF_FORMS)
def test_an_anonymous_form_holds_no_private_word(one: Saved, name: str) -> None:
    shown = of(name)([anonymous(one, (HOST, USER))]).decode("utf-8")
    assert [word for word in PRIVATE if word in shown] == []
    assert "phi-3" in shown  # the figures are still those of named models
    assert "own" in shown


@pytest.mark.parametrize("name", [name for name in NAMES_OF_FORMS if name != "excel-csv"])
def test_the_words_looked_for_are_in_the_form_that_is_not_anonymous(one: Saved, name: str) -> None:
    assert any(word in of(name)([one]).decode("utf-8") for word in PRIVATE)


def test_what_is_printed_can_be_anonymous_too(one: Saved) -> None:
    shown = terminal_tables([anonymous(one, (HOST, USER))])
    assert [word for word in PRIVATE if word in shown] == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("llama3:8b", "llama3:8b"),
        ("hf.co/bartowski/x-GGUF:Q4_K_M", "hf.co/bartowski/x-GGUF:Q4_K_M"),
        (f"hf.co/{USER}/x", f"hf.co/{HIDDEN}/x"),
        (f"{FOLDER}/x.gguf", "x.gguf"),
        ("../models/x.gguf", "x.gguf"),
        ("~/x.gguf", "x.gguf"),
        ("models/x.gguf", "x.gguf"),
        (rf"C:\Users\{USER}\x.gguf", "x.gguf"),
        (f"file:{FOLDER}/x.gguf", "x.gguf"),
    ],
)
def test_names_of_models_lose_paths_and_private_words(one: Saved, name: str, shown: str) -> None:
    assert names_of(anonymous(renamed(one, name), (HOST, USER)))[0] == (shown, f"{shown} thinking")


def test_files_of_one_name_in_two_folders_stay_two_models(one: Saved) -> None:
    labels = [label for _, label in names_of(anonymous(renamed(one, "/a/x.gguf", "/b/x.gguf")))]
    assert labels[:2] == ["x.gguf thinking", "x.gguf thinking #2"]


def renamed(one: Saved, *names: str) -> Saved:
    contenders = list(one.session.plan.contenders)
    for at, name in enumerate(names):
        model = msgspec.structs.replace(contenders[at].model, name=name)
        contenders[at] = msgspec.structs.replace(contenders[at], model=model, label=f"{name} thinking")
    plan = msgspec.structs.replace(one.session.plan, contenders=tuple(contenders))
    return msgspec.structs.replace(one, session=msgspec.structs.replace(one.session, plan=plan))


def names_of(one: Saved) -> list[tuple[str, str]]:
    return [(contender.model.name, contender.label) for contender in one.session.plan.contenders]
