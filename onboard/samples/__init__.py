"""Samples: a scene of any type in, integer counts without gaps out, and which samples are absent."""
