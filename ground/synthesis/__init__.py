"""Synthesis: the segment of a strip in, its samples out, by the inverse of each step of the encoder."""
