from __future__ import annotations

import hashlib
import os
import struct
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmtui.backends import gguf_file
from llmtui.backends.gguf_file import BadGguf, gguf_digest, parameter_label, read_gguf, readable_model
from llmtui.core.fit import KvShape
from llmtui.words.problems import problem_remedy, problem_what

DEMO = Path(gguf_file.__file__).with_name("models") / "tiny-Q8_0.gguf"
U32, STRING, ARRAY, U64 = 4, 8, 9, 10


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def entry(key: str, kind: int, value: bytes) -> bytes:
    return text(key) + struct.pack("<I", kind) + value


def string(key: str, value: str) -> bytes:
    return entry(key, STRING, text(value))


def number(key: str, value: int) -> bytes:
    return entry(key, U32, struct.pack("<I", value))


def tensor(name: str, dimensions: tuple[int, ...], kind: int = 0, offset: int = 0) -> bytes:
    table = struct.pack("<I", len(dimensions)) + struct.pack(f"<{len(dimensions)}Q", *dimensions)
    return text(name) + table + struct.pack("<IQ", kind, offset)


def gguf(
    entries: tuple[bytes, ...] = (),
    tensors: tuple[bytes, ...] = (),
    data: int = 0,
    version: int = 3,
    counts: tuple[int, int] | None = None,
) -> bytes:
    """A GGUF file with ``data`` bytes of weights after the padded header."""
    declared = counts or (len(tensors), len(entries))
    head = b"GGUF" + struct.pack("<IQQ", version, *declared) + b"".join(entries) + b"".join(tensors)
    return head + bytes(-len(head) % 32) + bytes(data)


LLAMA = (string("general.architecture", "llama"), number("llama.context_length", 4096))


@pytest.fixture
def write(tmp_path: Path) -> Path:
    return tmp_path / "model.gguf"


def refused(path: Path) -> BadGguf:
    with pytest.raises(BadGguf) as caught:
        readable_model(path)
    assert str(path) in problem_what(caught.value.problem)
    assert problem_remedy(caught.value.problem)
    return caught.value


def read_or_refused(path: Path) -> str | int:
    """Return the size that the header requires, or the words of the refusal."""
    try:
        return read_gguf(path).needed_bytes
    except BadGguf as bad:
        return problem_what(bad.problem) and problem_remedy(bad.problem)


def test_the_demo_model_says_what_it_is() -> None:
    header = readable_model(DEMO)
    assert header.architecture == "llama"
    assert header.name == "llmtui demo"
    assert header.context_length == 1024
    assert header.parameter_count == 1_967_808
    assert header.quantisation == "Q8_0"
    assert header.chat_template is not None
    assert header.chat_template.startswith("{% for message")
    assert header.needed_bytes == header.size_bytes == DEMO.stat().st_size


def test_the_demo_model_is_the_one_that_was_checked() -> None:
    assert gguf_digest(DEMO) == "sha256:3d2a45d3e71583701c57ed2ff4c5384ca4ba98a7b01926f1a9d2996e22fd90c9"


def test_facts_that_are_not_there_are_none(write: Path) -> None:
    write.write_bytes(gguf())
    header = read_gguf(write)
    assert (header.architecture, header.name, header.context_length, header.quantisation) == (None, None, None, None)
    assert (header.chat_template, header.part, header.parts, header.parameter_count) == (None, None, None, 0)


def test_the_kv_cache_is_read_from_layers_and_heads(write: Path) -> None:
    shape = (
        number("llama.block_count", 2),
        number("llama.embedding_length", 64),
        number("llama.attention.head_count", 4),
    )
    heads = struct.pack("<IQII", U32, 2, 4, 1)
    write.write_bytes(gguf((*LLAMA, *shape, entry("llama.attention.head_count_kv", ARRAY, heads))))
    assert read_gguf(write).kv == KvShape(bytes_per_token=(4 + 1) * (16 + 16) * 2, context_limit=4096)
    write.write_bytes(gguf(LLAMA))
    assert read_gguf(write).kv is None


@pytest.mark.parametrize(
    "array", [struct.pack("<IQ", STRING, 1) + text("8"), struct.pack("<IQ", U32, 5000) + bytes(20_000)]
)
def test_an_array_that_is_no_number_per_layer_is_walked_over(write: Path, array: bytes) -> None:
    write.write_bytes(gguf((*LLAMA, entry("llama.attention.head_count_kv", ARRAY, array), number("x.block_count", 1))))
    assert (read_gguf(write).kv, read_gguf(write).context_length) == (None, 4096)


def test_the_context_length_is_that_of_the_architecture(write: Path) -> None:
    write.write_bytes(gguf((number("other.context_length", 7), *LLAMA)))
    assert read_gguf(write).context_length == 4096


