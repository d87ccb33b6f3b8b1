"""The published method: a model that codes each band for itself, by the networks of given intervals."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.contexts.tables import load_tables
from bandfold.bitstream.packages.package import Package
from bandfold.bitstream.segments.band_codec import BandCodec
from bandfold.bitstream.segments.predicted_codec import codec_of
from bandfold.common.errors import SettingsError
from bandfold.ground import Decoder
from bandfold.onboard.coding.scene_coder import SceneCoder
from bandfold.onboard.networks.band_coder import NetworkMethod
from bandfold.onboard.networks.band_planner import BandPlanner
from bandfold.onboard.networks.network_engine import NetworkEngine
from bandfold.onboard.rate.scene_control import SceneControl
from bandfold.onboard.samples.samples import ArraySource, Samples
from bandfold.onboard.settings import STRIP_LINES
from bandfold.onboard.target import step_code

from .codec import Decoded, Encoded


class PublishedModel:
    """A model of single bands, told which bands belong to which interval.

    The encoder finds intervals by wavelength, or by number in whole scenes; bands of one interval alone
    have neither.

    Parameters
    ----------
    package : Package
        The model.
    ends : sequence of int
        End of each interval in the bands that are coded, exclusive, rising; as many as `intervals`.
    intervals : sequence of int
        Numbers of those intervals, from 0, each of which has bands.
    name : str
        How tables call it.

    Raises
    ------
    SettingsError
        If the model predicts bands, or has no such interval.
    """

    def __init__(
        self, package: Package, ends: Sequence[int], intervals: Sequence[int], name: str = "published method"
    ) -> None:
        codec = codec_of(package)
        if not isinstance(codec, BandCodec):
            raise SettingsError(f"{package.name} predicts bands: the published method codes each for itself")
        if max(intervals) >= len(codec.engine_of):
            raise SettingsError(
                f"{package.name} has {len(codec.engine_of)} intervals, not {max(intervals) + 1}"
            )
        self.name = name
        self._source = package.source
        engines = tuple(codec.engine_of[interval] for interval in intervals)
        # The stream tells ends and networks, so that the decoder needs nothing else.
        self._codec = replace(codec, ends=tuple(ends), limits=(), engine_of=engines)

    def encode(self, cube: NDArray[Any], bps: float) -> Encoded:
        """Encode; see `Codec.encode`. A budget that the model cannot use is left."""
        start = time.perf_counter()
        tables = load_tables()
        samples = Samples.of(ArraySource(cube))
        planner = BandPlanner(samples, self._codec)
        method = NetworkMethod(NetworkEngine(self._codec), tables)
        coder = SceneCoder(samples, method, tables, STRIP_LINES, lambda stage, done: None)
        count = samples.info.count
        first = step_code(planner.step_for_bits(bps * count))
        stream = SceneControl(coder, planner).within(int(bps * count / 8), first, errors=False).data
        return Encoded(bytes(stream), time.perf_counter() - start)

    def decode(self, stream: bytes) -> Decoded:
        """Decode; see `Codec.decode`."""
        start = time.perf_counter()
        cube = np.asarray(Decoder(stream, models=[self._source]).decode())
        return Decoded(cube, time.perf_counter() - start)
