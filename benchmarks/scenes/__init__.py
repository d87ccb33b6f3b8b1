"""Scenes of benchmarks: a folder in, cubes (whole, tiled, mosaics) out."""
