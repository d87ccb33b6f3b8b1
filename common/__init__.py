"""Common: errors, exact arithmetic, compiled kernels, files, threads. It knows nothing of the codec."""