@pytest.mark.parametrize(("file_type", "name"), [(15, "Q4_K_M"), (7, "Q8_0"), (1, "F16")])
def test_the_quantisation_is_named_as_people_name_it(write: Path, file_type: int, name: str) -> None:
    write.write_bytes(gguf((*LLAMA, number("general.file_type", file_type))))
    assert read_gguf(write).quantisation == name


def test_an_unknown_quantisation_is_that_of_most_weights(write: Path) -> None:
    tensors = (tensor("norm", (32,)), tensor("embd", (32, 64), kind=8, offset=128))
    write.write_bytes(gguf((*LLAMA, number("general.file_type", 999)), tensors, data=128 + 64 * 34))
    assert read_gguf(write).quantisation == "Q8_0"


def test_the_needed_size_is_where_the_last_tensor_ends(write: Path) -> None:
    tensors = (tensor("a", (32, 2), kind=8, offset=64), tensor("b", (16,), offset=0))
    whole = gguf(LLAMA, tensors, data=64 + 2 * 34)
    write.write_bytes(whole)
    assert read_gguf(write).needed_bytes == len(whole)


def test_the_alignment_moves_the_weights(write: Path) -> None:
    head = gguf((*LLAMA, number("general.alignment", 256)), (tensor("a", (4,)),))
    write.write_bytes(head + bytes(4096))
    assert read_gguf(write).needed_bytes == 256 + 16


def test_a_file_that_lacks_one_byte_is_cut_short(write: Path) -> None:
    whole = gguf(LLAMA, (tensor("a", (4,)),), data=16)
    write.write_bytes(whole)
    readable_model(write)
    write.write_bytes(whole[:-1])
    assert read_gguf(write).truncated
    bad = refused(write)
    assert bad.problem.code == "truncated"
    assert f"it has {len(whole) - 1:,} bytes and needs at least {len(whole):,}." in problem_what(bad.problem)


@pytest.mark.parametrize("kept", [4, 10, 30, 60, 20_000])
def test_a_file_that_ends_within_its_header_is_cut_short(write: Path, kept: int) -> None:
    write.write_bytes(DEMO.read_bytes()[:kept])
    assert refused(write).problem.code == "truncated"


@pytest.mark.parametrize("content", [b"", b"GG", b"hello", b"\x89PNG\r\n\x1a\n"])
def test_another_kind_of_file_is_not_a_gguf(write: Path, content: bytes) -> None:
    write.write_bytes(content)
    assert refused(write).problem.code == "not_gguf"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert refused(tmp_path / "nothing.gguf").problem.code == "no_file"


def test_a_folder_is_not_a_model(tmp_path: Path) -> None:
    assert "folder" in problem_what(refused(tmp_path).problem)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.gguf")
    assert refused(tmp_path / "pipe.gguf").problem.code == "not_a_file"


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="everything can be read here")
def test_a_file_that_may_not_be_read_says_so(write: Path) -> None:
    write.write_bytes(gguf())
    write.chmod(0)
    assert refused(write).problem.code == "unreadable"


def test_a_name_with_a_zero_byte_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "a\0b").problem.code == "unreadable"


@pytest.mark.parametrize(("version", "words"), [(1, "version 1"), (4, "version 4"), (3 << 24, "big-endian")])
def test_other_versions_are_refused(write: Path, version: int, words: str) -> None:
    write.write_bytes(gguf(version=version))
    bad = refused(write)
    assert bad.problem.code in ("gguf_version", "gguf_big_endian")
    assert words in problem_what(bad.problem)


def test_a_model_for_embeddings_is_refused(write: Path) -> None:
    bert = (string("general.architecture", "bert"), number("bert.pooling_type", 1))
    write.write_bytes(gguf(bert))
    assert read_gguf(write).embedding_only
    assert refused(write).problem.code == "makes_embeddings"


@pytest.mark.parametrize(
    "entries",
    [(string("general.architecture", "clip"),), (*LLAMA, string("general.type", "adapter"))],
    ids=["image projector", "adapter"],
)
def test_a_part_that_is_added_to_a_model_is_refused(write: Path, entries: tuple[bytes, ...]) -> None:
    write.write_bytes(gguf(entries))
    assert refused(write).problem.code == "adapter"


def test_of_a_split_model_the_first_part_is_wanted(write: Path) -> None:
    write.write_bytes(gguf((*LLAMA, number("split.no", 0), number("split.count", 3))))
    assert readable_model(write).parts == 3
    write.write_bytes(gguf((*LLAMA, number("split.no", 1), number("split.count", 3))))
    assert "part 2 of a model in 3 files" in problem_what(refused(write).problem)


