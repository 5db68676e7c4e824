"""What a session holds in memory: figures, no texts."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from itertools import chain

from benchmarks.made_session import made_plan, made_session
from llmtui.core.events import Event, TrialFinished
from llmtui.core.session import Session, SessionBuilder

TOKENS_OF_A_TRIAL = 100
TRIALS = (200, 800)
BYTES_PER_TRIAL = 4_000
"""2,500 when this was written. A million tokens are a thousand answers of a thousand: with this, at most 4 MB."""


def test_a_million_tokens_leave_less_than_ten_megabytes() -> None:
    events = chain.from_iterable(made_session(made_plan(), TRIALS[1] * TOKENS_OF_A_TRIAL, of_a_trial=TOKENS_OF_A_TRIAL))
    builder = SessionBuilder()
    tracemalloc.start()
    try:
        held = []
        for trials in TRIALS:
            session = _folded(builder, events, trials)
            gc.collect()
            held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert len(session.rows) == TRIALS[1]
    assert (held[1] - held[0]) / (TRIALS[1] - TRIALS[0]) <= BYTES_PER_TRIAL


def _folded(builder: SessionBuilder, events: Iterator[Event], trials: int) -> Session:
    """Apply events until this many trials are finished."""
    done = 0
    for event in events:
        builder.apply(event)
        if isinstance(event, TrialFinished):
            done = event.order
            if done == trials:
                break
    session = builder.snapshot()
    assert session is not None
    return session
