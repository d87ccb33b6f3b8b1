"""One strip: its samples and its finished segment in, the section that bounds its errors out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.container.header import Header
from bandfold.bitstream.container.refinement_layout import (
    SHARE_UNIT,
    ErrorLimits,
    Refinement,
    segment_checksum,
)
from bandfold.bitstream.container.sections import Section, write_section
from bandfold.bitstream.container.segment_layout import ChunkedSegment, split_segment
from bandfold.bitstream.contexts.tables import Tables
from bandfold.bitstream.refinement.band_prediction import Bounds
from bandfold.bitstream.refinement.exact_base import ExactBase
from bandfold.bitstream.refinement.ordered_integers import (
    ORDERED_BOUNDS,
    differ,
    needed_words,
    ordered_base,
    words_of,
)
from bandfold.bitstream.refinement.refined_strip import of_words, refined_samples, uncounted
from bandfold.bitstream.refinement.residual_codec import ResidualWriter, code_bands, write_residual
from bandfold.bitstream.refinement.side_information import ErrorBound
from bandfold.bitstream.refinement.tables import load_refinement_tables
from bandfold.bitstream.segments.band_codec import BandCodec
from bandfold.bitstream.segments.predicted_codec import PredictedCodec
from bandfold.bitstream.segments.segment import Segment
from bandfold.bitstream.transforms.scaling import BandUnits, mark_no_data
from bandfold.common.errors import SettingsError, VerificationError
from bandfold.common.scene import CHANNELS, SCALED_DTYPES, SceneInfo
from bandfold.onboard.planning.plan import Basis
from bandfold.onboard.samples.samples import Samples
from bandfold.onboard.settings import EncoderSettings

from .limits_in_counts import check_limit_count, limits_in_counts


@dataclass(frozen=True)
class StripRefiner:
    """Refines strips of a stream.

    A segment is decoded as it will be on the ground, in integers. What its counts lack to be within the
    limits is coded; where samples are to be exact and lie between counts, what the values of these counts
    lack as ordered integers. Every sample is compared with its limit, as it will be decoded, before the
    section goes out.

    Parameters
    ----------
    limits : tuple of float
        Largest absolute errors in the units of the samples: one for all bands, or one for each.
    share : int
        With a relative limit, the error that a sample may have if that is more, in units of
        ``1 / SHARE_UNIT`` of its magnitude; 0 without.
    tables : Tables
        Statistics that segments are coded with.
    codec : PredictedCodec or None
        The trained model of the stream, if bands are predicted from bands.
    """

    limits: tuple[float, ...]
    share: int
    tables: Tables
    codec: PredictedCodec | None = None

    @staticmethod
    def of(
        settings: EncoderSettings, info: SceneInfo, tables: Tables, codec: PredictedCodec | None
    ) -> StripRefiner | None:
        """The refiner that settings ask for.

        Parameters
        ----------
        settings : EncoderSettings
            With limits of errors, or without.
        info : SceneInfo
            Of the scene: its bands, its sample type and, if it is known yet, its scaling.
        tables : Tables
            Statistics that segments are coded with.
        codec : PredictedCodec or None
            The trained model of the stream, if bands are predicted from bands.

        Returns
        -------
        StripRefiner or None
            None without limits.

        Raises
        ------
        SettingsError
            If the limits do not fit the scene.
        """
        if not settings.limits:
            return None
        check_limit_count(settings.limits, info)
        if info.scaling is not None:
            limits_in_counts(settings.limits, info)
        share = 0
        if settings.relative_error is not None:
            if info.dtype in SCALED_DTYPES:
                raise SettingsError(
                    f"a relative limit is one of 8 and 16 bit integers, these are {info.dtype}: "
                    "give --max-error alone"
                )
            # A share below what can be told leaves the floor alone.
            share = min(int(settings.relative_error * SHARE_UNIT), SHARE_UNIT - 1)
        return StripRefiner(settings.limits, share, tables, codec)

    def told(self, info: SceneInfo) -> ErrorLimits:
        """The limits, as the stream tells them.

        Parameters
        ----------
        info : SceneInfo
            Of the scene, with its scaling.

        Returns
        -------
        ErrorLimits
            In counts.
        """
        counts = tuple(limits_in_counts(self.limits, info).tolist())
        exact = info.scaling is not None and not any(self.limits)
        return ErrorLimits(counts[:1] if len(set(counts)) == 1 else counts, share=self.share, exact=exact)

    def section(
        self,
        payload: bytes,
        header: Header,
        basis: Basis,
        samples: Samples,
        lines: slice,
        segment: Segment | None = None,
    ) -> bytes:
        """Refine a strip.

        Parameters
        ----------
        payload : bytes
            Of its segment section.
        header : Header
            Of the stream.
        basis : Basis
            Fold and rotations that the strip is coded with.
        samples : Samples
            Of the scene, or of the strip alone.
        lines : slice
            Lines of the strip there.
        segment : Segment, optional
            What the payload decodes to, if that is at hand; else it is decoded.

        Returns
        -------
        bytes
            A refinement section.

        Raises
        ------
        VerificationError
            If a sample is not within its limit.
        """
        segmented = split_segment(payload)
        place = segmented.place
        if header.open:
            # Its lines are not known: those up to the end of this strip are enough.
            last = place.index * header.strip_lines + lines.stop - lines.start
            header = replace(header, info=replace(header.info, lines=last))
        info = header.info
        base = ExactBase(header, self.tables, self.codec)
        strip = self._strip(base, segmented, basis, samples, lines, segment)
        allowed = limits_in_counts(self.limits, info)
        if info.scaling is not None and strip.between_counts(info):
            residual, far = strip.coded_exactly(info)
        else:
            residual, far = strip.coded(allowed, info, relative=True)
            if far.any():
                # Decoders move samples by one count that would pass for absent ones.
                strip = self._strip(base, segmented, basis, samples, lines, segment)
                residual, far = strip.coded(np.maximum(allowed - far, 0), info, relative=False)
        if far.any():
            raise VerificationError(
                f"band {int(far.argmax())} of the strip from line {lines.start} on is not within its limit; "
                "no stream was made, please report the scene and the settings"
            )
        tables = load_refinement_tables().identity
        refinement = Refinement(place.index, segment_checksum(payload), tables, residual)
        return write_section(Section.REFINEMENT, refinement.pack())

    def _strip(
        self,
        base: ExactBase,
        segmented: ChunkedSegment,
        basis: Basis,
        samples: Samples,
        lines: slice,
        segment: Segment | None,
    ) -> _Strip:
        """What a strip is, and what its base has of it."""
        if segment is None:
            segment = base.read(segmented, basis.fold, basis.rotations)
        counts = base.counts(segment, segmented.place, basis.fold, basis.rotations)
        # Levels, of which there are many, are not looked at any more.
        nothing = np.zeros((CHANNELS, 0, 0, 0), np.uint8)
        segment = replace(segment, quantised=nothing.astype(np.int32), classes=nothing)
        bands = slice(0, base.header.info.bands)
        given = samples.scene.read(bands, lines)
        exact = given if samples.counts is samples.scene else samples.read(bands, lines)
        return _Strip(given, exact, counts, segment, segmented.place.doublings, self.limits, self.share)


@dataclass(frozen=True)
class _Strip:
    """Samples of a strip, their counts, what its base has of them, and limits in units of the samples."""

    given: NDArray[Any]
    exact: NDArray[np.integer]
    base: NDArray[np.integer]
    segment: Segment
    doublings: int
    limits: tuple[float, ...]
    share: int

    def coded(
        self, limits: NDArray[np.int32], info: SceneInfo, *, relative: bool
    ) -> tuple[bytes, NDArray[np.bool_]]:
        """What the base lacks to be within limits in counts, and which bands leave their limits.

        Bases of 16 bits are used up: the memory of bands that are coded is what the writer needs.
        """
        mask = uncounted(self.segment, self.exact.shape)
        share = (self.share, int(limits[0])) if relative and self.share else None
        bound, bounds = ErrorBound(limits, share), Bounds.of(info.coded_dtype)
        tables = load_refinement_tables()
        writer = ResidualWriter(bound, tables)
        asked, absent = np.broadcast_to(np.array(self.limits), info.bands), self.segment.absent
        far = np.zeros(info.bands, dtype=np.bool_)
        rooms = None
        if self.base.itemsize == 2:
            rooms = self.base.view(np.uint8).reshape(len(self.base), 2, *self.base.shape[1:])
        for band, coded in enumerate(code_bands(self.exact, self.base, bound, bounds, mask, tables)):
            writer.append(coded, rooms[band] if rooms is not None else None)
            # What is made of a band is still in the cache.
            own = slice(band, band + 1)
            kept, gone = (None if one is None else one[own] for one in (mask, absent))
            counts = coded.refined[None].astype(info.coded_dtype)
            decoded = mark_no_data(counts, gone, info, BandUnits.of(info, own, self.doublings))
            far[band] = self._beyond(decoded, self.given[own], float(asked[band]), kept)
        payload = writer.finish()
        return payload, far

    def between_counts(self, info: SceneInfo) -> bool:
        """Whether samples that are to come back exactly are not all of them counts of their scaling."""
        exact = np.flatnonzero(np.broadcast_to(np.array(self.limits), info.bands) == 0)
        if not exact.size:
            return False
        whole = slice(0, info.bands)
        decoded = refined_samples(self.exact, 0, whole, self.segment.absent, info, self.doublings)
        return bool(differ(decoded, self.given, uncounted(self.segment, self.exact.shape))[exact].any())

    def coded_exactly(self, info: SceneInfo) -> tuple[bytes, NDArray[np.bool_]]:
        """What the base lacks to be exact bit by bit, and which bands are not."""
        mask = uncounted(self.segment, self.exact.shape)
        words = needed_words(self.given, mask)
        payload, refined = write_residual(
            words_of(self.given, words),
            ordered_base(self.base, info, self.doublings, words),
            ErrorBound(np.zeros(words * info.bands, dtype=np.int32), words=words),
            ORDERED_BOUNDS,
            of_words(mask, words),
            load_refinement_tables(),
        )
        whole = slice(0, info.bands)
        decoded = refined_samples(refined, words, whole, self.segment.absent, info, self.doublings)
        far = [bool(band.any()) for band in differ(decoded, self.given, mask)]
        return payload, np.array(far, dtype=np.bool_)

    def _beyond(
        self, decoded: NDArray[Any], given: NDArray[Any], limit: float, mask: NDArray[np.bool_] | None
    ) -> bool:
        """Whether a sample of a band is beyond its limit."""
        if limit == 0 and not self.share and mask is None and decoded.dtype.itemsize < 4:
            return not np.array_equal(decoded, given)
        wide: Any = np.int32 if given.dtype.itemsize < 4 else np.float64
        with np.errstate(invalid="ignore", over="ignore"):
            error = np.abs(np.subtract(decoded, given, dtype=wide))
        if mask is not None:
            # They are kept exactly.
            error[mask] = 0
        if not self.share:
            return bool(error.max(initial=0) > limit)
        shares = np.abs(given.astype(np.int64)) * self.share // SHARE_UNIT
        return bool((error > np.maximum(shares, limit)).any())


def refinable(codec: BandCodec | PredictedCodec) -> PredictedCodec:
    """The model of a stream, if what it decodes to is the same on every machine.

    Parameters
    ----------
    codec : BandCodec or PredictedCodec
        The model.

    Returns
    -------
    PredictedCodec

    Raises
    ------
    SettingsError
        If it is a published network, which decodes in floating point.
    """
    if isinstance(codec, PredictedCodec):
        return codec
    raise SettingsError(
        f"the model {codec.name} decodes in floating point, not alike on all machines, so that errors cannot "
        "be bounded: leave out the model, or use one of predicted bands (bandfold models)"
    )
