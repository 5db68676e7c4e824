"""Random changes to inputs, for fuzzing without knowledge of the code."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

LONGEST = 1 << 14
"""Longest input in bytes; longer ones are cut."""
NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
ODD = (
    b"1e308", b"1e400", b"-1", b"0", b"-0.0", b"NaN", b"Infinity", b"9" * 30, b"9223372036854775807",
    b"18446744073709551616", b"null", b"true", b"[]", b"{}", b'""', b"[[[[", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf",
    b"\\ud800", b"\\u0000", b"=cmd()", b"\xd9\xa3", b"\r", b"\n", b"\n\n", b",", b";", b'"', b"'", b"\t", b" ",
    b"\x1b]0;x\x07", b"\xf0\x9f\x98\x80", b"a" * 300,
    b"\xff\xff\xff\xff\xff\xff\xff\xff", b"\x00\x00\x00\x00\x00\x00\x00\x00", b"\xe2\x80\xae",
)  # fmt: skip


def mutated(data: bytes, corpus: Sequence[bytes], random: random.Random) -> bytes:
    """Return the bytes with one to four random changes."""
    for _ in range(random.randrange(1, 5)):
        data = _changed(data, corpus, random)
    return data[:LONGEST]


def mutations(corpus: Sequence[bytes], seed: int, number: int) -> Iterator[bytes]:
    """Yield the inputs of a corpus, and then random changes of them, ``number`` in all."""
    chance = random.Random(seed)
    for at in range(number):
        yield corpus[at] if at < len(corpus) else mutated(chance.choice(corpus), corpus, chance)


def _changed(data: bytes, corpus: Sequence[bytes], random: random.Random) -> bytes:
    start = random.randrange(len(data) + 1)
    end = min(len(data), start + random.choice((0, 1, 1, 2, 4, 8, 16, 64, 256)))
    how = random.randrange(8)
    if how == 0:  # cut out
        return data[:start] + data[end:]
    if how == 1:  # doubled
        return data[:end] + data[start:]
    if how == 2:  # moved
        to = random.randrange(len(data) + 1)
        return data[:to] + data[start:end] + data[to:]
    if how == 3:  # from another input
        other = random.choice(corpus)
        at = random.randrange(len(other) + 1)
        return data[:start] + other[at : at + random.choice((4, 16, 64, 1024))] + data[end:]
    if how == 4 and start < len(data):  # one bit
        return data[:start] + bytes([data[start] ^ 1 << random.randrange(8)]) + data[start + 1 :]
    if how == 5:  # a whole number
        found = NUMBER.search(data, start)
        if found is not None:
            return data[: found.start()] + random.choice(ODD) + data[found.end() :]
    if how == 6:  # random bytes
        return data[:start] + random.randbytes(random.choice((1, 2, 4, 8))) + data[end:]
    return data[:start] + random.choice(ODD) + data[end:]
