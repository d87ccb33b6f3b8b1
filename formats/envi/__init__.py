"""ENVI: a text header and a raw file in, samples block by block out, and back."""
