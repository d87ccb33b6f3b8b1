"""Completion of names of packages in shells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
from click.shell_completion import CompletionItem


class PackageName(click.ParamType[str]):
    """Name or file of a package; a text, which shells complete.

    Parameters
    ----------
    kind : {"sensor", "codec", "restoration"}, optional
        Only packages of this kind are offered. Default: all.
    words : tuple of str
        What may be said instead of a name.
    tables : bool
        Whether the tables of the codec are offered too.
    """

    name = "text"

    def __init__(self, kind: str | None = None, words: tuple[str, ...] = (), *, tables: bool = False) -> None:
        self._kind = kind
        self._words = words
        self._tables = tables

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Give the text as it is: whoever opens the package says what is wrong with it."""
        return str(value)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer names, with their descriptions where the shell shows them, or files where no name fits.

        Parameters
        ----------
        ctx : click.Context
            Of the command, as far as it is typed.
        param : click.Parameter
            What is to be completed.
        incomplete : str
            What is typed of it.

        Returns
        -------
        list of CompletionItem
            One that asks the shell for files if no name begins like that.
        """
        found = [
            CompletionItem(name, help=text) for name, text in self._names() if name.startswith(incomplete)
        ]
        return found or [CompletionItem(incomplete, type="file")]

    def _names(self) -> Iterator[tuple[str, str]]:
        from bandfold.bitstream.contexts.tables import NAMED_TABLES
        from bandfold.bitstream.packages.registry import Registry

        yield from ((word, "") for word in self._words)
        # The first one of a name is the one that is found by it.
        packages = {one.name: one.manifest for one in reversed(list(Registry().packages()))}
        for name, manifest in sorted(packages.items()):
            if self._kind in (None, manifest.kind):
                yield name, manifest.description
        if self._tables:
            yield from ((name, "tables of the codec") for name in sorted(NAMED_TABLES))
