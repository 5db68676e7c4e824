r"""A small byte-level BPE in GPT-2's layout, with no dependency: train, encode, decode.

The text is first cut by llama.cpp's "gpt-2" pattern (``tokenizer.ggml.pre`` = "gpt-2"):
``'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)``
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

PIECES = re.compile(r"""'s|'t|'re|'ve|'m|'ll|'d| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+""")

Merge = tuple[str, str]


def _printable_bytes() -> dict[int, str]:
    """GPT-2's printable stand-in for every byte; those that are printable anyway come first."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + i) for i, byte in enumerate(others)}


BYTE_TO_CHAR = _printable_bytes()
CHAR_TO_BYTE = {char: byte for byte, char in BYTE_TO_CHAR.items()}


def _spelled(text: str) -> list[str]:
    return [BYTE_TO_CHAR[byte] for byte in text.encode()]


def _merged(parts: Sequence[str], merge: Merge) -> list[str]:
    """The parts with every neighbouring pair ``merge`` joined, from the left."""
    joined: list[str] = []
    at = 0
    while at < len(parts):
        if at + 1 < len(parts) and (parts[at], parts[at + 1]) == merge:
            joined.append(parts[at] + parts[at + 1])
            at += 2
        else:
            joined.append(parts[at])
            at += 1
    return joined


class Bpe:
    """A vocabulary: special tokens, the 256 bytes, then one token a merge."""

    def __init__(self, merges: Iterable[Sequence[str]], specials: Iterable[str]) -> None:
        """Numbers the tokens.

        Args:
            merges: pairs in the order in which they are to be joined.
            specials: tokens that are recognised whole; they get the first numbers.

        Raises:
            ValueError: two merges make the same token.
        """
        self.specials = list(specials)
        self.merges: list[Merge] = [(a, b) for a, b in merges]
        self.tokens = [*self.specials, *(BYTE_TO_CHAR[byte] for byte in range(256)), *(a + b for a, b in self.merges)]
        if len(set(self.tokens)) != len(self.tokens):
            raise ValueError("two merges make the same token")
        self.id = {token: number for number, token in enumerate(self.tokens)}
        self._rank = {merge: rank for rank, merge in enumerate(self.merges)}
        self._known: dict[str, list[int]] = {}
        self._special = re.compile("(" + "|".join(map(re.escape, self.specials)) + ")")

    @classmethod
    def train(cls, text: str, vocabulary: int, specials: Sequence[str], least_count: int = 2) -> Bpe:
        """Learns merges until the vocabulary is full or no pair occurs ``least_count`` times."""
        words: Counter[str] = Counter()
        for part in re.split("|".join(map(re.escape, specials)), text):
            words.update(PIECES.findall(part))
        pairs = _Pairs(words)
        merges: list[Merge] = []
        while len(merges) < vocabulary - 256 - len(specials):
            merge = pairs.most_frequent(least_count)
            if merge is None:
                break
            merges.append(merge)
            pairs.join(merge)
        return cls(merges, specials)

    def encode(self, text: str) -> list[int]:
        """Gives the token numbers of a text; special tokens in it are recognised."""
        numbers: list[int] = []
        for part in self._special.split(text):
            if part in self.specials:
                numbers.append(self.id[part])
            else:
                for piece in PIECES.findall(part):
                    numbers += self._of_piece(piece)
        return numbers

    def decode(self, numbers: Iterable[int]) -> str:
        """Gives the text of token numbers; half a character is replaced."""
        data = bytearray()
        for number in numbers:
            token = self.tokens[number]
            data += token.encode() if number < len(self.specials) else bytes(CHAR_TO_BYTE[char] for char in token)
        return data.decode(errors="replace")

    def _of_piece(self, piece: str) -> list[int]:
        known = self._known.get(piece)
        if known is not None:
            return known
        parts = _spelled(piece)
        while len(parts) > 1:
            best = min(pairwise(parts), key=lambda pair: self._rank.get(pair, len(self._rank)))
            if best not in self._rank:
                break
            parts = _merged(parts, best)
        numbers = self._known[piece] = [self.id[part] for part in parts]
        return numbers


class _Pairs:
    """How often each pair of neighbours occurs, kept up to date as pairs are joined."""

    def __init__(self, words: Counter[str]) -> None:
        self._words = words
        self._parts = {word: _spelled(word) for word in words}
        self._counts: Counter[Merge] = Counter()
        self._where: dict[Merge, set[str]] = {}
        for word in words:
            self._count(word, 1)

    def most_frequent(self, least_count: int) -> Merge | None:
        """The most frequent pair, the last in the alphabet of those with one count; None below ``least_count``."""
        if not self._counts:
            return None
        merge, count = max(self._counts.items(), key=lambda entry: (entry[1], entry[0]))
        return merge if count >= least_count else None

    def join(self, merge: Merge) -> None:
        """Joins a pair wherever it occurs."""
        for word in self._where.pop(merge):
            self._count(word, -1)
            self._parts[word] = _merged(self._parts[word], merge)
            self._count(word, 1)
        self._counts.pop(merge, None)

    def _count(self, word: str, sign: int) -> None:
        for pair in pairwise(self._parts[word]):
            self._counts[pair] += sign * self._words[word]
            if sign > 0:
                self._where.setdefault(pair, set()).add(word)
