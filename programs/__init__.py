"""What the programs of ``python -m bandfold.calibration`` and ``python -m bandfold.benchmarks`` share.

Words of a command line enter; typed values, a progress bar, one line for an error and files of figures leave.
"""
