"""Tables on the terminal in which nothing is cut: names and hashes in them are to be typed again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table


def print_table(rows: Sequence[Mapping[str, object]]) -> None:
    """Print a table on stdout.

    Parameters
    ----------
    rows : sequence of mapping of str
        Cells by the heads of their columns, the same in all rows; None is shown as a dash.
    """
    from rich.table import Table
    from rich.text import Text

    table = Table(*(rows[0] if rows else ()))
    for row in rows:
        table.add_row(*(Text("-" if value is None else str(value)) for value in row.values()))
    print_whole(table)


def print_whole(*tables: Table) -> None:
    """Print tables on stdout so that no word of them is cut or broken.

    On a terminal sentences are wrapped between words; a table whose words alone need more room is wider than
    the terminal. Elsewhere, as in a pipe, each row is one line.

    Parameters
    ----------
    *tables : rich.table.Table
        What is printed, one below the other.
    """
    from rich.console import Console

    console = Console()
    room = console.width if console.is_terminal else None
    for table in tables:
        widths = _column_widths(table, room)
        for column, width in zip(table.columns, widths, strict=True):
            column.width = width
        # Borders, and a blank on both sides of each cell.
        console.width = max(console.width, sum(widths) + 3 * len(widths) + 1)
        console.print(table)


def _column_widths(table: Table, room: int | None) -> list[int]:
    """Widths of columns, between their longest words and their longest lines, for a number of characters."""
    cells = [[column.header, *column.cells] for column in table.columns]
    texts = [[str(cell) for cell in column] for column in cells]
    widest = [max(len(line) for text in column for line in text.split("\n")) for column in texts]
    if room is None:
        return widest
    words = [max((len(word) for text in column for word in text.split()), default=1) for column in texts]
    left = max(0, room - sum(words) - 3 * len(words) - 1)
    # What a column does not need is there for the next: long ones come last, and share what is left.
    order = sorted(range(len(words)), key=lambda index: widest[index] - words[index])
    given = dict.fromkeys(order, 0)
    for place, index in enumerate(order):
        given[index] = min(widest[index] - words[index], left // (len(order) - place))
        left -= given[index]
    return [word + given[index] for index, word in enumerate(words)]
