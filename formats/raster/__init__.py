"""GeoTIFF: a raster with tags in, samples block by block and header fields out, and back."""
