"""Context networks by name: what `bandfold models` writes as graphs, and `bandfold selftest` compares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bandfold.common.errors import ModelError, SettingsError

from .console import need

if TYPE_CHECKING:
    from bandfold.bitstream.contexts.context_network import ContextNetwork
    from bandfold.bitstream.contexts.tables import Tables
    from bandfold.bitstream.packages.package import Package

TABLES_SUFFIX = ".npz"


@dataclass(frozen=True)
class ContextSource:
    """What holds context networks.

    Parameters
    ----------
    name : str
        Of tables or of a package.
    identity : str
        Hexadecimal digits by which streams tell it from others of that name.
    networks : mapping of str to ContextNetwork
        By the names of their files, without an ending.
    """

    name: str
    identity: str
    networks: Mapping[str, ContextNetwork]

    def graphs(self) -> dict[str, bytes]:
        """Write the networks as graphs of 8-bit integers.

        Returns
        -------
        dict of str to bytes
            ONNX and TFLite of each, by the names of their files.

        Raises
        ------
        SettingsError
            If libraries that write graphs are not installed.
        ModelError
            If a network is not one of 8-bit integers.
        """
        need_export("graphs of contexts need")
        from bandfold.export.contexts.context_graphs import context_graphs

        return context_graphs(self.networks, f"{self.name} {self.identity}")

    def target_graphs(self, wanted: Sequence[str], lines: int, samples: int) -> dict[str, bytes]:
        """Write them as compilers of accelerators take them.

        Parameters
        ----------
        wanted : sequence of str
            Kinds of graphs; those in floating point are left out, since they would not be exact.
        lines, samples : int
            Extent of a strip.

        Returns
        -------
        dict of str to bytes
            By the names of their files.

        Raises
        ------
        SettingsError
            If libraries that write graphs are not installed.
        ModelError
            If a network is not one of 8-bit integers.
        """
        need_export("graphs for accelerators need")
        from bandfold.export.contexts.context_graphs import context_target_graphs

        source = f"{self.name} {self.identity}"
        return context_target_graphs(self.networks, source, wanted, (lines, samples))

    def checks(self, threads: Sequence[int]) -> Iterator[dict[str, Any]]:
        """Compare the classes of the graphs with those of the codec.

        Parameters
        ----------
        threads : sequence of int
            Numbers of processor threads to try.

        Yields
        ------
        dict
            What `selftest` tells of a network with an engine; nothing of networks that are not of 8-bit
            integers.

        Raises
        ------
        SettingsError
            If libraries that write graphs are not installed.
        """
        from bandfold.onboard.networks.context_check import check_context_graphs

        try:
            graphs = self.graphs()
        except ModelError:
            # Tables of earlier releases: there is no graph that could be wrong.
            return
        for name, network in self.networks.items():
            for count in threads:
                files = graphs[f"{name}.onnx"], graphs[f"{name}.tflite"]
                for engine, reason in check_context_graphs(network, *files, count):
                    yield {
                        "model": self.name,
                        "network": name,
                        "engine": engine,
                        "threads": count,
                        "exact": not reason,
                        "reason": reason or None,
                    }


def need_export(what: str) -> None:
    """Make sure that graphs can be written; see `bandfold.cli.console.need`."""
    need(what, "export", "onnx", "flatbuffers", "ai_edge_litert")


def find_tables(text: str) -> tuple[str, Tables] | None:
    """Tables by the name of those that are shipped, or from a file.

    Parameters
    ----------
    text : str
        A name, or a path that ends in ``.npz``.

    Returns
    -------
    tuple of str and Tables, or None
        Name and content; None if it names no tables.

    Raises
    ------
    ModelError
        If the file cannot be read or does not hold tables.
    """
    from bandfold.bitstream.contexts.tables import NAMED_TABLES, load_tables

    if text in NAMED_TABLES:
        return text, load_tables(NAMED_TABLES[text].path)
    if text.endswith(TABLES_SUFFIX):
        return Path(text).stem, load_tables(Path(text))
    return None


def shipped_tables() -> list[dict[str, Any]]:
    """What `bandfold models` tells of the tables that are shipped."""
    from bandfold.bitstream.contexts.tables import NAMED_TABLES

    return [table_summary(name, str(named.path)) for name, named in NAMED_TABLES.items()]


def table_summary(name: str, source: str) -> dict[str, Any]:
    """What `bandfold models` tells of tables.

    Parameters
    ----------
    name : str
        Of the tables.
    source : str
        Their file.

    Returns
    -------
    dict
    """
    from bandfold.bitstream.contexts.tables import NAMED_TABLES, load_tables

    known = NAMED_TABLES.get(name)
    return {
        "name": name,
        "kind": "tables",
        "bytes": Path(source).stat().st_size,
        "hash": load_tables(Path(source)).identity.hex(),
        "description": known.description if known else "contexts and entropy tables",
        "source": source,
    }


def contexts_of_tables(name: str, tables: Tables) -> ContextSource:
    """Context networks of tables: of components of a fold, and of single bands."""
    networks = {f"contexts-{mode}": held.network for mode, held in tables.modes.items()}
    return ContextSource(name, tables.identity.hex(), networks)


def contexts_of_package(package: Package) -> ContextSource | None:
    """Context network of a package, or None: only models of predicted bands bring their own."""
    from bandfold.bitstream.segments.predicted_codec import MARK, PredictedCodec

    if MARK not in package.arrays:
        return None
    network = PredictedCodec.from_package(package).mode.network
    return ContextSource(package.name, package.identity.hex(), {"contexts": network})


def context_checks(names: Sequence[str], threads: Sequence[int]) -> tuple[list[dict[str, Any]], str]:
    """Compare the context networks of the codec and of models with their graphs.

    Parameters
    ----------
    names : sequence of str
        Packages; all that are at hand, and the tables, if there are none.
    threads : sequence of int
        Numbers of processor threads to try.

    Returns
    -------
    rows : list of dict
        What `ContextSource.checks` gives.
    reason : str
        Why there are none; empty if there are.
    """
    from bandfold.bitstream.contexts.tables import NAMED_TABLES, load_tables
    from bandfold.bitstream.packages.registry import Registry

    registry = Registry()
    packages = [registry.find(name) for name in names] if names else list(registry.packages())
    sources = [source for source in map(contexts_of_package, packages) if source]
    if not names:
        sources += [contexts_of_tables(name, load_tables(one.path)) for name, one in NAMED_TABLES.items()]
    try:
        return [row for source in sources for row in source.checks(threads)], ""
    except SettingsError as error:
        return [], str(error)


def in_words(network: ContextNetwork) -> str:
    """Sizes of a context network: ``24 features, 24 and 16 units, 48 classes``."""
    units = " and ".join(str(weights.shape[1]) for weights, _ in network.layers[:-1])
    return f"{network.features} features, {units} units, {network.classes} classes"
