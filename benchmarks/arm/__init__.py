"""ARM: kernels with counters and a Python under QEMU in, instructions that kernels and loops execute out."""
