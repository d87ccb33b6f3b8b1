"""Entropy coding: symbols and frequency tables in, 32-bit words out, and back."""