HOSTILE: Mapping[str, bytes] = {
    "more entries than bytes": gguf(counts=(0, 1 << 60)),
    "more tensors than bytes": gguf(counts=(1 << 60, 0)),
    "a string beyond the end": gguf((entry("general.name", STRING, struct.pack("<Q", 1 << 62)),)),
    "a skipped string beyond the end": gguf((entry("x", STRING, struct.pack("<Q", (1 << 64) - 1)),)),
    "an array beyond the end": gguf((entry("x", ARRAY, struct.pack("<IQ", U64, 1 << 61)),)),
    "an array of too many strings": gguf((entry("x", ARRAY, struct.pack("<IQ", STRING, 1 << 40)),)),
    "an array of arrays": gguf((entry("x", ARRAY, struct.pack("<IQ", ARRAY, 1 << 20)),)),
    "an unknown type": gguf((entry("x", 77, b""),)),
    "a key of a gigabyte": gguf((struct.pack("<Q", 1 << 30),)),
    "an alignment of zero": gguf((number("general.alignment", 0),)),
    "an alignment that is no power of two": gguf((number("general.alignment", 48),)),
    "a tensor of too many dimensions": gguf(tensors=(tensor("a", (1,) * 9),)),
    "a tensor of too many elements": gguf(tensors=(tensor("a", (1 << 40, 1 << 40)),)),
    "a tensor far beyond the end": gguf(tensors=(tensor("a", (4,), offset=(1 << 64) - 32),)),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_headers_are_refused_in_words(write: Path, content: bytes) -> None:
    write.write_bytes(content)
    assert refused(write).problem.code in ("damaged", "truncated")


def test_a_tensor_type_newer_than_this_program_is_no_error(write: Path) -> None:
    write.write_bytes(gguf(LLAMA, (tensor("a", (4,), kind=4000, offset=64),), data=200))
    header = readable_model(write)
    assert header.quantisation is None
    assert header.parameter_count == 4


def test_text_that_is_not_utf8_is_replaced(write: Path) -> None:
    write.write_bytes(gguf((entry("general.name", STRING, struct.pack("<Q", 2) + b"a\xff"),)))
    assert read_gguf(write).name == "a\N{REPLACEMENT CHARACTER}"


def test_a_number_where_a_text_belongs_is_missing(write: Path) -> None:
    write.write_bytes(gguf((number("general.architecture", 3), number("general.name", 4))))
    assert read_gguf(write).architecture is None


def test_a_key_of_too_much_text_is_walked_over(write: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gguf_file, "MAX_TEXT_BYTES", 8)
    write.write_bytes(gguf((string("tokenizer.chat_template", "x" * 9), *LLAMA)))
    header = read_gguf(write)
    assert header.chat_template is None
    assert header.architecture == "llama"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=400))
def test_any_bytes_after_the_magic_are_read_or_refused(write: Path, rest: bytes) -> None:
    write.write_bytes(b"GGUF\x03\x00\x00\x00" + rest)
    assert read_or_refused(write)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2000), st.integers(0, 255))
def test_any_changed_byte_is_read_or_refused(write: Path, at: int, value: int) -> None:
    content = bytearray(gguf((*LLAMA, number("general.alignment", 32)), (tensor("a", (32, 4), kind=8),), data=256))
    content[at % len(content)] = value
    write.write_bytes(bytes(content))
    assert read_or_refused(write)


@pytest.mark.parametrize(
    ("count", "label"),
    [(0, "0"), (999, "999"), (1_000, "1.0K"), (1_967_808, "2.0M"), (116_900_000, "116.9M"), (7_241_732_096, "7.2B")],
)
def test_parameter_counts_are_short(count: int, label: str) -> None:
    assert parameter_label(count) == label


def test_a_small_file_is_digested_whole(write: Path) -> None:
    write.write_bytes(b"some bytes")
    assert gguf_digest(write) == "sha256:" + hashlib.sha256(b"some bytes").hexdigest()


def test_a_large_file_is_sampled_and_its_size_metadata_and_weights_all_count(
    write: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gguf_file, "WHOLE_DIGEST_BYTES", 1000)
    content = bytearray(2 << 20)
    write.write_bytes(bytes(content))
    seen = {gguf_digest(write)}
    assert next(iter(seen)).startswith("sampled:")
    for at in (0, (1 << 20) + 5, (2 << 20) - 1):
        changed = content[:]
        changed[at] = 1
        write.write_bytes(bytes(changed))
        seen.add(gguf_digest(write))
    write.write_bytes(bytes(content) + b"\0")
    seen.add(gguf_digest(write))
    assert len(seen) == 5


def test_the_digest_of_a_missing_file_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(BadGguf, match="no_file"):
        gguf_digest(tmp_path / "nothing")
