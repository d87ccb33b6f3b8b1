"""Files of other programs: GeoTIFF, NetCDF, HDF5, Zarr, NumPy and MATLAB, in and out.

A folder of its own because `bandfold encode` reads what `bandfold decode` writes: the same wavelengths,
no-data values and map references in the same places. `onboard` may not import the libraries for that, and
`ground` may not be imported where scenes are read to be encoded, so this folder imports nothing but
`bitstream`. A reader is a `SceneSource` by its shape (`bandfold.common.scene`), a writer has the
methods of `bandfold.formats.envi.writer.EnviWriter`.

ENVI, which the flight install knows, is read in `bandfold.formats.envi.reader` and written in
`bandfold.formats.envi.writer`.
"""
