"""/api/pull: progress every 60 ms, attempts that end early, and attempts that continue an earlier download."""

from __future__ import annotations

from typing import Any

from llmtui.simulator.clock import now_ns
from llmtui.simulator.exchange import Exchange
from llmtui.simulator.identity import is_valid_name, layers, tagged_name
from llmtui.simulator.model import SimulatedModel
from llmtui.simulator.options import ApiError
from llmtui.simulator.requests import parse_model_name, parse_object, wants_stream
from llmtui.simulator.script import Pullable, PullStop
from llmtui.simulator.simulation import Simulation

_PROGRESS_EVERY_NS = 60_000_000


async def pull(simulation: Simulation, exchange: Exchange) -> None:
    """Serve one request to download a model.

    Raises:
        ApiError: the request is malformed.
        asyncio.CancelledError: the client closed the connection; the data that has arrived is kept.
    """
    body = parse_object(exchange.request.body)
    name = parse_model_name(body)
    exchange.record.model = name
    if not is_valid_name(name):
        raise ApiError(400, "invalid model name")
    await _Pull(simulation, exchange, tagged_name(name), stream=wants_stream(body)).run()


class _Pull:
    def __init__(self, simulation: Simulation, exchange: Exchange, name: str, *, stream: bool) -> None:
        self._simulation = simulation
        self._exchange = exchange
        self._name = name
        self._stream = stream

    async def run(self) -> None:
        await self._tell({"status": "pulling manifest"})
        offered = {tagged_name(item.model.name): item for item in self._simulation.script.registry}
        pullable = offered.get(self._name)
        if pullable is None:
            installed = self._simulation.models.get(self._name)
            if installed is None:
                await self._exchange.send_error(500, "pull model manifest: file does not exist")
                return
            pullable = Pullable(model=installed)
        weights, *small = layers(pullable.model)
        stop = self._next_stop(pullable)
        if not await self._weights(pullable, weights, stop):
            return
        for digest, size_bytes in small:
            await self._tell(_progress(digest, size_bytes, size_bytes))
        for status in ("verifying sha256 digest", "writing manifest"):
            await self._tell({"status": status})
        self._simulation.models[self._name] = pullable.model
        if self._stream:
            await self._tell({"status": "success"}, last=True)
            await self._exchange.end_stream()
        else:
            await self._exchange.send_json({"status": "success"}, kind="done")

    async def _weights(self, pullable: Pullable, layer: tuple[str, int], stop: PullStop | None) -> bool:
        digest, total_bytes = layer
        arrived = self._simulation.pulled_bytes
        if self._is_installed(pullable.model):
            arrived[digest] = total_bytes
        began_bytes = arrived.get(digest, 0)
        end_bytes = round(total_bytes * stop.at_fraction) if stop is not None else total_bytes
        byte_ns = self._simulation.script.duration_ns(1.0) / pullable.rate_bps
        began_ns = now_ns()
        await self._tell(_progress(digest, total_bytes, began_bytes))
        tick = 0
        while arrived.get(digest, 0) < end_bytes:
            tick += 1
            end_ns = began_ns + round((end_bytes - began_bytes) * byte_ns)
            await self._simulation.waiter.until(min(began_ns + tick * _PROGRESS_EVERY_NS, end_ns))
            gained = end_bytes - began_bytes if now_ns() >= end_ns else int((now_ns() - began_ns) / byte_ns)
            arrived[digest] = min(end_bytes, began_bytes + gained)
            await self._tell(_progress(digest, total_bytes, arrived[digest]))
        if stop is None:
            return True
        if stop.kind == "error":
            await self._exchange.send_error(500, stop.message)
        else:
            self._exchange.cut()
        return False

    def _next_stop(self, pullable: Pullable) -> PullStop | None:
        attempts = self._simulation.pull_attempts
        attempt = attempts.get(self._name, 0)
        attempts[self._name] = attempt + 1
        return pullable.stops[attempt] if attempt < len(pullable.stops) else None

    def _is_installed(self, model: SimulatedModel) -> bool:
        weights = layers(model)[0]
        return any(layers(installed)[0] == weights for installed in self._simulation.models.values())

    async def _tell(self, body: dict[str, Any], *, last: bool = False) -> None:
        if self._stream:
            await self._exchange.send_line(body, kind="done" if last else "progress")


def _progress(digest: str, total_bytes: int, completed_bytes: int) -> dict[str, Any]:
    body: dict[str, Any] = {"status": f"pulling {digest[:12]}", "digest": f"sha256:{digest}", "total": total_bytes}
    return body | ({"completed": completed_bytes} if completed_bytes else {})
