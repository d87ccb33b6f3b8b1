"""Payloads: side information (KLT, rotations, metadata, masks) in, entropy-coded bytes out, and back."""
