"""Segments: quantised latents of a strip in, the payload of its segment out, and back."""
