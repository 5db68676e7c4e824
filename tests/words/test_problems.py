"""Every problem and every chunk of evidence is a code with arguments, and has its words in every language."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

import llmtui
from llmtui.core.codes import EvidenceCode, Fault, ProblemCode, Start, When
from llmtui.core.records import Argument, Evidence, Problem
from llmtui.words import LOCALE_DIR, _, plural
from llmtui.words.evidence import EVIDENCE, evidence_text
from llmtui.words.install import install_command
from llmtui.words.problems import PROBLEMS, problem_remedy, problem_what, whole_problem
from llmtui.words.problems.said import Counted, Text
from llmtui.words.problems.terms import TERMS

PACKAGE = Path(llmtui.__file__).parent
PROBLEM_CODES: tuple[ProblemCode, ...] = get_args(ProblemCode)
EVIDENCE_CODES: tuple[EvidenceCode, ...] = get_args(EvidenceCode)
LANGUAGES = sorted(folder.name for folder in LOCALE_DIR.iterdir() if folder.is_dir())
GIVEN = {"install", "install_synthetic"}
"""Arguments that the words themselves supply."""
SAMPLES: dict[str, Argument] = {"start": "ollama", "when": "loading", "fault": "entries", "n": 3}
MADE = ("Problem", "Evidence")
SCHEMA_1 = Problem(code="cut", what="The stream broke off.", remedy="Try again.")


def templates(text: Text | None) -> tuple[str, ...]:
    if text is None:
        return ()
    return (text.one, text.many) if isinstance(text, Counted) else (text,)


def fields(*texts: Text | None) -> dict[str, str]:
    """Argument → format of all templates."""
    found: dict[str, str] = {}
    for text in texts:
        for template in templates(text):
            found |= {name: spec or "" for _text, name, spec, _how in string.Formatter().parse(template) if name}
        if isinstance(text, Counted):
            found[text.by] = "d"
    return {name: spec for name, spec in found.items() if name not in GIVEN}


def sample_args(*texts: Text | None) -> dict[str, Argument]:
    args = {name: SAMPLES.get(name, 7 if spec else f"<{name}>") for name, spec in fields(*texts).items()}
    return {**args, "n": 3} if "fault" in args else args


def problem_of(code: ProblemCode) -> Problem:
    said = PROBLEMS[code]
    return Problem(code=code, args=sample_args(said.what, said.remedy))


def test_every_code_has_its_words() -> None:
    assert set(PROBLEMS) == set(PROBLEM_CODES)
    assert len(PROBLEM_CODES) == len(set(PROBLEM_CODES))
    assert set(EVIDENCE) == set(EVIDENCE_CODES)
    assert set(TERMS["start"]) == set(get_args(Start))
    assert set(TERMS["when"]) == set(get_args(When))
    assert set(TERMS["fault"]) == set(get_args(Fault))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", PROBLEM_CODES)
def test_every_problem_is_said_in_every_language(
    monkeypatch: pytest.MonkeyPatch, code: ProblemCode, language: str
) -> None:
    problem, said = problem_of(code), PROBLEMS[code]
    spoken = []
    for one in ("en", language):
        monkeypatch.setenv("LANGUAGE", one)
        spoken.append((problem_what(problem), problem_remedy(problem)))
    for words, text, others in zip(spoken[1], (said.what, said.remedy), spoken[0], strict=True):
        assert "{" not in words
        assert bool(words) == any(templates(text))
        assert words != others or not words
        assert all(str(value) in words for name, value in sample_args(text).items() if name not in (*TERMS, "n"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", EVIDENCE_CODES)
def test_all_evidence_is_said_in_every_language(
    monkeypatch: pytest.MonkeyPatch, code: EvidenceCode, language: str
) -> None:
    seen = Evidence(code=code, args=sample_args(EVIDENCE[code]))
    monkeypatch.setenv("LANGUAGE", "en")
    in_english = evidence_text(seen)
    monkeypatch.setenv("LANGUAGE", language)
    assert evidence_text(seen) != in_english
    assert "{" not in evidence_text(seen)
    assert not evidence_text(seen).startswith(code)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_english_is_left_in_a_table(monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    monkeypatch.setenv("LANGUAGE", language)
    texts = [text for said in PROBLEMS.values() for text in said if text]
    texts += [*EVIDENCE.values(), *(term for words in TERMS.values() for term in words.values())]
    for text in texts:
        if isinstance(text, Counted):
            assert plural(text.one, text.many, 2) != text.many
        else:
            assert _(text) != text


def test_the_words_of_a_server_follow_the_sentence() -> None:
    quoted = Problem(code="load_failed", args={"name": "a:1b"}, detail="signal: killed")
    assert problem_what(quoted) == "a:1b could not be loaded: signal: killed."
    asked = Problem(code="load_failed", args={"name": "a:1b"}, detail="why?")
    assert problem_what(asked) == "a:1b could not be loaded: why?"


def test_a_model_without_a_name_is_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = Problem(code="load_failed", args={"name": ""})
    assert problem_what(problem) == "The model could not be loaded."
    monkeypatch.setenv("LANGUAGE", "es")
    assert problem_what(problem) == "El modelo no se pudo cargar."


def test_a_cause_is_said_first_and_lends_its_remedy() -> None:
    cause = Problem(code="refused", args={"where": "box:11434", "start": "ollama"})
    gave_up = Problem(code="gave_up", args={"tries": 5}, cause=cause)
    assert whole_problem(gave_up) == (
        "Nothing listens at box:11434. It was tried 5 times; the remaining trials are skipped. "
        "Start it with `ollama serve`, or use another address."
    )


def test_one_is_not_said_as_many() -> None:
    assert "1 line cannot" in problem_what(Problem(code="bad_lines", args={"file": "x", "n": 1}))
    assert "2 lines cannot" in problem_what(Problem(code="bad_lines", args={"file": "x", "n": 2}))


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_sentence_of_schema_1_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    monkeypatch.setenv("LANGUAGE", language)
    assert whole_problem(SCHEMA_1) == "The stream broke off. Try again."
    assert evidence_text("the model was warm") == "the model was warm"


def test_what_another_version_says_is_shown_with_its_arguments() -> None:
    newer = Problem(code="skipped", args={"celsius": 99}, detail="hot")
    unknown = msgspec_replaced(newer, "too_warm")
    assert whole_problem(unknown) == "too_warm celsius=99: hot"
    assert problem_what(Problem(code="refused")) == "refused", "arguments are missing"
    assert problem_what(Problem(code="gave_up", args={"tries": "many"})) == "gave_up tries=many"


def msgspec_replaced(problem: Problem, code: str) -> Problem:
    import msgspec

    return msgspec.convert({**msgspec.to_builtins(problem), "code": code}, Problem)


def test_the_install_command_names_this_interpreter_and_a_place_that_is_there() -> None:
    missing = Problem(code="builtin_missing")
    assert problem_remedy(missing) == f"Install it: {install_command()}"
    place = re.search(r"(/\S+)\[builtin\]", install_command())
    assert place is None or Path(place[1].strip("'")).exists()


# --- the source -------------------------------------------------------------------------------------------------------


def made_in_source() -> Iterator[tuple[str, str, ast.Call]]:
    """Every ``Problem(...)`` and ``Evidence(...)`` of the package, with its place and the name of the class."""
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("Problem", "Evidence")
            ):
                yield f"{file.relative_to(PACKAGE)}:{node.lineno}", node.func.id, node


def codes_in(value: ast.expr) -> list[str]:
    """The codes that an expression may be; none where they are a variable's, which the type checker knows."""
    match value:
        case ast.Constant(value=str() as code):
            return [code]
        case ast.IfExp(body=body, orelse=orelse):
            return codes_in(body) + codes_in(orelse)
        case ast.Name() | ast.Attribute():
            return []
    raise AssertionError(f"neither a code nor a variable: {ast.unparse(value)}")


