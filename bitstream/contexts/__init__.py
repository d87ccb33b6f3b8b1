"""Contexts: magnitudes that are already coded in, the class of the next latent out."""
