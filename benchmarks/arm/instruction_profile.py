"""Where the executed instructions are: functions and innermost loops, and how many work on vectors."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .assembly import Block

Counted = tuple[Block, int]
"""A block, and how often it ran."""


@dataclass(frozen=True)
class Share:
    """What a function or a loop executes.

    Parameters
    ----------
    name : str
        Of the function; of a loop its function, and the line that most of its instructions are of.
    executed : int
        Instructions.
    vector : int
        Vector instructions among them.
    """

    name: str
    executed: int
    vector: int


def functions(counted: Iterable[Counted]) -> list[Share]:
    """Add up what functions execute.

    Parameters
    ----------
    counted : iterable of (Block, int)
        Of a library.

    Returns
    -------
    list of Share
        Those that ran; most instructions first.
    """
    return _sorted(_share(name, part) for name, part in _by_function(counted).items())


def innermost_loops(counted: Iterable[Counted]) -> list[Share]:
    """Add up what innermost loops execute.

    A loop is what lies between a branch backwards within a function and its target, from where the branch is
    reached again. It is innermost where no other loop lies in it. Loops that begin at the same place are one.

    Parameters
    ----------
    counted : iterable of (Block, int)
        Of a library, in the order of its code.

    Returns
    -------
    list of Share
        Those that ran; most instructions first.
    """
    found = []
    for name, part in _by_function(counted).items():
        for start, end in _innermost([block for block, _ in part]):
            body = part[start : end + 1]
            lines: Counter[str] = Counter()
            for block, runs in body:
                for one in block.instructions:
                    lines[one.line] += runs
            found.append(_share(f"{name} {lines.most_common(1)[0][0]}", body))
    return _sorted(found)


def _by_function(counted: Iterable[Counted]) -> dict[str, list[Counted]]:
    parts: dict[str, list[Counted]] = defaultdict(list)
    for block, runs in counted:
        parts[block.function].append((block, runs))
    return parts


def _innermost(blocks: Sequence[Block]) -> list[tuple[int, int]]:
    """Places of the first and last blocks of the innermost loops of a function."""
    places = {label: place for place, block in enumerate(blocks) for label in block.labels}
    ends: dict[int, int] = {}
    for place, block in enumerate(blocks):
        start = places.get(block.target or "", place + 1)
        if start <= place and _reaches(blocks, places, start, place):
            ends[start] = max(place, ends.get(start, place))
    return [
        (start, end)
        for start, end in ends.items()
        if not any(start <= other and last <= end for other, last in ends.items() if other != start)
    ]


def _reaches(blocks: Sequence[Block], places: Mapping[str, int], start: int, end: int) -> bool:
    """Whether the block at one place leads to another one, through what lies between."""
    seen: set[int] = set()
    ahead = [start]
    while ahead:
        place = ahead.pop()
        if place in seen or not start <= place <= end:
            continue
        seen.add(place)
        ahead.append(places.get(blocks[place].target or "", -1))
        if blocks[place].goes_on:
            ahead.append(place + 1)
    return end in seen


def _share(name: str, part: Iterable[Counted]) -> Share:
    executed = vector = 0
    for block, runs in part:
        executed += runs * len(block.instructions)
        vector += runs * sum(one.vector for one in block.instructions)
    return Share(name, executed, vector)


def _sorted(shares: Iterable[Share]) -> list[Share]:
    return sorted((one for one in shares if one.executed), key=lambda one: -one.executed)
