"""Streams: bytes or a file in, sections and strips out."""
