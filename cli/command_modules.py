"""Commands by name, each imported when it is asked for: one run needs one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from importlib import import_module

import click


class CommandModules(MutableMapping[str, click.Command]):
    """The commands of a group, for its ``commands``.

    Parameters
    ----------
    modules : mapping of str to str
        Module of this package that has each command, under the name of the command.
    prepare : callable
        Called with each command once it is imported.
    """

    def __init__(self, modules: Mapping[str, str], prepare: Callable[[click.Command], None]) -> None:
        self._modules = dict(modules)
        self._prepare = prepare
        self._loaded: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        """A command; imported if it was not."""
        if name not in self._loaded:
            command: click.Command = getattr(import_module(f".{self._modules[name]}", __package__), name)
            self._prepare(command)
            self._loaded[name] = command
        return self._loaded[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        """Take in a command that is at hand."""
        self._modules.setdefault(name, "")
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        """Leave out a command."""
        del self._modules[name]
        self._loaded.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        """Names of all commands, whether they are imported or not."""
        return iter(self._modules)

    def __len__(self) -> int:
        """How many commands there are."""
        return len(self._modules)
