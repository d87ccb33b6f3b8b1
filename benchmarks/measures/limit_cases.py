"""Random scenes and settings with limits of errors, each made from its number alone.

Several cases in a row share a scene: making up a large one takes longer than coding it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.benchmarks.scenes.evaluation_scenes import mirrored
from bandfold.benchmarks.scenes.scene_file import read_whole
from bandfold.common.errors import BudgetError, SettingsError, VerificationError
from bandfold.formats.envi.reader import open_envi
from bandfold.ground import Decoder
from bandfold.onboard import Encoder
from bandfold.onboard.samples.samples import ArraySource
from bandfold.synthetic.scenes import SyntheticScene

DTYPES = ("uint16", "int16", "uint8", "int8", "float32", "float64", "int32", "uint32")
"""Types of samples, the first ones as often as all others."""

CASES_OF_SCENE = 8
"""Cases in a row that share a scene."""

SHARE_UNIT = 1 << 16
"""Relative limits are rounded down to multiples of ``1 / SHARE_UNIT``."""

_MOST_LIMIT = 300
_MISSING = -9999.0
_USUAL_SIZE = 400_000
_MODEL = "innovations"


@dataclass(frozen=True)
class LimitCase:
    """A scene and how it is coded.

    Parameters
    ----------
    number : int
        From which it was made.
    cube : ndarray, shape (bands, lines, samples)
        The scene.
    no_data : float or None
        Value of samples without data.
    settings : dict of str to object
        For `bandfold.Encoder`.
    """

    number: int
    cube: NDArray[Any]
    no_data: float | None
    settings: dict[str, Any]

    @staticmethod
    def make(number: int, size: int, scenes: Sequence[Path] = ()) -> LimitCase:
        """Make a case.

        Parameters
        ----------
        number : int
            Of the case; the same one makes the same case.
        size : int
            Samples of the scene, about.
        scenes : sequence of Path
            ENVI headers of scenes that take turns with those made up, repeated until they are of that size.

        Returns
        -------
        LimitCase
        """
        place, own = divmod(number, CASES_OF_SCENE)
        cube, no_data = _scene_of(place, size, tuple(scenes))
        return LimitCase(number, cube, no_data, _settings(np.random.default_rng((place, own)), cube))

    def check(self) -> bool:
        """Code the scene and compare every sample with its limit.

        Returns
        -------
        bool
            False if the settings are refused: limits finer than the scaling of floats, or a base too small.

        Raises
        ------
        VerificationError
            If a sample is beyond its limit, or anything is reported as damaged.
        """
        source = ArraySource(self.cube, no_data=self.no_data)
        try:
            stream = Encoder(**self.settings).encode(source)
        except (SettingsError, BudgetError):
            return False
        decoder = Decoder(stream)
        found = decoder.decode()
        if decoder.damage:
            raise VerificationError(f"case {self.number}: {decoder.damage[0].reason}")
        # Band by band: what is compared takes eight times the memory of the samples.
        for band, plane in enumerate(found):
            beyond = int(np.count_nonzero(self._beyond(band, plane)))
            if beyond:
                raise VerificationError(
                    f"case {self.number}: {beyond} samples are beyond their limits in band {band}, with "
                    f"{self.settings}"
                )
        return True

    def _beyond(self, band: int, found: NDArray[Any]) -> NDArray[np.bool_]:
        """Which samples of a band are beyond their limits; from the settings and the samples alone."""
        given = self.cube[band]
        if self.settings.get("lossless"):
            bits = f"u{given.dtype.itemsize}"
            wrong: NDArray[np.bool_] = found.view(bits) != given.view(bits)
            if self.no_data == 0.0:
                # Absent samples come back as 0, without its sign.
                wrong &= (found != 0) | (given != 0)
            return wrong
        # Differences of integers and of floats of 32 bits are exact, or nearly so, in extended ones.
        wide = np.longdouble if given.dtype.kind == "f" else np.int64
        asked = np.broadcast_to(np.asarray(self.settings.get("max_error", 0.0)), len(self.cube))
        limits: Any = np.longdouble(asked[band])
        error = np.abs(found.astype(wide) - given.astype(wide))
        if "relative_error" in self.settings:
            share = int(self.settings["relative_error"] * SHARE_UNIT)
            limits = np.maximum(np.abs(given.astype(np.int64)) * share // SHARE_UNIT, limits)
        beyond: NDArray[np.bool_] = error > limits
        return beyond


@lru_cache(maxsize=1)
def _scene_of(place: int, size: int, scenes: tuple[Path, ...]) -> tuple[NDArray[Any], float | None]:
    """A scene, and the value of its samples without data, if there are any."""
    random = np.random.default_rng(place)
    if scenes and place % 2:
        source = open_envi(scenes[place // 2 % len(scenes)])
        cube = read_whole(source)
        cube = np.ascontiguousarray(mirrored(cube, max(math.isqrt(size // cube.size), 1)))
        no_data = source.info.no_data
        return cube, no_data
    dtype = np.dtype(str(random.choice(DTYPES[:2] if random.random() < 0.5 else DTYPES)))
    larger = max(math.isqrt(size // _USUAL_SIZE), 1)
    bands = int(random.integers(1, 120 * min(larger, 2)))
    lines = int(random.integers(1, 160 * larger))
    samples = max(size // (bands * lines), 1)
    cube = _scene(random, dtype, (bands, lines, min(samples, 700 * larger)))
    no_data = None
    if random.random() < 0.25:
        no_data = _MISSING if dtype.kind in "fi" and dtype.itemsize > 1 else 0.0
        cube[:, random.random(cube.shape[1:]) < 0.1] = dtype.type(no_data)
    return cube, no_data


def _scene(random: np.random.Generator, dtype: np.dtype[Any], shape: tuple[int, int, int]) -> NDArray[Any]:
    """A landscape, noise or a ramp in the range of a type, at times with dead bands or saturated samples."""
    bands, lines, samples = shape
    kind = random.random()
    if kind < 0.6:
        land = SyntheticScene(lines, samples, bands, int(random.integers(1 << 20)))
        cube = land.read(slice(0, bands), slice(0, lines)).astype(np.float64)
    elif kind < 0.8:
        cube = random.normal(0.0, 10.0 ** random.uniform(-1, 5), shape)
    else:
        cube = np.cumsum(random.integers(-30, 31, shape), axis=int(random.integers(3))).astype(np.float64)
    cube *= 10.0 ** random.uniform(-2, 1)
    if random.random() < 0.3:
        cube[random.integers(bands)] = cube.flat[0]
    if random.random() < 0.3:
        cube[:, random.random(shape[1:]) < 0.02] = cube.max() * 3
    if dtype.kind == "f":
        return cube.astype(dtype)
    ends = np.iinfo(dtype)
    if ends.min < 0:
        cube -= np.median(cube)
    return np.clip(np.rint(cube), float(ends.min), float(ends.max)).astype(dtype)


def _settings(random: np.random.Generator, cube: NDArray[Any]) -> dict[str, Any]:
    """Limits, and whatever may be said of the base."""
    settings: dict[str, Any] = {"strip_lines": int(8 * random.integers(1, 9))}
    small, bands = cube.dtype.kind in "iu" and cube.dtype.itemsize < 4, len(cube)
    unit = 1.0 if small else float(np.ptp(cube[np.isfinite(cube)].astype(np.float64))) / 4000 + 1e-3
    what = random.random()
    if what < 0.4:
        settings["lossless"] = True
    elif what < 0.7 or not small:
        settings["max_error"] = unit * float(int(np.exp(random.uniform(0, np.log(_MOST_LIMIT)))))
    elif what < 0.85:
        settings["max_error"] = [float(one) for one in random.integers(0, _MOST_LIMIT, bands)]
    else:
        settings["relative_error"] = float(random.uniform(0.0005, 0.9))
        settings["max_error"] = float(random.integers(0, 20))
    if random.random() < 0.3:
        settings["bps"] = float(random.uniform(0.1, 2.0))
    elif random.random() < 0.3:
        settings["step"] = float(np.exp(random.uniform(0, 6)))
    if random.random() < 0.1:
        settings["model"] = _MODEL
    else:
        if random.random() < 0.2:
            settings["spectral"] = "none"
        if random.random() < 0.3:
            settings["quantiser"] = "uniform"
    if random.random() < 0.25:
        settings["stream"] = True
    elif random.random() < 0.3:
        settings["layers"] = "base-first"
    return settings
