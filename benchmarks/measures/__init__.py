"""Measures: two cubes, two curves or this process in, figures of quality, rate and memory out."""
