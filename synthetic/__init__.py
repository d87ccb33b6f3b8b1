"""Synthetic scenes for the demo, the tests and the benchmarks: a seed in, a cube with its metadata out."""
