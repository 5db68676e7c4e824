"""The routes of the simulated server: which function handles which path and method."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from ipaddress import ip_address

import msgspec

from llmtui.simulator.answering import answer_request
from llmtui.simulator.clock import now_ns
from llmtui.simulator.exchange import Exchange
from llmtui.simulator.identity import is_valid_name, tagged_name
from llmtui.simulator.jsontext import read_json
from llmtui.simulator.listing import ps_body, show_body, tags_body
from llmtui.simulator.options import ApiError
from llmtui.simulator.pulling import pull
from llmtui.simulator.requests import parse_model_name, parse_object
from llmtui.simulator.script import decode_planned
from llmtui.simulator.simulation import Simulation

CONTROL_PREFIX = "/_sim/"
"""Beginning of the paths by which tests control the server. They are not logged and are not affected by faults."""

Handler = Callable[[Simulation, Exchange], Awaitable[None]]


async def serve_api(simulation: Simulation, exchange: Exchange) -> None:
    """Serve any request, from routing to the error response.

    Raises:
        asyncio.CancelledError: the client closed the connection.
    """
    request = exchange.request
    try:
        if not is_allowed_host(request.headers.get("host", "")):
            await exchange.send_empty(403)
            return
        exchange.record.body = _object_or_empty(request.body)
        if not request.path.startswith(CONTROL_PREFIX):
            await _meet_fault(simulation, request.path)
        handler = _route(request.method, request.path)
        await handler(simulation, exchange)
    except ApiError as error:
        await exchange.send_error(error.status, error.message, error.extra)


def is_allowed_host(host: str) -> bool:
    """Return whether a Host header names this machine or its network, as Ollama requires against DNS rebinding."""
    name = host.strip().lower()
    if name.startswith("["):
        name = name[1:].partition("]")[0]
    elif name.count(":") == 1:
        name = name.partition(":")[0]
    if name in {"", "localhost"} or name.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or address.is_private or address.is_unspecified


def _object_or_empty(body: bytes) -> dict[str, object]:
    try:
        value = read_json(body) if body else None
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


async def _meet_fault(simulation: Simulation, path: str) -> None:
    fault = simulation.fault(path)
    if fault is None:
        return
    if fault.silent:
        await asyncio.get_running_loop().create_future()
    if fault.delay_s:
        await simulation.waiter.until(now_ns() + simulation.script.duration_ns(fault.delay_s))
    if fault.status is not None:
        raise ApiError(fault.status, fault.message)


def _route(method: str, path: str) -> Handler:
    methods = _ROUTES.get(path)
    if methods is None:
        return _not_found
    return methods.get(method, _method_not_allowed)


async def _not_found(_: Simulation, exchange: Exchange) -> None:
    await exchange.send_text("404 page not found", status=404, content_type="text/plain")


async def _method_not_allowed(_: Simulation, exchange: Exchange) -> None:
    await exchange.send_text("405 method not allowed", status=405, content_type="text/plain")


async def _greeting(_: Simulation, exchange: Exchange) -> None:
    await exchange.send_text("Ollama is running")


async def _version(simulation: Simulation, exchange: Exchange) -> None:
    await exchange.send_json({"version": simulation.script.version or simulation.script.dialect})


async def _status(simulation: Simulation, exchange: Exchange) -> None:
    if simulation.script.dialect == "0.11.4":
        await _not_found(simulation, exchange)
        return
    disabled = simulation.script.cloud_disabled
    await exchange.send_json({"cloud": {"disabled": disabled, "source": "env" if disabled else "none"}})


async def _tags(simulation: Simulation, exchange: Exchange) -> None:
    await exchange.send_json(tags_body(simulation.models.values(), simulation.script.dialect))


async def _ps(simulation: Simulation, exchange: Exchange) -> None:
    await exchange.send_json(ps_body(simulation.scheduler.residents()))


async def _show(simulation: Simulation, exchange: Exchange) -> None:
    body = parse_object(exchange.request.body)
    name = parse_model_name(body)
    exchange.record.model = name
    if not name:
        raise ApiError(400, "model is required")
    old = simulation.script.dialect == "0.11.4"
    if not is_valid_name(name):
        raise ApiError(500, "invalid model path") if old else ApiError(400, "invalid model name")
    model = simulation.model(name if old else tagged_name(name))
    await exchange.send_json(show_body(model, simulation.script.dialect, verbose=body.get("verbose") is True))


async def _delete(simulation: Simulation, exchange: Exchange) -> None:
    name = parse_model_name(parse_object(exchange.request.body))
    model = simulation.model(name)
    simulation.scheduler.expire(model)
    simulation.models = {key: other for key, other in simulation.models.items() if other is not model}
    await exchange.send_empty(200)


async def _chat(simulation: Simulation, exchange: Exchange) -> None:
    await answer_request(simulation, exchange, "chat")


async def _generate(simulation: Simulation, exchange: Exchange) -> None:
    await answer_request(simulation, exchange, "generate")


async def _log(simulation: Simulation, exchange: Exchange) -> None:
    _, _, since = exchange.request.query.partition("since=")
    records = simulation.log.records(int(since) if since.isascii() and since.isdigit() else 0)
    await exchange.send_json(msgspec.to_builtins(records))


async def _clear_log(simulation: Simulation, exchange: Exchange) -> None:
    simulation.log.clear()
    await exchange.send_json({})


async def _state(simulation: Simulation, exchange: Exchange) -> None:
    await exchange.send_json({"trials": simulation.trials, **simulation.scheduler.state()})


async def _change(simulation: Simulation, exchange: Exchange) -> None:
    try:
        planned = decode_planned(exchange.request.body)
    except ValueError as error:
        raise ApiError(400, str(error)) from error
    await simulation.plan(planned)
    await exchange.send_json({})


_ROUTES: Mapping[str, Mapping[str, Handler]] = {
    "/": {"GET": _greeting, "HEAD": _greeting},
    "/api/version": {"GET": _version, "HEAD": _version},
    "/api/status": {"GET": _status},
    "/api/tags": {"GET": _tags, "HEAD": _tags},
    "/api/ps": {"GET": _ps},
    "/api/show": {"POST": _show},
    "/api/delete": {"DELETE": _delete},
    "/api/chat": {"POST": _chat},
    "/api/generate": {"POST": _generate},
    "/api/pull": {"POST": pull},
    f"{CONTROL_PREFIX}log": {"GET": _log, "DELETE": _clear_log},
    f"{CONTROL_PREFIX}state": {"GET": _state},
    f"{CONTROL_PREFIX}script": {"POST": _change},
}
