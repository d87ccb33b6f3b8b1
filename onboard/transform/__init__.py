"""Transform: counts in, latents out: KLT of the bands, cosine transform of blocks, rotation of blocks."""
