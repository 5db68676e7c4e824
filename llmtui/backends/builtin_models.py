"""Models of the built-in server: the demo model, two speed-only models, and GGUF files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from llmtui.backends.base import BackendFailed
from llmtui.backends.gguf_file import BadGguf, GgufHeader, gguf_digest, parameter_label, readable_model
from llmtui.backends.synthetic import RECIPE, SHAPES, Size, is_made, synthetic_path
from llmtui.core.events import ListedModel, ModelShown
from llmtui.core.plan import DEMO_NOTE, SPEED_NOTE, Model

DEMO_NAME: Final = "demo"
DEMO_FILE: Final = Path(__file__).with_name("models") / "tiny-Q8_0.gguf"
_SYNTHETIC: Final[dict[str, Size]] = {f"synthetic-{size}": size for size in SHAPES}


def synthetic_size(name: str) -> Size | None:
    """Return the size of a speed-only model, given its name; None for any other name."""
    return _SYNTHETIC.get(name)


def model_file(name: str, cache_folder: Path) -> Path:
    """Return the file of a model, given its name. The file of a speed-only model may not exist yet."""
    if name == DEMO_NAME:
        return DEMO_FILE
    size = synthetic_size(name)
    return Path(name).expanduser() if size is None else synthetic_path(size, cache_folder)


def listed_models(gguf_paths: Sequence[Path], cache_folder: Path) -> tuple[ListedModel, ...]:
    """Return all models; a file that cannot be used is listed with the reason.

    Args:
        gguf_paths: GGUF files, and folders of them.
        cache_folder: folder of the speed-only models (generated files with random weights, for measuring speed only).
    """
    own = (ListedModel(model=_demo()), *(ListedModel(model=_speed_only(name, cache_folder)) for name in _SYNTHETIC))
    return (*own, *(_listed_file(path) for path in _files(gguf_paths)))


def shown_model(name: str, cache_folder: Path) -> ModelShown:
    """Return the details of one model.

    Raises:
        BackendFailed: the model's file cannot be used.
    """
    size = synthetic_size(name)
    if size is not None:
        return ModelShown(model=_speed_only(name, cache_folder))
    path = model_file(name, cache_folder)
    header = header_of(path)
    model = _demo() if name == DEMO_NAME else _file_model(path, header)
    return ModelShown(model=model, template=header.chat_template, license=header.license, kv=header.kv)


def header_of(path: Path) -> GgufHeader:
    """Return the header of a model's file.

    Raises:
        BackendFailed: the file is missing, cut short or not a model.
    """
    try:
        return readable_model(path)
    except BadGguf as bad:
        raise BackendFailed(bad.problem) from bad


def _demo() -> Model:
    model = _file_model(DEMO_FILE, readable_model(DEMO_FILE))
    return msgspec.structs.replace(model, name=DEMO_NAME, thinking=False, note=DEMO_NOTE)


def _speed_only(name: str, cache_folder: Path) -> Model:
    """Return a speed-only model.

    Its digest is a hash of the recipe (version, size and dimensions). The bytes of the file depend on the version of
    numpy.
    """
    size = _SYNTHETIC[name]
    shape = SHAPES[size]
    recipe = msgspec.json.encode((RECIPE, size, shape))
    return Model(
        name=name,
        digest="recipe:" + hashlib.sha256(recipe).hexdigest(),
        backend="builtin",
        size_bytes=synthetic_path(size, cache_folder).stat().st_size if is_made(size, cache_folder) else None,
        parameters=size,
        quantisation="Q8_0",
        family="llama",
        format="gguf",
        context_limit=shape.context_length,
        thinking=False,
        note=SPEED_NOTE,
    )


def _file_model(path: Path, header: GgufHeader) -> Model:
    return Model(
        name=str(path),
        digest=gguf_digest(path),
        backend="builtin",
        size_bytes=header.size_bytes,
        parameters=parameter_label(header.parameter_count) if header.parts in (None, 1) else None,
        quantisation=header.quantisation,
        family=header.architecture,
        format="gguf",
        context_limit=header.context_length,
        thinking=True if "enable_thinking" in (header.chat_template or "") else None,
    )


def _listed_file(path: Path) -> ListedModel:
    try:
        return ListedModel(model=_file_model(path, readable_model(path)))
    except BadGguf as bad:
        return ListedModel(model=Model(name=str(path), digest="", backend="builtin"), why_not=bad.problem)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        there = path.expanduser().absolute()
        if there.is_dir():
            yield from sorted(there.glob("*.gguf")) or [there]
        else:
            yield there
