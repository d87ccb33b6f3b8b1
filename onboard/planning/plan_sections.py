"""The sections that segments need, as bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bandfold.bitstream.container.header import Header
from bandfold.bitstream.container.sections import Section, write_preamble, write_section
from bandfold.bitstream.container.varint import write_varint
from bandfold.bitstream.contexts.tables import Tables
from bandfold.bitstream.payloads.klt_code import write_fold
from bandfold.bitstream.payloads.metadata_code import write_metadata
from bandfold.bitstream.payloads.payload import PayloadWriter
from bandfold.bitstream.payloads.rotation_code import write_matrices
from bandfold.bitstream.payloads.selection_code import write_selected_fold
from bandfold.bitstream.transforms.klt import Fold, Vectors
from bandfold.common.scene import MetadataValue
from bandfold.onboard.coding.strip_coder import Plan


def stream_head(header: Header) -> bytes:
    """What a stream begins with: preamble and header."""
    return write_preamble() + header_section(header)


def header_section(header: Header) -> bytes:
    """The header."""
    return write_section(Section.HEADER, header.pack())


def fold_section(fold: Fold, tables: Tables, number: int = 0) -> bytes:
    """A fold, of its own vectors or selected from a package.

    Parameters
    ----------
    fold : Fold
    tables : Tables
    number : int
        By which segments name it.

    Returns
    -------
    bytes
    """
    payload = PayloadWriter(tables)
    if fold.selection is None:
        write_fold(payload, fold)
    else:
        write_selected_fold(payload, fold, fold.selection)
    return write_section(Section.FOLD, write_varint(number) + payload.data())


def rotation_section(rotations: tuple[Vectors, ...], tables: Tables, number: int = 0) -> bytes:
    """A set of rotations; nothing if there are none.

    Parameters
    ----------
    rotations : tuple of Vectors
    tables : Tables
    number : int
        By which segments name it.

    Returns
    -------
    bytes
    """
    if not rotations:
        return b""
    payload = PayloadWriter(tables)
    write_matrices(payload, rotations)
    return write_section(Section.ROTATION, write_varint(number) + payload.data())


def plan_sections(plans: Sequence[Plan], tables: Tables) -> bytes:
    """Folds of plans and then their rotations, by the numbers that the plans have.

    Parameters
    ----------
    plans : sequence of Plan
    tables : Tables

    Returns
    -------
    bytes
        Whole sections.
    """
    folds = [fold_section(one.fold, tables, one.number) for one in plans]
    rotations = [rotation_section(one.rotations, tables, one.number) for one in plans]
    return b"".join([*folds, *rotations])


def metadata_section(metadata: Mapping[str, MetadataValue], tables: Tables) -> bytes:
    """The metadata of a scene; nothing if there are none."""
    if not metadata:
        return b""
    payload = PayloadWriter(tables)
    write_metadata(payload, metadata)
    return write_section(Section.METADATA, payload.data())


def end_section(lines: int, strips: int) -> bytes:
    """The end of an open stream: how many lines and strips it has."""
    return write_section(Section.END, write_varint(lines) + write_varint(strips))
