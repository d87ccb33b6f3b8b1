"""Power and latency of an encoder on the board that it runs on: ``python -m bandfold.benchmarks.power``."""
