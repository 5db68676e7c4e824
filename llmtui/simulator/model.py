"""A simulated model as scripted: its properties, its speed and its answers."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Dialect = Literal["0.11.4", "0.34.4"]
"""The imitated Ollama version. 0.34.4 runs models in a child process llama-server, 0.11.4 in its own engine."""

Positive = Annotated[float, Meta(gt=0)]
NotNegative = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=0)]
Fraction = Annotated[float, Meta(ge=0, le=1)]


class Stall(Struct, frozen=True, forbid_unknown_fields=True):
    """A pause of `seconds` before token number `before_token` of an answer (from 1; at least 2)."""

    before_token: Annotated[int, Meta(ge=2)]
    seconds: NotNegative


class Ending(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the stream of an answer ends.

    Attributes:
        kind: `done`, the last line with the counters; `closed`, a normal end without that line; `error`, an error line
            after status 200; `cut`, the connection is closed inside the stream; `silent`, nothing more is sent.
        after_chunks: number of chunks of text before the end; None = the whole answer. 0 with `error` makes a normal
            response with status 500, since nothing was sent before.
        message: the text of the error line.
    """

    kind: Literal["done", "closed", "error", "cut", "silent"] = "done"
    after_chunks: Count | None = None
    message: str = "llama runner process no longer running: signal: killed"


class ScriptedAnswer(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One scripted answer.

    An answer that ends by itself has `thinking_tokens + tokens` tokens. The last one is the end-of-sequence token,
    which counts but has no text. `num_predict` ends an answer early, even inside the thinking, with `done_reason`
    `length`.

    Attributes:
        tokens: number of tokens after the thinking, including the end-of-sequence token.
        thinking_tokens: number of thinking tokens, if the request allows thinking.
        text: the answer's text, cut into tokens of about four characters; None = generated prose.
        token_texts: the text of each token of the answer; any of them may be empty. Overrides `tokens` and `text`.
        thinking_token_texts: the text of each thinking token; overrides `thinking_tokens`.
        tokens_per_chunk: tokens in one chunk (k). The first chunk is sent when its last token has been generated, k − 1
            intervals after the first token.
        held_tokens: the first text is held back until this many tokens have been generated.
        jitter: each interval is changed by a random share of itself between −jitter and +jitter.
        stalls: pauses before given tokens.
        speed: the decode speed of this answer as a factor of the model's.
        ending: how the stream ends.
        text_in_last_line: whether the last chunk's text is sent in the line with `done`.
        done_reason: overrides `stop` and `length`.
        silent: whether the request is accepted but nothing is ever sent.
        match: the answer is used for every prompt that contains this text. Answers without `match` are used in turn.
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
    """A moment from which a model's decode speed is `speed` times its own; the latest moment reached applies.

    Attributes:
        speed: the factor; 0.9 is 10 % slower.
        after_s: seconds since the server started, in the script's time (see `Script.time_scale`).
        after_trials: number of earlier requests for an answer, over all models.
    """

    speed: Positive
    after_s: NotNegative | None = None
    after_trials: Count | None = None


class SimulatedModel(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One model of the simulated server.

    Attributes:
        name: name in the server's list; `:latest` is added if it has no tag.
        weights: a label of the weight file. Models with the same label share one file and one place in memory. None =
            weights of its own.
        size_bytes: size on disk.
        vram_fraction: share of the memory that is reported as GPU memory; between 0 and 1, part of the model is on the
            CPU.
        kv_bytes_per_token: memory per token of context, as reported by /api/ps.
        capabilities: `completion`, `thinking`, `embedding`, `tools`; without `completion` the model cannot chat.
        remote_host: host of a remote model ("cloud"), which is never loaded here.
        needs_signin: whether a remote model responds with status 401.
        always_thinks: whether thinking cannot be turned off; levels of thinking are accepted.
        inline_think: whether thinking arrives in the answer between `<think>` and `</think>`.
        load_s: duration of loading, in seconds.
        load_error: error message with which loading fails; None = it succeeds.
        prefill_tps: prompt tokens processed per second.
        decode_tps: output tokens per second; 1/decode_tps is the interval between two tokens.
        counter_scale: factor from the real durations to those that the server reports.
        counts_eos: whether `eval_count` includes the end-of-sequence token.
        speed_points: changes of the decode speed over time.
        answers: answers that are used in turn.
        stand_in_bytes: memory that the stand-in process uses while the model is loaded (see `Script.stand_in_runner`).
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
