"""Streams: bytes in, the sections that all strips need and the segment of each strip out, nothing decoded."""
