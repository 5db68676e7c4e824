"""Shortening of names so that they stay distinct: the characters in which they differ are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache, partial

_DOTS = "…"
_LEAST_PART = 4
"""Smallest number of characters from the middle of a name that are worth showing beside its end."""


def short_names(names: Sequence[str], width: int) -> dict[str, str]:
    """Return each name shortened to a width, so that all results differ if the width allows it.

    Names that fit are unchanged. Longer names lose their middle. If several would then be the same, they keep the part
    in which they differ, or get a number if that part does not fit.

    Args:
        names: all names that are shown together, in the order of their rows.
        width: largest number of characters, 1 or more.
    """
    return dict(zip(names, _shortened(tuple(names), max(width, 1)), strict=True))


@lru_cache(maxsize=64)
def _shortened(names: tuple[str, ...], width: int) -> tuple[str, ...]:
    taken = {name for name in names if len(name) <= width}
    shown: dict[str, str] = {}
    for name in dict.fromkeys(names):
        if name in taken:
            shown[name] = name
            continue
        alike = [one for one in names if one != name and _cut(one, width) == _cut(name, width)]
        found = next((one for one in _ways(name, alike, width) if one not in taken), None)
        shown[name] = found or _numbered(name, width, taken)
        taken.add(shown[name])
    return tuple(shown[name] for name in names)


def _cut(name: str, width: int) -> str:
    """Return the name without its middle, since names mostly differ at their ends."""
    if len(name) <= width:
        return name
    tail = (width - 1) // 2
    return _ends(name, width - 1 - tail, tail)


def _ends(name: str, head: int, tail: int) -> str:
    return f"{name[:head]}{_DOTS}{name[len(name) - tail :] if tail else ''}"


def _ways(name: str, alike: Sequence[str], width: int) -> Iterator[str]:
    """Yield those shortened forms of a name which no similar name has, the preferred one first."""
    if not alike:
        yield _cut(name, width)
    room = width - 1
    tails = sorted(range(room + 1), key=lambda tail: abs(tail - room // 2))
    near, far = tails[: room // 2], tails[room // 2 :]
    yield from _differing(name, alike, [partial(_ends, head=room - tail, tail=tail) for tail in near])
    for start in sorted({_first_difference(name, one) for one in alike}):
        tails = [tail for tail in (room // 3, room // 2, 0) if room - 1 - tail >= (_LEAST_PART if tail else 1)]
        yield from _differing(
            name, alike, [partial(_window, start=start, length=room - 1 - tail, tail=tail) for tail in tails]
        )
    yield from _differing(name, alike, [partial(_ends, head=room - tail, tail=tail) for tail in far])


def _differing(name: str, alike: Sequence[str], ways: Iterable[Callable[[str], str]]) -> Iterator[str]:
    """Yield the forms of a name that differ from the same forms of all similar names."""
    for way in ways:
        if all(way(one) != way(name) for one in alike):
            yield way(name)


def _window(name: str, start: int, length: int, tail: int) -> str:
    """Return a part of the name's middle, followed by its last ``tail`` characters."""
    return f"{_DOTS}{name[start : start + length]}{_DOTS}{name[len(name) - tail :] if tail else ''}"


def _first_difference(name: str, other: str) -> int:
    return next(
        (at for at, (one, two) in enumerate(zip(name, other, strict=False)) if one != two), min(len(name), len(other))
    )


def _numbered(name: str, width: int, taken: set[str]) -> str:
    for number in range(1, len(taken) + 2):
        mark = f"{_DOTS}{number}"
        found = f"{name[: max(width - len(mark), 0)]}{mark}"[-width:]
        if found not in taken:
            return found
    return _cut(name, width)
