"""Files of named arrays, NetCDF, HDF5, Zarr and MATLAB: the array and what describes it in, a scene out."""
