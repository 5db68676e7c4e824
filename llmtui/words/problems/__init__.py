"""Problems and their remedies, in the user's language.

Everywhere else a problem is a code with arguments (``core.records.Problem``). Its sentences are here, in one table per
set of codes: ``server``, ``model`` and ``run``. Each entry has a template for what happened and one for the remedy.

To add a problem, add its code to a set in ``core/codes.py`` and an entry to the table of that set::

    "too_warm": Said(marked("The processor is at {celsius:g} °C."), marked("Let it cool down, then run again."))

Both are ``str.format`` templates over ``Problem.args``; sentences end with a full stop. A text with a plural is
``counted(one, many, argument)``. ``detail``, a message from the server or the system, is appended to the first
sentence, with a colon before it.

Some arguments are themselves codes, such as ``start`` and ``when``; ``terms`` has their texts. An empty ``name`` is
shown as "the model". ``{install}`` is the command that adds the built-in server to this installation, and
``{install_synthetic}`` the one that adds its speed-only models.

Then run ``tools/translate.py`` and fill in the translations; tests build the sentences of every code in every language.
"""

from __future__ import annotations

from collections.abc import Mapping

from llmtui.core.events import ListedModel
from llmtui.core.records import Argument, Problem
from llmtui.words import _, plural
from llmtui.words.figures import Spoken, SpokenCount
from llmtui.words.install import install_command
from llmtui.words.problems.model import MODEL_PROBLEMS
from llmtui.words.problems.run import RUN_PROBLEMS
from llmtui.words.problems.said import Counted, Said, Text
from llmtui.words.problems.server import SERVER_PROBLEMS
from llmtui.words.problems.terms import TERMS

PROBLEMS: Mapping[str, Said] = dict([*SERVER_PROBLEMS.items(), *MODEL_PROBLEMS.items(), *RUN_PROBLEMS.items()])
"""Problem code → its English templates."""

_ENDS = (".", "!", "?", "…")


def problem_what(problem: Problem) -> str:
    """Return the sentence that says what happened.

    Files of schema 1 have a sentence instead of a code; it is returned unchanged. An unknown code is returned with its
    arguments.
    """
    if problem.what is not None:
        return problem.what
    said = PROBLEMS.get(problem.code)
    what = None if said is None else filled(said.what, problem.args)
    if what is None:
        return str(problem)
    if problem.args.get("name") == "":  # the text then usually begins with "the model"
        what = what[:1].upper() + what[1:]
    if problem.detail:
        what = f"{what.removesuffix('.')}: {problem.detail}"
        what += "" if what.endswith(_ENDS) else "."
    return what if problem.cause is None else f"{problem_what(problem.cause)} {what}".strip()


def problem_remedy(problem: Problem) -> str:
    """Return the sentence that says what to do about a problem; empty if no remedy is known."""
    if problem.what is not None:
        return problem.remedy or ""
    said = PROBLEMS.get(problem.code)
    if said is None or said.remedy is None:
        return "" if problem.cause is None else problem_remedy(problem.cause)
    return filled(said.remedy, problem.args) or ""


def unfit_words(listed: ListedModel) -> str:
    """Return why a listed model cannot be measured, to be shown beside its name; empty if it can."""
    if listed.why_not is None:
        return ""
    return problem_what(listed.why_not).removeprefix(f"{listed.model.name} ").removesuffix(".")


def whole_problem(problem: Problem) -> str:
    """Return what happened, followed by the remedy if there is one."""
    return " ".join(part for part in (problem_what(problem), problem_remedy(problem)) if part)


def filled(text: Text, args: Mapping[str, Argument]) -> str | None:
    """Return the translated template with its arguments filled in; None if the arguments do not match the template."""
    try:
        template = plural(*text[:2], int(args[text.by])) if isinstance(text, Counted) else _(text)
        said = _in_words(args)
        if "{install" in template:
            said |= {"install": install_command("builtin"), "install_synthetic": install_command("synthetic")}
        return template.format(**said)
    except (LookupError, ValueError, TypeError, AttributeError):  # another version's arguments, or a damaged line
        return None


def _in_words(args: Mapping[str, Argument]) -> dict[str, Argument]:
    """Return the arguments for a template: codes replaced by texts, numbers shown with the language's marks."""
    figures: dict[str, Argument] = {name: _spoken(value) for name, value in args.items()}
    said = dict(figures)
    for name, words in TERMS.items():
        if name in said:
            term = words.get(str(said[name]))
            said[name] = said[name] if term is None else _(term).format(**figures)
    return said


def _spoken(value: Argument) -> Argument:
    if isinstance(value, float):
        return Spoken(value)
    return SpokenCount(value) if isinstance(value, int) and not isinstance(value, bool) else value
