"""Reader of the header of a GGUF file; needs only the standard library.

A downloaded file is not trusted. Every count and length in it is checked against the size of the file before it is
used. Arrays of texts are skipped, and every fault becomes a BadGguf. The weights are never read, except for the samples
that ``gguf_digest`` takes. Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import hashlib
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Final

import msgspec

from llmtui.backends.gguf_types import ARRAY, FILE_TYPES, INTEGERS, SCALARS, STRING, TENSOR_TYPES
from llmtui.core.codes import Fault, ModelProblem
from llmtui.core.fit import KvShape, kv_shape
from llmtui.core.records import Argument, Problem, ProblemError

MAX_TEXT_BYTES: Final = 1 << 20
"""Longest string that is kept, in bytes (a chat template has some 10 kB); longer ones are skipped."""
MAX_NAME_BYTES: Final = 65_535
"""Longest key or tensor name in bytes, a limit of the format."""
MAX_STRINGS: Final = 1 << 22
"""Largest total number of strings in arrays. The largest vocabularies have some 300,000 tokens and 600,000 merges."""
MAX_ENTRIES: Final = 1 << 20
"""Largest number of metadata entries, and of tensors."""
MAX_ELEMENTS: Final = 1 << 60

WHOLE_DIGEST_BYTES: Final = 64 << 20
_SAMPLES: Final = 256
_SAMPLE_BYTES: Final = 4096
_SHORT_BYTES: Final = 4096

_KEPT: Final = frozenset({
    "general.architecture", "general.name", "general.type", "general.file_type", "general.alignment",
    "general.license", "general.description", "tokenizer.chat_template", "split.no", "split.count",
})  # fmt: skip
_KEPT_OF_ARCHITECTURE: Final = (
    ".context_length", ".pooling_type", ".block_count", ".embedding_length", ".attention.head_count",
    ".attention.head_count_kv", ".attention.key_length", ".attention.value_length",
)  # fmt: skip
MAX_LAYERS: Final = 4096
"""Longest array of numbers that is kept; such arrays have one number per layer."""


class BadGguf(ProblemError):
    """A file that cannot be used as a model."""

    def __init__(self, path: Path, code: ModelProblem, detail: str | None = None, **args: Argument) -> None:
        super().__init__(Problem(code=code, args={"name": str(path), **args}, detail=detail))


class GgufHeader(msgspec.Struct, frozen=True, kw_only=True):
    """The content of a GGUF file's header. A value whose key is missing in the file is None."""

    size_bytes: int
    needed_bytes: int
    """The smallest file size that contains every tensor."""
    version: int
    architecture: str | None
    name: str | None
    kind: str | None
    """``general.type``: ``model``, ``adapter``, ``mmproj``, …"""
    context_length: int | None
    """Context length in tokens that the model was trained for."""
    parameter_count: int
    """Number of elements of all tensors in this file. If a model is split over several files, only this part counts."""
    quantisation: str | None
    chat_template: str | None
    license: str | None
    description: str | None
    embedding_only: bool
    """Whether the model makes embeddings instead of text, because it pools its output into one vector."""
    part: int | None
    """Number of this part, from 0, if a model is split over several files."""
    parts: int | None
    kv: KvShape | None = None
    """Shape of the KV cache."""

    @property
    def truncated(self) -> bool:
        """Whether some tensors are beyond the end of the file."""
        return self.size_bytes < self.needed_bytes


def parameter_label(count: int) -> str:
    """Return a parameter count for display, such as ``2.0M`` or ``7.2B``."""
    for limit, unit in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if count >= limit:
            return f"{count / limit:.1f}{unit}"
    return str(count)


def read_gguf(path: Path) -> GgufHeader:
    """Return a file's header. Its ``truncated`` says whether the file is too short for its tensors.

    Args:
        path: the file, with or without ``.gguf`` in its name.

    Raises:
        BadGguf: the file is missing, unreadable or not a GGUF file, or its header is cut short or damaged.
    """
    with _opened(path) as file:
        size = path.stat().st_size
        reader = _Reader(file, size, path)
        version = _version(reader)
        tensors, entries = reader.count(reader.u64(), 24), reader.count(reader.u64(), 13)
        facts = dict(_metadata(reader, entries))
        return _header(reader, version, facts, tensors)


def readable_model(path: Path) -> GgufHeader:
    """Return the header of a file that is to be run as a model.

    Raises:
        BadGguf: as in ``read_gguf``; also if the file is cut short, makes embeddings only, is an adapter or a
            projector, or is a later part of a split model.
    """
    header = read_gguf(path)
    if header.truncated:
        raise _truncated(path, header.size_bytes, header.needed_bytes)
    if header.embedding_only:
        raise BadGguf(path, "makes_embeddings")
    if header.architecture == "clip" or header.kind not in (None, "model"):
        raise BadGguf(path, "adapter", kind=header.kind or header.architecture or "?")
    if header.part:
        raise BadGguf(path, "later_part", part=header.part + 1, parts=header.parts or "?")
    return header


