"""Samples of floats and of 32-bit integers go in; their ordinary range and their fill values come out."""
