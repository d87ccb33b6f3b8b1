"""Benchmarks: scenes and codecs in, figures of rate, quality, time, memory and damage out.

Each module here is a program, ``python -m bandfold.benchmarks.NAME --help``: `rd` (rate and distortion beside
other codecs), `ideas` (what each idea saves), `bands` and `models` (trained models), `speed`, `memory`,
`archive`, `partial` (reading parts of a stream), `roundtrip`, `visited` (files that run), and `faults`,
`fuzz`, `packets` and `packetfaults` (damage). What they are made of is in the rooms below.
"""