def prose_in(value: ast.expr) -> list[str]:
    """Literal texts in an expression that read as words of a sentence: two words, or one with a capital letter."""
    texts = [node.value for node in ast.walk(value) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [text for text in texts if re.search(r"[^\W\d_]+\s+[^\W\d_]+|^[A-Z][a-z]", text)]


def test_problems_and_evidence_are_made_of_codes_and_arguments_alone() -> None:
    made = list(made_in_source())
    assert len(made) > 100
    for place, name, call in made:
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        assert not call.args, place
        assert given.keys() <= ({"code", "args", "detail", "cause"} if name == "Problem" else {"code", "args"}), place
        known = PROBLEM_CODES if name == "Problem" else EVIDENCE_CODES
        assert set(codes_in(given["code"])) <= set(known), place
        assert [text for part in given.values() for text in prose_in(part)] == [], place


def test_every_argument_that_a_sentence_names_is_given() -> None:
    for place, name, call in made_in_source():
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        args = given.get("args", ast.Dict(keys=[], values=[]))
        if not isinstance(args, ast.Dict) or None in args.keys:
            continue
        names = {key.value for key in args.keys if isinstance(key, ast.Constant)}
        for code in codes_in(given["code"]):
            texts = PROBLEMS[code] if name == "Problem" else (EVIDENCE[code],)  # type: ignore[index]
            assert names == set(fields(*texts)), f"{place}: {code}"
