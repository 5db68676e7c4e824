"""The page: self-contained, every text escaped, the figures those of the tables, no request in a browser."""

from __future__ import annotations

import re
import shutil
import subprocess
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest

from llmtui.core.reading import answer_of
from llmtui.core.session import fold
from llmtui.report.anonymous import anonymous
from llmtui.report.html import html
from llmtui.report.rows import by_category, by_model
from llmtui.report.saved import Saved, read_saved
from llmtui.words.conclusions import telling
from tests.core.compared import compared_plan
from tests.core.made import started
from tests.report.recorded import FORMULA, HOST, USER, saved, write_recorded
from tests.tui.sessions import a_session

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
LOADS = re.compile(r"(?:src|href|action|data|srcset|poster)\s*=|url\(|@import", re.IGNORECASE)


@pytest.fixture
def one(tmp_path: Path) -> Saved:
    return saved(tmp_path / "session")


class Page(HTMLParser):
    """The elements of a page, their attributes, and the text of selected ones."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: dict[str, int] = {}
        self.attributes: set[str] = set()
        self.texts: dict[str, list[str]] = {}
        self.feed(content)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.attributes |= {name for name, _ in attrs}
        self.texts.setdefault(tag, []).append("")
        if tag not in ("meta", "line", "circle", "path"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        for tag in set(self.open):
            self.texts[tag][-1] += data


def page(*sessions: Saved) -> Page:
    return Page(html(sessions).decode("utf-8"))


def test_no_text_of_a_model_becomes_an_element_or_an_attribute(one: Saved) -> None:
    found = page(one)
    assert not {"img", "iframe", "object", "link", "a", "form"} & set(found.tags)
    *data, _uplot, _own = found.texts["script"]
    assert {name for one in data for name in msgspec.json.decode(one)} == {"x", "curves", "bands"}
    assert not [name for name in found.attributes if name.startswith("on")]
    assert found.tags["table"] == 2
    assert found.open == []


def test_nothing_is_loaded(one: Saved) -> None:
    content = html([one]).decode("utf-8")
    markup = "".join(re.findall(r"<[^>]*>", content)) + content[content.index("<style>") : content.index("</style>")]
    assert LOADS.findall(markup.replace("data-", "")) == []
    assert "default-src 'none'" in content


def test_only_the_scripts_of_the_package_may_run(one: Saved) -> None:
    content = html([one]).decode("utf-8")
    allowed = re.findall(r"'sha256-([^']+)'", content[: content.index("<style>")])
    run = re.findall(r"<script>(.*?)</script>", content, re.DOTALL)
    assert [b64encode(sha256(script.encode()).digest()).decode() for script in run] == allowed
    assert [script[:40].splitlines()[0] for script in run] == [
        "/*! https://github.com/leeoniya/uPlot (v",
        '"use strict";',
    ]


def test_the_points_of_a_chart_are_those_of_the_session(one: Saved) -> None:
    charts = [msgspec.json.decode(text) for text in page(one).texts["script"][:-2]]
    came = next(chart for chart in charts if chart["x"] == "s" and not chart["bands"])
    last = {row.trial.contender: event for row, event in one.finished() if row.trial.prompt == 0}
    assert len(came["curves"]) == len(last) == 3
    for curve, event in zip(came["curves"], (last[contender] for contender in sorted(last)), strict=True):
        assert curve["xs"] == pytest.approx([t_ns / 1e9 for t_ns in event.timeline.t_ns], rel=1e-5)
        assert curve["ys"][-1] == len(event.text)


def test_answers_stand_in_it_as_they_were_said(one: Saved) -> None:
    said = page(one).texts["pre"]
    assert len(said) == 3 * 3
    last = [answer_of(event) for row, event in one.finished() if row.trial.id == "r5-m1-warm-p1"]
    assert last[0].replace("\x1b", "␛") in said


def test_its_tables_are_those_of_the_other_forms(one: Saved) -> None:
    cells = [
        cell for rows in (by_model(one.session), by_category(one.session)) for row in rows for cell in row.values()
    ]
    assert page(one).texts["td"] == cells
    assert FORMULA in cells


def test_its_headline_is_what_holds_and_the_sentences_follow_the_tables(one: Saved) -> None:
    shown = page(one).texts["li"]
    assert shown[0].startswith("● fastest: ")
    assert shown[0].endswith("[1.17–1.24] · 5 rounds")
    sentences = [f"{line.heading}: {line.said}" for line in telling(one.session)]
    at = shown.index(sentences[0])
    assert shown[at : at + len(sentences)] == sentences


def test_an_anonymous_page_has_charts_and_no_answer(one: Saved) -> None:
    found = page(anonymous(one, (HOST, USER)))
    assert "pre" not in found.tags
    assert found.tags["svg"] == page(one).tags["svg"] > 4


def test_a_session_that_has_just_begun_is_a_page(tmp_path: Path) -> None:
    begun = read_saved(write_recorded(tmp_path, [started(compared_plan("a", "b"))]))
    assert page(begun).texts["h1"] == ["a, b"]


@pytest.fixture
def watched(tmp_path: Path) -> Saved:
    """A session with looks at the machine."""
    return read_saved(write_recorded(tmp_path / "watched", a_session()))


def test_the_machine_is_drawn_over_time_with_the_trials_marked(watched: Saved) -> None:
    found = page(watched)
    assert "Machine" in found.texts["h2"]
    assert "Memory, GBmachinemodel" in found.texts["figcaption"]
    session = fold(a_session())
    assert session is not None
    assert found.tags["rect"] % sum(row.t0_ns is not None for row in session.rows) == 0


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
def test_a_browser_shows_it_without_a_request_or_an_error(one: Saved, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_bytes(html([one]))
    assert CHROMIUM is not None
    ran = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0",
         f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", file.as_uri()],
        capture_output=True, text=True, timeout=100, check=True,
    )  # fmt: skip
    assert "CONSOLE" not in ran.stderr
    shown, written = Page(ran.stdout), page(one)
    figures = len(written.texts["td"])
    assert shown.texts["td"][:figures] == written.texts["td"]
    assert shown.tags["canvas"] == ran.stdout.count('class="chart drawn"') == len(written.texts["script"]) - 2 > 0
