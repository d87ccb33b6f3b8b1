"""The spectral transforms that segments name by number: folds and sets of rotations, read when needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from bandfold.bitstream.container.header import PREDICTED, Header
from bandfold.bitstream.container.sections import Section
from bandfold.bitstream.container.stream_budget import StreamBudget
from bandfold.bitstream.contexts.tables import Tables
from bandfold.bitstream.packages.registry import Registry
from bandfold.bitstream.payloads.klt_code import read_fold, read_matrices
from bandfold.bitstream.payloads.payload import PayloadReader
from bandfold.bitstream.payloads.selection_code import read_selected_fold
from bandfold.bitstream.segments.band_codec import BandCodec
from bandfold.bitstream.segments.memory_estimate import strip_memory, strip_pixels
from bandfold.bitstream.segments.predicted_codec import PredictedCodec
from bandfold.bitstream.transforms.klt import Fold
from bandfold.bitstream.transforms.sensor_basis import SensorBasis
from bandfold.bitstream.transforms.vectors import Vectors
from bandfold.common.errors import StreamError


@dataclass(frozen=True)
class SpectralTransform:
    """How the bands of a strip were turned into components.

    Parameters
    ----------
    fold : Fold
        The KLT of each spectral interval, the second KLT that merges them, and the band means.
    rotations : tuple of Vectors
        Orthonormal matrices, one of which rotates the strongest components of each block; empty without.
    """

    fold: Fold
    rotations: tuple[Vectors, ...] = ()


class SpectralTransforms:
    """Reads folds and rotations from their sections when a segment names them, each once.

    Parameters
    ----------
    header : Header
        Says the bands, the kind of transform and the package of the sensor.
    payloads : mapping of Section to mapping of int to bytes
        Payloads of the fold and rotation sections by number.
    tables : Tables
        Statistics that the sections are coded with.
    registry : Registry
        Where the package of the sensor is looked for.
    codec : BandCodec, PredictedCodec or None
        The trained model of the stream, if it has one.
    budget : StreamBudget
        What the sections may cost, and one strip.

    Attributes
    ----------
    strip_memory : int
        Bytes that decoding one strip takes, roughly and at most, with the folds read so far.
    strip_latents : int
        Latents of one strip, under the fold of most components that was read so far.
    """

    def __init__(
        self,
        header: Header,
        payloads: Mapping[Section, Mapping[int, bytes]],
        tables: Tables,
        registry: Registry,
        codec: BandCodec | PredictedCodec | None,
        budget: StreamBudget,
    ) -> None:
        self._header = header
        self._payloads = payloads
        self._tables = tables
        self._registry = registry
        self._codec = codec
        self._budget = budget
        self._folds: dict[int, Fold] = {}
        self._rotations: dict[tuple[int, int], tuple[Vectors, ...]] = {}
        self._failed: dict[tuple[Section, int, int], StreamError] = {}
        self.strip_memory = self.strip_latents = 0

    def count(self, kind: Section) -> int:
        """Count the intact sections of a kind, repetitions not counted.

        Parameters
        ----------
        kind : Section
            FOLD or ROTATION.

        Returns
        -------
        int
            Different numbers.
        """
        return len(self._payloads[kind])

    def first(self) -> SpectralTransform:
        """The fold of the lowest number that can be read, without rotations.

        Raises
        ------
        StreamError
            If no fold can be read.
        MemoryLimitError
            If a strip would take too much memory.
        """
        failed: StreamError | None = None
        for number in sorted(self._payloads[Section.FOLD]):
            try:
                return self.find(number)
            except StreamError as error:
                failed = failed or error
        raise failed or StreamError("fold section is missing or corrupt: nothing can be decoded without it")

    def find(self, fold: int, rotation: int | None = None) -> SpectralTransform:
        """The transform of the segments that name these numbers.

        Parameters
        ----------
        fold : int
            Number of the fold.
        rotation : int, optional
            Number of the set of rotations; none without.

        Returns
        -------
        SpectralTransform
            Read now or before.

        Raises
        ------
        StreamError
            If a section is missing or corrupt.
        MemoryLimitError
            If a strip would take too much memory.
        """
        found = self._fold(fold)
        if rotation is None:
            return SpectralTransform(found)
        return SpectralTransform(found, self._rotations_of(rotation, found.components))

    def _fold(self, number: int) -> Fold:
        if number not in self._folds:
            header = self._header
            with self._section(Section.FOLD, number) as reader:
                if header.sensor is not None:
                    package = self._registry.need(header.sensor.name, header.sensor.hash)
                    sensor = SensorBasis.from_package(package)
                    fold = read_selected_fold(reader, header.info.bands, sensor)
                else:
                    engines = 0 if self._codec is None else self._codec.engines
                    predicted = header.transform == PREDICTED
                    fold = read_fold(
                        reader,
                        header.info.bands,
                        spectral=header.spectral,
                        engines=engines,
                        predicted=predicted,
                        weighted=header.tools.weighted,
                    )
            memory = strip_memory(header, fold.components, self._codec)
            self._budget.memory(memory, "one strip")
            self.strip_memory = max(self.strip_memory, memory)
            self.strip_latents = max(self.strip_latents, fold.components * strip_pixels(header))
            self._folds[number] = fold
        return self._folds[number]

    def _rotations_of(self, number: int, components: int) -> tuple[Vectors, ...]:
        key = number, components
        if key not in self._rotations:
            with self._section(Section.ROTATION, number, components) as reader:
                matrices = read_matrices(reader, components)
            if not self._header.spectral:
                memory = strip_memory(self._header, components, self._codec, rotated=True)
                self._budget.memory(memory, "one strip")
            self._rotations[key] = matrices
        return self._rotations[key]

    @contextmanager
    def _section(self, kind: Section, number: int, components: int = 0) -> Iterator[PayloadReader]:
        """Read a whole section; what failed once is not tried again for every strip that names it."""
        key = kind, number, components
        if key in self._failed:
            raise self._failed[key]
        try:
            if number not in self._payloads[kind]:
                raise StreamError(f"{kind.name.lower()} section {number} is missing or its checksum is wrong")
            reader = PayloadReader(self._tables, self._payloads[kind][number], self._budget)
            yield reader
            reader.finish()
        except StreamError as error:
            self._failed[key] = error
            raise
