"""The script of a simulated server: all its behaviour, as data that can be saved in a JSON file."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from llmtui.simulator.changes import Planned
from llmtui.simulator.jsontext import go_json, read_json
from llmtui.simulator.model import Count, Dialect, Fraction, NotNegative, Positive, SimulatedModel

_T = TypeVar("_T")


class PullStop(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The early end of one attempt to pull.

    Attributes:
        at_fraction: part of the weights that have arrived by then, from earlier attempts too.
        kind: `cut` closes the connection, `error` sends an error line.
    """

    at_fraction: Fraction
    kind: Literal["cut", "error"] = "cut"
    message: str = "max retries exceeded: unexpected EOF"


class Pullable(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A model that the registry has.

    Attributes:
        model: the listed model after the pull.
        rate_bps: bytes per second.
        stops: ends of the first attempts; the attempt after the last of them succeeds.
    """

    model: SimulatedModel
    rate_bps: Positive = 1e10
    stops: tuple[PullStop, ...] = ()


class RouteFault(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A fault of the server itself on one route.

    Attributes:
        path: `/api/chat`, or `*` for every route but the control path.
        status: status in place of the route's own answer.
        message: the error's text.
        delay_s: delay before any answer.
        silent: nothing is ever answered.
        skip: number of requests served before the fault begins.
        times: number of requests with the fault; None = all.
    """

    path: str
    status: Annotated[int, Meta(ge=400, le=599)] | None = None
    message: str = "internal server error"
    delay_s: NotNegative = 0.0
    silent: bool = False
    skip: Count = 0
    times: Count | None = None


class Script(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A simulated server.

    Attributes:
        dialect: the imitated server.
        version: version in /api/version; None = the dialect.
        models: the installed models.
        registry: the models that can be pulled.
        preloaded: names of models in memory at the start.
        faults: faults of routes.
        plan: changes during the run.
        time_scale: every duration of the script is divided, every rate multiplied by this. `keep_alive` comes from
            clients and is not scaled.
        default_num_ctx: context length where a request has none.
        default_keep_alive_s: seconds that a model stays loaded where a request has none.
        max_loaded_models: loading one more evicts one.
        max_queue: requests that may wait for a load; more are answered 503.
        prompt_cache_prompts: number of earlier prompts in a slot's cache. The old engine keeps one; the new one
            keeps evicted prompts in the host's memory as well.
        dispatch_s: seconds until a warm runner is handed over (in load_duration).
        tokenize_s: seconds of template and tokenizing (in no field but the total).
        unload_s: seconds from the answer to an unload until the model has left /api/ps.
        cloud_disabled: reported by /api/status.
        stand_in_runner: start a process for every loaded model, with the runner's command line and `stand_in_bytes`
            of memory.
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
        """Return a duration of the script in real nanoseconds: `seconds` / `time_scale`."""
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
