"""Measures: two cubes or two curves in, figures of quality and rate out."""
