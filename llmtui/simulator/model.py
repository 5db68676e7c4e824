"""What a script says about one model: how fast it is, and how it answers."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Dialect = Literal["0.11.4", "0.34.4"]
"""The two servers whose behaviour is followed: the old engine, and the one with llama-server as a child."""

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
        after_chunks: After how many chunks of text; None = after the whole answer. 0 with `error` is a proper status
            500, as nothing was sent yet.
        message: The text of the error line.
    """

    kind: Literal["done", "closed", "error", "cut", "silent"] = "done"
    after_chunks: Count | None = None
    message: str = "llama runner process no longer running: signal: killed"


class ScriptedAnswer(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One scripted answer.

    An answer that stops by itself has `thinking_tokens + tokens` tokens; the last of them is the end-of-sequence
    token, which counts and has no text. `num_predict` cuts it short with `done_reason` `length`, also inside thinking.

    Attributes:
        tokens: Tokens after the thinking, end-of-sequence token included.
        thinking_tokens: Tokens of thinking where the request lets the model think.
        text: The answer's words, cut into tokens of about four characters; None = made-up prose.
        token_texts: The answer's text a token; an empty chunk is a token without text. Overrules `tokens` and `text`.
        thinking_token_texts: The same for the thinking; overrules `thinking_tokens`.
        tokens_per_chunk: Tokens in one chunk (k). The first chunk is sent when its last token is made, k - 1
            intervals after the first token.
        held_tokens: The first text is held back until this many tokens are made.
        jitter: Each interval is stretched by a random share between -jitter and +jitter of itself.
        stalls: Pauses at given tokens.
        speed: The decode rate of this answer as a factor of the model's.
        ending: How the stream ends.
        text_in_last_line: The last chunk's text travels in the line with `done`.
        done_reason: Overrules `stop` and `length`.
        silent: The request is accepted and nothing is ever sent.
        match: Given only to prompts that contain this text; answers without it are taken in turn.
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
    """From a moment on the decode rate is `speed` times the model's own; of several points the last reached counts.

    Attributes:
        speed: The factor; 0.9 is 10 % slower.
        after_s: Seconds since the simulator started (of the script's time, see `Script.time_scale`).
        after_trials: Answers begun before, of all models.
    """

    speed: Positive
    after_s: NotNegative | None = None
    after_trials: Count | None = None


class SimulatedModel(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One model of the simulated server.

    Attributes:
        name: As listed; `:latest` is added where no tag is given.
        weights: A label of the weight file; two models with the same label share one blob and one runner. None = the
            model's own.
        size_bytes: Size on disk.
        vram_fraction: Part of the memory that is reported as video memory; between 0 and 1 the model is spilled.
        kv_bytes_per_token: Memory a token of context takes, in /api/ps.
        capabilities: `completion`, `thinking`, `embedding`, `tools`; without `completion` it cannot chat.
        remote_host: A model somewhere else ("cloud"); it is never loaded.
        needs_signin: A remote model that answers 401.
        always_thinks: Thinking cannot be turned off; levels are understood.
        inline_think: Thinking arrives in the answer between `<think>` and `</think>`.
        load_s: Seconds from start to ready.
        load_error: Loading ends with this error.
        prefill_tps: Prompt tokens read a second.
        decode_tps: Output tokens a second: the interval between two tokens is 1/decode_tps.
        counter_scale: The server's own durations are its real ones times this.
        counts_eos: Whether `eval_count` includes the end-of-sequence token.
        speed_points: Drift of the decode rate.
        answers: Taken in turn.
        stand_in_bytes: Anonymous memory that the stand-in runner takes while loaded.
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
