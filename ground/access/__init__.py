"""Access: a stream in; blocks of its scene, an xarray data set of it, or a file of another format out."""
