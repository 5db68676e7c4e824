"""Tables in the forms of llama-bench and of Go benchmarks."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from llmtui.core.events import Event
from llmtui.core.stats import deviation, mean
from llmtui.report.benchstat import benchmark_name, benchstat
from llmtui.report.by_round import summaries_by_round
from llmtui.report.llama_bench import llama_bench
from llmtui.report.saved import Saved, read_saved
from tests.core.compared import compared_plan, warm
from tests.core.made import started
from tests.report.recorded import FORMULA, NAMES, saved, write_recorded


@pytest.fixture
def one(tmp_path: Path) -> Saved:
    return saved(tmp_path / "session")


def pasted(content: bytes) -> list[list[str]]:
    """Return the cells of the table as a site shows them."""
    tokens = MarkdownIt("commonmark").enable("table").parse(content.decode("utf-8"))
    found: list[list[str]] = []
    for at, token in enumerate(tokens):
        if token.type == "tr_open":
            found.append([])
        elif token.type == "inline" and tokens[at - 1].type in ("td_open", "th_open"):
            found[-1].append("".join(child.content for child in token.children or ()))
    return found


def test_the_pasted_table_has_llama_benchs_columns_and_true_lengths(one: Saved) -> None:
    head, *rows = pasted(llama_bench([one]))
    assert head == ["model", "size", "params", "backend", "test", "t/s"]
    assert [row[4] for row in rows if row[4].startswith("tg")] == ["tg126-128"] * 3
    assert {row[4] for row in rows if row[4].startswith("pp")} == {"pp80"}
    assert rows[0][:4] == [f"{FORMULA} Q4_K_M", "4.34 GiB", "8.0B", "Ollama"]
    assert {len(row) for row in rows} == {6}


def test_its_rates_are_mean_and_deviation_over_rounds(one: Saved) -> None:
    rows = [row for row in pasted(llama_bench([one])) if row[4].startswith("tg")]
    rounds = summaries_by_round(one.session).values()
    for index, row in enumerate(rows):
        rates = [line.value for summary in rounds if (line := summary.lines[index].decode_tps) is not None]
        assert len(rates) == 5
        assert row[5] == f"{mean(rates):.2f} ± {deviation(rates):.2f}"


def test_a_line_below_says_server_machine_and_version(one: Saved) -> None:
    last = llama_bench([one]).decode("utf-8").strip().splitlines()[-1]
    assert last == r"Ollama 0.12.3 · AMD Ryzen 7 \| 5800X · 32.0 GB RAM · RTX 3060 · Linux 6.1 · llmtui 0.1.0"


def test_one_round_has_no_deviation(tmp_path: Path) -> None:
    of = compared_plan("a")
    single = read_saved(write_recorded(tmp_path, [started(of), *(warm(of, 0, 1, which, 10.0) for which in range(3))]))
    assert pasted(llama_bench([single]))[-1][4:] == ["tg128", "10.00"]


def test_names_with_underscores_can_be_pasted_as_plain_text(one: Saved) -> None:
    assert "| phi-3 Q4_K_M | 4.34 GiB | 8.0B | Ollama | tg126-128 | 8.03 ± " in llama_bench([one]).decode("utf-8")


LINE = re.compile(r"(Benchmark\S+) (\d+)((?: [\d.e+-]+ [\w/-]+)+)")


def test_a_benchmark_line_is_a_model_in_a_round(one: Saved) -> None:
    lines = [line for line in benchstat([one]).decode("utf-8").splitlines() if line.startswith("Benchmark")]
    assert len(lines) == 3 * 5
    rounds = summaries_by_round(one.session)
    wanted = [line for summary in rounds.values() for line in summary.lines]
    for line, summary in zip(lines, wanted, strict=True):
        found = LINE.fullmatch(line)
        assert found is not None, line
        words = found[3].split()
        figures = dict(zip(words[1::2], words[::2], strict=True))
        assert summary.decode_tps is not None
        assert summary.ttft is not None
        assert figures["token/s"] == f"{summary.decode_tps.value:.6g}"
        assert figures["ttft-s"] == f"{summary.ttft.value / 1000:.6g}"
        assert found[1] == benchmark_name(summary.label)


def test_every_unit_says_what_is_better(one: Saved) -> None:
    content = benchstat([one]).decode("utf-8")
    assert "Unit token/s better=higher\n" in content
    assert "Unit ttft-s better=lower\n" in content


def test_names_are_one_word_and_no_number_ends_them() -> None:
    assert benchmark_name("phi-3") == "BenchmarkWarm/model=phi-3/by=round"
    assert benchmark_name("a b/c\n`é") == "BenchmarkWarm/model=a%20b%2Fc%0A%60%C3%A9/by=round"


@pytest.fixture(scope="session")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build benchstat from the Go module proxy."""
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if go is None:
        pytest.skip("there is no Go")
    folder = tmp_path_factory.mktemp("go")
    built = subprocess.run(
        [go, "install", "golang.org/x/perf/cmd/benchstat@latest"],
        env={**os.environ, "GOBIN": str(folder), "GOFLAGS": "-modcacherw"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    if built.returncode:
        pytest.skip(f"benchstat cannot be built: {built.stderr[-200:]}")
    return folder / "benchstat"


@pytest.mark.slow
def test_benchstat_compares_two_sessions(one: Saved, tool: Path, tmp_path: Path) -> None:
    of = compared_plan(*NAMES)
    faster = {0: 11.0, 1: 12.0, 2: 8.0}
    later: list[Event] = [started(of)]
    for number in range(1, 6):
        for contender, rate in faster.items():
            later += [warm(of, contender, number, which, rate + number / 100) for which in range(3)]
    new = read_saved(write_recorded(tmp_path / "new", later))
    for name, session in (("old.txt", one), ("new.txt", new)):
        (tmp_path / name).write_bytes(benchstat([session]))
    ran = subprocess.run([tool, "old.txt", "new.txt"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    speed = next(block for block in ran.stdout.split("\n\n") if "token/s" in block and "vs base" in block)
    assert len(re.findall(r"model=", speed)) == 3
    assert re.search(r"model=phi-3/by=round", speed)
    assert re.search(r"\+10\.08% \(p=0\.008 n=5\)", speed), speed
