"""Transforms as both sides know them: the integer cosine matrix, the KLT of a scene, the KLT of a sensor."""
