"""The script of a simulated server: all of its behaviour, as data that can be saved in a JSON file."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from llmtui.simulator.changes import Planned
from llmtui.simulator.jsontext import go_json, read_json
from llmtui.simulator.model import Count, Dialect, Fraction, NotNegative, Positive, SimulatedModel

_T = TypeVar("_T")


class PullStop(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The early end of one attempt to download a model.

    Attributes:
        at_fraction: share of the weights (0 to 1) that has arrived by then, including earlier attempts.
        kind: `cut` closes the connection, `error` sends an error line.
        message: text of the error line.
    """

    at_fraction: Fraction
    kind: Literal["cut", "error"] = "cut"
    message: str = "max retries exceeded: unexpected EOF"


class Pullable(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A model that can be downloaded.

    Attributes:
        model: the model that is installed by the download.
        rate_bps: bytes per second.
        stops: early ends of the first attempts; the attempt after them succeeds.
    """

    model: SimulatedModel
    rate_bps: Positive = 1e10
    stops: tuple[PullStop, ...] = ()


class RouteFault(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A fault of the server on one route.

    Attributes:
        path: `/api/chat`, or `*` for every route except the control paths.
        status: HTTP status to send instead of the route's own response; None = no such error.
        message: text of the error.
        delay_s: delay before the response, in seconds.
        silent: whether nothing is ever sent.
        skip: number of requests that are served before the fault begins.
        times: number of requests with the fault; None = all further ones.
    """

    path: str
    status: Annotated[int, Meta(ge=400, le=599)] | None = None
    message: str = "internal server error"
    delay_s: NotNegative = 0.0
    silent: bool = False
    skip: Count = 0
    times: Count | None = None


class Script(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All behaviour of a simulated server.

    Attributes:
        dialect: the imitated version of Ollama.
        version: version in /api/version; None = the dialect.
        models: the installed models.
        registry: the models that can be downloaded.
        preloaded: names of models that are in memory at the start.
        faults: faults of routes.
        plan: changes while the server runs.
        time_scale: every duration of the script is divided, and every rate multiplied, by this. `keep_alive` comes from
            clients and is not scaled.
        default_num_ctx: context length if a request has none.
        default_keep_alive_s: seconds that a model stays loaded if a request does not say.
        max_loaded_models: maximum number of models in memory; loading another one unloads one.
        max_queue: maximum number of requests that wait for a load; the response to others is 503.
        prompt_cache_prompts: number of earlier prompts in a model's prompt cache. Ollama 0.11.4 keeps one; 0.34.4 also
            keeps evicted prompts in the host's memory.
        dispatch_s: seconds until a request gets a model that is already loaded; part of `load_duration`.
        tokenize_s: seconds for template and tokenizing; part of `total_duration` only.
        unload_s: seconds from the response to an unload until the model has disappeared from /api/ps.
        cloud_disabled: reported by /api/status.
        stand_in_runner: start a process for every loaded model, with the command line of Ollama's own child process and
            `stand_in_bytes` of memory.
        seed: seed of prose and jitter.
    """

    dialect: Dialect = "0.34.4"
    version: str | None = None
    models: tuple[SimulatedModel, ...] = ()
    registry: tuple[Pullable, ...] = ()
    preloaded: tuple[str, ...] = ()
    faults: tuple[RouteFault, ...] = ()
    plan: tuple[Planned, ...] = ()
    time_scale: Positive = 1.0
    default_num_ctx: Annotated[int, Meta(ge=4)] = 4096
    default_keep_alive_s: NotNegative = 300.0
    max_loaded_models: Annotated[int, Meta(ge=1)] = 3
    max_queue: Count = 512
    prompt_cache_prompts: Count = 1
    dispatch_s: NotNegative = 0.002
    tokenize_s: NotNegative = 0.001
    unload_s: NotNegative = 0.1
    cloud_disabled: bool = False
    stand_in_runner: bool = False
    seed: int = 1

    def duration_ns(self, seconds: float) -> int:
        """Return a duration of the script in real nanoseconds: `seconds` / `time_scale` × 10⁹."""
        return round(seconds / self.time_scale * 1e9)


def encode_script(script: Script) -> bytes:
    """Return a script as one line of JSON."""
    return go_json(msgspec.to_builtins(script))


def decode_script(text: bytes | str) -> Script:
    """Read a script from JSON.

    Raises:
        ValueError: the text is not JSON or not a script; the message names the key.
    """
    return _decoded(text, Script)


def encode_planned(planned: Planned) -> bytes:
    """Return a planned change as one line of JSON."""
    return go_json(msgspec.to_builtins(planned))


def decode_planned(text: bytes | str) -> Planned:
    """Read a planned change from JSON.

    Raises:
        ValueError: the text is not JSON or not a change; the message names the key.
    """
    return _decoded(text, Planned)


def _decoded(text: bytes | str, kind: type[_T]) -> _T:
    # msgspec's own reader refuses half of a surrogate pair, which a script may contain.
    try:
        return msgspec.convert(read_json(text), kind)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error
