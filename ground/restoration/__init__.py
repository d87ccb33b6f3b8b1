"""Restoration: decoded latents in, latents nearer to the original out."""
