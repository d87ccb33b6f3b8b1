"""Timing: a command or a stage in, seconds and samples per second out."""
