"""Small scene files of every format that is read, to be damaged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandfold.common.errors import BandfoldError
from bandfold.formats.opening import open_scene
from bandfold.synthetic.scenes import SyntheticScene

BANDS, LINES, SAMPLES = 12, 20, 16


def scene_files(folder: Path) -> dict[str, Path]:
    """Write one scene in every format.

    Parameters
    ----------
    folder : Path
        An empty folder.

    Returns
    -------
    dict of str to Path
        Files by what they are: compressed and not, where the format has both.
    """
    scene = SyntheticScene(LINES, SAMPLES, BANDS, 1)
    cube = scene.read(slice(0, BANDS), slice(0, LINES))
    wavelengths = np.linspace(400.0, 2500.0, BANDS)
    files = {}
    for name, (file, write) in _WRITERS.items():
        files[name] = folder / file
        write(files[name], cube, wavelengths)
    return files


def read_all(path: Path) -> BandfoldError | None:
    """Open a scene and read it in blocks.

    Parameters
    ----------
    path : Path
        A scene, or what damage has left of one.

    Returns
    -------
    BandfoldError or None
        The error that it ended in; any other error comes through.
    """
    try:
        scene = open_scene(path)
        info = scene.info
        if info.count * info.dtype.itemsize > 1 << 24:
            # What claims to be large is read in part.
            scene.read(slice(0, 1), slice(0, 1))
            return None
        for start in range(0, info.lines, 8):
            scene.read(slice(0, info.bands), slice(start, min(start + 8, info.lines)))
    except BandfoldError as error:
        return error
    return None


def _envi(path: Path, cube: NDArray[Any], wavelengths: NDArray[np.float64]) -> None:
    bands, lines, samples = cube.shape
    cube.astype("<i2").tofile(path.with_suffix(".img"))
    numbers = ", ".join(f"{one:.2f}" for one in wavelengths)
    path.write_text(
        f"ENVI\nbands = {bands}\nlines = {lines}\nsamples = {samples}\ndata type = 2\ninterleave = bsq\n"
        f"byte order = 0\nwavelength = {{{numbers}}}\n"
    )


def _npy(path: Path, cube: NDArray[Any], wavelengths: NDArray[np.float64]) -> None:
    np.save(path, cube)


def _npz(path: Path, cube: NDArray[Any], wavelengths: NDArray[np.float64]) -> None:
    np.savez_compressed(path, cube=cube, wavelength=wavelengths)


def _stored_npz(path: Path, cube: NDArray[Any], wavelengths: NDArray[np.float64]) -> None:
    np.savez(path, cube=cube, wavelength=wavelengths)


def _mat(path: Path, cube: NDArray[Any], wavelengths: NDArray[np.float64]) -> None:
    from scipy.io import savemat

    savemat(path, {"cube": cube.transpose(1, 2, 0), "wavelength": wavelengths}, do_compression=True)


def _hdf5(path: Path, cube: NDArray[Any], wavelengths: NDArray[np.float64]) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file.create_dataset("cube", data=cube, chunks=(4, 8, 8), compression="gzip")
        file["wavelength"] = wavelengths
        file["cube"].attrs["units"] = "counts"


def _netcdf3(path: Path, cube: NDArray[Any], wavelengths: NDArray[np.float64]) -> None:
    import xarray

    coordinates = {"wavelength": ("band", wavelengths)}
    array = xarray.DataArray(cube, dims=("band", "y", "x"), coords=coordinates)
    array.to_dataset(name="cube").to_netcdf(path, engine="scipy")


def _netcdf4(path: Path, cube: NDArray[Any], wavelengths: NDArray[np.float64]) -> None:
    import xarray

    coordinates = {"wavelength": ("band", wavelengths)}
    array = xarray.DataArray(cube, dims=("band", "y", "x"), coords=coordinates)
    encoding = {"cube": {"zlib": True, "chunksizes": (4, 8, 8)}}
    array.to_dataset(name="cube").to_netcdf(path, engine="h5netcdf", encoding=encoding)


def _geotiff(path: Path, cube: NDArray[Any], wavelengths: NDArray[np.float64]) -> None:
    import rasterio

    from bandfold.formats.raster.geotiff_reader import gdal

    bands, lines, samples = cube.shape
    with (
        gdal(),
        rasterio.open(
            path,
            "w",
            driver="GTiff",
            width=samples,
            height=lines,
            count=bands,
            dtype=cube.dtype.name,
            compress="deflate",
        ) as file,
    ):
        file.write(cube)


_WRITERS: dict[str, tuple[str, Callable[[Path, NDArray[Any], NDArray[np.float64]], None]]] = {
    "ENVI": ("scene.hdr", _envi),
    "NumPy": ("scene.npy", _npy),
    "NumPy, compressed": ("compressed.npz", _npz),
    "NumPy, stored": ("stored.npz", _stored_npz),
    "MATLAB, compressed": ("scene.mat", _mat),
    "HDF5, compressed": ("scene.h5", _hdf5),
    "NetCDF 3": ("classic.nc", _netcdf3),
    "NetCDF 4, compressed": ("scene.nc", _netcdf4),
    "GeoTIFF, compressed": ("scene.tif", _geotiff),
}
