"""Downlink: a stream in, packets or a smaller stream out."""
