"""Which formats there are, and how a file is recognised."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from bandfold.common.errors import SceneError, SettingsError
from bandfold.common.input_files import begins_with

SUFFIXES = {
    ".hdr": "envi",
    ".tif": "geotiff",
    ".tiff": "geotiff",
    ".nc": "netcdf",
    ".nc4": "netcdf",
    ".cdf": "netcdf",
    ".h5": "hdf5",
    ".hdf5": "hdf5",
    ".he5": "hdf5",
    ".hdf": "hdf5",
    ".zarr": "zarr",
    ".npy": "npy",
    ".npz": "npz",
    ".mat": "matlab",
}
"""Formats by the suffix of their files; others are taken for raw files of ENVI scenes."""

USUAL_SUFFIX = {"envi": ".hdr", "geotiff": ".tif", "netcdf": ".nc", "zarr": ".zarr", "npy": ".npy"}
"""Suffix of the files of each format that is written."""

WRITTEN = tuple(USUAL_SUFFIX)
"""Formats that decoded scenes can have."""

_HDF4 = b"\x0e\x03\x13\x01"
"""What files of HDF4 begin with."""

_LIBRARIES = {
    "geotiff": ("rasterio", "pyproj"),
    "netcdf": ("xarray", "h5netcdf", "scipy", "pyproj"),
    "hdf5": ("h5py", "pyproj"),
    "zarr": ("xarray", "zarr", "dask", "pyproj"),
    "matlab": ("scipy", "h5py"),
}


def format_of(path: Path) -> str:
    """Name the format of a file by its suffix.

    Parameters
    ----------
    path : Path
        The file; it need not be there.

    Returns
    -------
    str
        One of the values of `SUFFIXES`.
    """
    return SUFFIXES.get(path.suffix.lower(), "envi")


def output_format(path: Path, wanted: str | None) -> str:
    """Choose the format of a decoded scene.

    Parameters
    ----------
    path : Path
        What is to be written.
    wanted : str or None
        One of `WRITTEN`; None goes by the suffix.

    Returns
    -------
    str
        One of `WRITTEN`.

    Raises
    ------
    SettingsError
        If the suffix is that of a format that is only read, or contradicts what is wanted.
    """
    by_suffix = SUFFIXES.get(path.suffix.lower())
    if wanted is None:
        if by_suffix is not None and by_suffix not in WRITTEN:
            raise SettingsError(
                f"output {path} is named like {by_suffix}, which is not written: name it like one of "
                f"{', '.join(USUAL_SUFFIX.values())}"
            )
        return by_suffix or "envi"
    if by_suffix is not None and by_suffix != wanted:
        raise SettingsError(f"output {path} is not named like {wanted}: end it in {USUAL_SUFFIX[wanted]}")
    return wanted


def refuse_hdf4(path: Path) -> None:
    """Refuse HDF4 files, whatever their suffix: Hyperion's L1R are such, and some with the suffix .hdf.

    Parameters
    ----------
    path : Path
        A file; what cannot be read is left to others.

    Raises
    ------
    SceneError
        If it is one.
    """
    if begins_with(path, _HDF4):
        raise SceneError(
            f"{path} is HDF4 (as Hyperion L1R), which is not read: convert it to ENVI with "
            f"gdal_translate -of ENVI 'HDF4_SDS:UNKNOWN:\"{path.name}\":0' {path.stem}.img"
        )


def need_libraries(name: str, what: str) -> None:
    """Make sure that the libraries of a format are installed, before any work is done.

    Parameters
    ----------
    name : str
        Format.
    what : str
        What the error message says needs them.

    Raises
    ------
    SettingsError
        If one is not.
    """
    absent = [library for library in _LIBRARIES.get(name, ()) if find_spec(library) is None]
    if absent:
        raise SettingsError(f"{what} needs {' and '.join(absent)}: pip install 'bandfold[formats]'")
