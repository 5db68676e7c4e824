"""Ready-made scripts for tests, the self-test, pictures and the command line of the simulator."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from llmtui.simulator.changes import OtherClientAsks, OtherClientLoads, Planned
from llmtui.simulator.model import Dialect, Ending, ScriptedAnswer, SimulatedModel, SpeedPoint, Stall
from llmtui.simulator.script import Pullable, PullStop, RouteFault, Script

HOSTILE_TEXT = (
    "A next line\u0085a line separator\u2028a paragraph separator\u2029 \x1b[31mred\x1b[0m \x1b]0;title\x07 "
    "[bold]markup[/bold] [/] \\[ <b>&amp;</b> 灯台守は夜を数える 👩‍🚀🏳️‍🌈 \u202eright to left\u202c a\u0301 "
    "\x00\x07\x08 tab\tand\r\nreturn \ud83d half a pair."
)
"""Text that can break programs which read or show it.

It has U+0085, escape sequences, markup, wide and joined characters, control characters, direction marks, and half of a
surrogate pair.
"""

REPEATS_BEFORE_ABORT = 31
"""Number of identical tokens in a row after which Ollama ends a stream without a last line."""

_SMALL = SimulatedModel(
    name="small",
    parameter_size="1.2B",
    size_bytes=1_300_000_000,
    load_s=0.2,
    prefill_tps=2000.0,
    decode_tps=100.0,
)


def fast(dialect: Dialect = "0.34.4") -> Script:
    """Return a script with two small fast models; nothing goes wrong."""
    return Script(
        dialect=dialect,
        models=(
            _small("quick:1b", decode_tps=250.0),
            _small("steady:3b", decode_tps=100.0, parameter_size="3.2B", size_bytes=2_000_000_000),
        ),
    )


def three_models(*, slow: bool = False, time_scale: float = 1.0, stand_in_runner: bool = False) -> Script:
    """Return a script with three models of common sizes and different speeds.

    Args:
        slow: as slow as on an old laptop: about 19 s to load, about 6 tokens per second.
        time_scale: every duration is divided by this.
        stand_in_runner: start a stand-in process that uses a little memory for each loaded model.
    """
    load_s, decode_tps, prefill_tps = (19.0, 6.0, 25.0) if slow else (1.2, 40.0, 400.0)
    rows = (
        ("llama3:8b", "llama", "8.0B", 4_700_000_000, 1.0, 1.0),
        ("mistral:7b", "llama", "7.2B", 4_100_000_000, 1.04, 0.95),
        ("gemma:7b", "gemma", "9B", 5_000_000_000, 0.68, 1.4),
    )
    return Script(
        time_scale=time_scale,
        stand_in_runner=stand_in_runner,
        models=tuple(
            SimulatedModel(
                name=name,
                family=family,
                parameter_size=parameter_size,
                size_bytes=size_bytes,
                modified_s=1_780_000_000 - 86_400 * index,
                load_s=load_s * load_factor,
                prefill_tps=prefill_tps * speed,
                decode_tps=decode_tps * speed,
                stand_in_bytes=size_bytes // 100,
                answers=(
                    ScriptedAnswer(tokens=320, jitter=0.02),
                    ScriptedAnswer(tokens=90, jitter=0.02),
                    ScriptedAnswer(tokens=200),
                ),
            )
            for index, (name, family, parameter_size, size_bytes, speed, load_factor) in enumerate(rows)
        ),
    )


def thinking(dialect: Dialect = "0.34.4") -> Script:
    """Return a script with three models that think.

    One can be switched off, one always thinks, and one puts its thinking between tags inside the answer.
    """
    answer = ScriptedAnswer(thinking_tokens=40, tokens=60)
    thinks = ("completion", "thinking")
    return Script(
        dialect=dialect,
        models=(
            _small("ponder:4b", capabilities=thinks, answers=(answer,)),
            _small("always:20b", capabilities=thinks, always_thinks=True, family="gptoss", answers=(answer,)),
            _small("inline:8b", inline_think=True, answers=(answer,)),
        ),
    )


def bundled(tokens_per_chunk: int = 4) -> Script:
    """Return a script with one model that sends several tokens per chunk."""
    answer = ScriptedAnswer(tokens=256, tokens_per_chunk=tokens_per_chunk)
    return Script(models=(_small("bundles:7b", decode_tps=200.0, answers=(answer,)),))


def held_back(held_tokens: int = 6) -> Script:
    """Return a script with one model whose first text is held back until several tokens have been generated."""
    return Script(models=(_small("holds:7b", decode_tps=100.0, answers=(ScriptedAnswer(held_tokens=held_tokens),)),))


def faulty() -> Script:
    """Return a script with one model for each faulty end of an answer, and with models that cannot be used at all."""
    ways: Mapping[str, ScriptedAnswer] = {
        "breaks:1b": ScriptedAnswer(ending=Ending(kind="cut", after_chunks=12)),
        "errors:1b": ScriptedAnswer(ending=Ending(kind="error", after_chunks=12)),
        "refuses:1b": ScriptedAnswer(ending=Ending(kind="error", after_chunks=0, message="out of memory")),
        "repeats:1b": ScriptedAnswer(token_texts=("la ",) * REPEATS_BEFORE_ABORT, ending=Ending(kind="closed")),
        "thinks-only:1b": ScriptedAnswer(thinking_tokens=30, tokens=0),
        "empty:1b": ScriptedAnswer(tokens=1),
        "short:1b": ScriptedAnswer(tokens=10),
        "silent:1b": ScriptedAnswer(silent=True),
        "stops-sending:1b": ScriptedAnswer(ending=Ending(kind="silent", after_chunks=12)),
        "stalls:1b": ScriptedAnswer(stalls=(Stall(before_token=20, seconds=1.5),)),
        "hostile:1b": ScriptedAnswer(text=HOSTILE_TEXT),
    }
    return Script(
        models=(
            *(_small(name, capabilities=("completion", "thinking"), answers=(way,)) for name, way in ways.items()),
            _small(
                "no-load:70b", load_error="model requires more system memory (48.2 GiB) than is available (7.1 GiB)"
            ),
            _small("embeds:1b", capabilities=("embedding",), family="nomic-bert"),
            _small("away:480b-cloud", remote_host="https://ollama.com:443", remote_model="away:480b", size_bytes=382),
        )
    )


def shared() -> Script:
    """Return a script with another client, which delays the third answer and reloads a model after the fifth."""
    script = fast()
    return Script(
        models=script.models,
        plan=(
            Planned(before_trial=3, change=OtherClientAsks(model="quick:1b", seconds=1.5)),
            Planned(after_trial=5, change=OtherClientLoads(model="quick:1b", options={"num_ctx": 16_384})),
        ),
    )


def crowded() -> Script:
    """Return a script in which another client's model is in memory and one model fits the GPU only in part."""
    models = (_small("spilled:7b", vram_fraction=0.6), _small("theirs:13b"), _small("quick:1b", vram_fraction=1.0))
    return Script(models=models, preloaded=("theirs:13b",))


