"""The details of one model, line by line, for the panel beside the list."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec
from textual.content import Content

from llmtui.core.events import ModelShown
from llmtui.core.fit import Fit
from llmtui.tui.text.model_columns import ListedFacts
from llmtui.words import _
from llmtui.words.figures import gigabytes, significant
from llmtui.words.problems import unfit_words
from llmtui.words.trials import note_words

TEMPLATE_LINES = 4
NS_PER_S = 1_000_000_000
MUTED = "$foreground 70%"


class CardLine(msgspec.Struct, frozen=True):
    """One line: a title and a value; ``style`` is the value's colour."""

    title: str
    value: str
    style: str = ""


def card(facts: ListedFacts, shown: ModelShown | None, num_ctx: int) -> Content:
    """Return the details of a model, with the start of its chat template.

    Args:
        facts: facts from the list of models.
        shown: the server's details; None if they are not known (yet).
        num_ctx: the requested context length in tokens.
    """
    lines = card_lines(facts, shown, num_ctx)
    width = max(len(line.title) for line in lines)
    drawn = [Content.assemble((f"{line.title:<{width}}  ", MUTED), (line.value, line.style)) for line in lines]
    template = _template(shown)
    if template:
        drawn += [
            Content(),
            Content.styled(_("Template"), MUTED),
            *(Content.styled(t, "dim") for t in template),
        ]
    return Content("\n").join(drawn)


def card_lines(facts: ListedFacts, shown: ModelShown | None, num_ctx: int) -> list[CardLine]:
    """Return the details as lines; values that the server does not report are left out."""
    listed = facts.listed
    model = listed.model if shown is None else shown.model
    lines = [
        CardLine(title, value)
        for title, value in (
            (_("Family"), model.family or ""),
            (_("Parameters"), model.parameters or ""),
            (_("Quantization"), model.quantisation or ""),
            (_("Size"), gigabytes(listed.model.size_bytes)),
            (_("Context"), _context(model.context_limit, num_ctx)),
            (_("Capabilities"), ", ".join(() if shown is None else shown.capabilities) or _thinks(model.thinking)),
            (_("Note"), "" if listed.model.note is None else note_words(listed.model.note)),
        )
        if value
    ]
    if listed.why_not is not None:
        return [*lines, CardLine(_("Not usable"), unfit_words(listed), "$text-warning")]
    lines += fit_lines(facts.fit)
    lines.append(CardLine(_("In memory"), _held(facts)))
    lines += _measured(facts)
    return lines


def fit_lines(fit: Fit) -> list[CardLine]:
    """Return lines that say whether the model fits into memory, with needed and free memory, or why this is unknown."""
    if fit.word is None:
        reasons = {
            "no_memory": _("not available: the server's memory is not visible from here"),
            "no_size": _("not available: the size of the file is not known"),
            "no_shape": _("not available: no KV cache size in its metadata"),
        }
        return [] if fit.why_not is None else [CardLine(_("Fits"), reasons[fit.why_not], MUTED)]
    word, style = {
        "fits": ("✓", "$text-success"),
        "tight": (_("tight"), "$text-warning"),
        "too_large": (_("✗ too large"), "$text-error"),
    }[fit.word]
    need = _("{need}, {room} free").format(need=gigabytes(fit.need_bytes), room=gigabytes(fit.room_bytes))
    lines = [CardLine(_("Fits"), f"{word}  {need}", style)]
    if fit.cache_bytes is not None:
        lines.append(CardLine("", _("of which {size} KV cache").format(size=gigabytes(fit.cache_bytes))))
    if fit.beyond_vram:
        lines.append(CardLine("", _("more than the VRAM: partly on the CPU")))
    return lines


def _context(limit: int | None, num_ctx: int) -> str:
    if limit is None:
        return _("{n} requested").format(n=num_ctx)
    return _("{n} of {limit} tokens").format(limit=limit, n=min(num_ctx, limit))


def _thinks(thinking: bool | None) -> str:
    return _("thinking") if thinking else ""


def _held(facts: ListedFacts) -> str:
    resident = facts.listed.resident
    if resident is None:
        return _("no")
    return _("yes, {size}").format(size=gigabytes(resident.size_bytes)) if resident.size_bytes else _("yes")


def _measured(facts: ListedFacts) -> list[CardLine]:
    past = facts.past
    if past is None:
        return [CardLine(_("Speed here"), _("not measured yet"), MUTED)]
    lines = [CardLine(_("Speed here"), _("{n} tok/s").format(n=significant(past.decode_tps)))]
    if past.wall_ns is not None:
        lines.append(CardLine("", time.strftime("%Y-%m-%d %H:%M", time.localtime(past.wall_ns / NS_PER_S)), MUTED))
    if past.load_s is not None:
        lines.append(CardLine(_("Loads in"), _("{n} s").format(n=significant(past.load_s, 2))))
    return lines


def _template(shown: ModelShown | None) -> Sequence[str]:
    """Return the first non-empty lines of the chat template, and the number of further lines."""
    if shown is None or not shown.template:
        return ()
    lines = [line.strip() for line in shown.template.splitlines() if line.strip()]
    more = len(lines) - TEMPLATE_LINES
    return lines[:TEMPLATE_LINES] + ([_("… {n} more lines").format(n=more)] if more > 0 else [])
