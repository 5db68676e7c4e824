"""Made-up plans and trials with round numbers, for tests that say only what matters to them."""

from __future__ import annotations

from typing import Any

from llmtui.core.events import SessionStarted, TrialFinished
from llmtui.core.plan import Contender, Kind, Model, Plan, PlannedPrompt, PlanOptions, Trial, Variant, contender_block
from llmtui.core.records import Fingerprint, ServerCounters, Timeline

MS = 1_000_000
WALL_NS = 1_790_000_000 * 10**9


def contender(name: str = "llama3", **variant: Any) -> Contender:
    return Contender(model=Model(name=name, digest=f"digest-of-{name}"), variant=Variant(**variant), label=name)


def prompt(category: str) -> PlannedPrompt:
    text = f"Write two hundred words on the subject of {category}, please, with care."
    return PlannedPrompt(id=f"{category}-1", category=category, title=category, text=text, sha256=f"sha-{category}")


def plan(*names: str, categories: tuple[str, ...] = ("creativity", "coding"), **changes: Any) -> Plan:
    fields: dict[str, Any] = {
        "preset": "standard",
        "server": "http://127.0.0.1:11434",
        "contenders": tuple(contender(name) for name in names or ("llama3", "mistral")),
        "prompts": tuple(prompt(name) for name in categories),
        "cold_text": "Explain in detail how a lighthouse works. " * 10,
        "follow_up_text": "And why?",
        "rounds": 3,
        "max_rounds": 3,
        "seed": 7,
        "options": PlanOptions(server_wait_s=0.0),
    }
    return Plan(**(fields | changes))


def started(of: Plan) -> SessionStarted:
    return SessionStarted(
        schema=1,
        session_id="20261122T224107Z-ab12",
        t_ns=1_000,
        wall_ns=WALL_NS,
        plan=of,
        fingerprint=Fingerprint(llmtui="0", python="3", os="Linux", server_is_local=True),
    )


def trial(of: Plan, *, kind: Kind = "warm", round_number: int = 1, contender: int = 0, which: int = 0) -> Trial:
    trials = contender_block(of, round_number, contender).trials
    return next(one for one in trials if one.kind == kind and (kind != "warm" or one.prompt == which))


def finished(
    of: Plan,
    of_trial: Trial | None = None,
    *,
    ttft_ms: float = 500,
    token_ms: float = 100,
    tokens: int = 128,
    thinking: int = 0,
    per_chunk: int = 1,
    load_ms: float = 5,
    counter_scale: float = 1.0,
    word: str = "word ",
    **changes: Any,
) -> TrialFinished:
    """A trial as an exact server would send it.

    Token i (from 1) is made at ttft + (i − 1) · token_ms; a chunk of ``per_chunk`` tokens leaves with its last; the
    last token is the end of the answer and carries no text: the last line leaves with it.
    """
    shown = tokens - 1
    ends = [*range(per_chunk, shown + 1, per_chunk)]
    if not ends or ends[-1] != shown:
        ends.append(shown)
    times = tuple(round((ttft_ms + (end - 1) * token_ms) * MS) for end in ends)
    sizes = [end - start for start, end in zip([0, *ends], ends, strict=False)]
    done_ns = round((ttft_ms + (tokens - 1) * token_ms) * MS)
    output_ns = round((tokens - 1) * token_ms * MS * counter_scale)
    prompt_ns = round((ttft_ms - load_ms) * MS)
    counters = ServerCounters(
        total_duration_ns=round(load_ms * MS) + prompt_ns + output_ns,
        load_duration_ns=round(load_ms * MS),
        prompt_tokens=80,
        prompt_duration_ns=prompt_ns,
        output_tokens=tokens,
        output_duration_ns=output_ns,
        output_steps=tokens - 1,
    )
    fields: dict[str, Any] = {
        "t_ns": 1_000 + done_ns,
        "trial": of_trial or trial(of),
        "order": 1,
        "outcome": "ok",
        "wall_ns": WALL_NS,
        "t0_ns": 1_000,
        "done_ns": done_ns,
        "ended_by": "stop",
        "counters": counters,
        "timeline": Timeline(
            t_ns=times,
            chars=tuple(len(word) * size for size in sizes),
            channels="".join("t" if end <= thinking else "a" for end in ends),
            server_ns=tuple(WALL_NS + at - MS // 2 for at in times),
        ),
        "text": word * shown,
    }
    return TrialFinished(**(fields | changes))
