"""`bandfold hdf5`: the strips of a stream as chunks of an HDF5 file."""

from __future__ import annotations

from pathlib import Path

import click

from .console import need, tell
from .kept_inputs import keep_input
from .options import STREAM_PLACE, json_option, output_option, trusted_option

EXAMPLE = """\b
Example:
  bandfold hdf5 scene.bf -o scene.h5
  python -c "import h5py, bandfold.hdf5filter; print(h5py.File('scene.h5')['cube'][10, :3, :3])"
"""


@click.command(epilog=EXAMPLE)
@click.argument("stream", type=STREAM_PLACE)
@output_option(required=True, help="File to write: HDF5, and NetCDF 4 too (.h5, .nc).")
@trusted_option()
@json_option
def hdf5(stream: Path | str, output: Path, trusted: bool, as_json: bool) -> None:
    """Put the strips of STREAM into an HDF5 file, as they are.

    The file is also NetCDF 4 after the CF conventions, with wavelengths and map. Its chunks are decoded when
    they are read, by a filter that Python programs get with `import bandfold.hdf5filter`: h5py, h5netcdf,
    xarray. It is larger than STREAM by what all strips share, for each strip but the first. `bandfold decode
    -o scene.nc` writes a file that needs no filter.
    """
    need("an HDF5 filter needs", "formats", "h5py", "h5netcdf", "xarray", "pyproj")
    from bandfold.hdf5filter.stream_to_hdf5 import stream_to_hdf5

    keep_input("the stream", [stream], [output])
    info = stream_to_hdf5(stream, output, trusted=trusted)
    size = output.stat().st_size
    report = {"output": str(output), "stream": str(stream), "bytes": size, **info.geometry}
    geometry = f"{info.bands} bands, {info.lines} lines, {info.samples} samples"
    tell(report, f"{output}: {geometry}, {size} bytes; readers import bandfold.hdf5filter", as_json=as_json)
