"""Refinement: what a base leaves of integer samples, coded within a limit of error; limit 0 is lossless."""
