"""A column explained in the person's language: what ``?`` shows."""

from __future__ import annotations

import msgspec

from llmtui.core.columns import column
from llmtui.words import _


def column_title(column_id: str) -> str:
    """Gives a column's title; a column without an explanation is called as in files."""
    found = column(column_id)
    return column_id if found is None else _(found.title)


def explain_column(column_id: str) -> str:
    """Gives a column's explanation as lines: title and unit, formula, source, what is left out.

    Empty where there is none of that name.
    """
    found = column(column_id)
    if found is None:
        return ""
    said = {name: _(text) if text else "" for name, text in msgspec.structs.asdict(found).items()}
    head = f"{said['title']} · {said['unit']}" if said["unit"] else said["title"]
    return "\n".join(
        (
            head,
            said["formula"],
            _("Source: {source}").format(source=said["source"]),
            _("Left out: {excluded}").format(excluded=said["excluded"]),
            _("In files: {name}").format(name=column_id),
        )
    )
