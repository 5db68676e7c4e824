"""Speed-only models: random weights of a chosen size, made when needed. The load is real, the text is noise.

The module runs as a program (``python -m llmtui.backends.synthetic 24M FOLDER``), so that numpy is not loaded in the
measuring process. The tokeniser is that of the demo model, read from the shipped file.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from llmtui.backends.gguf_file import BadGguf, read_gguf
from llmtui.backends.gguf_writing import quantised, vocabulary_of, write_gguf
from llmtui.core.records import Problem, ProblemError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

Size = Literal["24M", "114M"]
TOKENISER_FILE: Final = Path(__file__).with_name("models") / "tiny-Q8_0.gguf"
RECIPE: Final = 2
"""Version of the recipe, part of the file's name. Increased whenever the same name would produce a different file."""
EXIT_FAILED: Final = 1
STALE_S: Final = 600
"""Seconds after which an unfinished file that is no longer written to counts as left behind by a killed run."""


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """Dimensions of a llama-architecture model. Every row length is a multiple of 32, the block size of Q8_0."""

    width: int
    layers: int
    heads: int
    kv_heads: int
    feed_forward: int
    context_length: int = 2048
    rope_base: float = 10_000.0
    norm_epsilon: float = 1e-5

    @property
    def kv_width(self) -> int:
        """Number of columns of the keys, and of the values."""
        return self.width // self.heads * self.kv_heads


SHAPES: Final[dict[Size, Shape]] = {
    "24M": Shape(width=512, layers=8, heads=8, kv_heads=4, feed_forward=1408),
    "114M": Shape(width=1024, layers=10, heads=16, kv_heads=4, feed_forward=2816),
}


class SyntheticFailed(ProblemError):
    """A speed-only model could not be made: ``synthetic_tools_missing`` or ``unwritable``."""


def synthetic_path(size: Size, folder: Path) -> Path:
    """Return the path of a speed-only model's file, which may not exist yet."""
    return folder / f"llmtui-synthetic-{size}-v{RECIPE}.gguf"


def is_made(size: Size, folder: Path) -> bool:
    """Return whether the file of a speed-only model exists and is complete."""
    try:
        return not read_gguf(synthetic_path(size, folder)).truncated
    except BadGguf:
        return False


def make_synthetic(size: Size, folder: Path) -> Path:
    """Make a speed-only model unless it exists; return the path of its GGUF file.

    The file is written under a temporary name and renamed when complete, so an interrupted run leaves nothing that
    looks like a model. The same version of numpy makes the same bytes.

    Args:
        size: the parameter count: 24M takes half a second and 26 MB, 114M some four seconds and 124 MB.
        folder: folder of the file; created if missing.

    Returns:
        The GGUF file's path.

    Raises:
        SyntheticFailed: numpy or gguf is not installed, or the folder cannot be written.
    """
    path = synthetic_path(size, folder)
    if is_made(size, folder):
        return path
    try:
        import gguf  # noqa: F401  # of the extra "synthetic"; asked for here so that the error has words
        import numpy as np  # noqa: F401
    except ImportError as error:
        raise SyntheticFailed(Problem(code="synthetic_tools_missing", detail=str(error))) from error
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(path)
        unfinished = path.with_name(f".{path.name}-{os.getpid()}")
        try:
            _write(unfinished, size)
            _flush(unfinished)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        problem = Problem(
            code="unwritable", args={"size": size, "folder": str(folder)}, detail=error.strerror or str(error)
        )
        raise SyntheticFailed(problem) from error
    return path


def random_tensors(shape: Shape, tokens: list[str], seed: int = 0) -> Iterator[tuple[str, Matrix]]:
    """Yield normally distributed weights, one tensor at a time, scaled so that activations keep their size.

    The output matrix is separate from the embedding. If both were the same, the model would repeat one token for ever,
    and Ollama ends such a stream after 30 repeats without a last line. Rows of tokens that are not plain ASCII words
    are zero, so that the model neither stops early nor writes half a character.

    Args:
        shape: the dimensions.
        tokens: the vocabulary, with bytes written as GPT-2's printable characters.
        seed: seed of the generator.

    Yields:
        GGUF tensor names and float32 arrays, matrices as [out, in].
    """
    import numpy as np

    generator = np.random.default_rng(seed)

    def matrix(rows: int, columns: int) -> Matrix:
        weights: Matrix = (generator.standard_normal((rows, columns)) * columns**-0.5).astype(np.float32)
        return weights

    d, kv, ff = shape.width, shape.kv_width, shape.feed_forward
    ones = np.ones(d, np.float32)
    head = matrix(len(tokens), d)
    head[[not re.fullmatch("Ġ?[A-Za-z]{2,}", token) for token in tokens]] = 0
    yield "token_embd.weight", generator.standard_normal((len(tokens), d)).astype(np.float32)
    yield "output_norm.weight", ones
    yield "output.weight", head
    for layer in range(shape.layers):
        block = f"blk.{layer}."
        yield block + "attn_norm.weight", ones
        yield block + "attn_q.weight", matrix(d, d)
        yield block + "attn_k.weight", matrix(kv, d)
        yield block + "attn_v.weight", matrix(kv, d)
        yield block + "attn_output.weight", matrix(d, d)
        yield block + "ffn_norm.weight", ones
        yield block + "ffn_gate.weight", matrix(ff, d)
        yield block + "ffn_up.weight", matrix(ff, d)
        yield block + "ffn_down.weight", matrix(d, ff)


def _write(path: Path, size: Size) -> None:
    import gguf

    shape = SHAPES[size]
    tokens = vocabulary_of(TOKENISER_FILE)
    write_gguf(
        path,
        keys={
            "general.type": "model",
            "general.name": f"llmtui synthetic {size}",
            "general.description": "Random weights for measuring speed; the text is noise.",
            "general.quantization_version": gguf.GGML_QUANT_VERSION,
            "general.file_type": int(gguf.LlamaFileType.MOSTLY_Q8_0),
            "llama.context_length": shape.context_length,
            "llama.embedding_length": shape.width,
            "llama.block_count": shape.layers,
            "llama.feed_forward_length": shape.feed_forward,
            "llama.attention.head_count": shape.heads,
            "llama.attention.head_count_kv": shape.kv_heads,
            "llama.rope.dimension_count": shape.width // shape.heads,
            "llama.rope.freq_base": shape.rope_base,
            "llama.attention.layer_norm_rms_epsilon": shape.norm_epsilon,
            "llama.vocab_size": len(tokens),
        },
        copied_from=TOKENISER_FILE,
        copied=lambda key: key.startswith("tokenizer."),
        tensors=lambda: (quantised(name, weights) for name, weights in random_tensors(shape, tokens)),
    )


def _remove_leftovers(path: Path) -> None:
    """Remove the unfinished files of runs that were killed."""
    for leftover in path.parent.glob(f".{path.name}-*"):
        if time.time() - leftover.stat().st_mtime > STALE_S:
            leftover.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def main(arguments: list[str]) -> int:
    """Make one model and print a JSON line: ``{"path": …}``, or ``{"error": PROBLEM}``.

    Args:
        arguments: size (a key of ``SHAPES``) and folder.

    Returns:
        0, or 1 after an error.
    """
    wanted, folder = arguments
    size = next(size for size in SHAPES if size == wanted)
    try:
        answer: dict[str, object] = {"path": str(make_synthetic(size, Path(folder)))}
    except SyntheticFailed as error:
        answer = {"error": msgspec.to_builtins(error.problem)}
    sys.stdout.write(json.dumps(answer) + "\n")
    return EXIT_FAILED if "error" in answer else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
