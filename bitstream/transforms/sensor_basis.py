"""The KLT of a sensor, as a package holds it.

It is more than one scene needs: all components of each interval, and a second fold of the strongest of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.packages.package import Package, reading_content, require
from bandfold.common.errors import ModelError
from bandfold.common.scene import SceneInfo
from bandfold.common.wavelengths import wavelengths

from .vectors import Vectors

MOST_MERGED = 128
"""Components that the second fold of a package takes at most."""

LARGEST_MEAN = 1 << 40
"""Band means of a package, in units of 1/64 of a count, stay far below this."""

MOST_PRECISION = 16


@dataclass(frozen=True)
class SensorBasis:
    """Partition, means and bases of a sensor.

    Parameters
    ----------
    name : str
        Of its package.
    identity : bytes
        First 8 bytes of the digest of the package.
    ends : tuple of int
        End of each interval, exclusive.
    means : ndarray of int64, shape (bands,)
        Usual band means in units of 1/64 of a count, with which those of scenes are compared.
    first : tuple of Vectors
        All components of each interval, in falling order of variance.
    merged : tuple of int
        How many of them the second fold takes.
    second : Vectors
        Columns over the merged components, interval by interval; as many as there are rows.
    wavelengths : ndarray, shape (bands,), or None
        In nanometres.
    """

    name: str
    identity: bytes
    ends: tuple[int, ...]
    means: NDArray[np.int64]
    first: tuple[Vectors, ...]
    merged: tuple[int, ...]
    second: Vectors
    wavelengths: NDArray[np.float64] | None = None

    @property
    def bands(self) -> int:
        """Number of bands."""
        return len(self.means)

    def check_scene(self, info: SceneInfo) -> None:
        """Make sure that a scene may be of this sensor.

        Parameters
        ----------
        info : SceneInfo
            Of the scene: bands, and the wavelengths in its metadata.

        Raises
        ------
        ModelError
            If the scene has another number of bands, or a wavelength that is off by more than half the
            distance between bands. Nothing is said where either has no wavelengths.
        """
        if info.bands != self.bands:
            raise ModelError(
                f"package {self.name!r} is for {self.bands} bands, the scene has {info.bands}: "
                "take a package of its sensor, or none"
            )
        found = wavelengths(info.metadata, info.bands)
        if found is None or self.wavelengths is None or info.bands < 2:
            return
        limit = np.abs(np.gradient(self.wavelengths)) / 2
        excess = np.abs(found - self.wavelengths) - limit
        worst = int(np.argmax(excess))
        if excess[worst] > 0:
            raise ModelError(
                f"band {worst} of the scene is at {found[worst]:g} nm, in package {self.name!r} at "
                f"{self.wavelengths[worst]:g} nm: take a package of its sensor, or none"
            )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Arrays of a package, from which `from_package` reads the basis again.

        Returns
        -------
        dict of str to ndarray
        """
        found: dict[str, NDArray[Any]] = {
            "ends": np.array(self.ends, dtype=np.int32),
            "means": self.means.astype(np.int64),
            "merged": np.array(self.merged, dtype=np.int32),
        }
        named = {f"first-{number:03d}": vectors for number, vectors in enumerate(self.first)}
        for name, vectors in (named | {"second": self.second}).items():
            found[name] = vectors.codes.astype(np.int32)
            found[f"{name}-precision"] = vectors.precision.astype(np.int32)
        if self.wavelengths is not None:
            found["wavelengths"] = self.wavelengths.astype(np.float64)
        return found

    @staticmethod
    def from_package(package: Package) -> SensorBasis:
        """Take the basis out of a package.

        Parameters
        ----------
        package : Package
            Of kind ``sensor``.

        Returns
        -------
        SensorBasis

        Raises
        ------
        ModelError
            If the package is of another kind or its arrays do not make up a basis.
        """
        with reading_content(package, "sensor", "a fold", "basis", "bandfold fit"):
            return _from_package(package)


def _from_package(package: Package) -> SensorBasis:
    arrays = package.arrays
    ends = _integers(arrays["ends"], 1)
    means = _integers(arrays["means"], 1)
    merged = _integers(arrays["merged"], 1)
    lengths = np.diff(ends, prepend=0)
    require(len(ends) > 0 and lengths.min() > 0 and ends[-1] == len(means), "ends do not fit the bands")
    require(_within(means, LARGEST_MEAN), "a mean is out of range")
    first = tuple(_vectors(arrays, f"first-{number:03d}") for number in range(len(ends)))
    second = _vectors(arrays, "second")
    shapes = [vectors.codes.shape for vectors in first]
    require(all(rows == length for (rows, _), length in zip(shapes, lengths, strict=True)), "first fold")
    require(len(merged) == len(ends) and merged.min() >= 0, "merged components")
    require(
        all(taken <= count for taken, (_, count) in zip(merged, shapes, strict=True)), "merged components"
    )
    require(merged.sum() <= MOST_MERGED and second.codes.shape[0] == merged.sum(), "second fold")
    centres = None
    if "wavelengths" in arrays:
        centres = np.asarray(arrays["wavelengths"], dtype=np.float64)
        require(centres.shape == means.shape and bool(np.isfinite(centres).all()), "wavelengths")
    return SensorBasis(
        package.name,
        package.identity,
        tuple(ends.tolist()),
        means,
        first,
        tuple(merged.tolist()),
        second,
        centres,
    )


def _within(values: NDArray[np.int64], limit: int | NDArray[np.int64]) -> bool:
    # Not by magnitude: the smallest integer has none.
    return bool(((values <= limit) & (values >= -limit)).all())


def _integers(array: NDArray[Any], dimensions: int) -> NDArray[np.int64]:
    require(
        array.ndim == dimensions and array.dtype.kind in "iu", "integers of another shape or type expected"
    )
    return array.astype(np.int64)


def _vectors(arrays: Any, name: str) -> Vectors:
    codes, precision = _integers(arrays[name], 2), _integers(arrays[f"{name}-precision"], 1)
    require(codes.shape[1] == len(precision) and codes.shape[1] <= codes.shape[0], f"{name} has odd vectors")
    require(bool(((precision >= 1) & (precision <= MOST_PRECISION)).all()), f"{name} has odd precisions")
    # Entries of unit vectors, with room for their rounding.
    require(_within(codes, np.left_shift(2, precision)), f"{name} has entries beyond 1")
    return Vectors(codes, precision)
