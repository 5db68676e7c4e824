"""Names and digests of simulated models; each digest is the SHA-256 of a manifest made from the model's fields."""

from __future__ import annotations

import hashlib
import re

from llmtui.simulator.jsontext import go_json
from llmtui.simulator.model import SimulatedModel

_NAME = re.compile(r"[\w.-]+(?:/[\w.-]+){0,2}(?::[\w.-]+)?", re.ASCII)


def tagged_name(name: str) -> str:
    """Return a model's name with its tag: `llama3` becomes `llama3:latest`."""
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def is_valid_name(name: str) -> bool:
    """Return whether a name has the form `[[host/]namespace/]model[:tag]`."""
    return _NAME.fullmatch(name) is not None


def blob_hash(model: SimulatedModel) -> str:
    """Return the hex SHA-256 that names the file of the model's weights; the same for all models that share weights."""
    label = model.weights
    if label is None:
        label = f"{tagged_name(model.name)} {model.parameter_size} {model.quantization_level} {model.size_bytes}"
    return _sha256(label.encode())


def layers(model: SimulatedModel) -> tuple[tuple[str, int], ...]:
    """Return hex digest and size in bytes of each of the model's layers, weights first."""
    texts = (model.template, model.license)
    return (
        (blob_hash(model), model.size_bytes),
        *((_sha256(text.encode()), len(text.encode())) for text in texts if text),
    )


def manifest(model: SimulatedModel) -> bytes:
    """Return the model's manifest as JSON."""
    config = go_json(
        {
            "model_format": "gguf",
            "model_family": model.family,
            "model_type": model.parameter_size,
            "file_type": model.quantization_level,
        }
    )
    return go_json(
        {
            "schemaVersion": 2,
            "config": {"digest": f"sha256:{_sha256(config)}", "size": len(config)},
            "layers": [{"digest": f"sha256:{digest}", "size": size_bytes} for digest, size_bytes in layers(model)],
        }
    )


def manifest_digest(model: SimulatedModel) -> str:
    """Return the hex SHA-256 of the manifest, which is the digest in /api/tags and /api/ps."""
    return _sha256(manifest(model))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
