"""A configuration measured in a process of its own."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bandfold.benchmarks.power.conditions import Conditions
from bandfold.benchmarks.power.sensor_choice import SensorSource
from bandfold.bitstream.segments.predicted_codec import PredictedCodec, codec_of
from bandfold.common.errors import BandfoldError
from bandfold.formats.envi.reader import open_envi
from bandfold.ground import Decoder
from bandfold.onboard import Encoder
from bandfold.onboard.settings import find_package
from bandfold.onboard.strip_height import strip_height

from .configuration import Configuration
from .measurement import Plan, Work, measure
from .strips import StripClock, strip_latencies


@dataclass(frozen=True)
class Job:
    """What is measured.

    Parameters
    ----------
    scene : Path
        ENVI header.
    configuration : Configuration
        Settings of the codec.
    plan : Plan
        How often and how long.
    source : SensorSource
        Where power is read.
    restore : str or None
        What restores decoded scenes, ``off`` for nothing; None if decoding is not measured.
    """

    scene: Path
    configuration: Configuration
    plan: Plan
    source: SensorSource = field(default_factory=SensorSource)
    restore: str | None = None

    def run(self) -> dict[str, Any]:
        """Measure in this process.

        Returns
        -------
        dict
            The settings, the sensor or why there is none, and what
            `bandfold.benchmarks.board.measurement.measure` returns.

        Raises
        ------
        BandfoldError
            If the scene cannot be coded so, or the sensor not be read.
        """
        conditions = Conditions(self.source.root)
        with self.source.open() as (sensor, reason):
            found = measure(self._work(), self.plan, sensor, conditions)
            return {
                **self.configuration.describe(),
                "strip_lines": self._strip_lines(),
                "sensor": None if sensor is None else {"name": sensor.name, "rails": list(sensor.rails)},
                "no_sensor": reason,
                **found,
            }

    def run_alone(self) -> dict[str, Any]:
        """Measure in a new process, in which nothing is left of what was measured before.

        Returns
        -------
        dict
            As of `run`.

        Raises
        ------
        BandfoldError
            As of `run`, or if that process has died.
        """
        # A fork would begin with the memory of this process, and with locks of its threads.
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            try:
                return pool.submit(self.run).result()
            except BrokenProcessPool as error:
                raise BandfoldError(
                    f"the process that measured {self.configuration.model or 'a fold'} at "
                    f"{self.configuration.rate} has died: the system may be out of memory"
                ) from error

    def _strip_lines(self) -> int:
        """Lines of a strip of the scene, which some models make higher than usual."""
        settings = self.configuration.settings()
        predicted = settings.model is not None and isinstance(
            codec_of(find_package(settings.model)), PredictedCodec
        )
        return strip_height(open_envi(self.scene).info, settings.strip_lines, predicted=predicted)

    def _work(self) -> Work:
        settings, path = self.configuration.settings(), self.scene
        model = settings.model
        streams = model is None or isinstance(codec_of(find_package(model)), PredictedCodec)
        clock, engines = StripClock(), {}

        def encode() -> bytes:
            encoder = Encoder(settings, progress=clock)
            stream = encoder.encode(open_envi(path))
            engines.update(dict.fromkeys(encoder.engines))
            return stream

        def latencies() -> list[float]:
            if not streams:
                return clock.seconds
            return strip_latencies(open_envi(path), self.configuration.settings(stream=True))

        def decode(stream: bytes) -> object:
            named = (model,) if isinstance(model, str) and Path(model).is_file() else ()
            decoder = Decoder(
                stream, models=named, restore=self.restore or "off", threads=self.configuration.threads
            )
            return decoder.decode()

        return Work(
            samples=open_envi(path).info.count,
            encode=encode,
            latencies=latencies,
            decode=None if self.restore is None else decode,
            streamed=streams,
            engines=lambda: list(engines),
        )
