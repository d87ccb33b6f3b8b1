"""Quantisation: latents and a step in, levels out, at the least rate-distortion cost."""
