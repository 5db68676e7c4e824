"""A simulated model: its speed, and its answers."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Dialect = Literal["0.11.4", "0.34.4"]
"""The two servers that are imitated: the old engine, and the one with llama-server as a child."""

Positive = Annotated[float, Meta(gt=0)]
NotNegative = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=0)]
Fraction = Annotated[float, Meta(ge=0, le=1)]


class Stall(Struct, frozen=True, forbid_unknown_fields=True):
    """A pause of `seconds` before token `before_token` (1-based; 2 or more) of an answer."""

    before_token: Annotated[int, Meta(ge=2)]
    seconds: NotNegative


class Ending(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a stream ends.

    Attributes:
        kind: `done`, the last line with the counters; `closed`, a clean end without it; `error`, an error line on
            status 200; `cut`, the connection is closed inside the stream; `silent`, nothing more is sent.
        after_chunks: after how many chunks of text; None = after the whole answer. 0 with `error` is a proper
            status 500, as nothing was sent yet.
        message: the text of the error line.
    """

    kind: Literal["done", "closed", "error", "cut", "silent"] = "done"
    after_chunks: Count | None = None
    message: str = "llama runner process no longer running: signal: killed"


class ScriptedAnswer(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One scripted answer.

    An answer that stops by itself has `thinking_tokens + tokens` tokens; the last of them is the end-of-sequence
    token, which counts and has no text. `num_predict` cuts it short with `done_reason` `length`, also inside thinking.

    Attributes:
        tokens: tokens after the thinking, end-of-sequence token included.
        thinking_tokens: tokens of thinking where the request lets the model think.
        text: the answer's words, cut into tokens of about four characters; None = generated prose.
        token_texts: the answer's text per token; an empty one is a token without text. Overrides `tokens` and
            `text`.
        thinking_token_texts: the same for the thinking; overrides `thinking_tokens`.
        tokens_per_chunk: tokens in one chunk (k). The first chunk is sent when its last token is made, k - 1
            intervals after the first token.
        held_tokens: the first text is held back until this many tokens are made.
        jitter: each interval is stretched by a random share between -jitter and +jitter of itself.
        stalls: pauses at given tokens.
        speed: the decode rate of this answer as a factor of the model's.
        ending: how the stream ends.
        text_in_last_line: the last chunk's text is in the line with `done`.
        done_reason: overrides `stop` and `length`.
        silent: the request is accepted and nothing is ever sent.
        match: used only for prompts that contain this text; answers without it are used in turn.
    """

    tokens: Count = 160
    thinking_tokens: Count = 0
    text: str | None = None
    token_texts: tuple[str, ...] | None = None
    thinking_token_texts: tuple[str, ...] | None = None
    tokens_per_chunk: Annotated[int, Meta(ge=1)] = 1
    held_tokens: Annotated[int, Meta(ge=1)] = 1
    jitter: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    stalls: tuple[Stall, ...] = ()
    speed: Positive = 1.0
    ending: Ending = Ending()
    text_in_last_line: bool = False
    done_reason: str | None = None
    silent: bool = False
    match: str | None = None


class SpeedPoint(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """From a moment on, the decode rate is `speed` times the model's own; the latest point reached applies.

    Attributes:
        speed: the factor; 0.9 is 10 % slower.
        after_s: seconds since the simulator started (of the script's time, see `Script.time_scale`).
        after_trials: number of answers begun before, of all models.
    """

    speed: Positive
    after_s: NotNegative | None = None
    after_trials: Count | None = None


class SimulatedModel(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One model of the simulated server.

    Attributes:
        name: as listed; `:latest` is added where no tag is given.
        weights: a label of the weight file; two models with the same label share one blob and one runner. None =
            the model's own.
        size_bytes: size on disk.
        vram_fraction: part of the memory that is reported as video memory; between 0 and 1 the model is spilled.
        kv_bytes_per_token: memory per token of context, in /api/ps.
        capabilities: `completion`, `thinking`, `embedding`, `tools`; without `completion` it cannot chat.
        remote_host: host of a remote model ("cloud"), which is never loaded.
        needs_signin: a remote model that answers 401.
        always_thinks: thinking cannot be turned off; levels are understood.
        inline_think: thinking arrives in the answer between `<think>` and `</think>`.
        load_s: seconds from start to ready.
        load_error: loading ends with this error.
        prefill_tps: prompt tokens read per second.
        decode_tps: output tokens per second: the interval between two tokens is 1/decode_tps.
        counter_scale: factor from the real durations to those that the server reports.
        counts_eos: whether `eval_count` includes the end-of-sequence token.
        speed_points: drift of the decode rate.
        answers: used in turn.
        stand_in_bytes: anonymous memory that the stand-in runner takes while loaded.
    """

    name: str
    weights: str | None = None
    family: str = "llama"
    parameter_size: str = "8.0B"
    quantization_level: str = "Q4_K_M"
    size_bytes: Count = 4_700_000_000
    vram_fraction: Fraction = 0.0
    kv_bytes_per_token: Count = 131_072
    context_length: Annotated[int, Meta(ge=4)] = 8192
    embedding_length: Count = 4096
    capabilities: tuple[str, ...] = ("completion",)
    modified_s: int = 1_780_000_000
    template: str = "{{ .Prompt }}"
    license: str = "MIT"
    remote_host: str | None = None
    remote_model: str | None = None
    needs_signin: bool = False
    always_thinks: bool = False
    inline_think: bool = False
    load_s: NotNegative = 0.2
    load_error: str | None = None
    prefill_tps: Positive = 2000.0
    decode_tps: Positive = 50.0
    counter_scale: Positive = 1.0
    counts_eos: bool = True
    speed_points: tuple[SpeedPoint, ...] = ()
    answers: Annotated[tuple[ScriptedAnswer, ...], Meta(min_length=1)] = (ScriptedAnswer(),)
    stand_in_bytes: Count = 0
