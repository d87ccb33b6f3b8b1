"""Sensors of a board: file trees of its kernel in; watts, joules, clocks and degrees out."""
