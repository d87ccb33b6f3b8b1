"""The plan: what is decided before anything is coded, and the sections that tell it to the decoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from bandfold.bitstream.container.header import DEPENDENT, DEPENDENT_32, FEW_STATES, UNIFORM, Header
from bandfold.bitstream.container.sections import Section, write_preamble, write_section, write_varint
from bandfold.bitstream.contexts.tables import Tables
from bandfold.bitstream.payloads.klt_code import write_fold, write_matrices
from bandfold.bitstream.payloads.metadata_code import write_metadata
from bandfold.bitstream.payloads.payload import PayloadWriter
from bandfold.bitstream.transforms.klt import Fold
from bandfold.bitstream.transforms.vectors import Vectors
from bandfold.common.scene import MetadataValue


@dataclass(frozen=True)
class Basis:
    """What strips that look alike are coded with: a fold, and rotations that its blocks choose from.

    Parameters
    ----------
    fold : Fold
        How bands become components.
    rotations : tuple of Vectors
        Orthonormal matrices over the strongest components; empty if blocks are not rotated.
    left_out : float
        Mean squared error per sample of what the fold leaves out of these strips, in counts squared.
    number : int
        By which segments name the fold and, if there are any, the rotations.
    """

    fold: Fold
    rotations: tuple[Vectors, ...] = ()
    left_out: float = 0.0
    number: int = 0

    @property
    def rotation(self) -> int | None:
        """Number of the set of rotations; None if there are none."""
        return self.number if self.rotations else None


@dataclass(frozen=True)
class Plan:
    """What is decided before anything is coded.

    Parameters
    ----------
    step : float
        Quantiser step in counts that it was made for; it stays good for steps nearby.
    bases : tuple of Basis
        By their numbers, from 0 on.
    regions : tuple of int
        Number of the basis of each strip; empty where all strips have the only one.
    left_out : float
        Mean squared error per sample of what the folds leave out of the scene, in counts squared.
    """

    step: float
    bases: tuple[Basis, ...]
    regions: tuple[int, ...] = ()
    left_out: float = 0.0

    @property
    def fold(self) -> Fold:
        """The first fold, or the only one: whether there is a spectral transform is the same for all."""
        return self.bases[0].fold

    @staticmethod
    def of(step: float, basis: Basis) -> Plan:
        """A plan of one basis for all strips."""
        return Plan(step, (basis,), left_out=basis.left_out)


class Planner(Protocol):
    """Makes plans for one scene, each for a step."""

    @property
    def depends_on_step(self) -> bool:
        """Whether plans for other steps have other components: then a step is sought with many plans."""

    def plan(self, step: float, *, rotate: bool = True) -> Plan:
        """Plan for a step.

        Parameters
        ----------
        step : float
            Quantiser step in counts.
        rotate : bool
            Whether to look for block rotations, which takes most of the time.
        """

    def step_for_bits(self, bits: float) -> float:
        """Estimate the step, in counts, at which the scene takes so many bits."""

    def step_for_error(self, mse: float) -> float:
        """Estimate the step, in counts, at which the scene has a mean squared error per sample."""

    def forget(self) -> None:
        """Give back memory: what is forgotten is found again for the next plan."""

    def finish(self) -> None:
        """Give back all of it: no more plans are asked for."""


class Candidate(NamedTuple):
    """A way to plan a scene that is worth a try.

    Parameters
    ----------
    planner : Planner
        Makes the plans.
    size : float or None
        Bytes that the scene takes with the first step, about, where that was tried.
    """

    planner: Planner
    size: float | None = None


def quantiser_of(tables: Tables, *, spectral: bool) -> str:
    """Quantiser of a stream, as the header tells it: single bands have one whatever the tables say."""
    folded = tables.modes["folded"]
    if not (spectral and folded.dependent):
        return UNIFORM
    return DEPENDENT if folded.states == FEW_STATES else DEPENDENT_32


def stream_head(header: Header) -> bytes:
    """What a stream begins with: preamble and header."""
    return write_preamble() + header_section(header)


def header_section(header: Header) -> bytes:
    """The header, as a section."""
    return write_section(Section.HEADER, header.pack())


def basis_sections(bases: Sequence[Basis], tables: Tables) -> bytes:
    """Folds and then rotations, by the numbers of their bases.

    Parameters
    ----------
    bases : sequence of Basis
        At least one.
    tables : Tables
        Entropy tables.

    Returns
    -------
    bytes
        Whole sections; none for rotations where there are none.
    """
    folds = [_fold_section(basis, tables) for basis in bases]
    rotations = [_rotation_section(basis, tables) for basis in bases if basis.rotations]
    return b"".join([*folds, *rotations])


def _fold_section(basis: Basis, tables: Tables) -> bytes:
    payload = PayloadWriter(tables)
    if basis.fold.selection is None:
        write_fold(payload, basis.fold)
    else:
        from bandfold.bitstream.payloads.selection_code import write_selected_fold

        write_selected_fold(payload, basis.fold, basis.fold.selection)
    return write_section(Section.FOLD, write_varint(basis.number) + payload.data())


def _rotation_section(basis: Basis, tables: Tables) -> bytes:
    payload = PayloadWriter(tables)
    write_matrices(payload, basis.rotations)
    return write_section(Section.ROTATION, write_varint(basis.number) + payload.data())


def metadata_section(metadata: Mapping[str, MetadataValue], tables: Tables) -> bytes:
    """The metadata of a scene as a section; nothing if there are none.

    Parameters
    ----------
    metadata : mapping of str to str or tuple of str
        Fields of an ENVI header, keys in lower case.
    tables : Tables
        Entropy tables.

    Returns
    -------
    bytes
    """
    if not metadata:
        return b""
    payload = PayloadWriter(tables)
    write_metadata(payload, metadata)
    return write_section(Section.METADATA, payload.data())


def end_section(lines: int, strips: int) -> bytes:
    """The end of an open stream: how many lines and strips it has."""
    return write_section(Section.END, write_varint(lines) + write_varint(strips))
