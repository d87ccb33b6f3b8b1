"""Chunks of HDF5 data sets in, streams out, and back: a filter for h5py, registered by importing this folder.

It is written in Python and encodes with all settings. It works wherever h5py runs, and with it h5netcdf and
xarray; other programs decode such chunks with the plugin in ``libbandfold/hdf5``.
"""

from .filter_class import FilterWarning, register
from .filter_options import FILTER_ID, Bandfold

register()

__all__ = ["FILTER_ID", "Bandfold", "FilterWarning"]
