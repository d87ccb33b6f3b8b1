"""Times of codecs as Markdown tables."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from .turns import Times, growth, spread


def duel_text(times: Sequence[Times], count: int) -> str:
    """Describe the times of several codecs on one scene as a Markdown table.

    Parameters
    ----------
    times : sequence of Times
        The first one is what the others are compared with.
    count : int
        Samples in the scene.

    Returns
    -------
    str
        Lines of text.
    """
    rows = [
        "| codec | bps | encode s, median (range) | relative | Msamples/s | decode s, median (range) |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    first = statistics.median(times[0].encode)
    for entry in times:
        median = statistics.median(entry.encode)
        rows.append(
            f"| {entry.name} | {8 * entry.size / count:.3f} | {spread(entry.encode)} | {median / first:.2f} "
            f"| {count / median / 1e6:.1f} | {spread(entry.decode)} |"
        )
    return "\n".join(rows)


def threads_text(times: Sequence[Times], count: int) -> str:
    """Describe elapsed times over numbers of threads as a Markdown table.

    Parameters
    ----------
    times : sequence of Times
        The first one is what the others are compared with.
    count : int
        Samples in the scene.

    Returns
    -------
    str
        Lines of text.
    """
    rows = ["| | encode s, median (range) | Msamples/s | times the first |", "|---|---:|---:|---:|"]
    first = statistics.median(times[0].encode)
    for entry in times:
        median = statistics.median(entry.encode)
        rows.append(
            f"| {entry.name} | {spread(entry.encode)} | {count / median / 1e6:.1f} | {first / median:.2f} |"
        )
    return "\n".join(rows)


def sweep_text(name: str, counts: Sequence[int], times: Sequence[Times]) -> str:
    """Describe the times over growing scenes as a Markdown table.

    Parameters
    ----------
    name : str
        What grows: bands or lines.
    counts : sequence of int
        How many there are.
    times : sequence of Times
        Times for each.

    Returns
    -------
    str
        Lines of text, the fitted exponent last.
    """
    rows = [f"| {name} | encode s, median (range) |", "|---:|---:|"]
    rows += [f"| {count} | {spread(entry.encode)} |" for count, entry in zip(counts, times, strict=True)]
    exponent = growth(counts, [statistics.median(entry.encode) for entry in times])
    return "\n".join([*rows, "", f"Encoding time grows with {name} to the power of {exponent:.2f}."])
