"""The conclusion on memory as sentences: the memory each model used, and the memory left for other programs."""

from __future__ import annotations

from collections.abc import Iterable

from llmtui.core.conclusions import MemoryUse
from llmtui.core.findings import MemoryHeld
from llmtui.core.session import Session
from llmtui.core.uses import MEMORY_APART
from llmtui.words import _
from llmtui.words.figures import gigabytes
from llmtui.words.lists import few
from llmtui.words.reasons import not_available


def most_memory(line: MemoryUse, session: Session) -> str:
    """Return which model needs more memory than which other; empty if fewer than two models can be compared."""
    if line.compared is None:
        return ""
    (least, fewest), (most, largest) = line.compared.sizes[0], line.compared.sizes[-1]
    if largest <= MEMORY_APART * fewest:
        return _("The models need about the same amount.")
    return _("{model} needs {more} more than {other}.").format(
        model=session.plan.contenders[most].label,
        other=session.plan.contenders[least].label,
        more=gigabytes(largest - fewest),
    )


def memory_figures(line: MemoryUse, session: Session) -> Iterable[str]:
    """Yield sentences on the memory of each model, the memory left free, and the amount read back from swap."""
    if line.why is not None:
        yield not_available(line.why)
        return
    yield few([_held(one, session) for one in line.held], most=6) + "."
    left = [one.left_bytes for one in line.held if one.left_bytes is not None]
    if left:
        yield _("At least {left} stayed free for other programs.").format(left=gigabytes(min(left)))
    swapped = [one.swapped_bytes for one in line.held if one.swapped_bytes is not None]
    if swapped:
        total = sum(swapped)
        yield _("{amount} was read back from swap.").format(amount=gigabytes(total)) if total else _("No swapping.")


def _held(one: MemoryHeld, session: Session) -> str:
    beside: list[str] = []
    if one.weights_bytes is not None and one.working_bytes is not None:
        beside.append(
            _("model {weights} + working memory {working}").format(
                weights=gigabytes(one.weights_bytes), working=gigabytes(one.working_bytes)
            )
        )
    if one.steady_bytes is not None and one.steady_bytes < one.peak_bytes:
        beside.append(_("{steady} most of the time").format(steady=gigabytes(one.steady_bytes)))
    if one.vram_bytes is not None:
        beside.append(_("{vram} of GPU memory").format(vram=gigabytes(one.vram_bytes)))
    if one.by_server:
        beside.append(_("reported by the server"))
    said = _("{model} up to {peak}").format(
        model=session.plan.contenders[one.contender].label, peak=gigabytes(one.peak_bytes)
    )
    return f"{said} ({', '.join(beside)})" if beside else said
