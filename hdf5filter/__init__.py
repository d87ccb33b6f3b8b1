"""Chunks of HDF5 data sets in, streams out, and back: a filter for h5py, registered by importing this folder.

It is written in Python because the decoder is. So it works wherever h5py runs, and with it h5netcdf and
xarray, and not for programs in C such as ``h5dump``.
"""

from .filter_class import FilterWarning, register
from .filter_options import FILTER_ID, Bandfold

register()

__all__ = ["FILTER_ID", "Bandfold", "FilterWarning"]
