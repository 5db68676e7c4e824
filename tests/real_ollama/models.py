"""The models of the tests, imported once per server version into the cache.

All are made from the demo model that ships, so that no test needs a download:

* ``tiny``: the demo model itself, 2 M parameters, thousands of tokens per second. * ``steady``: 114 M random weights,
slow enough (some 100 tokens per second) for times to mean something. * ``thinker``: the demo model with a template that
mentions ``.Thinking``: so servers tell that a model can think. It opens with ``<think>`` where thinking is asked for,
and never closes it. * ``embedder``: the demo model with a key that makes it embedding-only. * ``repeater``: weights set
so that it says one word for ever.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import msgspec

from llmtui.backends.gguf_writing import Tensor, tensors_of, vocabulary_of, write_gguf
from llmtui.backends.synthetic import TOKENISER_FILE, make_synthetic
from tests.real_ollama.servers import running_ollama
from tools.build_ollama import Build, default_cache

RECIPE = 1
"""Raised when a model here is made in another way, so that stores of the old kind are not used."""
IMPORT_LIMIT_S = 120.0

THINKING_TEMPLATE = """{{- range .Messages }}<|im_start|>{{ .Role }}
{{ if .Thinking }}<think>{{ .Thinking }}</think>{{ end }}{{ .Content }}<|im_end|>
{{ end }}<|im_start|>assistant
{{ if .Think }}<think>
{{ end }}"""


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """How a model is made: its file, and what is said beside it."""

    make: Callable[[Path], Path]
    """Returns the GGUF file, written to the folder if it does not exist."""
    template: str | None = None


def model_store(build: Build, cache: Path | None = None) -> Path:
    """Return the server's model store in the cache, filled by the server itself when it does not exist."""
    folder = (cache or default_cache()) / "ollama"
    store = folder / f"models-{build.version}-{RECIPE}-{_sha256(TOKENISER_FILE)[:12]}"
    if store.exists():
        return store
    with tempfile.TemporaryDirectory(prefix=f".{store.name}-", dir=folder) as temporary:
        work = Path(temporary)
        with running_ollama(build, work / "models", work / "home") as server:
            for name, recipe in RECIPES.items():
                import_model(server.url, name, recipe.make(work), recipe.template)
        try:
            (work / "models").rename(store)
        except OSError:
            if not store.exists():  # otherwise another run was quicker
                raise
    return store


def copy_store(store: Path, target: Path) -> Path:
    """Return a copy that a server may change; blobs are linked where the file system can, since they never change."""

    def link(source: str, copy: str) -> str:
        try:
            os.link(source, copy)
        except OSError:
            shutil.copy2(source, copy)
        return copy

    return Path(shutil.copytree(store, target, copy_function=link))


def import_model(url: str, name: str, gguf_file: Path, template: str | None = None) -> None:
    """Upload a file to a server under a name, as ``ollama create`` does."""
    digest = f"sha256:{_sha256(gguf_file)}"
    body: dict[str, object] = {"model": name, "files": {gguf_file.name: digest}, "stream": False}
    if template is not None:
        body["template"] = template
    with httpx.Client(base_url=url, timeout=IMPORT_LIMIT_S, trust_env=False) as client:
        client.post(f"/api/blobs/{digest}", content=gguf_file.read_bytes()).raise_for_status()
        created = client.post("/api/create", json=body)
        if created.status_code != 200 or "error" in created.json():
            raise RuntimeError(f"{name} could not be imported: {created.text}")


def numbered(folder: Path, number: int) -> Path:
    """Return the demo model in a file that differs by the number: the same answers, another blob."""
    return _rewritten(folder / f"numbered-{number}.gguf", extra_keys={"llmtui.number": number})


def _demo(_folder: Path) -> Path:
    return TOKENISER_FILE


def _synthetic(folder: Path) -> Path:
    return make_synthetic("114M", folder)


def _embedder(folder: Path) -> Path:
    return _rewritten(folder / "embedder.gguf", extra_keys={"llama.pooling_type": 1})


def _repeater(folder: Path) -> Path:
    """Every token has the same embedding, no block adds to it, and one row of the head answers to it."""
    import numpy as np

    shapes = _shapes()
    embedding = "token_embd.weight"
    head = np.zeros(shapes[embedding], np.float32)
    head[_a_word()] = 1.0
    replaced: dict[str, np.ndarray[Any, Any]] = {
        name: np.zeros(shape, np.float32)
        for name, shape in shapes.items()
        if name.endswith(("attn_output.weight", "ffn_down.weight"))
    }
    replaced |= {embedding: np.ones(shapes[embedding], np.float32), "output.weight": head}
    return _rewritten(folder / "repeater.gguf", tensors=replaced)


def _rewritten(
    path: Path, *, extra_keys: Mapping[str, int] | None = None, tensors: Mapping[str, Any] | None = None
) -> Path:
    """The demo model's file with keys added and tensors replaced or added."""
    given = dict(tensors or {})

    def made() -> Iterator[Tensor]:
        for name, values, kind in tensors_of(TOKENISER_FILE):
            yield (name, given.pop(name), None) if name in given else (name, values, kind)
        for name, values in given.items():
            yield name, values, None

    write_gguf(
        path,
        keys=extra_keys or {},
        copied_from=TOKENISER_FILE,
        copied=lambda key: not key.startswith("GGUF.") and key != "general.architecture",
        tensors=made,
    )
    return path


def _shapes() -> dict[str, tuple[int, ...]]:
    """Return the shapes, rows first, as in arrays; the file has the opposite order."""
    import gguf

    return {tensor.name: tuple(map(int, reversed(tensor.shape))) for tensor in gguf.GGUFReader(TOKENISER_FILE).tensors}


def _a_word() -> int:
    """Return a token that is a plain word."""
    return vocabulary_of(TOKENISER_FILE).index("Ġthe")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


RECIPES = {
    "tiny": Recipe(make=_demo),
    "steady": Recipe(make=_synthetic),
    "thinker": Recipe(make=_demo, template=THINKING_TEMPLATE),
    "embedder": Recipe(make=_embedder),
    "repeater": Recipe(make=_repeater),
}
"""Names used by the tests."""
