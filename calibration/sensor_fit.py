"""The spectral transform of a sensor, fitted to a few of its scenes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version

import numpy as np
from numpy.typing import NDArray

from bandfold.bitstream.packages.manifest import Manifest
from bandfold.bitstream.packages.package import Package
from bandfold.bitstream.transforms.klt import FRACTION
from bandfold.bitstream.transforms.sensor_basis import MOST_MERGED, MOST_PRECISION, SensorBasis
from bandfold.bitstream.transforms.vectors import Vectors
from bandfold.common import exact
from bandfold.common.errors import SceneError, SettingsError
from bandfold.common.scene import SceneSource
from bandfold.common.wavelengths import wavelengths
from bandfold.onboard.planning.block_sample import sample_blocks
from bandfold.onboard.planning.partition import check_partition, partition_bands

COARSEST = 10
"""Bits of the entries of the weakest components: they cost no rate, but falling bits tell the order."""

Progress = Callable[[str, float], None]


def fit_sensor(
    scenes: Mapping[str, SceneSource],
    name: str,
    *,
    description: str = "",
    ends: Sequence[int] | None = None,
    intervals: int | None = None,
    progress: Progress | None = None,
) -> Package:
    """Fit the fold of a sensor.

    The covariances of the scenes, each about its own mean and divided by its own variance, are averaged:
    bright scenes weigh as much as dark ones, and what scenes differ by in the mean is no variance.

    Parameters
    ----------
    scenes : mapping of str to SceneSource
        Scenes of one sensor by name: integer samples without gaps.
    name : str
        Name of the package.
    description : str
        One line for the manifest; may be empty.
    ends : sequence of int, optional
        Partition; found from the scenes if not given.
    intervals : int, optional
        Number of intervals to find; one per 45 bands if not given.
    progress : callable, optional
        Called with a stage and the fraction done.

    Returns
    -------
    Package
        Of kind ``sensor``, not yet written; `bandfold.bitstream.packages.package.save_package` does that.

    Raises
    ------
    SceneError
        If the scenes differ in bands or wavelengths, or none of them varies.
    SettingsError
        If there is no scene, or the partition does not fit them.
    ModelError
        If the name is not possible.
    """
    if not scenes:
        raise SettingsError("no scenes are given: give at least one of the sensor")
    manifest = Manifest(name, "sensor", description)
    centres = _common_wavelengths(scenes)
    means, covariances = [], []
    for number, (title, source) in enumerate(scenes.items()):
        if progress is not None:
            progress(f"read {title}", number / len(scenes))
        mean, found = sample_blocks(source).moments
        means.append(mean)
        variance = float(np.trace(found))
        if variance > 0:
            covariances.append(found / variance)
    if not covariances:
        raise SceneError("no scene varies: there is nothing to fit; give scenes that show something")
    total = _sum(covariances)
    if progress is not None:
        progress("fit", 1.0)
    # Where it is cut is a matter of correlation alone, the scale plays no part.
    bounds = partition_bands(total, intervals) if ends is None else check_partition(ends, len(total))
    basis = _basis(manifest, total, bounds, np.mean(means, axis=0), centres)
    facts = {
        "bands": basis.bands,
        "intervals": list(bounds),
        "components": sum(vectors.count for vectors in basis.first),
        "merged": sum(basis.merged),
        "parameters": sum(vectors.codes.size for vectors in (*basis.first, basis.second)),
        "training scenes": list(scenes),
        "wavelengths": "as in the scenes" if centres is not None else "none in the scenes",
    }
    described = Manifest(name, "sensor", description, _release(), facts)
    return Package(described, basis.arrays())


def _common_wavelengths(scenes: Mapping[str, SceneSource]) -> NDArray[np.float64] | None:
    """Wavelengths of the first scene that has some; all scenes must agree."""
    first, reference = next(iter(scenes.items()))
    bands = reference.info.bands
    centres, known = None, ""
    for title, source in scenes.items():
        if source.info.bands != bands:
            raise SceneError(
                f"scene {title} has {source.info.bands} bands, {first} has {bands}: fit scenes of one sensor"
            )
        found = wavelengths(source.info.metadata, bands)
        if found is None:
            continue
        if centres is None:
            centres, known = found, title
        elif np.abs(found - centres).max() > _distance(centres) / 2:
            raise SceneError(
                f"wavelengths of scene {title} are not those of {known}: fit scenes of one sensor"
            )
    return centres


def _distance(centres: NDArray[np.float64]) -> float:
    """Usual distance between bands, in nanometres."""
    return float(np.median(np.abs(np.diff(centres)))) if len(centres) > 1 else 1.0


def _sum(matrices: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    total = np.zeros_like(matrices[0])
    for one in matrices:
        total += one
    return (total + total.T) / 2


def _basis(
    manifest: Manifest,
    covariances: NDArray[np.float64],
    ends: tuple[int, ...],
    mean: NDArray[np.float64],
    centres: NDArray[np.float64] | None,
) -> SensorBasis:
    """Eigenvectors of each interval, and those of the strongest components of all intervals."""
    starts = (0, *ends[:-1])
    spectra = [exact.eigh(covariances[start:end, start:end]) for start, end in zip(starts, ends, strict=True)]
    merged = _merged([values for values, _ in spectra])
    first = tuple(_quantised(values, vectors, float(np.trace(covariances))) for values, vectors in spectra)
    placed = np.zeros((len(covariances), sum(merged)))
    position = 0
    for start, end, vectors, count in zip(starts, ends, first, merged, strict=True):
        placed[start:end, position : position + count] = vectors.orthonormal[:, :count]
        position += count
    across = exact.product(placed.T, exact.product(covariances, placed))
    values, rotation = exact.eigh((across + across.T) / 2)
    second = _quantised(values, rotation, float(np.trace(covariances)))
    means = np.rint(mean * FRACTION).astype(np.int64)
    return SensorBasis(manifest.name, b"", ends, means, first, merged, second, centres)


def _merged(spectra: Sequence[NDArray[np.float64]]) -> tuple[int, ...]:
    """Components of each interval among the strongest of all."""
    interval = np.repeat(np.arange(len(spectra)), [len(values) for values in spectra])
    strongest = np.argsort(-np.concatenate(spectra), kind="stable")[:MOST_MERGED]
    return tuple(np.bincount(interval[strongest], minlength=len(spectra)).tolist())


def _quantised(values: NDArray[np.float64], vectors: NDArray[np.float64], whole: float) -> Vectors:
    """Vectors with one bit less for each factor of 16 by which a component is weaker than the whole scene."""
    share = exact.log2(np.maximum(values / whole, 1e-12))
    precision = np.clip(MOST_PRECISION + np.rint(share / 4), COARSEST, MOST_PRECISION).astype(np.int64)
    codes = np.rint(np.ldexp(vectors, precision.astype(np.int32)[None, :])).astype(np.int64)
    return Vectors(codes, precision)


def _release() -> str:
    try:
        return version("bandfold")
    except PackageNotFoundError:
        return ""
