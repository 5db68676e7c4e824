"""Writer of GGUF model files. It needs numpy and gguf, from the extra ``synthetic``; reading needs neither."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import gguf
    from numpy.typing import NDArray

Tensor = tuple[str, "NDArray[Any]", "gguf.GGMLQuantizationType | None"]
"""(name, values, tensor type if the values are already quantised, else None). Matrices are [out, in]."""
ARCHITECTURE = "llama"


def write_gguf(
    path: Path,
    *,
    keys: Mapping[str, str | int | float],
    copied_from: Path,
    copied: Callable[[str], bool],
    tensors: Callable[[], Iterable[Tensor]],
) -> None:
    """Write a model of the llama architecture.

    Args:
        path: the file; an existing one is overwritten.
        keys: metadata; a number is written as uint32 or float32.
        copied_from: a model file from which further metadata are copied.
        copied: receives the name of a key in ``copied_from``; returns whether to copy it.
        tensors: yields the tensors one at a time, so that the float weights are never all in memory.
    """
    import gguf

    kinds = {str: gguf.GGUFValueType.STRING, int: gguf.GGUFValueType.UINT32, float: gguf.GGUFValueType.FLOAT32}
    writer = gguf.GGUFWriter(path, ARCHITECTURE)
    for key, value in keys.items():
        writer.add_key_value(key, value, kinds[type(value)])
    for key, field in gguf.GGUFReader(copied_from).fields.items():
        if copied(key):
            writer.add_key_value(key, field.contents(), field.types[0], field.types[-1] if field.types[1:] else None)
    for name, values, kind in tensors():
        writer.add_tensor(name, values, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def tensors_of(path: Path) -> list[Tensor]:
    """Return all tensors of a file without dequantising them."""
    import gguf

    return [(tensor.name, tensor.data, tensor.tensor_type) for tensor in gguf.GGUFReader(path).tensors]


def vocabulary_of(path: Path) -> list[str]:
    """Return the tokens of a model's vocabulary, with bytes written as GPT-2's printable characters."""
    import gguf

    tokens: list[str] = gguf.GGUFReader(path).fields["tokenizer.ggml.tokens"].contents()
    return tokens


def quantised(name: str, values: NDArray[Any]) -> Tensor:
    """Return a matrix quantised as Q8_0; a vector is returned unchanged."""
    import gguf

    if values.ndim == 1:
        return name, values, None
    kind = gguf.GGMLQuantizationType.Q8_0
    return name, gguf.quants.quantize(values, kind), kind
