"""Trained networks: bands of a strip in, latents out, by whichever engine gives the same integers."""
