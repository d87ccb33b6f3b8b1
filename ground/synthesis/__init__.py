"""Synthesis: levels of a strip in, samples out: the inverse of each step of the encoder."""
