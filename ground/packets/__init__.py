"""Packets: received packets in, streams out, and what is missing."""
