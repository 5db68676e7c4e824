"""A simple terminal app for comparison: Markdown updated with every token, two plots updated twice per second.

``python -m benchmarks.naive_app URL MODEL TOKENS`` sends one request and exits when the answer ends. It reads the
stream and the machine's sensors in the screen's own event loop.
"""

from __future__ import annotations

import json
import sys
from collections import deque

import httpx
import plotext
import psutil
from rich.text import Text
from textual import work
from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import DataTable, Footer, Header, Markdown, Static

PLOT_PERIOD_S = 0.5
POINTS = 240


class NaiveApp(App[None]):
    """The answer on the left, CPU and memory on the right, a table below."""

    CSS = "#plots { width: 40%; } Static { height: 1fr; } DataTable { height: 8; }"

    def __init__(self, url: str, model: str, tokens: int) -> None:
        super().__init__()
        self.url, self.model, self.tokens = url, model, tokens
        self.text = ""
        self.series: tuple[deque[float], deque[float]] = (deque(maxlen=POINTS), deque(maxlen=POINTS))

    def compose(self) -> ComposeResult:
        yield Header()
        with Horizontal():
            with VerticalScroll(id="answer"):
                yield Markdown()
            with Vertical(id="plots"):
                yield Static(id="cpu")
                yield Static(id="ram")
        yield DataTable()
        yield Footer()

    def on_mount(self) -> None:
        self.query_one(DataTable).add_columns("Model", "Tokens", "tok/s")
        self.set_interval(PLOT_PERIOD_S, self.plot)
        self.ask()

    def plot(self) -> None:
        self.series[0].append(psutil.cpu_percent())
        self.series[1].append(psutil.virtual_memory().used / 1e9)
        for name, values in zip(("cpu", "ram"), self.series, strict=True):
            widget = self.query_one(f"#{name}", Static)
            plotext.clear_figure()
            plotext.plot_size(max(20, widget.size.width), max(6, widget.size.height))
            plotext.plot(list(values), marker="braille")
            plotext.title(name.upper())
            widget.update(Text.from_ansi(plotext.build()))

    @work
    async def ask(self) -> None:
        body = {
            "model": self.model, "messages": [{"role": "user", "content": "Count."}], "think": False,
            "options": {"num_predict": self.tokens},
        }  # fmt: skip
        stream = Markdown.get_stream(self.query_one(Markdown))
        scroll = self.query_one("#answer", VerticalScroll)
        async with (
            httpx.AsyncClient(timeout=None) as client,
            client.stream("POST", f"{self.url}/api/chat", json=body) as response,
        ):
            async for line in response.aiter_lines():
                text = json.loads(line)["message"]["content"]
                self.text += text
                await stream.write(text)
                scroll.scroll_end(animate=False)
        await stream.stop()
        self.exit()


if __name__ == "__main__":
    NaiveApp(sys.argv[1], sys.argv[2], int(sys.argv[3])).run()
