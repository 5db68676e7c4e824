"""Problems and their remedies, in the user's language.

Problems travel as codes with arguments (``core.records.Problem``). Their sentences are here alone: one table per set of
codes, ``server``, ``model`` and ``run``, from a code to what happened and the remedy.

To add a problem, add its code to a set in ``core/codes.py`` and an entry to the table of that set::

    "too_warm": Said(marked("The processor is at {celsius:g} °C."), marked("Let it cool down, then run again."))

Both are ``str.format`` templates over ``Problem.args``; sentences end with a full stop. ``detail``, the words of a
server or the system, is put behind the first sentence after a colon. A text that needs a plural is ``counted(one,
many, argument)``. Some arguments are codes themselves, such as ``start`` and ``when``: ``terms`` has their words. An
empty ``name`` is said as "the model". ``{install}`` is the command that adds the built-in server to this installation,
``{install_synthetic}`` the one for its speed-only models. Then run ``tools/translate.py`` and fill in the translations;
tests build every code in every language.
"""

from __future__ import annotations

from collections.abc import Mapping

from llmtui.core.events import ListedModel
from llmtui.core.records import Argument, Problem
from llmtui.words import _, plural
from llmtui.words.figures import Spoken
from llmtui.words.install import install_command
from llmtui.words.problems.model import MODEL_PROBLEMS
from llmtui.words.problems.run import RUN_PROBLEMS
from llmtui.words.problems.said import Counted, Said, Text
from llmtui.words.problems.server import SERVER_PROBLEMS
from llmtui.words.problems.terms import TERMS

PROBLEMS: Mapping[str, Said] = dict([*SERVER_PROBLEMS.items(), *MODEL_PROBLEMS.items(), *RUN_PROBLEMS.items()])
"""English templates of problem and remedy, by code."""

_ENDS = (".", "!", "?", "…")


def problem_what(problem: Problem) -> str:
    """Return what happened. Schema 1's sentence is returned unchanged, a newer version's code with its arguments."""
    if problem.what is not None:
        return problem.what
    said = PROBLEMS.get(problem.code)
    what = None if said is None else filled(said.what, problem.args)
    if what is None:
        return str(problem)
    if problem.args.get("name") == "":  # "the model" is then usually the first word
        what = what[:1].upper() + what[1:]
    if problem.detail:
        what = f"{what.removesuffix('.')}: {problem.detail}"
        what += "" if what.endswith(_ENDS) else "."
    return what if problem.cause is None else f"{problem_what(problem.cause)} {what}".strip()


def problem_remedy(problem: Problem) -> str:
    """Return what to do about it; empty where no remedy is known."""
    if problem.what is not None:
        return problem.remedy or ""
    said = PROBLEMS.get(problem.code)
    if said is None or said.remedy is None:
        return "" if problem.cause is None else problem_remedy(problem.cause)
    return filled(said.remedy, problem.args) or ""


def unfit_words(listed: ListedModel) -> str:
    """Return why a listed model cannot be benchmarked, as a clause beside its name; empty if it can."""
    if listed.why_not is None:
        return ""
    return problem_what(listed.why_not).removeprefix(f"{listed.model.name} ").removesuffix(".")


def whole_problem(problem: Problem) -> str:
    """Return what happened and, where there is one, the remedy after it."""
    return " ".join(part for part in (problem_what(problem), problem_remedy(problem)) if part)


def filled(text: Text, args: Mapping[str, Argument]) -> str | None:
    """Return the translated template with its arguments; None where they do not match."""
    try:
        template = plural(*text[:2], int(args[text.by])) if isinstance(text, Counted) else _(text)
        said = _in_words(args)
        if "{install" in template:
            said |= {"install": install_command("builtin"), "install_synthetic": install_command("synthetic")}
        return template.format(**said)
    except (LookupError, ValueError, TypeError, AttributeError):  # another version's arguments, or a damaged line
        return None


def _in_words(args: Mapping[str, Argument]) -> dict[str, Argument]:
    """Return the arguments, with codes among them replaced by words."""
    said: dict[str, Argument] = {
        name: Spoken(value) if isinstance(value, float) else value for name, value in args.items()
    }
    for name, words in TERMS.items():
        if name in said:
            term = words.get(str(said[name]))
            said[name] = said[name] if term is None else _(term).format(**args)
    return said
