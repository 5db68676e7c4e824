"""The wording of a model's activity before its first text."""

from __future__ import annotations

from llmtui.core.live import Loading, loading
from llmtui.core.session import Session
from llmtui.words import _
from llmtui.words.figures import duration, fixed

GIGABYTE = 1e9


def waiting_words(session: Session, since_ns: int, elapsed_s: float) -> str:
    """Return the wording of the wait for the first text: loading the model, or processing the prompt.

    Examples: "Loading llama3 · 2.9 of 4.7 GB in memory · 12 s · about 7 s left", "Processing the prompt · 3 s".

    Args:
        session: the session, with a current trial whose first text has not arrived.
        since_ns: start of the wait, in ns of the engine's clock.
        elapsed_s: time since then, in seconds.
    """
    progress = loading(session, since_ns)
    if progress is None or session.current is None:
        return f"{_('Processing the prompt')} · {duration(int(elapsed_s))}"
    name = session.contender(session.current).label
    parts = [_("Loading {name}").format(name=name), *_amount(progress), duration(int(elapsed_s))]
    if progress.left_s is not None:
        parts.append(_("about {time} left").format(time=duration(max(1, progress.left_s))))
    return " · ".join(parts)


def _amount(progress: Loading) -> list[str]:
    if progress.held_bytes is None:
        return []
    held = fixed(progress.held_bytes / GIGABYTE, 1)
    if progress.size_bytes is None:
        return [_("{held} GB in memory").format(held=held)]
    return [_("{held} of {size} GB in memory").format(held=held, size=fixed(progress.size_bytes / GIGABYTE, 1))]
