"""Messages for files that cannot be imported: what is wrong, and a remedy."""

from __future__ import annotations

import os
from collections.abc import Sequence

from llmtui.legacy.columns import ASKED_AS, SPELLINGS, Field
from llmtui.legacy.rows import CannotImport
from llmtui.words import _, plural
from llmtui.words.figures import significant

MOST_SPELLINGS = 5


def import_refusal(path: object, error: CannotImport) -> str:
    """Return the sentences that say why the file ``path`` cannot be imported, and what to do."""
    return f"{_('{path} cannot be imported.').format(path=path)} {_why(error)}"


def spellings(field: Field) -> tuple[str, ...]:
    """Return the known column titles of a field, those in the user's language first."""
    english, spanish = SPELLINGS[field]
    in_spanish = os.environ.get("LANGUAGE", "").startswith("es")
    return (*spanish, *english) if in_spanish else (*english, *spanish)


def _why(error: CannotImport) -> str:
    told = error.told
    if error.code == "no_columns":
        return _no_columns(list(told["missing"]), list(told["header"]))  # type: ignore[call-overload]
    if error.code == "unit_not_stated":
        return _no_unit(list(told["columns"]), told.get("tps"))  # type: ignore[call-overload]
    if error.code == "nothing_measured":
        return _nothing(told)
    if error.code == "not_a_file":
        return _("It is a folder: give a file in it.") if told["directory"] else _("It is not a regular file.")
    lists = {name: ", ".join(map(str, value)) for name, value in told.items() if isinstance(value, list | tuple)}
    return _plain()[error.code].format(**{**told, **lists})


def _plain() -> dict[str, str]:
    return {
        "cannot_read": _("It cannot be read: {why}."),
        "too_large": _("It is larger than {megabytes} MB: split it."),
        "not_text": _("It is not text: export the table as CSV."),
        "empty": _("It is empty."),
        "broken_csv": _("Line {line} is not CSV ({why})."),
        "broken_json": _("Line {line} is not JSON: the file may be cut off."),
        "no_rows": _("It has no rows."),
        "too_many_rows": _("It has more than {most} rows: split it."),
        "too_many_models": _(
            "The model column has more than {most} different names. Use --map to choose the right column."
        ),
        "too_many_categories": _("The category column has more than {most} different names."),
        "no_such_column": _("--map {name}={title}: known names are {known}; the file's columns are {header}."),
        "unknown_unit": _("The unit of the column {title} is unknown; known units are {units}."),
    }


def _no_columns(missing: Sequence[Field], header: Sequence[str]) -> str:
    wanted = [
        _("{field} (known titles: {titles}, …)").format(
            field=field_word(field), titles=", ".join(spellings(field)[:MOST_SPELLINGS])
        )
        for field in missing
    ]
    # If a field has two names, the last one is shown: "seconds" instead of "total".
    asked = {field: name for name, field in ASKED_AS.items()}
    pointed = ",".join(f"{asked[field]}={_('TITLE')}" for field in missing)
    return " ".join(
        (
            _("No column was recognized for: {wanted}.").format(wanted="; ".join(wanted)),
            _("Its first columns are: {header}.").format(header=", ".join(one[:40] for one in header) or "–"),
            _("Map them with --map {pointed}.").format(pointed=pointed),
        )
    )


def field_word(field: Field) -> str:
    """Return a field's name for use in a sentence: ``the total time``."""
    return {
        "model": _("the model"),
        "tokens": _("the number of tokens"),
        "total": _("the total time"),
        "ttft": _("the time to first token"),
        "load": _("the load time"),
        "decode_time": _("the decode time"),
        "prompt_time": _("the prompt time"),
        "prompt_tokens": _("the number of prompt tokens"),
        "usual_tps": _("the speed"),
    }.get(field, field)


def _no_unit(columns: Sequence[str], tps: object) -> str:
    names = ", ".join(columns)
    if isinstance(tps, float):
        said = plural(
            "The column {names} does not state its unit; in seconds the speed would be {tps} tok/s.",
            "The columns {names} do not state their unit; in seconds the speed would be {tps} tok/s.",
            len(columns),
        ).format(names=names, tps=significant(tps, 2))
    else:
        said = plural(
            "The column {names} does not state its unit.", "The columns {names} do not state their unit.", len(columns)
        ).format(names=names)
    return said + " " + _("Import again with --unit ms if these are milliseconds, else with --unit s.")


def _nothing(told: dict[str, object]) -> str:
    rows, cells = told["rows"], told["cells"]
    said = _("None of its rows can be used ({rows}).").format(rows=rows)
    if isinstance(cells, dict) and cells:
        name, cell = next(iter(cells.items()))
        return (
            said
            + " "
            + _("For example, {field} is “{cell}”, which is not a number.").format(
                field=field_word(name), cell=str(cell)[:40]
            )
        )
    return said + " " + _("Every row lacks the tokens or a time, or its first token is not before its end.")