def gguf_digest(path: Path) -> str:
    """Return a digest that distinguishes builds of a model, without reading all of a large file.

    Returns:
        ``sha256:…`` of the whole file if it has at most 64 MiB, else ``sampled:…``. The latter is the SHA-256 of the
            size, the first MiB and 256 samples of 4 KiB, spread evenly over the file.

    Raises:
        BadGguf: the file cannot be read.
    """
    with _opened(path) as file:
        size = path.stat().st_size
        if size <= WHOLE_DIGEST_BYTES:
            return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
        digest = hashlib.sha256(struct.pack("<Q", size))
        digest.update(file.read(1 << 20))
        for sample in range(_SAMPLES):
            file.seek((size - _SAMPLE_BYTES) * (sample + 1) // _SAMPLES)
            digest.update(file.read(_SAMPLE_BYTES))
        return "sampled:" + digest.hexdigest()


@contextmanager
def _opened(path: Path) -> Iterator[BufferedReader]:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for its other end
            raise BadGguf(path, "is_folder" if path.is_dir() else "not_a_file")
        with path.open("rb") as file:
            yield file
    except FileNotFoundError:
        raise BadGguf(path, "no_file") from None
    except OSError as error:
        raise BadGguf(path, "unreadable", error.strerror) from error
    except ValueError as error:  # a path with a null character
        raise BadGguf(path, "unreadable", str(error)) from error


def _truncated(path: Path, size: int, needed: int) -> BadGguf:
    return BadGguf(path, "truncated", size=size, needed=needed)


class _Reader:
    """Reads little-endian numbers and strings from a file, never beyond its end."""

    def __init__(self, file: BufferedReader, size: int, path: Path) -> None:
        self._file = file
        self._size = size
        self.path = path
        self.at = 0
        self._strings_left = MAX_STRINGS

    @property
    def size(self) -> int:
        return self._size

    def damaged(self, fault: Fault, n: int = 0) -> BadGguf:
        return BadGguf(self.path, "damaged", fault=fault, n=n)

    def raw(self, length: int) -> bytes:
        if length > self._size - self.at:
            raise _truncated(self.path, self._size, self.at + length)
        data = self._file.read(length)
        if len(data) < length:
            raise _truncated(self.path, self.at + len(data), self.at + length)
        self.at += length
        return data

    def skip(self, length: int) -> None:
        if length > self._size - self.at:
            raise _truncated(self.path, self._size, self.at + length)
        self.at += length
        self._file.seek(self.at)

    def skip_strings(self, count: int) -> None:
        self._strings_left -= count
        if self._strings_left < 0:
            raise self.damaged("strings", MAX_STRINGS)
        for _ in range(count):
            length = int.from_bytes(self.raw(8), "little")
            if length <= _SHORT_BYTES:
                self.raw(length)  # cheaper than a seek, which discards the buffer
            else:
                self.skip(length)

    def u32(self) -> int:
        return int(struct.unpack("<I", self.raw(4))[0])

    def u64(self) -> int:
        return int(struct.unpack("<Q", self.raw(8))[0])

    def count(self, declared: int, least_bytes: int) -> int:
        """Return a declared number of entries.

        Raises:
            BadGguf: the file is too short for them, or the number is above the limit.
        """
        if declared > MAX_ENTRIES:
            raise self.damaged("entries", declared)
        if declared * least_bytes > self._size - self.at:
            raise _truncated(self.path, self._size, self.at + declared * least_bytes)
        return declared

    def name(self) -> str:
        length = self.u64()
        if length > MAX_NAME_BYTES:
            raise self.damaged("name_length", length)
        return self.raw(length).decode("utf-8", "replace")

    def text(self) -> str | None:
        """Return a string; None if it is too long to keep."""
        length = self.u64()
        if length > MAX_TEXT_BYTES:
            self.skip(length)
            return None
        return self.raw(length).decode("utf-8", "replace")


def _version(reader: _Reader) -> int:
    magic = reader.raw(min(4, reader.size))
    if magic != b"GGUF":
        raise BadGguf(reader.path, "not_gguf", start_bytes=repr(magic))
    version = reader.u32()
    if version in (2, 3):
        return version
    if version & 0xFFFF == 0 and version:
        raise BadGguf(reader.path, "gguf_big_endian")
    raise BadGguf(reader.path, "gguf_version", version=version)


def _metadata(reader: _Reader, entries: int) -> Iterator[tuple[str, object]]:
    for _ in range(entries):
        key = reader.name()
        kind = reader.u32()
        if key in _KEPT or key.endswith(_KEPT_OF_ARCHITECTURE):
            yield key, _value(reader, kind)
        else:
            _skip_value(reader, kind)


def _value(reader: _Reader, kind: int) -> object:
    if kind == STRING:
        return reader.text()
    if kind in INTEGERS:
        form = SCALARS[kind]
        return int(struct.unpack(form, reader.raw(struct.calcsize(form)))[0])
    if kind == ARRAY:
        return _numbers(reader)
    _skip_value(reader, kind)
    return None


def _numbers(reader: _Reader) -> tuple[int, ...] | None:
    """Return an array of whole numbers, such as the KV heads per layer; None for any other array."""
    kind, length = reader.u32(), reader.u64()
    if kind not in INTEGERS or length > MAX_LAYERS:
        _skip_elements(reader, kind, length)
        return None
    form = SCALARS[kind]
    return tuple(number for (number,) in struct.iter_unpack(form, reader.raw(struct.calcsize(form) * length)))


def _skip_value(reader: _Reader, kind: int) -> None:
    if kind in SCALARS:
        reader.skip(struct.calcsize(SCALARS[kind]))
    elif kind == STRING:
        reader.skip(reader.u64())
    elif kind == ARRAY:
        _skip_array(reader)
    else:
        raise reader.damaged("value_type", kind)


def _skip_array(reader: _Reader) -> None:
    _skip_elements(reader, reader.u32(), reader.u64())


def _skip_elements(reader: _Reader, kind: int, length: int) -> None:
    if kind in SCALARS:
        reader.skip(length * struct.calcsize(SCALARS[kind]))
        return
    if kind != STRING:
        raise reader.damaged("array_type", kind)
    reader.skip_strings(length)


def _header(reader: _Reader, version: int, facts: dict[str, object], tensors: int) -> GgufHeader:
    alignment = facts.get("general.alignment", 32)
    if not isinstance(alignment, int) or alignment < 1 or alignment & (alignment - 1):
        raise reader.damaged("alignment", alignment if isinstance(alignment, int) else 0)
    elements: dict[str | None, int] = {}
    needed_after_start = 0
    for _ in range(tensors):
        kind, count, end = _tensor(reader)
        elements[kind] = elements.get(kind, 0) + count
        needed_after_start = max(needed_after_start, end)
    start = -(-reader.at // alignment) * alignment
    architecture = _text(facts, "general.architecture")
    file_type = facts.get("general.file_type")
    most_of = max(elements, key=elements.__getitem__, default=None)
    return GgufHeader(
        size_bytes=reader.size,
        needed_bytes=start + needed_after_start,
        version=version,
        architecture=architecture,
        name=_text(facts, "general.name"),
        kind=_text(facts, "general.type"),
        context_length=_positive(facts, f"{architecture}.context_length"),
        parameter_count=sum(elements.values()),
        quantisation=FILE_TYPES.get(file_type, most_of) if isinstance(file_type, int) else most_of,
        chat_template=_text(facts, "tokenizer.chat_template"),
        license=_text(facts, "general.license"),
        description=_text(facts, "general.description"),
        embedding_only=_positive(facts, f"{architecture}.pooling_type") is not None,
        part=split_no if isinstance(split_no := facts.get("split.no"), int) and split_no >= 0 else None,
        parts=_positive(facts, "split.count"),
        kv=kv_shape(facts),
    )


def _tensor(reader: _Reader) -> tuple[str | None, int, int]:
    """Return one entry of the tensor table: the type's name, the number of elements, and the end of the tensor's data.

    The end is an offset in bytes from the start of the data section. For an unknown type the name is None and the end
    is the start of the data.
    """
    reader.name()
    dimensions = reader.u32()
    if dimensions > 8:
        raise reader.damaged("dimensions", dimensions)
    elements = 1
    for _ in range(dimensions):
        elements *= reader.u64()
    if elements > MAX_ELEMENTS:
        raise reader.damaged("tensor_size")
    kind, offset = reader.u32(), reader.u64()
    if kind not in TENSOR_TYPES:
        return None, elements, offset  # a newer type: the tensor's position is known, its size is not
    name, per_block, block_bytes = TENSOR_TYPES[kind]
    return name, elements, offset + -(-elements // per_block) * block_bytes


def _text(facts: dict[str, object], key: str) -> str | None:
    value = facts.get(key)
    return value if isinstance(value, str) else None


def _positive(facts: dict[str, object], key: str) -> int | None:
    value = facts.get(key)
    return value if isinstance(value, int) and value > 0 else None