def skewed(counter_scale: float = 1.1) -> Script:
    """Return a script with a model for which the server reports durations that are wrong by a factor."""
    return Script(models=(_small("skewed:7b", counter_scale=counter_scale),))


def slowing(after_trials: int = 20, speed: float = 0.9) -> Script:
    """Return a script in which both models slow down after some answers."""
    point = SpeedPoint(after_trials=after_trials, speed=speed)
    return Script(models=tuple(_small(name, speed_points=(point,)) for name in ("one:7b", "two:7b")))


def pulls() -> Script:
    """Return a script with three models to download: one succeeds at once, one at the third attempt, one never."""
    return Script(
        models=(_small("quick:1b"),),
        registry=(
            Pullable(model=_small("wanted:3b", size_bytes=2_000_000_000), rate_bps=2e9),
            Pullable(
                model=_small("cut:7b", size_bytes=4_000_000_000),
                rate_bps=4e9,
                stops=(PullStop(at_fraction=0.3), PullStop(at_fraction=0.7)),
            ),
            Pullable(
                model=_small("full:70b", size_bytes=40_000_000_000),
                rate_bps=8e10,
                stops=(PullStop(at_fraction=0.5, kind="error", message="write blob: no space left on device"),) * 100,
            ),
        ),
    )


def never_answers() -> Script:
    """Return the script of a server that accepts connections and never responds."""
    return Script(models=(_small("quick:1b"),), faults=(RouteFault(path="*", silent=True),))


SCENARIOS: Mapping[str, Callable[[], Script]] = {
    "fast": fast,
    "three_models": three_models,
    "slow": lambda: three_models(slow=True, stand_in_runner=True),
    "thinking": thinking,
    "bundled": bundled,
    "held_back": held_back,
    "faulty": faulty,
    "shared": shared,
    "crowded": crowded,
    "skewed": skewed,
    "slowing": slowing,
    "pulls": pulls,
    "never_answers": never_answers,
}
"""Name → function that returns the script, for the command line."""


def _small(name: str, **fields: object) -> SimulatedModel:
    return msgspec.structs.replace(_SMALL, name=name, **fields)
